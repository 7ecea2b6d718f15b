"""How fast this machine trains and encodes: measured in half a minute, kept in the workspace.

``python -m core.jobs.speed`` measures and keeps it; without a figure of this machine a job's time
is not estimated, because machines differ a hundredfold.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import torch
from torch import Generator

from core.errors import CheckpointError, MicroDesignError
from core.files import read_json, write_json
from core.hardware import describe, pick_device, pick_precision
from core.jobs.presets import preset_config
from core.json_values import number
from core.model import TextureVAE
from core.objective import objective, read_originals
from core.vgg import load_vgg19
from core.winograd import accelerate
from core.workspace import workspace

FILE = "speed.json"
STEPS = 4
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What a machine does.

    Attributes:
        hardware: whose speed it is (`core.hardware.describe`).
        train_patches_per_s: optimisation, with ``repeats`` counted as the log counts them.
        encode_patches_per_s: VGG19 and the encoder's head.
        measured: date; ``how``: "calibration" or the job.
    """

    hardware: str
    train_patches_per_s: float
    encode_patches_per_s: float
    measured: str
    how: str


def measure_speed(device_name: str = "auto", steps: int = STEPS) -> Speed:
    """Train a fresh model on random patches for a few steps, and encode some.

    Raises:
        CheckpointError: VGG19's weights cannot be had.
        ConfigError: there is no such device.
    """
    device = pick_device(device_name)
    config = preset_config("quick", 12, continued=True)
    precision = pick_precision(config.precision, device)
    plain = load_vgg19(config.model.backbone, config.model.pooling).to(device)
    plain = plain.to(memory_format=torch.channels_last)
    fast = device.type == "cpu" and precision == "float32"
    vae = TextureVAE(config.model).to(device).to(memory_format=torch.channels_last)
    side, generator = config.model.patch_px, Generator().manual_seed(0)
    images = torch.rand((config.batch, 1, side, side), generator=generator).to(device)
    with torch.no_grad():
        encode = _rate(lambda: vae.encode(plain(images)), config.batch, 2, device)
    vgg = accelerate(plain) if fast else plain
    optimiser = torch.optim.Adam(vae.parameters(), config.learning_rate)

    def visit() -> None:
        originals = read_originals(config, vgg, vae, images, precision)
        for _ in range(config.repeats):
            loss, *_ = objective(config, vgg, vae, originals, generator, precision)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()

    train = _rate(visit, config.batch * config.repeats, max(steps // config.repeats, 1), device)
    today = datetime.now(UTC).date().isoformat()
    return Speed(
        hardware=describe(device),
        train_patches_per_s=round(train, 3),
        encode_patches_per_s=round(encode, 3),
        measured=today,
        how="calibration",
    )


def _rate(work: Callable[[], object], patches: int, times: int, device: torch.device) -> float:
    """Return patches a second over several runs, after one that is not counted."""
    work()
    _wait(device)
    begun = time.perf_counter()
    for _ in range(times):
        work()
    _wait(device)
    return times * patches / (time.perf_counter() - begun)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def save_speed(speed: Speed) -> None:
    """Keep a speed in the workspace."""
    write_json(workspace() / FILE, asdict(speed))


def known_speed(device_name: str = "auto") -> Speed | None:
    """Return the speed kept for this machine, None where there is none or it is another's."""
    try:
        speed = Speed(**read_json(workspace() / FILE))
        number(speed.train_patches_per_s, "train_patches_per_s", 1e-9)
        number(speed.encode_patches_per_s, "encode_patches_per_s", 1e-9)
    except (CheckpointError, TypeError, ValueError):
        return None
    return speed if speed.hardware == describe(pick_device(device_name)) else None


def main(argv: Sequence[str] | None = None) -> int:
    """Measure how fast this machine trains and encodes, and keep it in the workspace."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs.speed", description=main.__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        speed = measure_speed(arguments.device)
        save_speed(speed)
    except MicroDesignError as error:
        logger.error("error: %s", error)
        return 2
    rates = (speed.train_patches_per_s, speed.encode_patches_per_s)
    logger.info("%s: trains %.3g patches/s, encodes %.3g patches/s", speed.hardware, *rates)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
