"""How far the decoder's pictures can get with the best latents, whatever the encoder says.

A patch's reconstruction errs because the encoder gives other latents than the best ones, because
the noise puts things where it likes, or because the decoder cannot do better. Moving the latents
themselves by the gradient of the error tells the three apart.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from core.checkpoint import LoadedModel
from core.errors import ConfigError
from core.gram import Statistics, style_statistics
from core.losses import relative_style_error
from core.synthesis import encode_patches
from core.vgg import VGG19

RATE = 0.1  # of Adam, in latents
ALIKE = 8  # patches at once

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LatentErrors:
    """Relative style errors (N,) of drafts of patches, before any denoiser.

    Attributes:
        encoded: from the encoder's latents.
        best: from the latents that are best whatever the noise, with noise they have not met.
        best_noise: from latents that were moved for one noise, with that noise.
    """

    encoded: Array
    best: Array
    best_noise: Array


def optimise_latents(
    loaded: LoadedModel, patches: NDArray[np.float32], steps: int, seed: int
) -> LatentErrors:
    """Move the latents of patches (N, H, W) from the encoder's to where drafts err least.

    Args:
        loaded: the model; average pooling is used whatever its own.
        patches: in [0, 1], of the model's size.
        steps: of Adam.
        seed: of the noise that errors are measured with; other noise is learned from.

    Raises:
        ConfigError: ``steps`` is below 1.
    """
    if steps < 1:
        raise ConfigError(f"{steps} steps of the latents: one or more are needed")
    parts = [
        _optimise(loaded, patches[first : first + ALIKE], steps, seed)
        for first in range(0, len(patches), ALIKE)
    ]
    return LatentErrors(*(np.concatenate(errors) for errors in zip(*parts, strict=True)))


def _optimise(
    loaded: LoadedModel, patches: NDArray[np.float32], steps: int, seed: int
) -> tuple[Array, Array, Array]:
    average: VGG19 = loaded.vgg.with_pooling("average")
    side = patches.shape[1]
    originals = torch.from_numpy(np.ascontiguousarray(patches)).unsqueeze(1).to(loaded.device)
    with torch.no_grad():
        target: Statistics = style_statistics(average(originals, last="pool4"))
    start = torch.from_numpy(encode_patches(loaded, patches)[0]).to(loaded.device)

    def errors(z: Tensor, noise: int) -> Tensor:
        made = loaded.vae.decode(z, side, side, Generator().manual_seed(noise))
        return relative_style_error(target, style_statistics(average(made, last="pool4"))).mean(1)

    def moved(changing: bool) -> Array:
        z = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([z], lr=RATE)
        for step in range(steps):
            error = errors(z, seed + 1 + step if changing else seed).sum()
            (z.grad,) = torch.autograd.grad(error, z)
            optimiser.step()
        with torch.no_grad():
            return errors(z, seed).double().cpu().numpy()

    with torch.no_grad():
        encoded = errors(start, seed).double().cpu().numpy()
    return encoded, moved(changing=True), moved(changing=False)
