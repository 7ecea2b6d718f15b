"""Claims about what can be asked of a property, and about designs for ranges and extremes."""

import numpy as np
import pytest

from bayesnet.demands import Demand, parse_demand
from bayesnet.evidence import check_evidence
from bayesnet.posterior import process_posterior
from bayesnet.query import judge, most_probable, sample_latents
from bayesnet.reachable import (
    Candidates,
    Region,
    design_range,
    distance_to,
    feasible_region,
    gaps,
)
from core.errors import InputError


@pytest.mark.parametrize(
    ("wish", "expected", "fixed"),
    [
        (280, Demand(280.0, 280.0), True),
        ((250, 300), Demand(250.0, 300.0), False),
        ((250, None), Demand(250.0, np.inf), False),
        ([None, 300], Demand(-np.inf, 300.0), False),
        ("highest", Demand(-np.inf, np.inf, 1), False),
        ("lowest", Demand(-np.inf, np.inf, -1), False),
    ],
)
def test_every_form_is_read_and_written_back(wish, expected, fixed):
    demand = parse_demand(wish, "ys_mpa")
    assert demand == expected and demand.fixed is fixed
    assert parse_demand(demand.plain(), "ys_mpa") == demand


def test_distance_outside_is_none_inside_and_counted_from_the_nearer_end():
    values = np.array([200.0, 250.0, 275.0, 320.0])
    np.testing.assert_allclose(parse_demand((250, 300), "y").outside(values), [50, 0, 0, 20])
    np.testing.assert_allclose(parse_demand((250, None), "y").outside(values), [50, 0, 0, 0])
    np.testing.assert_allclose(parse_demand(300, "y").outside(values), [100, 50, 25, 20])


def test_demands_are_said_in_words(network):
    node = next(n for n in network.properties if n.column == "ys_mpa")
    said = {wish: parse_demand(wish, "ys_mpa").words(node) for wish in (280, (250, 300), "highest")}
    assert said[280] == "yield strength 280 MPa"
    assert said[250, 300] == "yield strength 250 to 300 MPa"
    assert said["highest"] == "yield strength as high as possible"
    assert parse_demand((250, None), "").words(node) == "yield strength at least 250 MPa"
    assert parse_demand((None, 250), "").words(node) == "yield strength at most 250 MPa"
    assert (
        parse_demand("highest", "").at(310.0).words(node).endswith("310 MPa (as high as possible)")
    )


def test_hand_worked_gaps_count_in_tolerances_and_logarithms():
    found = Candidates(
        values=np.array([[100.0, 5.0], [200.0, 9.0]]),
        tolerances=np.array([[0.1, 2.0], [0.1, 2.0]]),
        log=(True, False),
    )
    demands = [Demand(220.0, np.inf), Demand(-np.inf, 6.0)]
    expected = [[np.log(2.2) / 0.1, 0.0], [np.log(1.1) / 0.1, 1.5]]
    np.testing.assert_allclose(gaps(found, demands), expected)
    assert distance_to(found, demands) == pytest.approx(np.hypot(*expected[1]))


def test_a_range_is_met_by_the_design(network):
    wanted = {"uts_mpa": (380, 440), "ys_mpa": (250, None)}
    answer = most_probable(network, wanted)
    assert answer.feasibility.verdict == "feasible"
    assert answer.conditioned_on == {"uts_mpa": (380.0, 440.0), "ys_mpa": (250.0, None)}
    assert 365 < answer.properties["uts_mpa"].value < 455
    assert answer.properties["ys_mpa"].value > 240


def test_draws_of_targets_and_settings_stay_inside_what_is_asked(network):
    wanted = {"uts_mpa": (380, 400), "ys_mpa": 250}
    evidence = check_evidence(network, wanted, {"radius_mm": (12, 30)})
    found = process_posterior(network, evidence.targets, evidence)
    uts, ys = (n.mean + n.scale * found.targets[..., i] for i, n in enumerate(evidence.targets))
    assert uts.min() >= 380 - 1e-9 and uts.max() <= 400 + 1e-9 and np.ptp(uts) > 10
    np.testing.assert_allclose(ys, 250)
    assert found.settings.shape[:2] == found.log_weights.shape == found.targets.shape[:2]


def test_a_narrow_range_is_the_value(network):
    value = most_probable(network, {"uts_mpa": 430.0})
    narrow = most_probable(network, {"uts_mpa": (429.99, 430.01)})
    np.testing.assert_allclose(narrow.latents, value.latents, atol=0.02)
    for name, estimate in value.process.items():
        span = next(n.scale for n in network.process if n.column == name)
        assert narrow.process[name].value == pytest.approx(estimate.value, abs=0.05 * span)


def test_samples_for_a_range_differ_in_strength_as_the_range_allows(network):
    draws = sample_latents(network, {"uts_mpa": (200, 450)}, None, 6, seed=0)
    point = sample_latents(network, {"uts_mpa": 430}, None, 6, seed=0)
    assert np.linalg.norm(draws.std(axis=0)) > np.linalg.norm(point.std(axis=0))


def test_as_high_as_possible_is_the_most_that_the_data_support_beside_the_rest(network):
    free = most_probable(network, {"uts_mpa": "highest"})
    assert free.feasibility.verdict == "feasible"
    best = free.conditioned_on["uts_mpa"]
    above = judge(network, {"uts_mpa": best * 1.15})
    assert above.verdict == "infeasible", (best, above)
    assert "as high as possible" in free.feasibility.message
    soft = most_probable(network, {"uts_mpa": "highest", "ys_mpa": (None, 220)})
    assert soft.conditioned_on["uts_mpa"] < best
    assert soft.feasibility.verdict == "feasible"
    thick = most_probable(network, {"uts_mpa": "highest"}, {"radius_mm": (40, None)})
    assert thick.conditioned_on["uts_mpa"] < best


def test_an_infeasible_range_says_which_requirement_could_give_way(network):
    found = judge(network, {"uts_mpa": (430, None), "ys_mpa": (None, 180)})
    assert found.verdict == "infeasible"
    assert set(found.ways_out) == {"uts_mpa", "ys_mpa"}
    low, high = found.ways_out["ys_mpa"]
    assert 180 < low < high, "with that tensile strength, yield strength must be higher"
    assert judge(network, {"uts_mpa": (430, None), "ys_mpa": (low, high)}).verdict == "feasible"
    assert found.ways_out["uts_mpa"][1] < 430
    hopeless = judge(network, {"uts_mpa": 900, "ys_mpa": 250})
    assert set(hopeless.ways_out) == {"uts_mpa"}, "no yield strength helps"
    assert judge(network, {"uts_mpa": 900}).ways_out == {}


@pytest.mark.parametrize(
    ("wish", "match"),
    [
        ((300, 200), "lower limit 300 is above upper limit 200"),
        ((None, None), "neither a lower nor an upper limit"),
        ((float("inf"), None), "not a finite number"),
        (("a", None), "not a number"),
        ("strong", "not a number"),
        ((None, 0), "must be positive"),
        ((1, 2, 3), "pair"),
    ],
)
def test_impossible_forms_are_refused(network, wish, match):
    with pytest.raises(InputError, match=match):
        most_probable(network, {"ys_mpa": wish})


def test_a_process_setting_cannot_be_an_extreme(network):
    with pytest.raises(InputError, match="a limit is a number or a pair"):
        most_probable(network, {"uts_mpa": 400}, {"mg_wt": "lowest"})


def test_outlines_enclose_what_is_within_the_level_and_close_at_the_edge():
    x, y = np.linspace(0, 10, 41), np.linspace(0, 20, 41)
    distance = np.hypot(x[None] - 5, (y[:, None] - 10) / 2)  # an ellipse
    (outline,) = Region(x, y, distance).outlines(2.0)
    np.testing.assert_allclose(outline[0], outline[-1])
    np.testing.assert_allclose(np.hypot(outline[:, 0] - 5, (outline[:, 1] - 10) / 2), 2, atol=0.05)
    (whole,) = Region(x, y, np.zeros_like(distance)).outlines(1.0)
    assert whole.min() == 0 and whole[:, 0].max() == 10 and whole[:, 1].max() == 20
    assert Region(x, y, distance + 9).outlines(1.0) == ()


def test_the_map_says_what_the_verdict_says(network):
    nodes = {n.column: n for n in network.properties}
    region = feasible_region(
        network, nodes["uts_mpa"], nodes["ys_mpa"], *design_range(network), count=15
    )
    for i, j in ((3, 4), (7, 7), (10, 8), (12, 3)):
        asked = {"uts_mpa": float(region.x[i]), "ys_mpa": float(region.y[j])}
        assert judge(network, asked).distance == pytest.approx(region.distance[j, i], rel=1e-9)
    assert (region.distance <= 0.85).any() and (region.distance > 1).any()
