"""Style losses on VGG19 features and the KL term: the paper's section 3.2, equations 1 and 2.

Sardeshmukh, Reddy, Gautham and Bhattacharyya 2021, "TextureVAE", CEUR-WS Vol-2964, article 59.
Style: Gatys, Ecker and Bethge 2015, arXiv:1505.07376. KL: Kingma and Welling 2013,
arXiv:1312.6114, appendix B.

Deviation: the paper sums squared differences of raw Gram matrices, whose sizes differ between
layers and textures by orders of magnitude. `style_loss_eq2` is that sum; training uses relative
errors, layer by layer and image by image, of Gram matrices and of covariances, and the distance
of grey levels at several scales.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError, InputError
from core.vgg import STYLE_LAYERS

Features = Mapping[str, Tensor]
GREY_SCALES = (1, 2, 4, 8, 16, 32)  # px


class LayerStatistics(NamedTuple):
    """First and second moments of one layer's features over positions.

    The Gram matrix is covariance + mean mean^T; keeping the two apart loses no digits.
    """

    mean: Tensor  # (B, C)
    covariance: Tensor  # (B, C, C)

    @property
    def gram(self) -> Tensor:
        """F F^T / (H W), (B, C, C)."""
        return self.covariance + self.mean.unsqueeze(2) * self.mean.unsqueeze(1)


Statistics = Mapping[str, LayerStatistics]


def gram(features: Tensor) -> Tensor:
    """Compute the Gram matrix G = F F^T / (H W) of each image's features.

    Args:
        features: (B, C, H, W).

    Returns:
        (B, C, C), symmetric, positive semi-definite.

    Raises:
        InputError: the features have another number of dimensions.

    Example:
        >>> gram(torch.tensor([[[[1.0, 3.0]]]]))
        tensor([[[5.]]])
    """
    flat = _flatten(features)  # (B, C, H W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_statistics(features: Features, layers: Sequence[str] = STYLE_LAYERS) -> Statistics:
    """Compute mean and covariance over positions for each of the layers, in float32 or wider.

    Args:
        features: layer -> (B, C, H, W).
        layers: which layers; each must be in ``features``.

    Raises:
        InputError: a layer is missing or has another number of dimensions.
    """
    statistics = {}
    for layer in layers:
        if layer not in features:
            raise InputError(f"features lack the layer {layer!r}; there are {tuple(features)}")
        flat = _flatten(features[layer])  # (B, C, H W)
        mean = flat.mean(dim=2)  # (B, C)
        centred = flat - mean.unsqueeze(2)
        covariance = centred @ centred.transpose(1, 2) / flat.shape[2]
        statistics[layer] = LayerStatistics(mean, covariance)
    return statistics


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


def grey_level_distance(
    target: Tensor, images: Tensor, scales: Sequence[int] = GREY_SCALES, floor: float = 1e-3
) -> Tensor:
    """Compute the relative squared Wasserstein-2 distance of grey levels, at several scales.

    Images are averaged over windows of s x s px; sorting both gives the exact distance in one
    dimension. Large s tells large particles from many small ones of the same area. After the
    histogram loss of Risser et al. 2017, arXiv:1701.08893; not in the paper.

    Args:
        target: (B, 1, H, W) originals, in [0, 1].
        images: (B, 1, H, W), the same size.
        scales: s, px.
        floor: added to the target's variance in the denominator, for blank images; > 0.

    Returns:
        (B, scales) >= 0; nearly 1 for an image with one grey level, the target's mean.

    Raises:
        InputError: the shapes differ.
    """
    if target.shape != images.shape or target.dim() != 4:
        raise InputError(
            f"images {tuple(images.shape)} and originals {tuple(target.shape)} must both be "
            "(B, 1, H, W)"
        )
    parts = []
    for scale in scales:
        x, y = (_sorted_greys(i, scale) for i in (target, images))  # (B, n)
        distance = (x - y).square().mean(dim=1)
        parts.append(distance / (x.var(dim=1, correction=0) + floor))
    return torch.stack(parts, dim=1)


def _sorted_greys(images: Tensor, scale: int) -> Tensor:
    """Return the grey levels of (B, 1, H, W) averaged over scale x scale px, sorted, (B, n)."""
    pooled = F.avg_pool2d(images.float(), scale, stride=max(scale // 2, 1))
    return pooled.flatten(1).sort(dim=1).values


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


def _flatten(features: Tensor) -> Tensor:
    if features.dim() != 4 or 0 in features.shape:
        raise InputError(f"features must be (B, C, H, W), not {tuple(features.shape)}")
    if features.dtype in (torch.float16, torch.bfloat16):
        features = features.float()  # sums over 16,384 positions need the digits
    return features.flatten(2)  # (B, C, H W)


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
