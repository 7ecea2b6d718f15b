"""Claims about the command line: what it writes, and what it refuses."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet import learn
from bayesnet.network import Network
from core.model import ModelConfig
from core.properties import PropertyModel
from tests.bayesnet.simulator import simulate


@pytest.fixture
def cached(monkeypatch):
    """Stand in for the reader of cached latents and of data sets."""
    table = simulate(specimens=20)
    monkeypatch.setattr(learn, "load_latents", lambda folder: table)
    monkeypatch.setattr(learn, "load_dataset", lambda root: SimpleNamespace(hash=root.name))
    monkeypatch.setattr(learn, "read_config", lambda folder: ModelConfig(patch_px=64))
    return table


def test_command_writes_network_and_properties(cached, tmp_path):
    data = tmp_path / cached.data_hash
    assert learn.main(["--model", str(tmp_path), "--data", str(data)]) == 0
    network = Network.load(tmp_path / "network.json")
    assert network.data_hash == cached.data_hash
    assert network.config["patch_px"] == 64, "patches are counted at the model's own size"
    assert PropertyModel.load(tmp_path / "properties.json").model_hash == cached.model_hash


def test_latents_of_another_data_set_are_refused(cached, tmp_path, caplog):
    assert learn.main(["--model", str(tmp_path), "--data", str(tmp_path / "other")]) == 1
    assert "python -m core.encode" in caplog.text
    assert not (tmp_path / "network.json").exists()


def test_chunked_reading_gives_the_same_network(cached, monkeypatch):
    config = learn.NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    whole = learn.fit_network(cached, config)
    owner, names = np.unique(cached.specimen), ["mu", "specimen", "file", "corner"]

    class Stream:
        """The rows of the table, a few at a time."""

        def __getattr__(self, name):
            return getattr(cached, name)

        def chunks(self):
            for start in range(0, len(cached.mu), 97):
                rows = slice(start, start + 97)
                yield SimpleNamespace(**{n: getattr(cached, n)[rows] for n in names})

    monkeypatch.setattr("bayesnet.levels.LatentStream", Stream)
    parts = learn.fit_network(Stream(), config)
    assert parts.specimens == whole.specimens == tuple(owner)
    for (mean, cov), (mean2, cov2) in zip(whole.joints, parts.joints, strict=True):
        np.testing.assert_allclose(mean2, mean, atol=1e-6)
        np.testing.assert_allclose(cov2, cov, atol=1e-6)
