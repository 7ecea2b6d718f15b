"""A micrograph that is made again is, bit for bit, the one of its data set."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.castings import again
from core.castings.again import draw_again, find_field
from core.castings.design import extended_design, paper_design
from core.checkpoint import load_model
from core.encode import load_latents
from core.images import read_image
from core.patch_origin import SAME_LATENTS, cut_patch, latents_differ_by
from tests.tiny import make_castings, tiny_design

SETTINGS = ["mg_wt", "radius_mm", "ce_pct"]


@pytest.fixture
def tiny_designs(monkeypatch):
    """Tiny castings are the designs that are known."""
    monkeypatch.setattr(again, "designs", lambda count: iter([tiny_design(count)]))


def test_one_field_made_again_is_the_file_of_the_data_set(tmp_path, monkeypatch):
    plans = tuple(replace(plan, n_fields=2) for plan in tiny_design(3))
    monkeypatch.setattr("tests.tiny.tiny_design", lambda *_: plans)
    data = make_castings(tmp_path / "set", 3)
    monkeypatch.setattr(again, "designs", lambda count: iter([plans]))
    for file in ("t00_0.png", "t02_1.png"):
        found = find_field(data.specimens, file[:3], file)
        made, written = draw_again(found), read_image(data.root / file, file)
        assert np.array_equal(made.pixels, written.pixels) and made.pixels.dtype == np.float32
        assert made.um_per_px == written.um_per_px


def test_a_field_is_found_by_name_and_settings(tiny_castings, tiny_designs):
    specimens = tiny_castings.specimens
    found = find_field(specimens, "t03", "t03_0.png")
    assert found.plan == tiny_design()[3] and found.index == 0
    assert find_field(specimens, "t03", "t03_1.png") is None, "it has one field"
    assert find_field(specimens, "t03", "t04_0.png") is None
    changed = specimens.copy()
    changed.loc["t09", "mg_wt"] += 1e-4
    assert find_field(changed, "t03", "t03_0.png") is None, "another design"
    assert find_field(specimens.drop(columns="ce_pct"), "t03", "t03_0.png") is None
    assert find_field(specimens.rename(index={"t01": "x"}), "t03", "t03_0.png") is None
    unknown = specimens.astype({"mg_wt": object})
    unknown.loc["t02", "mg_wt"] = None
    assert find_field(unknown, "t03", "t03_0.png") is None


@pytest.mark.parametrize("design", [extended_design, lambda count: paper_design()])
def test_the_designs_of_the_command_line_are_known(design):
    plans = design(12)
    rows = {p.specimen: [getattr(p.settings, name) for name in SETTINGS] for p in plans}
    specimens = pd.DataFrame.from_dict(rows, orient="index", columns=SETTINGS)
    last = plans[-1]
    found = find_field(specimens, last.specimen, f"{last.specimen}_0.png")
    assert found is not None and found.plan == last


def test_the_reference_models_micrographs_are_made_again(reference_model, vgg_weights):
    loaded, table = load_model(reference_model), load_latents(reference_model / "latents")
    row = len(table.mu) - 1
    field = find_field(table.specimens, str(table.specimen[row]), str(table.file[row]))
    patch = cut_patch(draw_again(field).pixels, table, row, loaded.config.patch_px)
    differs_by = latents_differ_by(loaded, patch, table.mu[row])
    assert differs_by < SAME_LATENTS, f"latents differ by {differs_by}"
