"""How long to train: three presets, from a look within minutes to an evening on two CPU cores.

A budget is in minutes, and the learning rate follows the clock; on a fast machine the steps end it
sooner. All begin from a trained model where there is one of the same make, because a decoder that
knows one kind of microstructure learns another far sooner than one that knows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.checkpoint import MANIFEST
from core.dataset import DataSet
from core.errors import CheckpointError, ConfigError
from core.files import read_json
from core.jobs.picture_sizes import Sizes
from core.jobs.request import NO_NAMES, NO_TIME, JobRequest
from core.labels.quantities import LEAST_SPECIMENS
from core.model import ModelConfig
from core.scale import common_scale
from core.train_config import TrainConfig
from core.trainer import REGION_CELLS

MIN_HELD_OUT = 3  # specimens that `core.reference` needs
MIN_SPECIMENS = 5  # that `bayesnet.levels` needs
HELD_OUT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A budget.

    Attributes:
        label, about: for people.
        config: what differs from training as the shipped model was trained.
        encode_stride: px between encoded patches.
        denoise_minutes: for the denoiser that finishes pictures; 0 for none, since one that has
            learned for a few minutes rubs out thin lines.
        label_starts: patches that latents are moved from to name them, in each of two sets; 0 for
            no names.
        fields: a training that goes on from a model learns fields as the shipped one did.
    """

    label: str
    about: str
    config: Mapping[str, Any]
    encode_stride: int
    denoise_minutes: float
    label_starts: int
    fields: bool


PRESETS = {
    "quick": Preset(
        label="Quick look",
        about="Minutes. Shows whether data and table are sound; pictures are rough.",
        config={
            "minutes": 6.0,
            "steps": 3000,
            "evaluate_every": 50,
            "log_every": 5,
            "validation_patches": 8,
            "checkpoint_minutes": 1.0,
        },
        encode_stride=256,
        denoise_minutes=0.0,
        label_starts=0,
        fields=False,
    ),
    "standard": Preset(
        label="Standard",
        about="About an hour and a half on two CPU cores. For work.",
        config={
            "minutes": 50.0,
            "steps": 8000,
            "evaluate_every": 100,
            "log_every": 10,
            "validation_patches": 16,
            "checkpoint_minutes": 3.0,
        },
        encode_stride=160,
        denoise_minutes=25.0,
        label_starts=8,
        fields=True,
    ),
    "thorough": Preset(
        label="Thorough",
        about="An evening on two CPU cores. The best pictures.",
        config={"minutes": 240.0, "steps": 24_000, "evaluate_every": 200, "checkpoint_minutes": 5},
        encode_stride=160,
        denoise_minutes=90.0,
        label_starts=16,
        fields=True,
    ),
}
# As `core/presets`: "reference" from nothing; from a trained model "finish", with the terms of
# "fields" where there is time for them: steps take 1.6 times as long, and fields gain after a
# thousand (docs/experiments.md, fifth round).
_CONTINUED = {
    "style_weight": 1000.0,
    "relative_weight": 1.0,
    "learning_rate": 6e-4,
    "warm_up": 50,
    "kl_warm_up": 0,
}
_FIELDS = {"wasserstein_weight": 1.0, "critic_weight": 0.1, "region_every": 2}
_ANEW = {"style_weight": 600.0, "learning_rate": 1e-3, "warm_up": 100, "kl_warm_up": 50}
_COMMON = {"loss": "norm", "grey_weight": 0.5, "batch": 4, "repeats": 2}


def preset_config(
    name: str, specimens: int, continued: bool, *, regions: bool = True, **changes: Any
) -> TrainConfig:
    """Return a preset's training settings for a data set.

    Args:
        name: one of `PRESETS`.
        specimens: of the data set; at least three are held out where there are eight or more.
        continued: training begins from a trained model.
        regions: the pictures hold regions to learn fields by (`holds_regions`).
        changes: settings to use instead.

    Raises:
        ConfigError: there is no such preset, or a setting is not allowed.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; choose from {', '.join(PRESETS)}")
    settings = {**_COMMON, **(_CONTINUED if continued else _ANEW), **PRESETS[name].config}
    if continued and PRESETS[name].fields:
        settings |= _FIELDS if regions else _FIELDS | {"region_every": 0}
    fraction = held_out_count(specimens) / specimens if specimens else 0.0
    config = TrainConfig(model=ModelConfig(), validation_fraction=fraction, **settings)
    return replace(config, **changes)


def holds_regions(sizes: Sizes) -> bool:
    """Tell whether every picture of these sizes is large enough for a region of patches.

    >>> holds_regions(((256, 300), (1024, 768))), holds_regions(((256, 255),))
    (True, False)
    """
    side = REGION_CELLS * ModelConfig().patch_px
    return all(min(size) >= side for size in sizes)


def held_out_count(specimens: int) -> int:
    """Return how many specimens to hold out of training: a tenth, three where eight allow it.

    >>> held_out_count(4), held_out_count(12), held_out_count(120)
    (1, 3, 12)
    """
    if specimens < 2:
        return 0
    tenth = max(round(HELD_OUT * specimens), 1)
    return max(tenth, MIN_HELD_OUT) if specimens >= MIN_HELD_OUT + MIN_SPECIMENS else tenth


def skipped_steps(
    data: DataSet, config: TrainConfig, denoise_minutes: float = 0.0, label_starts: int = 0
) -> dict[str, str]:
    """Return the steps that are not asked for or that the data set does not allow, and why."""
    count, skipped = len(data.specimens), dict[str, str]()
    if config.model.decoder != "texture":
        skipped["denoise"] = "the paper's decoder makes patches only"
    elif not denoise_minutes:
        skipped["denoise"] = NO_TIME
    if count < MIN_SPECIMENS:
        skipped["learn"] = f"a network needs {MIN_SPECIMENS} specimens; there are {count}"
    out = round(config.validation_fraction * count)
    if out < MIN_HELD_OUT:
        skipped["reference"] = (
            f"what is usual is measured on {MIN_HELD_OUT} specimens held out of training; {out} are"
        )
    if not label_starts:
        skipped["labels"] = NO_NAMES
    elif count < LEAST_SPECIMENS:
        skipped["labels"] = f"names need {LEAST_SPECIMENS} specimens; there are {count}"
    elif common_scale(data) is None:
        skipped["labels"] = "no picture has a scale, so nothing in it can be measured"
    return skipped


def can_begin_from(folder: Path, config: TrainConfig) -> bool:
    """Tell whether a model in ``folder`` has the make that these settings ask for, grain aside."""
    found = _make(folder)
    return found is not None and found == replace(config.model, backbone_sha256="", grain=False)


def _make(folder: Path) -> ModelConfig | None:
    """Return the make of a model without its grain; None where there is no readable model."""
    try:
        found = ModelConfig.from_dict(read_json(folder / MANIFEST)["config"])
    except (CheckpointError, ConfigError, KeyError, TypeError):
        return None
    return replace(found, backbone_sha256="", grain=False)


def with_grain_of(folder: Path, config: TrainConfig) -> TrainConfig:
    """Return the settings with grain where the model that is begun from has it.

    Grain is the decoder's own noise (preset ``fields``): a model that has it goes on with it, and
    `core.trainer` would refuse to drop it.
    """
    grain = bool(read_json(folder / MANIFEST)["config"].get("grain")) or config.model.grain
    return replace(config, model=replace(config.model, grain=grain))


def job_request(
    data: DataSet,
    name: str,
    preset: str,
    config: TrainConfig,
    init: Path | None,
    estimate_s: float | None = None,
    denoise_minutes: float | None = None,
    label_starts: int | None = None,
    expected_s: Mapping[str, float] | None = None,
) -> JobRequest:
    """Return the request for a job.

    ``denoise_minutes`` and ``label_starts`` are the preset's where they are None.

    Raises:
        ConfigError: the name is not allowed, or the model to begin from is of another make.
    """
    if init is not None and not can_begin_from(init, config):
        raise ConfigError(
            f"the model in {init} has other settings than this run's (latents, decoder): begin "
            "from nothing, or leave them as they are"
        )
    if init is not None:
        config = with_grain_of(init, config)
    if denoise_minutes is None:
        denoise_minutes = PRESETS[preset].denoise_minutes if preset in PRESETS else 0.0
    if label_starts is None:
        label_starts = PRESETS[preset].label_starts if preset in PRESETS else 0
    return JobRequest(
        name=name,
        data=str(data.root.resolve()),
        data_name=data.name,
        preset=preset,
        config=config.to_dict(),
        init=str(init.resolve()) if init is not None else "",
        encode_stride=PRESETS[preset].encode_stride if preset in PRESETS else 160,
        denoise_minutes=denoise_minutes,
        label_starts=label_starts,
        skipped=skipped_steps(data, config, denoise_minutes, label_starts),
        estimate_s=estimate_s,
        expected_s=expected_s or {},
    )
