"""The trainings that are killed: a small model's, and a small denoiser's for a model of that kind.

VGG19's weights are random ones: what is tested does not depend on them, and they need not be
fetched.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from core import checkpoint, trainer
from core.checkpoint import WEIGHTS as MODEL_WEIGHTS
from core.checkpoint import load_model, save_model
from core.dataset import DataSet
from core.denoiser import training as denoising
from core.denoiser.__main__ import main as train_denoiser
from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.settings import DenoiserTraining
from core.denoiser.store import ABOUT, TRAINING, WEIGHTS, has_denoiser
from core.files import read_json, write_json
from core.model import ModelConfig, TextureVAE
from core.train import main as train_model
from core.train_config import TrainConfig
from core.training_state import load_state
from core.vgg import VGG19
from tests.core.textures import make_textures

MODEL = ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=8, patch_px=32)
CONFIG = TrainConfig(
    model=MODEL,
    steps=8,
    batch=2,
    warm_up=2,
    kl_warm_up=3,
    ema_decay=0.9,
    stride=32,
    validation_fraction=0.0,
    validation_patches=2,
    evaluate_every=3,
    log_every=1,
    checkpoint_minutes=0.0,  # after every step, so that kills meet writes
    precision="float32",
)
DENOISER = DenoiserTraining(
    denoiser=DenoiserConfig(latents=4, channels=(8, 8), width=8),
    steps=8,
    batch=2,
    crop_px=64,
    warm_up=2,
    ema_decay=0.9,
    evaluate_every=3,
    log_every=1,
    checkpoint_minutes=1e-9,
    precision="float32",
)
CLOCK = ("seconds", "patches_per_s", "seconds_left")


@dataclass(frozen=True, slots=True)
class Foundry:
    """What runs of ``python -m core.train`` share.

    Attributes:
        data: small textures.
        config: file of the settings.
        folder: where the runs are.
    """

    data: DataSet
    config: Path
    folder: Path

    def train(self, out: Path) -> int:
        """Train a model."""
        stand_in()
        words = [*_words(self.data, self.config), "--out", str(out)]
        return train_model([*words, *_again(out)])

    def look(self, out: Path) -> int:
        """Load the checkpoint, and the model where one is exported; return the step."""
        vae, ema = TextureVAE(MODEL), TextureVAE(MODEL)
        adam = torch.optim.Adam(vae.parameters())
        step = int(load_state(out / "checkpoint", vae, ema, adam, {})["step"]) if _again(out) else 0
        if (out / "manifest.json").is_file():
            load_model(out, backbone=False)
        return step

    def compare(self, whole: Path, other: Path) -> str:
        """Return how the models, the last checkpoints or the logs differ, "" where they do not."""
        return _compare(whole, other, "", MODEL_WEIGHTS, "manifest.json")


@dataclass(frozen=True, slots=True)
class Finishing:
    """What runs of ``python -m core.denoiser`` share; each has a copy of the model.

    Attributes:
        data: small textures.
        config: file of the settings.
        folder: where the runs are.
        model: of random weights.
    """

    data: DataSet
    config: Path
    folder: Path
    model: Path

    def train(self, out: Path) -> int:
        """Train a denoiser."""
        stand_in()
        denoising.VALIDATION_CROPS = denoising.MEASURED_CROPS = 4  # type: ignore[misc]
        if not out.exists():
            shutil.copytree(self.model, out.with_suffix(".new"))
            out.with_suffix(".new").rename(out)  # whole, or not there
        words = [*_words(self.data, self.config), "--model", str(out)]
        return train_denoiser([*words, *_again(out / TRAINING)])

    def look(self, out: Path) -> int:
        """Load the checkpoint, and the model with its denoiser; return the step."""
        network, ema = (Denoiser(DENOISER.denoiser) for _ in range(2))
        adam, run = torch.optim.AdamW(network.parameters()), out / TRAINING
        step = (
            int(load_state(run / "checkpoint", network, ema, adam, {})["step"])
            if _again(run)
            else 0
        )
        if out.exists():
            assert (load_model(out, backbone=False).denoiser is not None) == has_denoiser(out)
        return step

    def compare(self, whole: Path, other: Path) -> str:
        """Return how the denoisers, the last checkpoints or the logs differ."""
        return _compare(whole, other, TRAINING, WEIGHTS, ABOUT)


def foundry(folder: Path, **changes: object) -> Foundry:
    """Make data and settings of a model's training."""
    data = make_textures(folder / "data", 2, 1, 64, 128)
    write_json(folder / "config.json", replace(CONFIG, **changes).to_dict())
    _backbone()  # made once, not at each start
    return Foundry(data, folder / "config.json", folder)


def finishing(folder: Path, **changes: object) -> Finishing:
    """Make data, settings and the model of a denoiser's training."""
    data = make_textures(folder / "data", 2, 1, 64, 128)
    write_json(folder / "config.json", replace(DENOISER, **changes).to_dict())
    torch.manual_seed(0)
    vae = TextureVAE(replace(MODEL, backbone_sha256=_backbone().sha256)).eval()
    vae.head.fit_standardisation([torch.rand(16, len(vae.head.centre))])
    save_model(folder / "model", vae, {"name": "small", "um_per_px": 1.0})
    return Finishing(data, folder / "config.json", folder, folder / "model")


@cache
def _backbone() -> VGG19:
    """Return a VGG19 of random weights."""
    torch.manual_seed(0)
    vgg = VGG19("normalised", "average", "0" * 64)
    vgg.layers.to_empty(device="cpu")
    for name, parameter in vgg.layers.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.constant_(parameter, 0.1)
        else:  # keeps the features' size from layer to layer
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
    vgg = vgg.to(memory_format=torch.channels_last)  # once, not at each start
    return vgg.requires_grad_(False).eval()


def stand_in() -> None:
    """Give the code under test the random backbone (in a fork of its own)."""
    for module in (trainer, checkpoint):
        module.load_vgg19 = lambda source, pooling: _backbone()  # type: ignore[attr-defined]
    trainer.accelerate = lambda vgg: vgg  # type: ignore[assignment]
    trainer.STANDARDISE_PATCHES = 4  # type: ignore[misc]


def _words(data: DataSet, config: Path) -> list[str]:
    return ["--data", str(data.root), "--config", str(config), "--device", "cpu"]


def _again(run: Path) -> list[str]:
    """Return what resumes a run: nothing where it has no checkpoint yet."""
    return ["--resume"] if (run / "checkpoint" / "state.json").is_file() else []


def _compare(whole: Path, other: Path, run: str, weights: str, about: str) -> str:
    """Return what differs between two folders; ``run`` names the run's own in them."""
    last = read_json(whole / run / "checkpoint" / "state.json")["file"]
    for name in (Path(weights), Path(run) / "checkpoint" / last):
        if _digest(whole / name) != _digest(other / name):
            return f"{name} differs"
    if _records(whole / run) != _records(other / run):
        return "the log differs"
    one, two = (read_json(folder / about) for folder in (whole, other))
    for content in (one, two):
        content.pop("seconds")
    if one != two:
        return f"{about} differs"
    names = [sorted(p.name for p in folder.rglob("*")) for folder in (whole, other)]
    return "" if names[0] == names[1] else f"files differ: {set(names[0]) ^ set(names[1])}"


def _records(run: Path) -> list[dict]:
    """Return a run's log without what a clock decides."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(one).items() if k not in CLOCK} for one in lines]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
