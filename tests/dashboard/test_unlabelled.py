"""Claims about models whose data have no properties: the pages say so and do what they can."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bayesnet.learn import NetworkConfig, fit_network
from core.encode import load_latents
from dashboard import state, warm_up
from tests.dashboard.conftest import sound, texts


@pytest.fixture
def unlabelled(tiny_model: Path, tmp_path: Path, monkeypatch) -> Path:
    """The tiny model, fitted to its data set without the strengths."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    (folder / "properties.json").unlink()
    table = load_latents(folder / "latents")
    process = tuple(c for c in table.columns if c.role == "process")
    frame = table.specimens[[c.name for c in process]]
    network = fit_network(
        replace(table, columns=process, specimens=frame), NetworkConfig(regimes=(1,), factors=(2,))
    )
    network.save(folder / "network.json")
    monkeypatch.setattr(state, "ASSETS", folder.parent)
    return folder


def test_a_micrograph_is_evaluated_without_predictions(unlabelled, open_page):
    app = sound(open_page("evaluate"))
    assert "predicts no properties" in texts(app)
    sound(app.button(key="evaluate_example").click().run())
    assert "Style error" in texts(app)
    assert "Predicted from the micrograph" not in "".join(t.value.to_string() for t in app.table)


def test_inverse_design_says_what_is_missing(unlabelled, open_page):
    app = sound(open_page())
    assert "nothing to design for" in texts(app)
    assert "bayesnet.learn" in texts(app)


def test_no_first_design_is_tried(unlabelled, caplog):
    warm_up.first_design()
    assert not caplog.records


def test_structure_property_says_what_is_missing(unlabelled, open_page):
    app = sound(open_page("structure_property"))
    assert "predicts no properties" in texts(app)
    assert "bayesnet.learn" in texts(app) and not app.get("plotly_chart")
