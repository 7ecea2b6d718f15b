"""What a training step minimises.

style_weight * (style + relative_weight * relative + grey_weight * grey
                + wasserstein_weight * wasserstein + critic_weight * critic
                + latent_weight * latents - diversity_weight * diversity) + kl_weight * KL

A batch holds patches with a z each, or regions of cells with a z each. That is how fields are made
(`core.synthesis.scatter_cells`), so what joins the cells is learned too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from core.critic import Critic, critic_loss, decoder_loss, feature_scales
from core.gram import Features, Statistics, style_statistics
from core.grey_levels import grey_level_distance
from core.joint_noise import draw_normal
from core.losses import (
    centred_style_error,
    kl_beyond,
    kl_divergence,
    relative_style_error,
    style_loss_eq2,
)
from core.model import TextureVAE
from core.sliced_wasserstein import WASSERSTEIN_LAYERS, sliced_wasserstein
from core.train_config import TrainConfig

ALL = "pool5"  # the last layer that the encoder reads
APART = "pool4"  # where particles are what features tell of


class Originals(NamedTuple):
    """What a step needs of its patches or regions; none of it depends on what is trained."""

    images: Tensor  # (B, 1, H, W)
    inputs: Tensor  # (B cells^2, n), what the encoder's head reads of each cell, row by row
    statistics: Statistics  # the style to reach
    features: Features  # for the sliced Wasserstein distance and the critic, where they count
    cells: int  # a side of the images


class Made(NamedTuple):
    """What the critic learns from, without gradient."""

    features: Features  # of the pictures that were made
    mu: Tensor  # (B cells^2, D), the latents' means


@torch.no_grad()
def read_originals(
    config: TrainConfig, vgg: nn.Module, vae: TextureVAE, images: Tensor, precision: str
) -> Originals:
    """Pass patches or regions (B, 1, H, W) through VGG19, for the encoder and for the targets."""
    cells = images.shape[2] // config.model.patch_px
    with _convolving(images, precision):
        features = vgg(images, beside=config.style_layers)
        of_cells = features if cells == 1 else vgg(cut_cells(images, cells))
    kept: set[str] = set()
    if config.wasserstein_weight:
        kept |= set(WASSERSTEIN_LAYERS)
    if config.critic_weight:
        kept |= set(config.style_layers)
    return Originals(
        images,
        vae.head.inputs(of_cells),
        style_statistics(features, config.style_layers),
        {layer: features[layer] for layer in config.style_layers if layer in kept},
        cells,
    )


def cut_cells(images: Tensor, cells: int) -> Tensor:
    """Cut (B, 1, H, W) into cells x cells pieces each, (B cells^2, 1, H/cells, W/cells)."""
    height, width = (side // cells for side in images.shape[2:])
    pieces = images.unflatten(2, (cells, height)).unflatten(4, (cells, width))
    # (B, 1, cells, height, cells, width) to (B, cells, cells, 1, height, width)
    return pieces.permute(0, 2, 4, 1, 3, 5).flatten(0, 2).contiguous()


def lay_cells(z: Tensor, cells: int) -> Tensor:
    """Lay latents (B cells^2, D) out for the decoder: (B, D), or (B, D, cells, cells)."""
    if cells == 1:
        return z
    return z.unflatten(0, (-1, cells, cells)).movedim(-1, 1)


def objective(
    config: TrainConfig,
    vgg: nn.Module,
    vae: TextureVAE,
    originals: Originals,
    generator: Generator,
    precision: str = "float32",
    kl_warmth: float = 1.0,
    critic: Critic | None = None,
    critic_warmth: float = 1.0,
) -> tuple[Tensor, dict[str, Tensor], Made]:
    """Return the loss of a batch and its terms, each a scalar, and what was made.

    All but the loss are without gradient.

    Args:
        config: the weights and the kind of style loss.
        vgg: the frozen backbone.
        vae: what is trained.
        originals: of the batch.
        generator: of the latents' and the decoder's noise.
        precision: of the convolutions, "float32" or "bfloat16", and of the products of their
            features in moments and projections; all else is float32.
        kl_warmth: 0 to 1, how far the KL term has been warmed up.
        critic: of the pictures made, for ``critic_weight``.
        critic_warmth: 0 to 1, how far its term has been warmed up.
    """
    mu, logvar = vae.head(originals.inputs)  # (B, D)
    noise = draw_normal(mu.shape, generator).to(mu)
    z = mu + noise * (0.5 * logvar).exp()
    height, width = originals.images.shape[2:]
    with _convolving(originals.images, precision):
        made = vae.decode(lay_cells(z, originals.cells), height, width, generator)
        if config.shift_px:
            moves = torch.randint(config.shift_px, (2,), generator=generator).tolist()
            made = made.roll(moves, dims=(2, 3))
        reads = config.latent_weight > 0 and originals.cells == 1
        layers = config.style_layers
        features = vgg(made, last=ALL if reads else layers[-1], beside=layers)
    statistics = style_statistics(features, config.style_layers)
    relative = relative_style_error(originals.statistics, statistics, config.style_layers)
    total = style = _style(config, originals.statistics, statistics, relative)
    kl = kl_divergence(mu, logvar).mean()
    counted = kl_beyond(mu, logvar, config.free_bits) if config.free_bits else kl
    terms = {"style": style, "kl_nats": kl, "relative": relative.mean()}
    terms |= _by_layer(config.style_layers, relative)
    if config.relative_weight:
        total = total + config.relative_weight * terms["relative"]
    if config.grey_weight:
        terms["grey"] = _root(grey_level_distance(originals.images, made)).mean()
        total = total + config.grey_weight * terms["grey"]
    if config.wasserstein_weight:
        layers = tuple(layer for layer in WASSERSTEIN_LAYERS if layer in originals.features)
        distance = sliced_wasserstein(originals.features, features, generator, layers)
        terms["wasserstein"] = _root(distance).mean()
        total = total + config.wasserstein_weight * terms["wasserstein"]
    if critic is not None:
        with _convolving(made, precision):
            opinions = judge(critic, originals, features, mu.detach())
        terms["critic"] = decoder_loss(opinions)
        total = total + config.critic_weight * critic_warmth * terms["critic"]
    if reads:
        found = vae.head(vae.head.inputs(features))[0]
        terms["latents"] = (found - z.detach()).square().mean()
        total = total + config.latent_weight * terms["latents"]
    if config.diversity_weight:
        terms["diversity"] = _diversity(vgg, vae, z, originals, generator, precision)
        total = total - config.diversity_weight * terms["diversity"]
    loss = config.style_weight * total + config.kl_weight * kl_warmth * counted
    kept = {layer: features[layer].detach() for layer in config.style_layers}
    detached = {name: term.detach() for name, term in terms.items()}
    return loss, detached, Made(kept, mu.detach())


def judge(critic: Critic, originals: Originals, features: Features, mu: Tensor) -> list[Tensor]:
    """Return the critic's opinions of ``features``, for each layer (B, 1, H, W).

    ``mu`` (B cells^2, D) are the originals' latents.
    """
    z = lay_cells(mu, originals.cells)
    if z.dim() == 2:
        z = z[:, :, None, None]
    return critic(features, feature_scales(originals.statistics, critic.layers), z)


def critic_objective(
    critic: Critic, originals: Originals, made: Made, precision: str = "float32"
) -> Tensor:
    """Return what the critic minimises on one batch, a scalar."""
    with _convolving(originals.images, precision):
        of_originals = judge(critic, originals, originals.features, made.mu)
        of_made = judge(critic, originals, made.features, made.mu)
    return critic_loss(of_originals, of_made)


def _style(config: TrainConfig, target: Statistics, made: Statistics, relative: Tensor) -> Tensor:
    """Return the style term; ``relative`` holds the relative style errors (B, layers)."""
    if config.loss == "eq2":
        return style_loss_eq2(target, made, dict.fromkeys(config.style_layers, 1.0)).mean()
    if config.loss == "relative":
        return relative.mean()
    centred = centred_style_error(target, made, config.style_layers)
    if config.loss == "centred":
        return centred.mean()
    if config.loss == "norm":
        centred, relative = _root(centred), _root(relative)
    return 0.5 * (centred + relative).mean()


def _diversity(
    vgg: nn.Module,
    vae: TextureVAE,
    z: Tensor,
    originals: Originals,
    generator: Generator,
    precision: str,
) -> Tensor:
    """Return how far apart two pictures of each z are, with noise of their own.

    The mean absolute difference of their features at `APART`, relative to these features' mean
    (after Li et al. 2017, "Diversified texture synthesis", arXiv:1703.01664).
    """
    height, width = originals.images.shape[2:]
    cells = lay_cells(z, originals.cells)
    with _convolving(originals.images, precision):
        a, b = (
            vgg(vae.decode(cells, height, width, generator), last=APART)[APART].float()
            for _ in range(2)
        )
    return (a - b).abs().mean() / (a + b).detach().abs().mean()


def _convolving(images: Tensor, precision: str) -> torch.autocast:
    enabled = precision == "bfloat16"
    return torch.autocast(images.device.type, torch.bfloat16, enabled=enabled)


def _root(errors: Tensor) -> Tensor:
    """Return square roots, with a gradient that is finite at 0."""
    return (errors + 1e-4).sqrt()


def _by_layer(layers: Sequence[str], relative: Tensor) -> dict[str, Tensor]:
    return dict(zip((f"relative_{name}" for name in layers), relative.mean(dim=0), strict=True))
