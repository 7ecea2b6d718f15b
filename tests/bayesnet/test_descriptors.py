"""Claims about descriptors as nodes: no answer without them changes, and they tell more."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.levels import build_levels
from bayesnet.network import Network
from bayesnet.query import judge, most_probable, posterior
from core.descriptors import Scalar
from core.errors import InputError
from core.field_descriptors import STRUCTURE
from core.specimen_descriptors import SpecimenDescriptors
from tests.bayesnet.simulator import morphology, simulate

CONFIG = NetworkConfig(regimes=(2,), factors=(2,), structures=("full",))
SCALARS = (
    Scalar("nodularity_iso_pct", "Nodularity, ISO 945-4", "%"),
    Scalar("particles_per_mm2", "Particle count", "1/mm²"),
    Scalar("roundness", "Roundness, mean", "1"),
)


def measured(table, data_hash=None, note=""):
    """Descriptors of the toy foundry, with an error of measurement."""
    rng = np.random.default_rng(7)
    settings = table.specimens[["mg_wt", "radius_mm", "ce_pct"]].to_numpy()
    shape = morphology(*settings.T)
    values = np.stack([100 * shape[:, 0], np.exp(shape[:, 1]), np.full(len(shape), 0.7)], axis=1)
    values[:, :2] *= 1 + 0.02 * rng.normal(size=(len(shape), 2))
    values[::10, 1] = np.nan  # nothing to measure it on
    frame = pd.DataFrame(values, index=table.specimens.index, columns=[s.name for s in SCALARS])
    return SpecimenDescriptors(
        scalars=SCALARS,
        values=frame.sample(frac=1, random_state=0),
        um_per_px=1.0,
        data_hash=table.data_hash if data_hash is None else data_hash,
        note=note,
    )


@pytest.fixture(scope="module")
def table():
    return simulate(specimens=60, dimensions=16, patches=12, dead=2)


@pytest.fixture(scope="module")
def plain(table):
    return fit_network(table, CONFIG)


@pytest.fixture(scope="module")
def described(table):
    return fit_network(table, CONFIG, measured(table))


def test_phases_of_other_materials_become_nodes_and_what_does_not_vary_is_left_out(table):
    """The chord is share times spacing, so three of the nodes nearly follow from each other."""
    rng = np.random.default_rng(3)
    settings = table.specimens[["mg_wt", "radius_mm", "ce_pct"]].to_numpy()
    shape = morphology(*settings.T)
    share = 10 + 40 * shape[:, 0] + rng.normal(0, 1, len(shape))
    spacing = 2000 * np.exp(-shape[:, 1]) * (1 + 0.02 * rng.normal(size=len(shape)))
    values = pd.DataFrame(
        {
            "dark_phase_pct": share,
            "dark_chord_um": share * spacing / 100,
            "spacing_um": spacing,
            "texture_length_um": np.where(np.arange(len(shape)) < 4, 3.0, np.nan),
            "anisotropy": 0.0,
        },
        index=table.specimens.index,
    )
    found = SpecimenDescriptors(
        scalars=STRUCTURE, values=values, um_per_px=0.5, data_hash=table.data_hash, note="phases"
    )
    network = fit_network(table, CONFIG, found)
    names = [n.column for n in network.descriptors]
    assert names == ["dark_phase_pct", "dark_chord_um", "spacing_um"]
    for name in ("texture_length_um: 4 measured", "anisotropy: the same value", "phases"):
        assert any(note.startswith(name) for note in network.notes), network.notes
    row = values.iloc[7]
    beliefs = posterior(network, {n: float(row[n]) for n in ("dark_phase_pct", "spacing_um")})
    chord, node = beliefs.nodes["dark_chord_um"], network.descriptors[1]
    assert chord.low < row["dark_chord_um"] < chord.high
    assert chord.high - chord.low < 2 * node.scale, "the other two tell it"
    one = judge(network, {n: float(row[n]) for n in names})
    assert one.verdict == "feasible", one


def test_nodes_stand_in_tiers_and_constant_descriptors_are_left_out(described):
    roles = [n.role for n in described.nodes]
    assert roles == sorted(roles, key=("process", "latent", "descriptor", "property").index)
    names = [n.column for n in described.descriptors]
    assert names == ["nodularity_iso_pct", "particles_per_mm2"]
    assert any("roundness" in note for note in described.notes), described.notes
    assert described.descriptors[0].unit == "%"


def test_nothing_changes_where_descriptors_are_not_asked_for(plain, described):
    """The margin of settings, latents and properties is the same, so predictions cannot suffer."""
    at = [i for i, n in enumerate(described.nodes) if n.role != "descriptor"]
    for (mean, cov), (mean2, cov2) in zip(plain.joints, described.joints, strict=True):
        np.testing.assert_allclose(mean2[at], mean, atol=1e-12)
        np.testing.assert_allclose(cov2[np.ix_(at, at)], cov, atol=1e-12)
    for evidence in ({"mg_wt": 0.04, "ce_pct": 4.1}, {"uts_mpa": 430.0}, {"z0": 0.3}):
        a = posterior(plain, evidence, inside_data=False)
        b = posterior(described, evidence, inside_data=False)
        for name, belief in a.nodes.items():
            assert b.nodes[name].mean == pytest.approx(belief.mean, rel=1e-9, abs=1e-9)
    one, two = (n.calibration["properties"]["ys_mpa"] for n in (plain, described))
    assert two["rms_given_latents"] == pytest.approx(one["rms_given_latents"], rel=1e-9)


def test_measured_descriptors_make_left_out_settings_surer(described):
    entry = described.calibration["process"]["radius_mm"]  # which sets the particle count
    assert entry["rms_given_outcomes"] < 0.8 * entry["rms_given_properties"], entry


def test_descriptors_are_evidence_in_every_direction(described):
    low = posterior(described, {"nodularity_iso_pct": 15.0})
    high = posterior(described, {"nodularity_iso_pct": (90, None)})
    assert low.nodes["uts_mpa"].mean + 50 < high.nodes["uts_mpa"].mean
    assert low.nodes["mg_wt"].mean < high.nodes["mg_wt"].mean
    found = posterior(described, {"mg_wt": 0.045, "radius_mm": 20.0, "ce_pct": 4.1})
    assert found.nodes["nodularity_iso_pct"].mean > 75
    best = posterior(described, {"particles_per_mm2": "highest"})
    assert best.nodes["radius_mm"].mean < 25  # thin castings have many particles


def test_descriptors_are_targets_of_designs(described):
    answer = most_probable(described, {"ys_mpa": (200, None), "particles_per_mm2": 250.0})
    assert answer.feasibility.verdict == "feasible", answer.feasibility
    settings = np.array([answer.process[n].value for n in ("mg_wt", "radius_mm", "ce_pct")])
    count = np.exp(morphology(*settings)[1])
    assert count == pytest.approx(250, rel=0.15)
    assert set(answer.properties) == {n.column for n in described.outcomes}
    far = judge(described, {"particles_per_mm2": 5000.0})
    assert far.verdict == "infeasible" and "Particle count" in far.message
    finest = most_probable(described, {"particles_per_mm2": "highest"})
    assert finest.process["radius_mm"].value < 18


def test_file_keeps_descriptors_and_files_without_them_still_load(described, plain, tmp_path):
    for network in (described, plain):
        network.save(tmp_path / "network.json")
        again = Network.load(tmp_path / "network.json")
        assert again.nodes == network.nodes and again.regimes == network.regimes
        np.testing.assert_array_equal(again.support.properties, network.support.properties)
    with pytest.raises(InputError, match=r"no descriptors yet.*bayesnet\.learn"):
        judge(plain, {"nodularity_iso_pct": 80.0})


def test_descriptors_of_another_data_set_are_refused_and_a_note_is_passed_on(table):
    with pytest.raises(InputError, match="another data set"):
        build_levels(table, descriptors=measured(table, "x" * 64))
    none = SpecimenDescriptors(
        scalars=(),
        values=pd.DataFrame(index=table.specimens.index),
        um_per_px=None,
        data_hash=table.data_hash,
        note="no graphite here",
    )
    levels = build_levels(table, descriptors=none)
    assert levels.descriptors.shape == (60, 0) and "no graphite here" in levels.notes


def test_a_declared_column_wins_over_a_descriptor_of_its_name(table):
    frame = table.specimens.assign(nodularity_iso_pct=table.specimens["ys_mpa"] / 4)
    column = SimpleNamespace(
        name="nodularity_iso_pct", unit="%", label="own", role="property", kind="numeric"
    )
    own = SimpleNamespace(
        **{**vars(table), "specimens": frame, "columns": (*table.columns, column)}
    )
    nodes = build_levels(own, descriptors=measured(table)).nodes
    assert [n.role for n in nodes if n.column == "nodularity_iso_pct"] == ["property"]


def test_settings_have_intervals_where_only_descriptors_are_known(table):
    """Data without any test can still be designed for, and left-out specimens give the widths."""
    bare = SimpleNamespace(**vars(table))
    bare.columns = tuple(c for c in table.columns if c.role != "property")
    network = fit_network(bare, CONFIG, measured(table))
    assert not network.properties and network.descriptors
    found = most_probable(network, {"nodularity_iso_pct": 60.0}).process
    for name, entry in network.calibration["process"].items():
        assert entry["specimens"] == 60 and entry["widening_90"] >= 1, name
        assert found[name].low < found[name].value < found[name].high
