"""Claims about the fitted network: pgmpy's agreement, its file, its arcs, what is left out."""

import dataclasses
import json
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from bayesnet.conditionals import Conditional, joint
from bayesnet.gaussian import condition, is_positive_definite
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.levels import build_levels
from bayesnet.network import Network
from bayesnet.nodes import identifier
from bayesnet.query import most_probable
from bayesnet.regimes import factorise, ridge
from core.errors import CheckpointError, ConfigError, InputError
from tests.bayesnet.simulator import COLUMNS, column, simulate


def changed(table, **entries):
    return SimpleNamespace(**{**vars(table), **entries})


def test_joint_of_a_chain_has_the_hand_worked_moments():
    parts = (
        Conditional("a", 1.0, (), (), 4.0),
        Conditional("b", -5.0, ("a",), (0.5,), 4.0),
        Conditional("c", 4.0, ("b",), (-1.0,), 3.0),
    )
    mean, cov = joint(parts, ["a", "b", "c"])  # the example of pgmpy's documentation
    np.testing.assert_allclose(mean, [1.0, -4.5, 8.5])
    np.testing.assert_allclose(cov, [[16, 8, -8], [8, 20, -20], [-8, -20, 29]])


def test_joint_agrees_with_pgmpy_to_its_rounding(network):
    order = [n.node for n in network.nodes]
    for regime, (mean, cov) in zip(network.regimes, network.joints, strict=True):
        their_mean, their_cov = regime.graph.to_joint_gaussian()
        names = list(nx.topological_sort(regime.graph))
        at = [names.index(name) for name in order]
        np.testing.assert_allclose(mean, their_mean[at], atol=2e-8)
        np.testing.assert_allclose(cov, their_cov[np.ix_(at, at)], atol=2e-8)


def test_conditioning_agrees_with_pgmpy_predict_probability(network):
    order = [n.node for n in network.nodes]
    given = [order.index("uts_mpa"), order.index("mg_wt")]
    values = np.array([0.7, 0.4])
    for regime, (mean, cov) in zip(network.regimes, network.joints, strict=True):
        frame = pd.DataFrame([values], columns=["uts_mpa", "mg_wt"])
        names, their_mean, their_cov = regime.graph.predict_probability(frame)
        rest, m, c = condition(mean, cov, np.array(given), values)
        at = [names.index(order[i]) for i in rest]
        np.testing.assert_allclose(m, their_mean[0][at], atol=1e-5)
        np.testing.assert_allclose(c, their_cov[np.ix_(at, at)], atol=1e-5)


def test_arcs_keep_the_tiers(network):
    tier = {n.node: ("process", "latent", "property").index(n.role) for n in network.nodes}
    for regime in network.regimes:
        for parent, child in regime.graph.edges():
            if parent in tier:
                assert tier[parent] <= tier[child] <= tier[parent] + 1, (parent, child)
    assert not network.regimes[0].graph.has_edge("mg_wt", "uts_mpa")


def test_strongest_arcs_come_first_and_noise_is_not_significant(network):
    arcs = network.arcs()
    strengths = [abs(arc.weight) for arc in arcs]
    assert strengths == sorted(strengths, reverse=True)
    assert arcs[0].significant
    assert not all(arc.significant for arc in arcs)


def test_bending_data_choose_more_than_one_regime(network):
    figures = network.scores["left_out_log_likelihood"]
    assert network.scores["regimes"] > 1, figures
    one = max(v for k, v in figures.items() if k.startswith("regimes=1,"))
    assert max(figures.values()) > one + 2, figures


def test_linear_gaussian_data_choose_one_regime():
    rng = np.random.default_rng(4)
    p = rng.normal(size=(60, 1))
    z = p @ rng.normal(size=(1, 8)) + rng.normal(size=(60, 8))
    y = 300 + 20 * z[:, :1] + rng.normal(size=(60, 1))
    names = np.array([f"s{i}" for i in range(60)])
    owner = np.repeat(np.arange(60), 10)
    table = SimpleNamespace(
        mu=z[owner] + 0.2 * rng.normal(size=(600, 8)),
        specimen=names[owner],
        file=names[owner],
        corner=np.tile(np.arange(10) * 200, 60)[:, None] * [1, 0],
        specimens=pd.DataFrame(np.hstack([p, y]), index=names, columns=["dose", "load"]),
        columns=(column("dose", "g", "dose", "process"), column("load", "N", "load", "property")),
        data_hash="d",
        model_hash="m",
        synthetic=False,
    )
    scores = fit_network(table).scores
    assert scores["regimes"] == 1, scores


def test_inactive_latents_are_left_out_with_a_note(network):
    assert len(network.latents) == 58
    assert any("58 of 64" in note for note in network.notes)
    answer = most_probable(network, {"uts_mpa": 400})
    np.testing.assert_array_equal(answer.latents[58:], network.latent_mean[58:])


def test_patch_covariance_is_recovered(network, table):
    assert is_positive_definite(network.within)
    level = np.sqrt(np.diag(network.within)).mean()
    assert 0.65 < level < 0.8, level  # 0.7 times a mixing close to the identity


def test_file_round_trip_is_exact(network, tmp_path):
    network.save(tmp_path / "network.json")
    again = Network.load(tmp_path / "network.json")
    for (mean, cov), (mean2, cov2) in zip(network.joints, again.joints, strict=True):
        np.testing.assert_array_equal(mean, mean2)
        np.testing.assert_array_equal(cov, cov2)
    np.testing.assert_array_equal(network.within, again.within)
    assert again.regimes == network.regimes and again.nodes == network.nodes
    again.save(tmp_path / "again.json")
    assert (tmp_path / "network.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    target = {"uts_mpa": 420.0, "ys_mpa": 265.0}
    a, b = most_probable(network, target), most_probable(again, target)
    np.testing.assert_array_equal(a.latents, b.latents)
    assert a.process == b.process and a.feasibility == b.feasibility


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.update(format="other"),
        lambda c: c.update(version=99),
        lambda c: c.pop("within"),
        lambda c: c.update(extra=1),
        lambda c: c["regimes"][0].update(weight=5.0),
        lambda c: c["regimes"][0]["conditionals"].reverse(),
        lambda c: c["regimes"][0]["conditionals"][-1].update(std=-1.0),
        lambda c: c["regimes"][0]["conditionals"].pop(),
        lambda c: c["within"][0].__setitem__(0, -1.0),
        lambda c: c["within"].pop(),
        lambda c: c["nodes"][0].update(scale=0.0),
        lambda c: c["nodes"][0].update(colour="red"),
        lambda c: c["latent_mean"].__setitem__(0, None),
        lambda c: c["support"]["surfaces"][0]["alpha"].pop(),
        lambda c: c["support"]["surfaces"][0].update(scatter=0.0),
        lambda c: c["calibration"].pop("process"),
    ],
)
def test_damaged_file_is_refused(network, tmp_path, damage):
    path = tmp_path / "network.json"
    network.save(path)
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError):
        Network.load(path)


def test_file_of_an_older_version_says_to_fit_again(network, tmp_path):
    path = tmp_path / "network.json"
    network.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 1}))
    with pytest.raises(CheckpointError, match=r"run python -m bayesnet.learn again"):
        Network.load(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError):
        Network.load(tmp_path / "network.json")


def test_column_order_and_units_do_not_matter(table, network):
    config = NetworkConfig(regimes=(2,), factors=(4,))
    frame = table.specimens.copy()
    frame["uts_mpa"] *= 0.1450377  # ksi
    frame["mg_wt"] *= 1e4  # ppm
    frame = frame[frame.columns[::-1]].sample(frac=1, random_state=1)
    other = changed(table, specimens=frame, columns=tuple(reversed(COLUMNS)))
    a = most_probable(fit_network(table, config), {"uts_mpa": 420, "ys_mpa": 265})
    b = most_probable(fit_network(other, config), {"uts_mpa": 420 * 0.1450377, "ys_mpa": 265})
    np.testing.assert_allclose(a.latents, b.latents, rtol=1e-3, atol=1e-3)
    assert b.process["mg_wt"].value == pytest.approx(1e4 * a.process["mg_wt"].value, rel=1e-3)
    assert b.feasibility.distance == pytest.approx(a.feasibility.distance, rel=1e-2, abs=1e-3)


def test_constant_categorical_and_unlabelled_columns_are_left_out_with_notes(table):
    frame = table.specimens.copy()
    frame["fixed"], frame["supplier"], frame["hardness"] = 3.0, "A", np.nan
    columns = (
        *COLUMNS,
        column("fixed", "", "fixed", "process"),
        column("supplier", "", "supplier", "process", "categorical"),
        column("hardness", "HV", "hardness", "property"),
    )
    levels = build_levels(changed(table, specimens=frame, columns=columns))
    assert [n.column for n in levels.nodes if n.role == "process"] == [
        "ce_pct",
        "mg_wt",
        "radius_mm",
    ]
    text = " ".join(levels.notes)
    assert all(word in text for word in ("fixed", "supplier", "hardness"))


def test_notes_name_specimens_as_they_are_written(table):
    frame = table.specimens.copy()
    frame.iloc[:2, 0] = np.nan
    notes = build_levels(changed(table, specimens=frame)).notes
    assert any("left out: ['c000', 'c001']" in note for note in notes), notes


def test_twelve_castings_with_six_labels_and_no_process_still_fit():
    table = simulate(specimens=12)
    frame = table.specimens.copy()
    frame.iloc[::2, 3:] = np.nan
    columns = tuple(c for c in COLUMNS if c.role == "property")
    network = fit_network(changed(table, specimens=frame, columns=columns))
    target = dict(frame[["uts_mpa", "ys_mpa"]].dropna().iloc[0])
    answer = most_probable(network, target)
    assert answer.process == {} and answer.latents.shape == (64,)
    assert answer.feasibility.verdict == "feasible", answer.feasibility
    assert answer.properties["uts_mpa"].low is None  # fewer than nine specimens
    wild = most_probable(network, {"uts_mpa": 900, "ys_mpa": 700})
    assert wild.feasibility.verdict == "infeasible"


def test_collinear_process_columns_do_not_break_the_fit(table):
    frame = table.specimens.copy()
    frame["mg_ppm"] = frame["mg_wt"] * 1e4
    columns = (*COLUMNS, column("mg_ppm", "ppm", "magnesium", "process"))
    config = NetworkConfig(regimes=(1,), factors=(4,))
    network = fit_network(changed(table, specimens=frame, columns=columns), config)
    answer = most_probable(network, {"uts_mpa": 420}, mode="posterior")
    assert answer.process["mg_ppm"].value == pytest.approx(
        1e4 * answer.process["mg_wt"].value, rel=0.05
    )


def test_too_few_specimens_bad_latents_and_bad_configuration_are_refused(table):
    with pytest.raises(InputError, match="at least 5"):
        fit_network(simulate(specimens=4))
    with pytest.raises(InputError, match="finite"):
        fit_network(changed(table, mu=np.full_like(table.mu, np.nan)))
    with pytest.raises(InputError, match="active"):
        fit_network(changed(table, mu=0.01 * table.mu))
    with pytest.raises(ConfigError, match="folds"):
        NetworkConfig(folds=1)
    with pytest.raises(TypeError):
        NetworkConfig(colour="red")


def test_identifiers_are_unique_and_unlike_latents():
    taken = {"z17"}
    names = [identifier(n, taken) for n in ("Mg (wt%)", "Mg [wt%]", "z17", "2theta", "%", "u1")]
    assert names == ["Mg_wt", "Mg_wt_2", "c_z17", "c_2theta", "column", "c_u1"]


def test_ridge_with_a_strong_signal_is_least_squares_and_noise_goes_to_the_prior():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    slopes, left = ridge(x, 1 + x @ [1, -2, 0.5], np.ones(200), np.zeros(3))
    np.testing.assert_allclose(slopes, [1, 1, -2, 0.5], atol=0.01)
    prior = np.array([0.3, 0.0, 0.0])
    slopes, left = ridge(x, 0.3 * x[:, 0] + rng.normal(size=200), np.ones(200), prior)
    np.testing.assert_allclose(slopes[1:], prior, atol=0.12)
    assert left.std() == pytest.approx(1, abs=0.15)


def test_ridge_residuals_are_those_of_refitting_without_the_specimen():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(30, 2)), np.ones(30)
    y = x @ [2.0, -1.0] + rng.normal(size=30)
    _, left = ridge(x, y, w, np.zeros(2))
    for i in range(30):
        rest = np.arange(30) != i
        design = np.column_stack([np.ones(29), x[rest]])
        beta = np.linalg.lstsq(design, y[rest], rcond=None)[0]
        assert left[i] == pytest.approx(y[i] - beta[0] - x[i] @ beta[1:], abs=0.15)


def test_factors_keep_every_variance():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(10, 3))
    cov = root @ root.T + np.diag(rng.uniform(0.5, 1, 10))
    loadings, unique = factorise(cov, 3, None)
    np.testing.assert_allclose((loadings**2).sum(axis=1) + unique, np.diag(cov), rtol=1e-9)
    off = (loadings @ loadings.T - cov)[~np.eye(10, dtype=bool)]
    assert np.abs(off).max() < 0.3


def test_network_is_frozen(network):
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.synthetic = False
