"""Claims about a denoiser's files: they come back, belong to one model, or are refused."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bayesnet.model_facts import _finished_by
from core.bench import inference
from core.checkpoint import load_model
from core.denoiser import store
from core.denoiser.sampling import finish
from core.denoiser.store import (
    ABOUT,
    WEIGHTS,
    about_denoiser,
    denoiser_hash,
    load_denoiser,
    recorded_denoiser,
    save_denoiser,
)
from core.errors import CheckpointError
from core.files import sha256_file
from core.publish import publish
from core.synthesis import decode_patches, reconstruct, synthesise
from tests.core.denoiser.conftest import random_denoiser


def declare(folder: Path, **changes: object) -> None:
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | changes))


def test_a_denoiser_comes_back_to_float16(model: Path) -> None:
    loaded = load_model(model, backbone=False)
    assert loaded.denoiser is not None
    state = loaded.denoiser.network.state_dict()
    for name, parameter in random_denoiser().named_parameters():
        assert torch.equal(state[name], parameter.half().float()), name
    assert loaded.denoiser_hash == denoiser_hash(model, loaded.hash)
    assert not any(p.requires_grad for p in loaded.denoiser.network.parameters())


def test_weights_rounded_before_make_the_same_pictures(model: Path) -> None:
    found = load_model(model, backbone=False).denoiser
    assert found is not None and found.prepared("float32") is found.network
    assert found.prepared("bfloat16") is found.prepared("bfloat16"), "rounded once"
    draft, z = torch.rand(1, 1, 64, 64), torch.randn(1, 8)
    made = [
        finish(network, draft, z, torch.Generator().manual_seed(0), precision="bfloat16")
        for network in (found.network, found.prepared("bfloat16"))
    ]
    assert torch.equal(*made)
    assert not torch.equal(
        made[0], finish(found.network, draft, z, torch.Generator().manual_seed(0))
    ), "in float32 the picture is another"


def test_what_finishes_pictures_is_weights_settings_and_the_way(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = load_model(model, backbone=False).hash
    found = {denoiser_hash(model, weights)}
    about = recorded_denoiser(model)
    assert about is not None and denoiser_hash(model, "0" * 64) is None
    declare(model, config=about["config"] | {"steps": about["config"]["steps"] + 1})
    found.add(denoiser_hash(model, weights))
    declare(model, config=about["config"], weights_sha256="1" * 64)
    found.add(denoiser_hash(model, weights))
    declare(model, weights_sha256=about["weights_sha256"], seconds=12.5)
    assert denoiser_hash(model, weights) in found, "how long it took tells nothing"
    monkeypatch.setattr(store, "WAY", store.WAY + 1)
    found.add(denoiser_hash(model, weights))
    assert len(found) == 4 and all(len(str(one)) == 64 for one in found)


def test_pictures_are_finished_unless_drafts_are_asked_for(model: Path, tiny_model: Path) -> None:
    plain, with_it = (load_model(f, backbone=False) for f in (tiny_model, model))
    z = np.zeros(8, np.float32)
    draft = synthesise(plain, z, 64, 64, 0)
    assert np.array_equal(draft, synthesise(with_it, z, 64, 64, 0, finished=False))
    finished = synthesise(with_it, z, 64, 64, 0)
    assert finished.shape == draft.shape and not np.array_equal(draft, finished)
    assert np.array_equal(finished, synthesise(with_it, z, 64, 64, 0)), "a seed gives one picture"
    patches = decode_patches(with_it, np.zeros((3, 8)), 32, 32, 0)
    assert patches.shape == (3, 32, 32)
    assert not np.array_equal(patches, decode_patches(with_it, np.zeros((3, 8)), 32, 32, 0, False))


def test_reconstructions_are_finished(vgg_weights, model: Path) -> None:
    loaded, patches = load_model(model), np.random.default_rng(0).random((2, 128, 128))
    first = reconstruct(loaded, patches.astype(np.float32), 0)
    assert not np.array_equal(first, reconstruct(loaded, patches.astype(np.float32), 0, False))


def test_drafts_and_finished_pictures_are_timed_apart(
    vgg_weights, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.bench.MICROGRAPH_PX", (256, 384))
    found = inference(load_model(model), rounds=1)
    sizes = [f"{kind}_{side}_px" for kind in ("decode", "finished") for side in (128, 512, 1024)]
    assert sizes == [name for name in found if name.endswith("_px")]


def test_a_denoiser_of_other_weights_is_left_out_and_said_to_be(
    model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    declare(model, model_hash="0" * 64)
    with caplog.at_level(logging.WARNING):
        loaded = load_model(model, backbone=False)
    assert loaded.denoiser is None and loaded.denoiser_hash is None
    assert "other weights" in caplog.text
    with pytest.raises(CheckpointError, match="another model"):
        load_denoiser(model, loaded.hash)


def test_settings_that_older_files_lack_are_known_to_whoever_asks(model: Path) -> None:
    about = json.loads((model / ABOUT).read_text())
    for name in ("coarse", "coarse_steps"):
        del about["config"][name]
    (model / ABOUT).write_text(json.dumps(about))
    found = about_denoiser(model, about["model_hash"])
    assert found is not None
    told = _finished_by(found, {"weights_sha256": about["model_hash"]})
    assert told.startswith("a denoiser") and "noise of 0.3 and 0.03 of the grey scale" in told
    assert _finished_by(None, {}).startswith("nothing")
    declare(model, config={"steps": "x"})
    with pytest.raises(CheckpointError, match="steps must be an integer"):
        about_denoiser(model, about["model_hash"])


def _swap(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["inlet.weight"] = tensors["inlet.weight"][:, :1].contiguous()
    save_file(tensors, folder / WEIGHTS)
    declare(folder, weights_sha256=sha256_file(folder / WEIGHTS))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / WEIGHTS).write_bytes(b"\0" * 99), "damaged|not the file"),
        (lambda f: (f / WEIGHTS).unlink(), WEIGHTS),
        (_swap, "inlet.weight is"),
        (lambda f: declare(f, format=99), "not a denoiser of format"),
        (lambda f: declare(f, config={"channels": [512, 512, 512]}), "at least, the file holds"),
        (lambda f: declare(f, config={"strange": 1}), "unknown settings"),
        (lambda f: declare(f, steps="many"), "damaged: steps"),
        (lambda f: (f / ABOUT).write_text("[1]"), "not a denoiser of format"),
    ],
)
def test_damage_is_refused_with_a_reason(
    model: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(model)
    with pytest.raises(CheckpointError, match=message):
        load_model(model, backbone=False)


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    network = random_denoiser()
    network.inlet.weight[0] = 1e9
    with pytest.raises(CheckpointError, match=r"inlet\.weight is not finite"):
        save_denoiser(tmp_path, network, {"model_hash": "0" * 64})
    assert not list(tmp_path.iterdir())


def test_a_denoiser_is_published_with_its_model_and_with_no_other(
    model: Path, tmp_path: Path
) -> None:
    publish(model, tmp_path / "out")
    assert load_model(tmp_path / "out", backbone=False).denoiser is not None
    declare(model, model_hash="0" * 64)
    with pytest.raises(CheckpointError, match="another model"):
        publish(model, tmp_path / "out")
