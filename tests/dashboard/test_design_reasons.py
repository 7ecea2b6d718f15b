"""What a design changes from the nearest known specimen, and what the page says it compares."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.explain import Change, Explanation, Neighbour
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.specimen_picture import SpecimenPicture
from core.castings import again
from core.encode import load_latents
from core.errors import InputError
from core.examples import load_examples
from core.images import Micrograph
from core.specimen_descriptors import FILE, SpecimenDescriptors, measure_specimens, save_descriptors
from core.workspace import data_folder
from dashboard import permission, specimen_pictures
from dashboard.design_reasons import _known, carried, compared_in_words
from tests.dashboard.conftest import sound, texts
from tests.dashboard.shown import images
from tests.tiny import tiny_design


@pytest.fixture(scope="module")
def measured(tiny_castings) -> SpecimenDescriptors:
    """Descriptors of the tiny castings' specimens."""
    return measure_specimens(tiny_castings, 1.0)


@pytest.fixture
def with_kept(tiny_model, tmp_path, measured) -> Path:
    """The tiny model with descriptors of its specimens; returns its folder."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    save_descriptors(folder / "latents", measured)
    return folder


def changes(app):
    """The table of what changes."""
    return next(t.value for t in app.table if "Change" in t.value.columns)


def nearest(app) -> str:
    found = re.search(r"Nearest specimen of the data: (t\d\d)", texts(app))
    assert found is not None
    return found.group(1)


def captions(app) -> list[str]:
    return [caption for image in images(app) for caption in image.captions]


def only_example(folder: Path, specimen: str) -> None:
    """Let the model's examples be of one specimen."""
    listing = folder / "examples" / "examples.json"
    names = {one.specimen for one in load_examples(folder)}
    text = listing.read_text()
    for name in names:
        text = text.replace(f'"{name}"', f'"{specimen}"')
    listing.write_text(text)


def test_the_nearest_specimen_itself_is_compared_by_what_is_kept_of_it(
    with_kept, measured, open_page
):
    app = sound(open_page(size="256"))
    name, table = nearest(app), changes(sound(app))
    assert list(table.columns) == ["Descriptor", name, "Design", "Change"]
    labels = {one.label: one for one in measured.scalars}
    assert set(table["Descriptor"]) <= set(labels), "what is not kept is left out"
    share = table.set_index("Descriptor").loc["Graphite area", name]
    assert float(share.split()[0]) == pytest.approx(
        measured.values.loc[name, "graphite_pct"], rel=0.01
    )
    assert f"compares the design with {name} itself" in texts(app) and "256 µm" in texts(app)


@pytest.mark.parametrize("own", [True, False])
def test_a_picture_of_another_specimen_is_called_one(with_kept, open_page, own):
    name = nearest(open_page(size="256"))
    only_example(with_kept, name if own else "t00" if name != "t00" else "t01")
    app = sound(open_page(size="256"))
    assert nearest(app) == name and name in changes(app).columns
    other = [c for c in captions(app) if "not the one in the table" in c]
    assert len(other) == (0 if own else 1)
    assert any(c.startswith(f"{name}: ") for c in captions(app)) == own


@pytest.fixture
def another_shown(with_kept, open_page) -> str:
    """The nearest specimen, of which the model has no example; returns its name."""
    name = nearest(open_page(size="256"))
    only_example(with_kept, "t00" if name != "t00" else "t01")
    return name


@pytest.fixture
def in_workspace(tiny_castings) -> Path:
    """The tiny model's data set in the workspace; returns its folder."""
    folder = data_folder() / "castings"
    shutil.copytree(tiny_castings.root, folder)
    return folder


def the_picture(app) -> str:
    """The caption of the picture beside the table."""
    (found,) = [c for c in captions(app) if re.search(r"t\d\d: ", c)]
    return found


def test_the_nearest_specimens_own_micrograph_comes_from_the_data_set(
    another_shown, in_workspace, open_page, monkeypatch
):
    read = []
    real = specimen_pictures.field_round
    monkeypatch.setattr(
        specimen_pictures, "field_round", lambda *about: read.append(real(*about)) or read[-1]
    )
    app = sound(open_page(size="256"))
    assert nearest(app) == another_shown and another_shown in changes(app).columns
    assert the_picture(app) == f"{another_shown}: as in the data set (synthetic)"
    assert "does not come with the model" not in texts(app)
    assert read[0].shape == (160, 160)
    app.run()
    assert len(read) == 1, "kept"


def test_the_nearest_specimens_own_micrograph_is_made_again(another_shown, open_page, monkeypatch):
    monkeypatch.setattr(again, "designs", lambda count: iter([tiny_design(count)]))
    specimen_pictures.st.cache_data.clear()  # there it stands that no design is known
    app = sound(open_page(size="256"))
    assert the_picture(app) == f"{another_shown}: made again by the generator (synthetic)"


def test_where_the_own_micrograph_cannot_be_had_it_is_said_why(
    another_shown, in_workspace, open_page, monkeypatch
):
    monkeypatch.setattr(permission, "trusted", lambda: False)
    app = sound(open_page(size="256"))
    assert the_picture(app).startswith("Another specimen, t") and "synthetic" in the_picture(app)
    assert "does not come with the model" in texts(app)
    assert "not shown on this server" in texts(app)


def test_a_micrograph_that_cannot_be_read_is_said_and_the_table_stays(
    another_shown, in_workspace, open_page, monkeypatch
):
    def unreadable(*about):
        raise InputError("t03_0.png is damaged")

    monkeypatch.setattr(specimen_pictures.originals, "original", unreadable)
    app = open_page(size="256")
    assert not app.exception
    assert "The picture of the nearest specimen is left out" in app.error[0].value
    assert another_shown in changes(app).columns


def test_without_kept_descriptors_the_nearest_specimens_own_picture_is_compared(
    another_shown, with_kept, in_workspace, open_page
):
    (with_kept / "latents" / FILE).unlink()
    app = sound(open_page(size="256"))
    assert another_shown in changes(app).columns
    assert "compares two pictures" in texts(app) and "The nearest with" not in texts(app)


def test_changes_are_weighed_by_what_they_go_with(with_kept, measured, open_page):
    table = load_latents(with_kept / "latents")
    config = NetworkConfig(regimes=(1,), factors=(2,))
    fit_network(table, config, measured).save(with_kept / "network.json")
    app = sound(open_page(size="256", uts_mpa="333"))
    columns = list(changes(app).columns)
    assert columns[3:] == ["Change", "Goes with: Ultimate tensile strength"], "what was asked for"
    known = [t for t in changes(app)[columns[-1]] if t]
    strengths = [abs(float(t.replace("−", "-").split("\u00a0")[0])) for t in known]
    assert all("MPa" in t for t in known) and strengths == sorted(strengths, reverse=True)
    assert "Ultimate tensile strength, " in texts(app) and " goes " in texts(app)
    assert "no cause" in texts(app) and "do not add up" in texts(app)


def test_a_network_without_descriptors_weighs_nothing(with_kept, open_page):
    app = sound(open_page(size="256"))
    assert not any("Goes with" in column for column in changes(app).columns)
    assert "no cause" not in texts(app)


def test_without_pictures_the_kept_descriptors_are_compared(with_kept, open_page):
    shutil.rmtree(with_kept / "examples")
    app = sound(open_page(size="256"))
    assert nearest(app) in changes(app).columns


def test_where_nothing_is_kept_pictures_are_compared_and_that_is_said(with_model, open_page):
    app = sound(open_page(size="256"))
    said = texts(app)
    assert f"The model keeps no descriptors of {nearest(app)}." in said
    assert "compares two pictures" in said and not any("Another" in c for c in captions(app))


def test_a_specimen_that_could_not_be_measured_is_compared_by_pictures(
    with_kept, measured, open_page
):
    nothing = replace(measured, values=measured.values * np.nan)
    save_descriptors(with_kept / "latents", nothing)
    app = sound(open_page(size="256"))
    assert "compares two pictures" in texts(app)


def test_damaged_descriptors_are_said_and_pictures_are_compared(with_kept, open_page):
    (with_kept / "latents" / FILE).write_text("{}")
    app = open_page(size="256")
    assert not app.exception
    (error,) = [e.value for e in app.error]
    assert "Descriptors of the specimens are left out" in error
    assert "compares two pictures" in texts(app)


def test_the_caption_names_properties_and_leaves_descriptors_to_the_table():
    size = SimpleNamespace(column="diameter_um", label="Diameter", unit="µm")
    strength = SimpleNamespace(column="uts_mpa", label="Strength", unit="MPa")
    network = SimpleNamespace(
        specimens=("s1", "s2"),
        outcomes=(size, strength),
        properties=(strength,),
        outcome_places=lambda nodes: [1],
        support=SimpleNamespace(properties=np.array([[30.0, 379.0], [31.0, np.nan]])),
    )
    assert _known(network, "s1") == " (strength 379 MPa)"
    assert _known(network, "s2") == _known(network, "unknown") == ""


def test_words_name_specimen_picture_and_field():
    picture = Micrograph(np.zeros((8, 8), np.float32), "a", 0.5, ())
    found = Explanation(Neighbour("s1", 0.1), SpecimenPicture("s2", picture, "a"), (), False)
    assert found.compared == "s2"
    assert "The nearest with a micrograph here is s2." in compared_in_words(found, 512, 0.5)
    own = replace(found, nearest=Neighbour("s2", 0.1))
    assert "The nearest with" not in compared_in_words(own, 512, 0.5)
    pooled = replace(found, pooled=True)
    assert pooled.compared == "s1"
    assert "256 µm" in compared_in_words(pooled, 512, 0.5)
    assert "512 px" in compared_in_words(pooled, 512, None)
    assert "nodularity" not in compared_in_words(pooled, 512, 0.5), "none is compared"
    size = Change("diameter_um", "Equivalent diameter, mean", "µm", 20.0, 22.0)
    graphite = replace(pooled, changes=(size,))
    assert "nodularity and flake length are of whole" in compared_in_words(graphite, 512, 0.5)


def test_what_carries_a_property_is_said_in_its_unit():
    strength = Change("uts_mpa", "Strength", "MPa", 400.0, 430.0)
    round_, area, count = (
        Change(name, label, "%", 1.0, 2.0, {"uts_mpa": value})
        for name, label, value in (("a", "Nodularity", 25.0), ("b", "Area", 8.0), ("c", "Count", 2))
    )
    found = Explanation(
        Neighbour("s1", 0.1), None, (round_, area, count), True, properties=(strength,)
    )
    said = "Strength, 400 to 430 MPa (+30 MPa), goes most with Nodularity (+25 MPa), then Area (+8 "
    assert [line.replace("\u00a0", " ") for line in carried(found)] == [f"{said}MPa)."]
    little = carried(replace(found, properties=(replace(strength, after=412.0),)))[0]
    assert "That is more than the whole change" in little, "25 of 12 MPa"
    falls = replace(found, properties=(replace(strength, after=380.0),))
    assert carried(falls)[0].endswith("goes with none of the descriptors below.")
    untested = replace(found, properties=(replace(strength, before=None),))
    assert carried(untested)[0].startswith("Strength is not known of s1; the change to the design")
    assert carried(replace(found, changes=())) == [] == carried(replace(found, properties=()))
