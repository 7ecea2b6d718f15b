"""Claims about the command line: what it writes, and what it refuses."""

from types import SimpleNamespace

import pytest

from bayesnet import learn
from bayesnet.network import Network
from core.properties import PropertyModel
from tests.bayesnet.simulator import simulate


@pytest.fixture
def cached(monkeypatch):
    """Stand in for the reader of cached latents and of data sets."""
    table = simulate(specimens=20)
    monkeypatch.setattr(learn, "load_latents", lambda folder: table)
    monkeypatch.setattr(learn, "load_dataset", lambda root: SimpleNamespace(hash=root.name))
    return table


def test_command_writes_network_and_properties(cached, tmp_path):
    data = tmp_path / cached.data_hash
    assert learn.main(["--model", str(tmp_path), "--data", str(data)]) == 0
    assert Network.load(tmp_path / "network.json").data_hash == cached.data_hash
    assert PropertyModel.load(tmp_path / "properties.json").model_hash == cached.model_hash


def test_latents_of_another_data_set_are_refused(cached, tmp_path, caplog):
    assert learn.main(["--model", str(tmp_path), "--data", str(tmp_path / "other")]) == 1
    assert "python -m core.encode" in caplog.text
    assert not (tmp_path / "network.json").exists()
