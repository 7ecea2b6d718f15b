"""The texture VAE: what is trained around the frozen VGG19 (paper, section 3.3).

    features = vgg(images)                   # core.vgg, frozen
    mu, logvar = vae.encode(features)        # (B, D) each
    images = vae.decode(z, 128, 128, generator)

Sardeshmukh et al. 2021, CEUR-WS Vol-2964, article 59; Kingma and Welling 2013, arXiv:1312.6114.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import torch
from torch import Generator, Tensor, nn

from core.decoders import PaperDecoder, TextureDecoder
from core.errors import ConfigError, InputError
from core.style_vector import style_vector
from core.vgg import CHANNELS

_CHOICES = {
    "decoder": ("texture", "paper"),
    "head": ("statistics", "pool5"),
    "pooling": ("average", "max"),
    "backbone": ("normalised", "torchvision"),
}
_SHA256 = re.compile(r"([0-9a-f]{64})?")
_DEFAULT_CHANNELS = {"texture": (256, 256, 192, 96, 48), "paper": (256, 128, 64, 32, 16)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything that decides a model's shape and meaning; checked on construction.

    Attributes:
        latents: number of latent dimensions, 1 to 256 (the paper tries 8, 16, 32 and 64).
        decoder: "texture" (any size, tileable) or "paper" (one size, deterministic).
        head: "statistics" (any image size, blind to position) or "pool5" (the paper's).
        pooling: pooling in the VGG19 that the encoder and the style loss use.
        backbone: which VGG19 weights; a model encodes only with the ones it was trained on.
        backbone_sha256: content hash of those weights, "" before training.
        grain: whether the decoder "texture" adds white noise to the finished picture.
        finest_noise: whether its last layer draws noise, too; without, only grain does there.
        channels: of the decoder, coarse to fine; () for the decoder's default.
        hidden: width of the hidden layer of the head "statistics".
        patch_px: side of the training patches, a multiple of 32.

    Raises:
        ConfigError: a value is out of its range.
    """

    latents: int = 64
    decoder: Literal["texture", "paper"] = "texture"
    head: Literal["statistics", "pool5"] = "statistics"
    pooling: Literal["average", "max"] = "average"
    backbone: Literal["normalised", "torchvision"] = "normalised"
    backbone_sha256: str = ""
    grain: bool = False
    finest_noise: bool = True
    channels: tuple[int, ...] = ()
    hidden: int = 512
    patch_px: int = 128

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise ConfigError(f"{name} {value!r} is unknown; choose from {choices}")
        for name in ("grain", "finest_noise"):
            if not isinstance(value := getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false, not {value!r}")
        if self.grain and self.decoder != "texture":
            raise ConfigError("grain needs the decoder 'texture': the paper's is deterministic")
        check_integer("latents", self.latents, 1, 256)
        check_integer("hidden", self.hidden, 1, 4096)
        check_integer("patch_px", self.patch_px, 32, 512)
        if self.patch_px % 32:
            raise ConfigError(f"patch_px must be a multiple of 32, not {self.patch_px}")
        if not isinstance(self.backbone_sha256, str) or not _SHA256.fullmatch(self.backbone_sha256):
            raise ConfigError("backbone_sha256 must be empty or 64 hexadecimal digits")
        if not isinstance(self.channels, (tuple, list)):
            raise ConfigError(f"channels must be a list of integers, not {self.channels!r}")
        default = _DEFAULT_CHANNELS[self.decoder]
        object.__setattr__(self, "channels", tuple(self.channels) or default)
        if len(self.channels) != len(default):
            raise ConfigError(
                f"decoder {self.decoder!r} takes {len(default)} channels, not {self.channels}"
            )
        for width in self.channels:
            check_integer("channels", width, 1, 2048)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ModelConfig":
        """Build from JSON content; unknown keys raise ConfigError."""
        return cls(**checked_keys(cls, content))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON content that `from_dict` reads back."""
        return asdict(self) | {"channels": list(self.channels)}


def checked_keys(cls: type, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``content`` as a dictionary, all of whose keys are fields of the dataclass ``cls``.

    Raises:
        ConfigError: it is not a mapping, or a key is unknown.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{cls.__name__} needs a mapping of settings, not {content!r:.80}")
    known = [field.name for field in fields(cls)]
    if unknown := sorted(map(str, set(content) - set(known))):
        raise ConfigError(f"unknown settings {unknown[:5]} of {cls.__name__}; known are {known}")
    return dict(content)


def check_integer(name: str, value: Any, low: int, high: int) -> None:
    """Raise ConfigError unless ``value`` is an integer from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{name} must be an integer from {low} to {high}, not {value!r}")


class Head(nn.Module):
    """Base of the encoder's trained part: standardised inputs, then mu and logvar.

    The inputs are standardised with fixed buffers measured on training patches, because raw VGG19
    features differ in scale by orders of magnitude.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, inputs: int, width: int, latents: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.mu = nn.Linear(width, latents)
        self.logvar = nn.Linear(width, latents)
        nn.init.constant_(self.logvar.bias, -3.0)  # informative latents from the first step

    def inputs(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the raw inputs (B, n), float32."""
        raise NotImplementedError

    def body(self, x: Tensor) -> Tensor:
        """Map standardised inputs (B, n) to what mu and logvar read."""
        return x

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map raw inputs (B, n) to mu and logvar, (B, D) each."""
        # Beyond ten standard deviations an image is foreign; the clamp keeps the latents bounded.
        x = self.body(((inputs - self.centre) / self.spread).clamp(-10, 10))
        return self.mu(x), self.logvar(x).clamp(-12, 6)

    @torch.no_grad()
    def fit_standardisation(self, batches: Iterable[Tensor]) -> None:
        """Measure centre and spread of raw inputs, batches of (B, n)."""
        inputs = torch.cat(list(batches)).double()
        spread = inputs.std(dim=0, correction=0)
        # A channel that hardly varies must not be blown up: at least 1 % of the typical spread.
        self.spread.copy_(spread.clamp_min(0.01 * spread.mean()).clamp_min(1e-12))
        self.centre.copy_(inputs.mean(dim=0))


class StatisticsHead(Head):
    """mu and logvar from each channel's mean and standard deviation over positions.

    Deviation from the paper, which flattens pool5: a flattened map knows where things are, so the
    same texture shifted gets another latent, and only one image size is possible. Means and
    deviations over positions of all six layers are blind to position, hold the fine scales that
    pool5 has lost, and exist for every size.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(2 * sum(CHANNELS.values()), config.hidden, config.latents)
        self.hidden = nn.Linear(2 * sum(CHANNELS.values()), config.hidden)

    def inputs(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the style vectors (B, 3072)."""
        return style_vector(features)

    def body(self, x: Tensor) -> Tensor:
        return nn.functional.silu(self.hidden(x))


class Pool5Head(Head):
    """The paper's head: flattened pool5, then one linear layer each for mu and logvar."""

    def __init__(self, config: ModelConfig) -> None:
        self.side = config.patch_px // 32
        width = CHANNELS["pool5"] * self.side**2
        super().__init__(width, width, config.latents)

    def inputs(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return pool5 flattened, (B, 512 * 4 * 4) for 128 px."""
        pool5 = features["pool5"]
        if pool5.shape[2:] != (self.side, self.side):
            raise InputError(
                f"this model encodes {32 * self.side} px patches only: pool5 is "
                f"{tuple(pool5.shape[2:])}, not {(self.side, self.side)}"
            )
        return pool5.float().flatten(1)


class TextureVAE(nn.Module):
    """The trained parts: an encoder head over VGG19 features and a decoder."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.head: Head = Pool5Head(config) if config.head == "pool5" else StatisticsHead(config)
        self.decoder: nn.Module
        if config.decoder == "paper":
            self.decoder = PaperDecoder(config.latents, config.channels, config.patch_px)
        else:
            self.decoder = TextureDecoder(
                config.latents, config.channels, config.grain, config.finest_noise
            )

    def encode(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return mu and logvar of the posterior, (B, D) each, from VGG19's features."""
        mu, logvar = self.head(self.head.inputs(features))
        return mu, logvar

    def decode(
        self,
        z: Tensor,
        height: int,
        width: int,
        generator: Generator | None = None,
        periodic: bool = True,
    ) -> Tensor:
        """Make pictures from latents.

        Args:
            z: (B, D), or (B, D, rows, columns) for a field of cells with a z each (decoder
                "texture" only).
            height, width: px, 32 to 8192; multiples of 32 where ``periodic``.
            generator: source of the noise, on the CPU so that a seed gives one picture on every
                device. None draws from torch's global generator.
            periodic: whether opposite edges fit together.

        Returns:
            (B, 1, height, width) float32 in [0, 1].

        Raises:
            ConfigError: this decoder cannot make that size.
            InputError: z has another number of latents, or the size is out of range.
        """
        cells_allowed = self.config.decoder == "texture"
        if z.dim() not in ((2, 4) if cells_allowed else (2,)) or z.shape[1] != self.config.latents:
            cells = " or (B, D, rows, columns)" if cells_allowed else ""
            raise InputError(f"z must be (B, {self.config.latents}){cells}, not {tuple(z.shape)}")
        images: Tensor = self.decoder(z, height, width, generator, periodic)
        return images
