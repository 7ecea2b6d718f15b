"""Evaluations for a spreadsheet."""

import csv
import io
from types import SimpleNamespace

import pytest

from core.exports.spreadsheet import harmless
from core.regressor import Prediction
from dashboard.results import as_csv

COLUMN = SimpleNamespace(column="uts_mpa", label="Tensile strength", unit="MPa")
ORIGIN = ("Mine 408c1eb1ac16", "synthetic")


def found(name: str, **changes):
    values = {
        "name": name,
        "style_error": 0.21,
        "distance": 0.5,
        "unusual": False,
        "message": "usual",
        "predictions": {"uts_mpa": Prediction(430.0, 400.0, 460.0)},
    }
    return SimpleNamespace(evaluation=SimpleNamespace(**values | changes), um_per_px=1.0)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_every_number_has_its_unit_in_the_header():
    header, row = rows(as_csv([found("a.png")], [COLUMN], ORIGIN))
    assert header[:2] == ["Image", "Scale (µm per px)"]
    assert row[header.index("Tensile strength (MPa)")] == "430"
    assert row[header.index("Unusual")] == "no"


def test_the_last_columns_say_which_model_predicted_and_that_its_data_are_synthetic():
    header, row = rows(as_csv([found("a.png")], [COLUMN], ORIGIN))
    assert header[-2:] == ["Model", "Model's data"] and tuple(row[-2:]) == ORIGIN


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " ="])
def test_a_name_that_a_spreadsheet_would_run_gets_a_quote(start):
    name = f"{start}HYPERLINK(1).png"
    assert harmless(name) == "'" + name
    assert rows(as_csv([found(name)], [COLUMN], ORIGIN))[1][0].startswith("'")


def test_negative_numbers_stay_numbers():
    assert harmless(-4.5) == "-4.5"


def test_commas_and_quotes_in_names_survive():
    assert rows(as_csv([found('a, "b".png')], [COLUMN], ORIGIN))[1][0] == 'a, "b".png'


def test_a_missing_interval_is_an_empty_cell():
    predictions = {"uts_mpa": Prediction(430.0, None, None)}
    row = rows(as_csv([found("a.png", predictions=predictions)], [COLUMN], ORIGIN))[1]
    assert row[5:8] == ["430", "", ""]
