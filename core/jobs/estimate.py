"""How long a job will take, from this machine's measured speed and the data set's size."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.dataset import DataSet
from core.errors import InputError
from core.jobs.speed import Speed
from core.scale import common_scale
from core.train_config import TrainConfig
from core.trainer import STANDARDISE_PATCHES

START_S = 15.0  # to import, read weights and pictures, a command
EVALUATE_COST = 3.0  # of a validation patch, in encodings: decoding and two passes
LEARN_S, LEARN_SPECIMEN_S = 10.0, 0.3
PAIR_COST_S = 2.5  # of a pair of patches under every metric


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds by step of a job.

    Attributes:
        seconds: step -> seconds.
        steps: optimisation steps that fit into the budget.
    """

    seconds: dict[str, float]
    steps: int

    @property
    def total_s(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())


def estimate(
    config: TrainConfig,
    speed: Speed,
    patches: int,
    specimens: int,
    held_out: int,
    denoise_minutes: float = 0.0,
) -> Estimate:
    """Return how long each step of a job will take.

    Args:
        config: of the training.
        speed: of the machine.
        patches: that are encoded (`count_patches`).
        specimens: of the data set; ``held_out`` of them are not trained on.
        denoise_minutes: of training of the denoiser, which encodes the cells of all pictures first.
    """
    training = config.steps * config.batch / speed.train_patches_per_s
    if config.minutes is not None:
        training = min(training, 60 * config.minutes)
    steps = round(training * speed.train_patches_per_s / config.batch)
    evaluations = steps // config.evaluate_every + 2
    checked = evaluations * config.validation_patches * EVALUATE_COST
    passes = STANDARDISE_PATCHES + 2 * config.validation_patches + checked
    # With a budget in minutes the evaluations are within it; what comes before is not.
    if config.minutes is not None:
        passes -= (evaluations - 2) * config.validation_patches * EVALUATE_COST
    denoising = 0.0
    if denoise_minutes:
        denoising = START_S + patches / speed.encode_patches_per_s + 60 * denoise_minutes
    return Estimate(
        {
            "train": START_S + training + passes / speed.encode_patches_per_s,
            "denoise": denoising,
            "encode": START_S + patches / speed.encode_patches_per_s,
            "learn": START_S + LEARN_S + LEARN_SPECIMEN_S * specimens,
            "reference": START_S + held_out * PAIR_COST_S,
        },
        steps,
    )


def count_patches(data: DataSet, patch_px: int, stride: int) -> int:
    """Return about how many patches a data set is encoded into, from its pictures' headers.

    Raises:
        InputError: a picture has gone.
    """
    common, count = common_scale(data), 0
    for file, scale in zip(data.table["file"], data.scales, strict=True):
        try:
            with Image.open(data.root / file) as image:
                width, height = image.size
        except OSError as error:
            raise InputError(f"{file} cannot be read any more: {error}") from error
        ratio = scale / common if common and np.isfinite(scale) else 1.0
        across, down = (max(int((n * ratio - patch_px) // stride) + 1, 0) for n in (width, height))
        count += across * down
    return count
