"""Claims about which models and latents the pages find."""

import json
from pathlib import Path

import pytest

from dashboard import designs, evaluations, state
from tests.dashboard.conftest import sound


def test_one_damaged_model_does_not_take_the_others_away(with_model, tmp_path: Path, open_page):
    folder = tmp_path / "workspace" / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    assert [model.id for model in state.models()] == ["reference"]
    assert set(state.damaged_models()) == {"mine"}
    app = sound(open_page("evaluate"))
    (warning,) = app.sidebar.warning
    assert "The model mine is left out" in warning.value


def test_a_manifest_without_settings_is_damaged(tmp_path: Path):
    folder = tmp_path / "assets" / "reference"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("[]")
    assert not state.models()
    assert "holds no settings" in state.damaged_models()["reference"]


def test_what_is_measured_follows_the_reference(with_model, tmp_path: Path, monkeypatch):
    (model,) = state.models()
    assert state.measured_kind(model) == "graphite"
    monkeypatch.setattr(state, "ASSETS", tmp_path)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "manifest.json").write_text("{}")
    (unknown,) = state.models()
    assert state.measured_kind(unknown) == "phases"


def test_damaged_latents_are_left_out_and_foreign_ones_too(with_model, tmp_path: Path):
    (model,) = state.models()
    for name, text in (("broken", "{"), ("foreign", json.dumps({"model_hash": "f" * 64}))):
        folder = tmp_path / "workspace" / "latents" / name
        folder.mkdir(parents=True)
        (folder / "latents.json").write_text(text)
    assert list(state.latent_folders(model)) == ["the model's training set"]


@pytest.mark.parametrize(
    ("part", "designed", "evaluated"),
    [
        ("denoiser.json", True, True),
        ("model.safetensors", True, True),
        ("properties.json", True, True),
        ("latents/latents.json", True, False),
        ("network.json", True, False),
        ("reference.json", False, True),
        ("labels.json", False, False),
    ],
)
def test_what_is_kept_is_made_anew_when_a_part_of_it_is(tmp_path, part, designed, evaluated):
    model = state.Model("mine", tmp_path, {})
    before = designs.fit_key(model), evaluations.evaluation_key(model)
    (tmp_path / part).parent.mkdir(exist_ok=True)
    (tmp_path / part).write_text("{}")
    assert (designs.fit_key(model) != before[0]) == designed
    assert (evaluations.evaluation_key(model) != before[1]) == evaluated
