"""Training killed at random moments (SIGKILL) and resumed, against the run that nobody disturbed.

The real command line of `core.train` runs in forks of this process, which have imported everything
already, on small textures and a small model. VGG19's weights are random ones: what is tested does
not depend on them, and they need not be fetched.
"""

import hashlib
import json
import logging
import os
import random
import signal
import time
import warnings
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from core import checkpoint, trainer
from core.checkpoint import load_model
from core.dataset import DataSet
from core.errors import CheckpointError
from core.files import read_json, write_json
from core.model import ModelConfig, TextureVAE
from core.train import main
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
MOST_STARTS = 200
CLOCK = ("seconds", "patches_per_s", "seconds_left")


@dataclass(frozen=True, slots=True)
class Foundry:
    """What the runs share.

    Attributes:
        data: small textures.
        config: file of the settings.
        folder: where the runs are.
        vgg: random weights.
    """

    data: DataSet
    config: Path
    folder: Path
    vgg: VGG19


def foundry(folder: Path, **changes: object) -> Foundry:
    """Make data and settings."""
    data = make_textures(folder / "data", 2, 1, 64, 128)
    write_json(folder / "config.json", replace(CONFIG, **changes).to_dict())
    return Foundry(data, folder / "config.json", folder, _backbone())


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


def stand_in(shop: Foundry) -> None:
    """Give the code under test the random backbone (in a fork of its own)."""
    for module in (trainer, checkpoint):
        module.load_vgg19 = lambda source, pooling: shop.vgg  # type: ignore[attr-defined]
    trainer.accelerate = lambda vgg: vgg  # type: ignore[assignment]
    trainer.STANDARDISE_PATCHES = 4  # type: ignore[misc]


def start(shop: Foundry, out: Path) -> int:
    """Start a training in a fork, resumed where there is a checkpoint; return the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 70
    try:
        torch.set_num_threads(1)
        logging.disable()
        stand_in(shop)
        arguments = ["--data", str(shop.data.root), "--out", str(out), "--config", str(shop.config)]
        arguments += ["--device", "cpu"]
        resumed = (out / "checkpoint" / "state.json").is_file()
        code = main([*arguments, "--resume"] if resumed else arguments)
    finally:
        os._exit(code)


def wait(child: int, seconds: float | None) -> int | None:
    """Wait for a process's end and return its status; kill it after ``seconds``, then None."""
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        done, status = os.waitpid(child, 0 if end is None else os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if code == -signal.SIGKILL else code


def undisturbed(shop: Foundry) -> tuple[Path, float]:
    """Do the run that nobody disturbs; return its folder and its seconds."""
    begun, out = time.monotonic(), shop.folder / "whole"
    code = wait(start(shop, out), None)
    assert code == 0, f"the undisturbed run ended with status {code}"
    return out, time.monotonic() - begun


@dataclass(slots=True)
class Kills:
    """What killed runs came to.

    Attributes:
        kills: done.
        runs: brought to their end.
        same: of those, equal to the undisturbed one bit for bit.
        before_first: kills before the first checkpoint: the run began anew.
        steps: at which the checkpoint was found after each kill.
        lost: what was lost, in words.
    """

    kills: int = 0
    runs: int = 0
    same: int = 0
    before_first: int = 0
    steps: list[int] | None = None
    lost: list[str] | None = None


def kill_often(shop: Foundry, count: int, seed: int = 0) -> Kills:
    """Kill trainings at random moments until there were ``count`` kills; finish each of them."""
    whole, seconds = undisturbed(shop)
    chance, found = random.Random(seed), Kills(steps=[], lost=[])
    while found.kills < count:
        out = shop.folder / f"run{found.runs}"
        _one_run(shop, out, chance, seconds, found, count)
        found.runs += 1
        difference = compare(whole, out)
        found.same += not difference
        found.lost += [f"run {found.runs}: {difference}"] if difference else []
    return found


def _one_run(
    shop: Foundry, out: Path, chance: random.Random, seconds: float, found: Kills, count: int
) -> None:
    """Start and kill a run again and again until it ends."""
    reached = 0
    for _ in range(MOST_STARTS):
        spare = found.kills < count
        code = wait(start(shop, out), chance.uniform(0.0, seconds) if spare else None)
        if code == 0:
            return
        if code is not None:
            found.lost.append(f"{out.name} ended with status {code}")
            return
        found.kills += 1
        try:
            step = checkpoint_step(out)
            exported(out)
        except CheckpointError as error:
            found.lost.append(f"kill {found.kills}: {error}")
            return
        if step < reached:
            found.lost.append(f"kill {found.kills}: back from step {reached} to {step}")
        reached = max(reached, step)
        found.before_first += step == 0
        found.steps.append(step)
    found.lost.append(f"{out.name} did not end in {MOST_STARTS} starts")


def checkpoint_step(out: Path) -> int:
    """Load a run's checkpoint and return its step, 0 where there is none yet.

    Raises:
        CheckpointError: it is damaged.
    """
    folder = out / "checkpoint"
    if not (folder / "state.json").is_file():
        return 0
    vae, ema = TextureVAE(MODEL), TextureVAE(MODEL)
    adam = torch.optim.Adam(vae.parameters())
    return int(load_state(folder, vae, ema, adam, {})["step"])


def exported(out: Path) -> None:
    """Load the model that a run has exported, where it has.

    Raises:
        CheckpointError: it is damaged.
    """
    if (out / "manifest.json").is_file():
        load_model(out, backbone=False)


def compare(whole: Path, other: Path) -> str:
    """Return what differs between two runs' folders, "" where they came to the same."""
    for name in ("model.safetensors", checkpoint_file(whole)):
        if _digest(whole / name) != _digest(other / name):
            return f"{name} differs"
    if records(whole) != records(other):
        return "the log differs"
    one, two = (read_json(folder / "manifest.json") for folder in (whole, other))
    for content in (one, two):
        content.pop("seconds")
    if one != two:
        return "the manifest differs"
    names = [sorted(p.name for p in folder.rglob("*")) for folder in (whole, other)]
    return "" if names[0] == names[1] else f"files differ: {set(names[0]) ^ set(names[1])}"


def checkpoint_file(out: Path) -> str:
    """Return the path of a run's last state within its folder."""
    return f"checkpoint/{read_json(out / 'checkpoint' / 'state.json')['file']}"


def records(out: Path) -> list[dict]:
    """Return a run's log without what a clock decides."""
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(one).items() if k not in CLOCK} for one in lines]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
