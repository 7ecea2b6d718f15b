"""How many labels recur in another model, and the command that says so."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.checkpoint import load_model, save_model
from core.encode import load_latents, save_latents
from core.errors import CheckpointError, InputError
from core.files import read_json, write_json
from core.labels import Match, match_dimensions, random_matches, save_labels
from core.labels.recurrence import _finishing, main, measure, recurrence
from core.quality_tables import retrained
from tests.core.labels.discs import LATENTS, latent_table
from tests.core.labels.made import made_labels


@pytest.fixture
def two(tiny_model, tmp_path):
    """A labelled model and one with other weights, the same latents and the same labels."""
    folders = []
    for name in ("model", "anew"):
        folder = tmp_path / name
        shutil.copytree(tiny_model, folder)
        loaded, table = load_model(folder), load_latents(folder / "latents")
        if name == "anew":
            with torch.no_grad():
                next(loaded.vae.decoder.parameters()).add_(0.01)
            save_model(folder, loaded.vae, {**loaded.manifest, "seed": 7, "steps": 50})
        anew = load_model(folder, backbone=False)
        save_latents(folder / "latents", replace(table, model_hash=anew.hash))
        labels = made_labels(anew.hash, table.mu.shape[1])
        save_labels(folder, replace(labels, data_hash=table.data_hash))
        folders.append(folder)
    return folders


def test_the_same_decoder_recurs_wholly_and_blind_pairs_do_not(discs):
    table = latent_table()
    found = recurrence(discs, discs, table, table)
    assert found["all_pairs"]["same_label"] == found["all_pairs"]["strongest_effect_recurs"] == 1
    assert found["by_chance"]["strongest_effect_recurs"] < 0.7
    assert found["by_chance"]["same_label"] < 0.7
    with pytest.raises(InputError, match="no latent was traversed in both"):
        recurrence(discs, replace(discs, dimensions=()), table, table)
    z0 = found["by_latent"]["z0"]
    assert z0["counterpart"] == "z0" and z0["correlation"] == pytest.approx(1)
    assert z0["label"] == z0["there"] == discs.by_index[0].label
    assert found["space"]["of_the_other"] > 0.99 < found["space"]["of_the_first"]
    assert found["directions"] == {}
    assert recurrence(discs, discs, table, table) == found  # blind pairs follow from a seed


def test_a_turned_space_recurs_and_an_unrelated_one_does_not():
    table = latent_table()
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(LATENTS, LATENTS)))
    turned = replace(table, mu=(table.mu @ turn).astype(np.float32))
    labels = made_labels("a" * 64, LATENTS)
    (direction,) = labels.directions
    same = replace(direction, name="e1", vector=tuple(-np.array(direction.vector) @ turn))
    found = recurrence(labels, replace(labels, directions=(same,)), table, turned)
    assert min(found["space"].values()) > 0.99
    told = found["directions"]["d1"]
    assert told["counterpart"] == "e1" and told["correlation"] == pytest.approx(-1)
    assert told["strongest_effect_recurs"] is False, "turned round, its effect has the other sign"
    found = recurrence(labels, labels, table, latent_table(seed=9))
    assert max(found["space"].values()) < 0.5


def test_blind_pairs_are_permutations_with_their_own_correlations():
    table = latent_table()
    right = match_dimensions(table, table)
    assert right.correlation == pytest.approx(1)
    for match in random_matches(table, table, 5, seed=1):
        assert isinstance(match, Match)
        assert sorted(match.first) == sorted(match.second) == [0, 1, 2, 3]
        same = match.first == match.second
        assert match.correlation[same] == pytest.approx(1)
        assert (abs(match.correlation[~same]) < 0.99).all()
    with pytest.raises(InputError, match="of other patches"):
        random_matches(table, replace(table, data_hash="0" * 64), 1, seed=1)


def test_the_command_writes_what_recurs(two, tmp_path):
    model, anew = two
    main(["--model", str(model), "--against", str(anew), "--out", str(tmp_path / "results")])
    content = json.loads((tmp_path / "results" / "retrained.json").read_text())
    assert content["model_sha256"] == load_model(model, backbone=False).hash
    assert content["retrained"]["model_sha256"] == load_model(anew, backbone=False).hash
    assert content["retrained"]["seed"] == 7 and not content["retrained"]["finished_pictures"]
    assert content["figures"]["all_pairs"]["same_label"] == 1
    assert content["denoiser_sha256"] is None, "nothing finishes this model's pictures"
    assert "--out" not in content["command"]
    said = retrained(content)
    assert "another seed (7; 50 steps" in said and "pictures not finished" in said
    assert "explains 100 % of the variance" in said and "strongest effects 1 of 1" in said
    assert "recur in the counterpart" in said and "100 % have the very same one" in said


def test_what_cannot_be_compared_is_refused(two, tmp_path, capsys):
    model, anew = two
    with pytest.raises(InputError, match="seed of"):
        measure(model, model)
    content = read_json(anew / "manifest.json")
    write_json(anew / "manifest.json", content | {"began_from": {"steps": 5}})
    with pytest.raises(InputError, match="begun from nothing"):
        measure(model, anew)
    write_json(anew / "manifest.json", content)
    table = load_latents(anew / "latents")
    save_latents(anew / "latents", replace(table, data_hash="e" * 64))
    with pytest.raises(InputError, match="of different data sets"):
        measure(model, anew)
    save_latents(anew / "latents", replace(table, model_hash="0" * 64))
    with pytest.raises(InputError, match="latents are of another model"):
        measure(model, anew)
    save_labels(anew, made_labels("0" * 64, table.mu.shape[1]))
    with pytest.raises(CheckpointError, match="labels of another model"):
        measure(model, anew)
    with pytest.raises(SystemExit) as left:
        main(["--model", str(model), "--against", str(anew), "--out", str(tmp_path / "results")])
    assert left.value.code == 2 and "another model" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_labels_keep_what_finished_the_pictures_that_were_named():
    about = SimpleNamespace(about={"weights_sha256": "w"})
    loaded, labels = SimpleNamespace(denoiser=about), made_labels("a")
    assert _finishing(loaded, labels) == "w", "an older file"
    for told in ("i", None):
        then = replace(labels, plan=labels.plan | {"finishing": told})
        assert _finishing(loaded, then) == told
