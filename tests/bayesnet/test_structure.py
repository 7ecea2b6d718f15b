"""Claims about arcs: the score is pgmpy's, the search finds pgmpy's graph, the user's arcs hold."""

import numpy as np
import pandas as pd
import pytest
from pgmpy.causal_discovery import ExpertKnowledge, HillClimbSearch
from pgmpy.structure_score import BICGauss

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.levels import build_levels
from bayesnet.library_score import CovarianceBIC
from bayesnet.network import Network
from bayesnet.structure import (
    climb,
    family_score,
    full,
    given,
    learn_structure,
    moments,
    structure_score,
)
from core.errors import ConfigError, InputError
from tests.bayesnet.simulator import simulate

PROCESS, LATENTS, PROPERTIES = ["p0", "p1"], ["z0", "z1", "z2", "z3"], ["y0", "y1"]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    p = rng.normal(size=(90, 2))
    z = p @ np.array([[1.0, 0.0, 0.8, 0.0], [0.0, 1.0, 0.0, 0.0]]) + rng.normal(size=(90, 4))
    y = z[:, :2] + 0.5 * rng.normal(size=(90, 2))
    return pd.DataFrame(np.hstack([p, z, y]), columns=PROCESS + LATENTS + PROPERTIES)


@pytest.fixture(scope="module")
def small():
    return simulate(specimens=40, dimensions=12, patches=8, dead=2)


@pytest.mark.parametrize("parents", [(), ("z0",), ("z0", "z1", "p0"), tuple(LATENTS)])
def test_the_score_from_covariances_is_that_of_pgmpy(frame, parents):
    theirs = BICGauss(frame).local_score("y0", parents)
    assert CovarianceBIC(frame).local_score("y0", parents) == pytest.approx(theirs, rel=1e-9)
    place = {name: i for i, name in enumerate(frame.columns)}
    at = np.array([place[n] for n in parents], dtype=int)
    ours = family_score(moments(frame.to_numpy()), place["y0"], at)
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_the_score_of_a_variable_alone_is_the_hand_worked_one():
    found = moments(np.array([[1.0], [-1.0], [1.0], [-1.0]]))  # variance 1, four rows
    likelihood = -2 * (np.log(2 * np.pi) + 1)
    expected = likelihood - np.log(4)  # mean and variance: two parameters
    assert family_score(found, 0, np.array([], dtype=int)) == pytest.approx(expected)


def test_climbing_finds_the_graph_that_pgmpy_finds_under_the_same_tiers(frame):
    tiers = [PROCESS, LATENTS, PROPERTIES]
    forbidden = [(a, b) for t in tiers for a in t for b in t if a != b]
    forbidden += [(a, b) for a in PROCESS for b in PROPERTIES]
    knowledge = ExpertKnowledge(temporal_order=tiers, forbidden_edges=forbidden)
    search = HillClimbSearch(
        scoring_method=CovarianceBIC(frame),
        expert_knowledge=knowledge,
        return_type="dag",
        show_progress=False,
    )
    theirs = set(search.fit(frame).causal_graph_.edges())
    place = {name: i for i, name in enumerate(frame.columns)}
    found, ours = moments(frame.to_numpy()), set()
    for parents, children in ((PROCESS, LATENTS), (LATENTS, PROPERTIES)):
        allowed = np.array([place[n] for n in parents])
        for child in children:
            ours |= {(frame.columns[j], child) for j in climb(found, place[child], allowed)}
    assert ours == theirs and ("p0", "z0") in ours and ("z0", "y0") in ours, ours ^ theirs


def test_climbing_takes_back_a_parent_that_later_ones_make_useless():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    both = a + b + 0.3 * rng.normal(size=400)  # the best single parent, and of no use beside both
    found = moments(np.column_stack([both, a, b, a + b + 0.05 * rng.normal(size=400)]))
    assert climb(found, 3, np.array([0])).tolist() == [0]
    assert climb(found, 3, np.arange(3)).tolist() == [1, 2]


def test_learned_arcs_score_better_than_all_and_than_none(small):
    levels = build_levels(small)
    learned = learn_structure(levels, np.arange(len(levels.names)))
    none = given(levels, [])
    scores = [structure_score(levels, s) for s in (none, full(levels), learned)]
    assert scores[2] > max(scores[:2]), scores
    assert 0 < learned.arcs < full(levels).arcs


def test_the_users_arcs_are_the_networks(small, tmp_path):
    arcs = (("mg_wt", "z0"), ("radius_mm", "z1"), ("z0", "uts_mpa"), ("z1", "ys_mpa"))
    network = fit_network(small, NetworkConfig(regimes=(1,), factors=(2,), arcs=arcs))
    assert {(a.parent, a.child) for a in network.arcs()} == set(arcs)
    edges = set(network.regimes[0].graph.edges())
    tiers = {(a, b) for a, b in edges if not a.startswith("u1") and not a.startswith("u2")}
    chained = {("ce_pct", "mg_wt"), ("ce_pct", "radius_mm"), ("mg_wt", "radius_mm")}
    assert tiers - chained == {*arcs, ("z0", "ys_mpa"), ("uts_mpa", "ys_mpa")}
    assert network.scores["structure"] == "given" and network.scores["arcs"] == 4
    network.save(tmp_path / "network.json")
    assert Network.load(tmp_path / "network.json").regimes == network.regimes


def test_left_out_likelihood_decides_between_all_and_learned_arcs(network):
    figures, chosen = network.scores["left_out_log_likelihood"], network.scores["structure"]
    name = f"regimes={network.scores['regimes']},factors={network.scores['factors']}"
    assert f"{name},arcs=learned" in figures
    learned_wins = figures[f"{name},arcs=learned"] > figures[name]
    assert (chosen == "learned") == learned_wins


@pytest.mark.parametrize(
    ("arc", "match"),
    [
        (("mg_wt", "uts_mpa"), "not allowed"),
        (("uts_mpa", "z0"), "not allowed"),
        (("z0", "z1"), "not allowed"),
        (("zinc", "z0"), "zinc.*no node"),
    ],
)
def test_arcs_that_cannot_be_are_refused(small, arc, match):
    with pytest.raises(InputError, match=match):
        given(build_levels(small), [arc])
    with pytest.raises(ConfigError, match="structures"):
        NetworkConfig(structures=("dense",))
