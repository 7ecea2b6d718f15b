"""What a design changes from the nearest known specimen, and what the page says it compares."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.explain import Explanation, Neighbour
from core.examples import Example, load_examples
from core.images import Micrograph
from core.specimen_descriptors import FILE, SpecimenDescriptors, measure_specimens, save_descriptors
from dashboard.design_reasons import _known, compared_in_words
from tests.dashboard.conftest import sound, texts
from tests.dashboard.test_pages import images


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
    found = Explanation(Neighbour("s1", 0.1), Example("a", "s2", picture, {}), (), False)
    assert found.compared == "s2"
    assert "The nearest with a micrograph here is s2." in compared_in_words(found, 512, 0.5)
    own = replace(found, nearest=Neighbour("s2", 0.1))
    assert "The nearest with" not in compared_in_words(own, 512, 0.5)
    pooled = replace(found, pooled=True)
    assert pooled.compared == "s1"
    assert "256 µm" in compared_in_words(pooled, 512, 0.5)
    assert "512 px" in compared_in_words(pooled, 512, None)
