"""Claims about residuals: hand-worked, zero where met."""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet.demands import parse_demand
from bayesnet.ranking import Z90, chance, ranked, residuals, worst
from core.regressor import Prediction


def test_a_residual_counts_in_half_widths_of_the_interval(network):
    predicted = {"uts_mpa": Prediction(400.0, 360.0, 440.0), "ys_mpa": Prediction(250, 240, 260)}
    found = residuals(network, {"uts_mpa": 430.0, "ys_mpa": (255.0, None)}, predicted)
    assert found == pytest.approx({"uts_mpa": 30 / 40, "ys_mpa": 5 / 10})
    assert worst(found) == pytest.approx(0.75)


def test_what_lies_in_a_range_has_no_residual_and_what_was_not_asked_none(network):
    predicted = {"uts_mpa": Prediction(400.0, 360.0, 440.0), "ys_mpa": Prediction(250, 240, 260)}
    assert residuals(network, {"uts_mpa": (390, 410)}, predicted) == {"uts_mpa": 0.0}
    assert worst({}) == np.inf


def test_without_interval_left_out_specimens_give_the_unit(network):
    half = network.calibration["properties"]["uts_mpa"]["half_width_90"]
    predicted = {"uts_mpa": Prediction(400.0, None, None)}
    assert residuals(network, {"uts_mpa": 400 + half}, predicted)["uts_mpa"] == pytest.approx(1.0)
    node = next(n for n in network.properties if n.column == "uts_mpa")
    old = replace(network, calibration={})  # and without these, the spread of the data
    found = residuals(old, {"uts_mpa": 400 + Z90 * node.scale}, predicted)
    assert found["uts_mpa"] == pytest.approx(1.0)


def test_pictures_are_ranked_by_their_worst_property_and_ties_keep_their_order(network):
    wanted = {"uts_mpa": 400.0, "ys_mpa": 250.0}

    def read(uts: float, ys: float) -> dict[str, Prediction]:
        return {
            "uts_mpa": Prediction(uts, uts - 40, uts + 40),
            "ys_mpa": Prediction(ys, ys - 10, ys + 10),
        }

    pictures = {"a": read(400, 258), "b": read(420, 250), "c": {}, "d": read(420, 245)}
    found = ranked(network, wanted, pictures)
    assert [one.name for one in found] == ["b", "d", "a", "c"]
    assert found[0].residuals == pytest.approx({"uts_mpa": 0.5, "ys_mpa": 0.0})
    assert found[2].worst == pytest.approx(0.8) and found[3].worst == np.inf


def test_a_small_picture_gains_nothing_by_being_read_less_surely(network):
    """Off by the same 12 %: the wide interval of the first would make 0.7 of what is 1.3."""
    wanted = {"uts_mpa": 400.0, "hv": 1.0}
    small = {"uts_mpa": Prediction(448.0, 378.0, 518.0)}
    large = {"uts_mpa": Prediction(352.0, 316.0, 388.0)}
    nearer = {"uts_mpa": Prediction(364.0, 328.0, 400.0)}
    found = ranked(network, wanted, {"small": small, "large": large, "nearer": nearer})
    assert [one.name for one in found] == ["nearer", "small", "large"]
    assert found[1].worst == found[2].worst == pytest.approx(48 / 36)


def test_the_chance_of_a_minimum_at_the_interval_s_end_is_95_percent():
    found = Prediction(300.0, 270.0, 330.0)
    assert chance(parse_demand((270, None), ""), found) == pytest.approx(0.95)
    assert chance(parse_demand((300, None), ""), found) == pytest.approx(0.5)
    assert chance(parse_demand((270, 330), ""), found) == pytest.approx(0.9)
    assert chance(parse_demand(300, ""), found) is None
    assert chance(parse_demand((270, None), ""), Prediction(300.0, None, None)) is None
