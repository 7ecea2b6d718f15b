"""Settings of a training run: checked on construction, saved beside the model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import ConfigError
from core.files import read_json
from core.learning_rates import falling_rate
from core.model import ModelConfig, check_integer, checked_keys
from core.sliced_wasserstein import WASSERSTEIN_LAYERS
from core.vgg import CONV_LAYERS, LAYERS, STYLE_LAYERS

PRESETS = Path(__file__).parent / "presets"
_LOSSES = ("norm", "mixture", "centred", "relative", "eq2")
_PRECISIONS = ("auto", "float32", "bfloat16")


def presets() -> list[str]:
    """Return the names of the settings that come with the program."""
    return sorted(path.stem for path in PRESETS.glob("*.json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that decides a training run, apart from the data and the machine.

    Attributes:
        model: the model's settings.
        steps: optimisation steps, the length of the learning-rate schedule.
        minutes: with a value, the schedule follows the clock and ends after these minutes (or
            ``steps``, whichever is first). Such a run does not resume bit for bit.
        batch: patches a step.
        repeats: steps in a row on the same patches, each with new noise; 2 saves a sixth of the
            arithmetic, since VGG19 sees the originals once.
        learning_rate: peak, reached after ``warm_up`` steps, then a cosine down to
            ``final_fraction`` of it.
        loss: "relative", "centred", the "mixture" of both half and half, "norm" (the same mixture
            of their square roots, patch by patch and layer by layer, so that no hard patch or layer
            outweighs the rest), or the paper's "eq2".
        style_weight: factor of the style term; what it buys against one nat of KL.
        style_layers: where style is compared; some of `core.vgg.STYLE_LAYERS` and `CONV_LAYERS`.
        grey_weight: of the distance of grey levels at several scales (`core.grey_levels`), relative
            to the style term; 0 for the paper's loss.
        relative_weight: of the plain relative style error, added to the style term: it weighs the
            layers and patches that are still far off, where "norm" evens them out.
        wasserstein_weight: of the sliced Wasserstein distance of features, relative to the style
            term (`core.sliced_wasserstein`); 0 for the paper's loss.
        critic_weight: of a critic's opinion (`core.critic`), relative to the style term; 0 for the
            paper's loss, which has no adversarial term.
        region_every: every so many visits the batch is a region of 2 x 2 patches with a z each, as
            cells of a field are, in place of four patches; 0 for never. Decoder "texture" only.
        shift_px: each picture made is moved by fewer than so many px along both axes, wrapping
            around, before it is compared: else the decoder learns where the windows of VGG19's
            pooling lie and draws a grid. Decoder "texture" only, whose pictures wrap around.
        latent_weight: of the mean squared distance between latents asked for and latents that the
            encoder reads from the patch made, relative to the style term.
        diversity_weight: of how far apart two pictures of the same latents are that differ in their
            noise (`core.objective`), relative to the style term, which it counts against; 0 for the
            paper's loss. Decoder "texture" only.
        frozen_encoder: whether only the decoder learns, for a start from a trained model: latents,
            properties and the network over them stay what they are.
        measured_grain: whether the decoder's grain is set to the noise in flat places of training
            patches at the start (`core.grain`), its correlation for good.
        kl_weight: factor of the KL term, reached after ``kl_warm_up`` steps.
        free_bits: nats that each latent may hold, on the mean over a batch, before they count
            (Kingma et al. 2016, arXiv:1606.04934, equation 15).
        ema_decay: of the averaged weights, which are the ones exported.
        grad_clip: largest norm of the gradient.
        seed: of everything random.
        stride: px between the windows that patches are cut from (the paper's 50).
        augment: turn and flip patches at random; not for materials with a direction.
        validation_fraction: of the specimens, held out of training; 0 for none.
        validation_patches: fixed patches that the validation figures are measured on.
        evaluate_every, log_every: steps.
        checkpoint_minutes: between checkpoints.
        precision: of the convolutions and of products of their features; "auto" is bfloat16 where
            the device is faster with it.

    Raises:
        ConfigError: a value is out of its range.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 6000
    minutes: float | None = None
    batch: int = 8
    repeats: int = 1
    learning_rate: float = 1e-3
    final_fraction: float = 0.02
    warm_up: int = 100
    loss: Literal["norm", "mixture", "centred", "relative", "eq2"] = "norm"
    style_weight: float = 600.0
    style_layers: tuple[str, ...] = STYLE_LAYERS
    grey_weight: float = 0.5
    relative_weight: float = 0.0
    wasserstein_weight: float = 0.0
    critic_weight: float = 0.0
    region_every: int = 0
    shift_px: int = 0
    latent_weight: float = 0.0
    diversity_weight: float = 0.0
    frozen_encoder: bool = False
    measured_grain: bool = False
    kl_weight: float = 1.0
    kl_warm_up: int = 50
    free_bits: float = 0.0
    ema_decay: float = 0.998
    grad_clip: float = 1000.0
    seed: int = 0
    stride: int = 50
    augment: bool = True
    validation_fraction: float = 0.1
    validation_patches: int = 24
    evaluate_every: int = 250
    log_every: int = 25
    checkpoint_minutes: float = 5.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.model, ModelConfig):
            raise ConfigError(f"model must be a ModelConfig, not {self.model!r}")
        for name, choices in (("loss", _LOSSES), ("precision", _PRECISIONS)):
            if (value := getattr(self, name)) not in choices:
                raise ConfigError(f"{name} {value!r} is unknown; choose from {choices}")
        for name in ("augment", "frozen_encoder", "measured_grain"):
            if not isinstance(value := getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false, not {value!r}")
        given = self.style_layers
        listed = isinstance(given, (tuple, list)) and len(given) > 0
        known = (*STYLE_LAYERS, *CONV_LAYERS)
        if not listed or any(layer not in known for layer in given):
            raise ConfigError(f"style_layers must be some of {known}, not {given!r}")
        # In the network's order: the last one says how far VGG19 must go.
        ordered = tuple(layer for layer in LAYERS if layer in given)
        object.__setattr__(self, "style_layers", ordered)
        for name, low, high in _INTEGERS:
            check_integer(name, getattr(self, name), low, high)
        for name, least, most in _NUMBERS:
            _check_number(name, getattr(self, name), least, most)
        if self.wasserstein_weight and not set(ordered) & set(WASSERSTEIN_LAYERS):
            raise ConfigError(
                f"wasserstein_weight needs style_layers with some of {WASSERSTEIN_LAYERS}"
            )
        for name in ("region_every", "shift_px", "diversity_weight"):
            if getattr(self, name) and self.model.decoder != "texture":
                raise ConfigError(f"{name} needs the decoder 'texture': {_LACKS}")
        if self.measured_grain and not self.model.grain:
            raise ConfigError("measured_grain needs a model with grain")
        if self.minutes is not None:
            _check_number("minutes", self.minutes, 0.01, 1e6)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "TrainConfig":
        """Build from JSON content; unknown keys raise ConfigError, missing ones get defaults."""
        settings = checked_keys(cls, content)
        if "model" in settings:
            settings["model"] = ModelConfig.from_dict(settings["model"])
        return cls(**settings)

    @classmethod
    def from_file(cls, name: str) -> "TrainConfig":
        """Read a JSON file, or a preset by its name (one of `presets`).

        Raises:
            CheckpointError: the file cannot be read.
            ConfigError: a setting is unknown or out of its range.
        """
        path = PRESETS / f"{name}.json" if name in presets() else Path(name)
        return cls.from_dict(read_json(path))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON content that `from_dict` reads back."""
        content = asdict(self) | {"style_layers": list(self.style_layers)}
        return content | {"model": self.model.to_dict()}

    def rate(self, progress: float, step: int) -> float:
        """Return the learning rate at ``progress`` (0 to 1) of the schedule."""
        return falling_rate(progress, step, self.learning_rate, self.warm_up, self.final_fraction)


_LACKS = "the other has one size, and no noise"
_INTEGERS = (
    ("steps", 1, 10**8),
    ("batch", 1, 4096),
    ("repeats", 1, 64),
    ("warm_up", 0, 10**6),
    ("kl_warm_up", 0, 10**7),
    ("region_every", 0, 10**6),
    ("shift_px", 0, 512),
    ("seed", 0, 2**31 - 1),
    ("stride", 1, 4096),
    ("validation_patches", 1, 4096),
    ("evaluate_every", 1, 10**7),
    ("log_every", 1, 10**7),
)
_NUMBERS = (
    ("learning_rate", 1e-8, 1.0),
    ("final_fraction", 0.0, 1.0),
    ("style_weight", 0.0, 1e12),
    ("grey_weight", 0.0, 1e6),
    ("relative_weight", 0.0, 1e6),
    ("wasserstein_weight", 0.0, 1e6),
    ("critic_weight", 0.0, 1e6),
    ("latent_weight", 0.0, 1e6),
    ("diversity_weight", 0.0, 1e6),
    ("free_bits", 0.0, 1e3),
    ("kl_weight", 0.0, 1e6),
    ("ema_decay", 0.0, 0.999999),
    ("grad_clip", 1e-6, 1e12),
    ("validation_fraction", 0.0, 0.9),
    ("checkpoint_minutes", 0.0, 1e5),
)


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    right_type = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not right_type or not low <= value <= high:
        raise ConfigError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
