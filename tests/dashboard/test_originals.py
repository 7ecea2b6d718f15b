"""Points of the latent map show their very picture, from whatever has it, or say why not."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.castings import again
from core.encode import load_latents
from core.examples import load_examples
from core.field_descriptors import STRUCTURE, measure_fields
from core.specimen_descriptors import SpecimenDescriptors, measure_specimens, save_descriptors
from core.workspace import data_folder
from dashboard import data_found, originals, permission, state
from dashboard.originals import MADE_AGAIN, PHOTOGRAPHED
from tests.bayesnet.test_design import imports, reaches, sources
from tests.dashboard.conftest import sound, texts
from tests.dashboard.shown import images
from tests.tiny import make_castings, tiny_design


@pytest.fixture
def model(tiny_model, tmp_path, monkeypatch):
    """The tiny model, its own copy, without example micrographs."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    shutil.rmtree(folder / "examples")
    return state.models()[0]


@pytest.fixture
def in_workspace(tiny_castings) -> Path:
    """The tiny model's data set in the workspace; returns its folder."""
    folder = data_folder() / "castings"
    shutil.copytree(tiny_castings.root, folder)
    return folder


@pytest.fixture
def known_design(monkeypatch):
    monkeypatch.setattr(again, "designs", lambda count: iter([tiny_design(count)]))


def found(model, row: int) -> originals.Original:
    return originals.original(model, state.latents(model), row)


def expected(data, table, row: int) -> np.ndarray:
    names = data.table["file"].tolist()
    top, left = table.corner[row]
    pixels = data.read(names.index(str(table.file[row]))).pixels
    return pixels[top : top + 128, left : left + 128]


def captions(app) -> list[str]:
    return [caption for image in images(app) for caption in image.captions]


def test_a_data_set_in_the_workspace_has_the_picture_of_every_point(
    model, in_workspace, tiny_castings, open_page
):
    table = state.latents(model)
    for row in (0, 30, len(table.mu) - 1):
        one = found(model, row)
        assert np.array_equal(one.patch, expected(tiny_castings, table, row)), row
        assert one.said == PHOTOGRAPHED
    app = sound(open_page("latent_map", a="1", b="40"))
    assert captions(app).count(PHOTOGRAPHED) == 2 and "does not come" not in texts(app)


def test_a_data_set_that_was_changed_since_is_not_shown(model, in_workspace):
    picture = in_workspace / str(state.latents(model).file[0])
    assert found(model, 0).patch is not None
    shutil.copyfile(in_workspace / "t09_0.png", picture)
    one = found(model, 0)
    assert one.patch is None and "same names, but other pictures" in one.said
    picture.unlink()
    assert "cannot be" in found(model, 0).said


def test_a_data_set_is_hashed_once_and_only_where_its_names_agree(
    model, in_workspace, monkeypatch, tmp_path
):
    make_castings(data_folder() / "another", 3)
    hashed = []
    real = data_found.load_dataset
    monkeypatch.setattr(data_found, "load_dataset", lambda f: hashed.append(f.name) or real(f))
    for row in (0, 1, 5):
        assert found(model, row).patch is not None
    assert hashed == ["castings"]
    os.utime(in_workspace / "t03_0.png", ns=(1, 1))
    found(model, 0)
    assert hashed == ["castings", "castings"], "a file changed, so it is compared again"


def test_a_data_set_elsewhere_is_known_from_the_job_that_trained_the_model(
    model, tiny_castings, monkeypatch
):
    def job(name: str) -> SimpleNamespace:
        return SimpleNamespace(request=SimpleNamespace(name=name, data=str(tiny_castings.root)))

    monkeypatch.setattr(data_found, "jobs", lambda: [job("another")])
    assert found(model, 0).patch is None
    monkeypatch.setattr(data_found, "jobs", lambda: [job("another"), job(model.id)])
    assert found(model, 0).said == PHOTOGRAPHED


def test_servers_that_others_reach_show_no_data_set(model, in_workspace, monkeypatch):
    monkeypatch.setattr(permission, "trusted", lambda: False)
    one = found(model, 0)
    assert one.patch is None and "not shown on this server" in one.said
    assert str(data_folder()) not in one.said


def test_a_casting_is_made_again_where_its_design_is_known(
    model, known_design, tiny_castings, open_page, monkeypatch
):
    drawn = []
    real = originals.draw_again
    monkeypatch.setattr(originals, "draw_again", lambda f: drawn.append(f.file) or real(f))
    table = state.latents(model)
    one = found(model, 5)
    assert np.array_equal(one.patch, expected(tiny_castings, table, 5)) and one.said == MADE_AGAIN
    assert drawn == [table.file[5]], "that casting alone"
    app = sound(open_page("latent_map", a="6", b="6"))
    assert captions(app).count(MADE_AGAIN) == 2
    assert drawn == [table.file[5]], "kept"


def test_a_casting_that_comes_out_otherwise_is_not_shown(model, monkeypatch, open_page):
    others = tuple(replace(plan, seed=plan.seed + 1) for plan in tiny_design())
    monkeypatch.setattr(again, "designs", lambda count: iter([others]))
    app = sound(open_page("latent_map", a="1", b="40"))
    assert MADE_AGAIN not in captions(app) and PHOTOGRAPHED not in captions(app)
    assert "makes another picture" in texts(app) and "latents differ by" in texts(app)


def test_without_any_source_it_is_said_what_to_do(model, open_page):
    said = texts(sound(open_page("latent_map", a="1", b="40")))
    assert "does not come with the model" in said and "Tiny castings" in said
    assert "MICRODESIGN\\_WORKSPACE/data" in said and str(data_folder()) not in said


def test_an_example_of_another_micrograph_of_the_specimen_is_not_shown(with_model, monkeypatch):
    """Examples are not always a specimen's first micrograph, so names alone would mislead."""
    model, table = state.models()[0], load_latents(with_model / "latents")
    example = load_examples(with_model)[0]
    row = int(np.flatnonzero(table.specimen == example.specimen)[0])
    assert found(model, row).said == PHOTOGRAPHED
    turned = replace(
        example,
        micrograph=replace(example.micrograph, pixels=example.micrograph.pixels[::-1, ::-1]),
    )
    monkeypatch.setattr(state, "examples", lambda _: (turned,))
    originals.st.cache_data.clear()
    assert found(model, row).patch is None


def test_a_micrograph_is_measured_beside_its_specimen(
    model, known_design, tiny_castings, open_page
):
    save_descriptors(model.folder / "latents", measure_specimens(tiny_castings, 1.0))
    app = sound(open_page("latent_map", a="1", b="40"))
    facts = app.table[0].value
    assert list(facts.columns) == ["What", "Specimen", "This micrograph (160 × 160 px)"]
    area = facts[facts["What"] == "Graphite area"].iloc[0]
    assert area["Specimen"] == area.iloc[2], "this specimen has one micrograph"
    assert facts[facts["What"] == "Magnesium"].iloc[0, 2] == ""


def test_a_micrograph_of_another_material_is_measured_as_its_specimen_was(
    model, in_workspace, tiny_castings
):
    fields = [tiny_castings.read(i).pixels for i in range(len(tiny_castings))]
    names = tiny_castings.table["specimen"].astype(str)
    rows = [measure_fields([field], 1.0, "phases") for field in fields]
    wanted = SpecimenDescriptors(
        scalars=STRUCTURE,
        values=pd.DataFrame(rows, index=list(names), dtype=float),
        um_per_px=1.0,
        data_hash=state.latents(model).data_hash,
        note="",
    )
    _, values = originals.measured(model, 0, found(model, 0), wanted)
    own = wanted.values.loc[str(state.latents(model).specimen[0])].dropna()
    assert values == pytest.approx(own.to_dict()), "this specimen has one micrograph"


def test_too_large_a_micrograph_is_not_measured(
    model, known_design, tiny_castings, open_page, monkeypatch
):
    save_descriptors(model.folder / "latents", measure_specimens(tiny_castings, 1.0))
    monkeypatch.setattr(originals, "MOST_MEASURED_PX", 1000)
    app = sound(open_page("latent_map", a="1", b="40"))
    assert list(app.table[0].value.columns) == ["What", "Value"]
    assert captions(app).count(MADE_AGAIN) == 2


def test_on_the_pages_only_the_pictures_of_the_map_ask_the_generator():
    asks = {name for name, path in sources("dashboard") if reaches(imports(path), "core.castings")}
    assert asks == {"dashboard.originals"}
