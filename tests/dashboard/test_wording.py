"""Numbers as people read them."""

from types import SimpleNamespace

import pytest

from core.properties import Reading
from core.regressor import Prediction
from dashboard.wording import interval, limit, number, quantity, readers, titled


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (430.4, "430"),
        (1234.6, "1235"),
        (0.034567, "0.0346"),
        (-2.5, "-2.5"),
        (0.0, "0"),
        (3e-7, "3.00e-07"),
        (float("nan"), "unknown"),
        (float("inf"), "unknown"),
    ],
)
def test_numbers_keep_three_digits_and_all_integer_ones(value, said):
    assert number(value) == said


def test_a_quantity_without_unit_has_no_trailing_space():
    assert quantity(0.5, "") == "0.5"


def test_an_interval_carries_its_unit_once():
    assert interval(Prediction(430, 401.2, 459.9), "MPa") == "401 to 460 MPa"


def test_a_narrow_interval_gets_digits_that_tell_its_ends_apart():
    assert interval(Prediction(4.3, 4.3001, 4.3009), "%") == "4.3 to 4.301 %"


def test_a_missing_interval_says_why():
    assert interval(Prediction(430, None, None), "MPa") == "no interval: too few specimens"


def test_a_point_interval_is_one_number():
    assert interval(Prediction(0.03, 0.03, 0.03), "wt%") == "0.03 wt%"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (None, None, "free"),
        (0.01, None, "at least 0.01 wt%"),
        (None, 0.0, "at most 0 wt%"),
        (0.03, 0.03, "fixed at 0.03 wt%"),
        (0.01, 0.03, "0.01 to 0.03 wt%"),
    ],
)
def test_limits_are_said_in_words(low, high, said):
    assert limit(low, high, "wt%") == said


def test_a_title_without_unit_is_the_label():
    assert titled(SimpleNamespace(label="Nodularity", unit="")) == "Nodularity"


def told(own, other):
    """What is said of one property by both readers, each (value, low, high)."""
    reading = Reading({}, {"uts_mpa": Prediction(*own)}, {"uts_mpa": Prediction(*other)})
    return readers(reading, {"uts_mpa": SimpleNamespace(label="Tensile strength", unit="MPa")})


def test_both_readers_are_told_and_that_they_contradict_each_other():
    said = told((430.0, 400.0, 460.0), (415.0, 390.0, 440.0))
    assert "Tensile strength 430 MPa and 415 MPa" in said and "do not meet" not in said
    said = told((430.0, 400.0, 460.0), (350.0, 330.0, 370.0))
    assert "do not meet for Tensile strength: take it with care" in said
    assert "do not meet" not in told((430.0, None, None), (350.0, 330.0, 370.0))


def test_a_single_reader_needs_no_words():
    assert readers(None, {}) == ""
    assert readers(Reading({}, {"uts_mpa": Prediction(430.0, 400.0, 460.0)}, {}), {}) == ""
