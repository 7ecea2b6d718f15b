"""Tables for spreadsheets: exact, with units, and harmless."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from core.columns import Column
from core.descriptors import SCALARS, measure_mask, sum_up
from core.encode import LatentTable
from core.exports.spreadsheet import (
    DESCRIPTOR_HEADER,
    descriptor_cells,
    descriptors_csv,
    harmless,
    latent_table_csv,
    latents_csv,
    structures_csv,
    to_csv,
)
from core.stereology import Measurement, measure_structure
from tests.core.stereology.drawn import lamellae


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "  @"])
def test_text_that_a_spreadsheet_would_run_gets_a_quote(start):
    attack = f'{start}HYPERLINK("x","y")'
    assert harmless(attack) == "'" + attack
    assert rows(to_csv([attack], [[attack]])) == [["'" + attack], ["'" + attack]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (-4.5, "-4.5"),
        (np.float32(-0.25), "-0.25"),
        (np.int64(-3), "-3"),
        (1234567, "1234567"),
        (float("nan"), ""),
        (float("inf"), ""),
        (None, ""),
        (np.bool_(False), "no"),
        ("plain", "plain"),
    ],
)
def test_numbers_stay_numbers_and_gaps_are_empty(cell, text):
    assert harmless(cell) == text


def test_latents_come_back_exactly():
    z = np.random.default_rng(0).standard_normal(6).astype(np.float32)
    header, row = rows(latents_csv({"=a": z}))
    assert header == ["Picture", *(f"z[{i}]" for i in range(6))]
    assert row[0] == "'=a"
    assert np.array_equal(np.array(row[1:], np.float32), z)


def test_a_latent_table_names_patches_and_their_specimens_columns():
    table = LatentTable(
        mu=np.array([[0.1, -0.2], [0.3, 0.4]], np.float32),
        logvar=np.zeros((2, 2), np.float32),
        specimen=np.array(["a", "b"]),
        file=np.array(["a.png", "b.png"]),
        corner=np.array([[0, 128], [5, 6]], np.int32),
        specimens=pd.DataFrame({"hv": [200.0, np.nan]}, index=["a", "b"]),
        columns=(Column("hv", "HV", "Hardness", "property", "numeric"),),
        data_name="d",
        data_hash="h",
        model_hash="m",
        synthetic=False,
    )
    header, first, second = rows(latent_table_csv(table))
    assert header[:5] == [
        "Specimen",
        "Image",
        "Patch row (px)",
        "Patch column (px)",
        "Hardness (HV)",
    ]
    assert first[:5] == ["a", "a.png", "0", "128", "200"]
    assert second[4] == ""
    assert np.array_equal(np.array(first[5:], np.float32), table.mu[0])


def test_descriptors_have_their_units_and_values():
    grid = np.mgrid[:256, :256]
    mask = ((grid[0] - 128) ** 2 + (grid[1] - 128) ** 2) <= 40**2
    found = sum_up([measure_mask(mask, 0.5)])
    header, row = rows(descriptors_csv({"disc": found}))
    assert len(header) == len(row) == len(DESCRIPTOR_HEADER) + 2
    assert "Graphite area (%)" in header and "Roundness, mean" in header
    share = 100 * mask.mean()
    assert float(row[header.index("Graphite area (%)")]) == pytest.approx(share, rel=1e-4)
    assert float(row[header.index("Scale (µm per px)")]) == 0.5


def test_descriptors_of_any_material_have_units_half_widths_and_reasons():
    found = {
        "design": measure_structure(lamellae(256, 10, 10, 0.02), 0.5),
        "flat": Measurement({"anisotropy": 0.0}, reasons={"spacing_um": "=one phase"}),
    }
    header, design, flat = csv.reader(io.StringIO(structures_csv(found, 0.5)))
    spacing = header.index("Mean spacing (µm)")
    assert float(design[spacing]) == pytest.approx(np.pi / 2 * 10, rel=0.1)
    assert header[spacing + 1] == "Mean spacing, ± 95 % (µm)" and float(design[spacing + 1]) >= 0
    assert [flat[0], flat[1], flat[spacing]] == ["flat", "0.5", ""]
    assert flat[-1] == "Mean spacing: =one phase" and len(design) == len(header)
    assert "Mean spacing (px)" in structures_csv(found, None)


def test_nothing_measured_leaves_empty_cells():
    assert descriptor_cells(None) == [None] * (4 + len(SCALARS))
