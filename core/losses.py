"""Style losses on VGG19 features and the KL term: the paper's section 3.2, equations 1 and 2.

Sardeshmukh, Reddy, Gautham and Bhattacharyya 2021, "TextureVAE", CEUR-WS Vol-2964, article 59.
Style: Gatys, Ecker and Bethge 2015, arXiv:1505.07376. KL: Kingma and Welling 2013,
arXiv:1312.6114, appendix B.

Deviation: the paper sums squared differences of raw Gram matrices, whose sizes differ between
layers and textures by orders of magnitude. `style_loss_eq2` is that sum; training uses relative
errors, layer by layer and image by image, of Gram matrices and of covariances, and the distance
of grey levels at several scales (`core.grey_levels`).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.errors import ConfigError, InputError
from core.gram import Features, LayerStatistics, Statistics, style_statistics
from core.vgg import STYLE_LAYERS


def style_loss_eq2(
    target: Features | Statistics,
    features: Features | Statistics,
    weights: Mapping[str, float] | None = None,
) -> Tensor:
    """Compute the paper's equation 2: sum_l w_l / (4 C_l^2 M_l^2) sum_ij (G_l,ij - G^_l,ij)^2.

    Here G = F F^T is summed over the M = H W positions. Dividing both Gram matrices by M cancels
    M^2, so equation 2 is computed from moments and holds for images of different sizes too.

    Args:
        target: features of the original, layer -> (B, C, H, W), or their statistics.
        features: the same for the reconstruction.
        weights: w_l of each layer used; 1 for the five style layers by default (the paper gives
            no values).

    Returns:
        (B,) >= 0.

    Raises:
        ConfigError: a weight is negative.
        InputError: layers or shapes do not match.
    """
    weights = dict.fromkeys(STYLE_LAYERS, 1.0) if weights is None else weights
    if not weights or any(not w >= 0 for w in weights.values()):
        raise ConfigError(f"layer weights must be zero or more, not {dict(weights)}")
    parts = []
    for (x, y), weight in zip(
        _pairs(target, features, tuple(weights)), weights.values(), strict=False
    ):
        channels = x.mean.shape[1]
        parts.append(weight / (4 * channels**2) * _squared(x.gram - y.gram))
    return torch.stack(parts, dim=1).sum(dim=1)


def relative_style_error(
    target: Features | Statistics,
    features: Features | Statistics,
    layers: Sequence[str] = STYLE_LAYERS,
) -> Tensor:
    """Compute ||G_x - G_y||_F^2 / ||G_x||_F^2 layer by layer; the measure is the mean over layers.

    Args:
        target: features of the original x, layer -> (B, C, H, W), or their statistics.
        features: the same for the image y.
        layers: which layers, the paper's five by default.

    Returns:
        (B, layers) >= 0; 0 only for equal Gram matrices.

    Raises:
        InputError: layers or shapes do not match.
    """
    parts = []
    for x, y in _pairs(target, features, layers):
        parts.append(_squared(x.gram - y.gram) / _floor(_squared(x.gram)))
    return torch.stack(parts, dim=1)


def centred_style_error(
    target: Features | Statistics,
    features: Features | Statistics,
    layers: Sequence[str] = STYLE_LAYERS,
    floor: float = 1e-5,
) -> Tensor:
    """Compute the relative error of the covariances plus that of the channel means, by layer.

    Means dominate a raw Gram matrix and hide its correlations; here each counts for itself. The
    covariance of a blank image vanishes, so its denominator is at least ``floor`` ||G_x||_F^2.

    Args:
        target: features of the original x, layer -> (B, C, H, W), or their statistics.
        features: the same for the image y.
        layers: which layers, the paper's five by default.
        floor: smallest denominator, relative to the Gram matrix; > 0.

    Returns:
        (B, layers) >= 0.

    Raises:
        ConfigError: ``floor`` is not positive.
        InputError: layers or shapes do not match.
    """
    if not floor > 0:
        raise ConfigError(f"floor must be positive, not {floor}")
    parts = []
    for x, y in _pairs(target, features, layers):
        smallest = floor * _squared(x.gram)
        spread = _squared(x.covariance - y.covariance) / _floor(_squared(x.covariance) + smallest)
        level = (x.mean - y.mean).square().sum(1) / _floor(x.mean.square().sum(1))
        parts.append(spread + level)
    return torch.stack(parts, dim=1)


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """Compute KL(N(mu, exp(logvar)) || N(0, 1)) summed over the latents, in nats (equation 1).

    Args:
        mu: (B, D) posterior means.
        logvar: (B, D) log variances.

    Returns:
        (B,) >= 0.

    Raises:
        InputError: the shapes differ or are not (B, D).

    Example:
        >>> kl_divergence(torch.tensor([[2.0]]), torch.tensor([[0.0]]))
        tensor([2.])
    """
    if mu.shape != logvar.shape or mu.dim() != 2:
        raise InputError(
            f"mu {tuple(mu.shape)} and logvar {tuple(logvar.shape)} must both be (B, D)"
        )
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)


def kl_beyond(mu: Tensor, logvar: Tensor, free: float) -> Tensor:
    """Compute the KL of which ``free`` nats a latent do not count: sum_d max(free, KL_d).

    KL_d is the mean over the batch (Kingma et al. 2016, arXiv:1606.04934, equation 15). Without
    free nats it is the mean of `kl_divergence`.

    Args:
        mu, logvar: as there.
        free: nats a latent, 0 or more.

    Returns:
        A scalar, D ``free`` at least.

    Example:
        >>> kl_beyond(torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2), 0.5)
        tensor(2.5000)
    """
    each = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(dim=0)
    return each.clamp(min=free).sum()


def _pairs(
    target: Features | Statistics, features: Features | Statistics, layers: Sequence[str]
) -> list[tuple[LayerStatistics, LayerStatistics]]:
    """Return the two statistics of each layer, checked against one another."""
    if not layers:
        raise ConfigError("at least one style layer is needed")
    pairs = []
    for layer in layers:
        x, y = _layer_statistics(target, layer), _layer_statistics(features, layer)
        if x.mean.shape != y.mean.shape:
            raise InputError(
                f"{layer}: (images, channels) {tuple(x.mean.shape)} of the target and "
                f"{tuple(y.mean.shape)} of the image differ"
            )
        pairs.append((x, y))
    return pairs


def _layer_statistics(source: Features | Statistics, layer: str) -> LayerStatistics:
    found = source.get(layer)
    if isinstance(found, LayerStatistics):
        return found
    features = {} if found is None else {layer: found}
    return style_statistics(features, (layer,))[layer]


def _squared(matrices: Tensor) -> Tensor:
    return matrices.square().sum(dim=(1, 2))  # (B, C, C) -> (B,)


def _floor(denominator: Tensor) -> Tensor:
    """Keep a division finite for features that are zero everywhere."""
    return denominator.clamp_min(torch.finfo(denominator.dtype).tiny)
