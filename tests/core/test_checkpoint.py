"""Claims about model folders: they come back as they were, or are refused with a reason."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core import checkpoint
from core.checkpoint import MANIFEST, WEIGHTS, load_model, save_model
from core.errors import CheckpointError
from core.files import sha256_file
from core.model import ModelConfig, TextureVAE
from core.weights import NORMALISED_SHA256

CONFIG = ModelConfig(
    latents=4, channels=(8, 8, 8, 8, 8), hidden=8, backbone_sha256=NORMALISED_SHA256
)


def make(config: ModelConfig = CONFIG, seed: int = 0) -> TextureVAE:
    torch.manual_seed(seed)
    vae = TextureVAE(config).eval()
    vae.head.fit_standardisation([torch.rand(8, len(vae.head.centre))])
    return vae


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", make(), {"name": "Small", "seed": 3})
    return tmp_path / "model"


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change the tensors and record the new file's hash, as a careful forger would."""
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)
    declare(folder, lambda m: m.update(weights_sha256=sha256_file(folder / WEIGHTS)))


def declare(folder: Path, change: Callable[[dict], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_model_comes_back_as_saved_to_float16(vgg_weights, folder: Path) -> None:
    original, loaded = make(), load_model(folder)
    state = loaded.vae.state_dict()
    for name, parameter in original.named_parameters():
        assert torch.equal(state[name], parameter.detach().half().float()), name
    for name, buffer in original.named_buffers():
        assert torch.equal(state[name], buffer), f"{name} is a buffer and keeps float32"
    assert loaded.config == CONFIG and loaded.path == folder
    assert not loaded.vae.training and not any(p.requires_grad for p in loaded.vae.parameters())
    assert loaded.vgg.sha256 == NORMALISED_SHA256
    assert loaded.device == torch.device("cpu")


def test_loaded_model_makes_the_same_pictures_every_time(vgg_weights, folder: Path) -> None:
    z = torch.randn(1, 4, generator=torch.Generator().manual_seed(0))
    pictures = [
        load_model(folder).vae.decode(z, 64, 64, torch.Generator().manual_seed(1)) for _ in range(2)
    ]
    assert torch.equal(*pictures)
    expected = make().decode(z, 64, 64, torch.Generator().manual_seed(1)).detach()
    worst = (pictures[0] - expected).abs().max().item()
    assert worst < 0.02, f"float16 weights move a pixel by {worst:.4f}"


def test_saving_what_was_loaded_gives_the_same_file(
    vgg_weights, folder: Path, tmp_path: Path
) -> None:
    save_model(tmp_path / "again", load_model(folder).vae, {})
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()


def test_manifest_records_settings_versions_and_hash(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["name"] == "Small" and manifest["seed"] == 3 and manifest["format"] == 1
    assert ModelConfig.from_dict(manifest["config"]) == CONFIG
    assert manifest["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert manifest["weights_sha256"] == sha256_file(folder / WEIGHTS)
    assert manifest["parameters"] == sum(p.numel() for p in make().parameters())
    assert {p.name for p in folder.iterdir()} == {MANIFEST, WEIGHTS}, "no temporary file is left"


def test_manifest_entries_given_cannot_displace_the_own_ones(tmp_path: Path) -> None:
    save_model(tmp_path, make(), {"config": "x", "format": 9, "weights_sha256": "y"})
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["format"] == 1 and manifest["config"] == CONFIG.to_dict()


def test_model_without_a_backbone_is_not_saved(tmp_path: Path) -> None:
    config = ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=8)
    with pytest.raises(CheckpointError, match="set backbone_sha256"):
        save_model(tmp_path / "model", make(config), {})
    assert not (tmp_path / "model").exists()


def test_weight_beyond_float16_is_not_saved_and_the_old_model_stays(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    vae = make()
    with torch.no_grad():
        vae.head.mu.bias[1] = 1e6
    with pytest.raises(CheckpointError, match=r"head\.mu\.bias is not finite as torch\.float16"):
        save_model(folder, vae, {})
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def _flip(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-3] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def _cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / MANIFEST).unlink(), r"cannot read .*manifest\.json: No such file"),
        (lambda f: (f / MANIFEST).write_text("{"), r"manifest\.json is not valid JSON"),
        (lambda f: (f / MANIFEST).write_text("[]"), "not a model of format 1"),
        (lambda f: declare(f, lambda m: m.update(format=2)), "not a model of format 1"),
        (lambda f: declare(f, lambda m: m["config"].update(depth=2)), r"unknown settings \['dept"),
        (lambda f: declare(f, lambda m: m["config"].update(latents=0)), "latents must be an int"),
        (lambda f: declare(f, lambda m: m.update(config=[1])), "needs a mapping of settings"),
        (lambda f: declare(f, lambda m: m.pop("weights_sha256")), "its sha256 differs"),
        (lambda f: (f / WEIGHTS).unlink(), r"cannot read .*model\.safetensors: No such file"),
        (lambda f: (f / WEIGHTS).write_bytes(b""), r"model\.safetensors is damaged"),
        (_cut, r"model\.safetensors is damaged"),
        (_flip, "its sha256 differs"),
    ],
)
def test_damaged_folder_is_refused(folder: Path, damage: Callable, message: str) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


NAME = "decoder.mapping.0.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(NAME), rf"disagree on the tensors \['{NAME}'\]"),
        (lambda t: t.update(extra=torch.zeros(1)), r"disagree on the tensors \['extra'\]"),
        (lambda t: t.update({NAME: t[NAME][:-1].clone()}), rf"{NAME} is \(\d+,\).*, not \(\d+,\)"),
        (lambda t: t.update({NAME: t[NAME].float()}), r"torch\.float32, not .* torch\.float16"),
        (lambda t: t[NAME].fill_(math.nan), rf"{NAME} has values that are not finite"),
        (lambda t: t["head.spread"].fill_(math.inf), r"head\.spread has values that are not fin"),
    ],
)
def test_tensors_that_do_not_fit_the_settings_are_refused(
    folder: Path, change: Callable, message: str
) -> None:
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_settings_that_do_not_fit_the_tensors_are_refused(folder: Path) -> None:
    declare(folder, lambda m: m["config"].update(latents=5))
    with pytest.raises(CheckpointError, match=r"is \(.*\) torch\.float16, not \("):
        load_model(folder)


def test_file_beyond_the_limit_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "MAX_WEIGHT_BYTES", 1000)
    with pytest.raises(CheckpointError, match=r"has \d+ bytes; at most 1000 are read"):
        load_model(folder)


def test_model_of_another_backbone_is_refused(vgg_weights, folder: Path) -> None:
    declare(folder, lambda m: m["config"].update(backbone_sha256="0123456789ab" + 52 * "c"))
    with pytest.raises(
        CheckpointError, match=r"trained on VGG19 weights 0123456789ab\.\.\..*408c1"
    ):
        load_model(folder)
