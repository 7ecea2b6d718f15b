"""Claims about descriptors and arcs on the pages: shown, evidence, targets, edited and refitted."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.network import Network, Regime
from bayesnet.regime_means import regime_means
from core.dataset import load_dataset
from core.encode import load_latents
from core.specimen_descriptors import (
    SpecimenDescriptors,
    measure_specimens,
    save_descriptors,
)
from dashboard import permission, state
from tests.dashboard.conftest import sound, texts
from tests.tiny import make_castings


@pytest.fixture
def described(tiny_model, tmp_path, monkeypatch):
    """The tiny model with descriptors of its castings in the network; returns its folder."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    table = load_latents(folder / "latents")
    data = make_castings(tmp_path / "castings")
    assert load_dataset(data.root).hash == table.data_hash
    found = measure_specimens(data, 1.0)
    save_descriptors(folder / "latents", found)
    config = NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    fit_network(table, config, found).save(folder / "network.json")
    monkeypatch.setattr(state, "ASSETS", folder.parent)
    return folder


def test_descriptors_are_shown_and_can_be_known(described, open_page):
    app = sound(open_page("network"))
    assert "no descriptors" not in texts(app)
    sound(app.multiselect(key="belief_nodes").select("graphite_pct").run())
    sound(app.number_input(key="belief_graphite_pct").set_value(9.0).run())
    spec = json.dumps([json.loads(e.proto.spec) for e in app.get("plotly_chart")])
    assert "Graphite area" in spec and "Structure and properties" in spec


def with_another_regime(network: Network) -> Network:
    """Return a network whose second regime has outcomes two standard deviations higher."""
    (regime,) = network.regimes
    outcomes = {node.node for node in network.outcomes}
    higher = tuple(
        replace(c, intercept=c.intercept + 2 * (c.variable in outcomes))
        for c in regime.conditionals
    )
    both = (replace(regime, weight=0.75), Regime(0.25, higher))
    return replace(network, regimes=both)


def test_regimes_are_described_by_what_tells_them_apart(described, open_page):
    assert "Regimes: kinds" not in texts(open_page("network")), "there is only one"
    network = with_another_regime(Network.load(described / "network.json"))
    network.save(described / "network.json")
    app = sound(open_page("network"))
    regimes = next(t.value for t in app.table if "Regime" in t.value)
    one, two = regime_means(network).nodes
    assert list(regimes.columns) == [
        "Regime", one.label, two.label, "Probability", "Without evidence",
    ]  # fmt: skip
    assert all(one.unit in value for value in regimes[one.label]), "with its unit"
    assert len(set(regimes[one.label])) == 2 and "Regimes: kinds" in texts(app)
    sound(app.multiselect(key="belief_nodes").select("uts_mpa").run())
    app = sound(app.number_input(key="belief_uts_mpa").set_value(network.properties[0].high).run())
    after = next(t.value for t in app.table if "Regime" in t.value)
    assert list(after["Without evidence"]) == list(regimes["Probability"])
    assert list(after["Probability"]) != list(regimes["Probability"])


@pytest.mark.parametrize("closed", [False, True])
def test_the_left_out_score_stands_where_one_fits_with_what_it_means(
    described, open_page, monkeypatch, closed
):
    if closed:
        monkeypatch.setenv(permission.READ_ONLY, "on")
    app = sound(open_page("network"))
    kinds = [e for e in app.main if e.type in ("subheader", "metric")]
    named = [e.value if e.type == "subheader" else e.label for e in kinds]
    assert named[-2:] == ["Fit it anew", "Left-out score"], named
    assert kinds[-1].value.endswith("nats") and "More is better" in texts(app)


def test_a_model_without_a_network_is_fitted_on_the_page_and_loses_it_again(described, open_page):
    (described / "network.json").unlink()
    app = sound(open_page("network"))
    assert "no Bayesian network yet" in texts(app)
    app = sound(app.button(key="network_fit").click().run())
    assert "Fitted on" in texts(app) and "before" not in app.success[0].value
    assert "nats (16 specimens)" in app.success[0].value
    assert any("What follows" in s.value for s in app.subheader)
    assert "came without one" in app.button(key="network_reset").label
    app = sound(app.button(key="network_reset").click().run())
    assert "no Bayesian network yet" in texts(app) and not app.success


def test_a_model_without_network_and_latents_says_how_to_encode_data(described, open_page):
    (described / "network.json").unlink()
    shutil.rmtree(described / "latents")
    app = sound(open_page("network"))
    assert "No encoded data set is at hand" in texts(app)
    assert not [b for b in app.button if b.key == "network_fit"]


def test_where_no_descriptors_are_in_the_network_it_is_said_why(described, open_page):
    table = load_latents(described / "latents")
    config = NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    fit_network(table, config).save(described / "network.json")
    said = texts(sound(open_page("network")))
    assert "although those of the model's specimens are measured" in said
    assert "core.specimen_descriptors" not in said
    nothing = SpecimenDescriptors(
        scalars=(),
        values=pd.DataFrame(index=table.specimens.index),
        um_per_px=None,
        data_hash=table.data_hash,
        note="nothing to measure here",
    )
    save_descriptors(described / "latents", nothing)
    said = texts(sound(open_page("network")))
    assert "no descriptors of the structure: nothing to measure here" in said
    assert "core.specimen_descriptors" in said


def test_arcs_are_edited_and_the_fit_keeps_to_them(described, open_page):
    app = sound(open_page("network"))
    before = Network.load(described / "network.json")
    app = sound(app.radio(key="network_arcs_way").set_value("my own").run())
    assert f"{len(before.arcs())} arcs" in texts(app)
    key = f"network_kept_{before.model_hash[:8]}_{before.data_hash[:8]}"
    gone = {(a.parent, a.child) for a in before.arcs() if a.child == "uts_mpa"}
    app.session_state[key] = app.session_state[key] - gone
    app = sound(app.selectbox(key="network_child").select_index(len(before.outcomes)).run())
    sound(app.button(key="network_fit").click().run())
    after = Network.load(state.workspace() / "networks" / "reference" / "network.json")
    left = {(a.parent, a.child) for a in before.arcs()} - gone
    assert {(a.parent, a.child) for a in after.arcs()} == left
    assert after.scores["structure"] == "given" and "chosen by hand" in texts(app)


def test_descriptors_can_be_asked_for_and_are_measured_in_the_picture(described, open_page):
    network = Network.load(described / "network.json")
    values = network.support.properties
    at = [n.column for n in network.outcomes].index("graphite_pct")
    wanted = float(np.nanmedian(values[:, at]))
    app = sound(open_page(graphite_pct=f"{wanted - 1:.2f}..{wanted + 1:.2f}", size="256"))
    said = texts(app)
    assert "Graphite area" in said and "free" in said, said
    assert app.number_input(key="design_in_graphite_pct_at_least").value == pytest.approx(
        wanted - 1, abs=0.01
    )
    tables = json.dumps([t.value.to_dict() for t in app.table], default=str)
    assert "Graphite area" in tables
