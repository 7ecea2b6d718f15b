"""Settings of a denoiser's training: checked on construction, saved beside it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.denoiser.network import DenoiserConfig
from core.errors import ConfigError
from core.files import read_json
from core.learning_rates import falling_rate
from core.model import check_integer, checked_keys

_MAY_BE_0 = ("weight_decay", "lesson_weight", "lessons_from")
_PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiserTraining:
    """Everything that decides a denoiser's training, apart from model, data and machine.

    Attributes:
        denoiser: its shape, and the noise that it learns to take out.
        steps: of the optimiser, the length of the schedule.
        minutes: with a value, the schedule follows the clock and ends after these minutes (or
            ``steps``, whichever is first). Such a run does not resume bit for bit.
        batch: crops a step; their noises are spread evenly, in the logarithm, over what is learned.
        crop_px: their side: two cells, so that a crop shows where one ends and the next begins.
        lesson_weight: of lessons (`core.denoiser.lessons`), one a step beside the crops: drafts are
            finished and compared with originals; 0 for none.
        lessons_from: share of the schedule, 0 to 1, after which there are lessons: they are for a
            denoiser that knows the material.
        learning_rate: peak, reached after ``warm_up`` steps, then a cosine down to
            ``final_fraction`` of it.
        weight_decay: of AdamW.
        ema_decay: of the averaged weights, which are those kept.
        grad_clip: largest norm of the gradient.
        precision: of the convolutions: "float32", "bfloat16" or "auto", the faster.
        seed: of everything random.
        log_every, evaluate_every: steps.
        checkpoint_minutes: between checkpoints.

    Raises:
        ConfigError: a value is out of its range.
    """

    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    steps: int = 10_000
    minutes: float | None = None
    batch: int = 8
    crop_px: int = 256
    lesson_weight: float = 0.5
    lessons_from: float = 0.75
    learning_rate: float = 1e-3
    warm_up: int = 100
    final_fraction: float = 0.02
    weight_decay: float = 1e-4
    ema_decay: float = 0.999
    grad_clip: float = 1.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 0
    log_every: int = 100
    evaluate_every: int = 1000
    checkpoint_minutes: float = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.denoiser, DenoiserConfig):
            raise ConfigError(f"denoiser must be a DenoiserConfig, not {self.denoiser!r:.80}")
        check_integer("steps", self.steps, 1, 10_000_000)
        check_integer("batch", self.batch, 1, 1024)
        check_integer("crop_px", self.crop_px, 64, 1024)
        if self.crop_px % self.denoiser.step_px:
            raise ConfigError(
                f"crop_px must be a multiple of {self.denoiser.step_px}, not {self.crop_px}"
            )
        for name in ("warm_up", "seed"):
            check_integer(name, getattr(self, name), 0, 2**31)
        for name in ("log_every", "evaluate_every"):
            check_integer(name, getattr(self, name), 1, 10_000_000)
        limits = {
            "learning_rate": 1.0,
            "final_fraction": 1.0,
            "weight_decay": 1.0,
            "ema_decay": 1.0,
            "grad_clip": math.inf,
            "checkpoint_minutes": math.inf,
            "lesson_weight": 1e3,
            "lessons_from": 1.0,
        }
        if self.minutes is not None:
            limits["minutes"] = 1e6
        for name, most in limits.items():
            value = getattr(self, name)
            fine = isinstance(value, (int, float)) and not isinstance(value, bool)
            may_be_0 = name in _MAY_BE_0
            if not fine or not 0 <= value <= most or (value == 0 and not may_be_0):
                least = "0 or more" if may_be_0 else "above 0"
                raise ConfigError(f"{name} must be {least} and up to {most:g}, not {value!r}")
        if self.precision not in _PRECISIONS:
            raise ConfigError(f"precision {self.precision!r} is unknown; choose from {_PRECISIONS}")

    def rate(self, progress: float, step: int) -> float:
        """Return the learning rate at a share of the schedule, 0 to 1, and a step."""
        return falling_rate(progress, step, self.learning_rate, self.warm_up, self.final_fraction)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "DenoiserTraining":
        """Build from JSON content; unknown keys raise ConfigError."""
        found = checked_keys(cls, content)
        if "denoiser" in found:
            found["denoiser"] = DenoiserConfig.from_dict(found["denoiser"])
        return cls(**found)

    @classmethod
    def from_file(cls, path: Path) -> "DenoiserTraining":
        """Read settings from a JSON file.

        Raises:
            ConfigError: a setting is unknown or out of its range.
            CheckpointError: the file cannot be read.
        """
        try:
            return cls.from_dict(read_json(path))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return JSON content that `from_dict` reads back."""
        return asdict(self) | {"denoiser": self.denoiser.to_dict()}
