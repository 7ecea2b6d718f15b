"""How long a job will take, from this machine's measured speed and the data set's size."""

import os
from collections.abc import Collection
from dataclasses import dataclass

from core.jobs.request import STEPS
from core.jobs.speed import Speed
from core.labels import Plan
from core.labels.traversals import SETS
from core.train_config import TrainConfig
from core.trainer import REGION_CELLS, STANDARDISE_PATCHES, VALIDATION_REGIONS

START_S = 15.0  # to import, read weights and pictures, a command
EVALUATE_COST = 3.0  # of a validation patch, in encodings: decoding and two passes
LEARN_S, LEARN_SPECIMEN_S = 10.0, 0.3
PAIR_COST_S = 2.5  # of a pair of patches under every metric
EXAMPLES_S = 5.0
# What a step takes longer with these terms of the loss, as a share of one without: measured on a
# CPU in bfloat16. A step on a region takes longer than one on as many pixels in patches.
WASSERSTEIN_SHARE, CRITIC_SHARE, REGION_SHARE = 0.2, 0.25, 0.25
# Of a picture that latents are named by: encodings of a patch that decoding and finishing take the
# time of, and seconds of one core to measure it.
DRAFT_COST, FINISH_COST, MEASURE_S = 1.0, 2.0, 0.07


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
    label_starts: int = 0,
    skipped: Collection[str] = (),
) -> Estimate:
    """Return how long each step of a job will take; 0 s for one that is not done.

    Args:
        config: of the training.
        speed: of the machine.
        patches: that are encoded (`core.jobs.picture_sizes.count_patches`).
        specimens: of the data set; ``held_out`` of them are not trained on.
        denoise_minutes: of training of the denoiser, which encodes the cells of all pictures first.
        label_starts: patches that latents are moved from to name them, in each of two sets.
        skipped: further steps that are not done.
    """
    training, steps = _training(config, speed)
    encoding = START_S + patches / speed.encode_patches_per_s
    seconds = {
        "train": training,
        "denoise": encoding + 60 * denoise_minutes if denoise_minutes else 0.0,
        "encode": encoding,
        "learn": START_S + LEARN_S + LEARN_SPECIMEN_S * specimens,
        "reference": START_S + held_out * PAIR_COST_S,
        "examples": START_S + EXAMPLES_S,
        "labels": _naming(config, speed, label_starts, denoise_minutes > 0),
    }
    return Estimate({step: 0.0 if step in skipped else seconds[step] for step in STEPS}, steps)


def _training(config: TrainConfig, speed: Speed) -> tuple[float, int]:
    """Return the seconds of a training and the optimisation steps that fit into them."""
    step_s = config.batch / speed.train_patches_per_s * _step_cost(config)
    training = config.steps * step_s
    if config.minutes is not None:
        training = min(training, 60 * config.minutes)
    steps = round(training / step_s)
    evaluations = steps // config.evaluate_every + 2
    validated = config.validation_patches
    if config.region_every:
        validated += VALIDATION_REGIONS * REGION_CELLS**2
    # With a budget in minutes the evaluations are within it; what comes before is not.
    counted = 2 if config.minutes is not None else evaluations
    passes = STANDARDISE_PATCHES + 2 * validated + counted * validated * EVALUATE_COST
    return START_S + training + passes / speed.encode_patches_per_s, steps


def _step_cost(config: TrainConfig) -> float:
    """Return the time of a step in that of one as `core.jobs.speed` measures it."""
    cost = 1.0
    if config.wasserstein_weight:
        cost += WASSERSTEIN_SHARE
    if config.critic_weight:
        cost += CRITIC_SHARE
    if config.region_every:
        cost += REGION_SHARE / config.region_every
    return cost


def _naming(config: TrainConfig, speed: Speed, starts: int, finished: bool) -> float:
    """Return the seconds of naming all latents, were they all active, and the directions."""
    if not starts:
        return 0.0
    plan = Plan()
    pictures = SETS * starts * len(plan.values) * (config.model.latents + plan.directions)
    drawing = (DRAFT_COST + FINISH_COST * finished) / speed.encode_patches_per_s
    return START_S + pictures * (drawing + MEASURE_S / (os.cpu_count() or 1))
