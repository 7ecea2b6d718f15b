"""Claims about descriptors and arcs on the pages: shown, evidence, targets, edited and refitted."""

import json
import shutil

import numpy as np
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.network import Network
from core.dataset import load_dataset
from core.encode import load_latents
from core.specimen_descriptors import measure_specimens, save_descriptors
from dashboard import state
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
