"""Finished pictures as lessons: what they must share with the originals that their latents are of.

Taking noise out of originals teaches what micrographs look like, and nothing of drafts: what the
decoder has got right, such as the statistics that it was trained for, is partly lost with the
noise. So drafts of real patches and regions are finished in training as they are in use, and
compared with these by distributions that do not depend on where things lie. The gradient goes
through the last steps of finishing (after Clark et al. 2024, "Directly fine-tuning diffusion models
on differentiable rewards", arXiv:2309.17400).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

from core.checkpoint import LoadedModel
from core.denoiser.crops import Micrograph
from core.denoiser.network import Denoiser
from core.denoiser.sampling import taken_through
from core.gram import style_statistics
from core.grey_levels import grey_level_distance
from core.losses import centred_style_error, relative_style_error
from core.neighbourhoods import neighbourhood_distance, noise_error
from core.objective import lay_cells
from core.sliced_wasserstein import sliced_wasserstein
from core.vgg import STYLE_LAYERS

PATCHES = 4  # a lesson: by themselves, or as one region
SHIFT_PX = 16  # as in training the decoder: no picture may know where VGG19's windows lie
WEIGHTS = {"style": 1.0, "relative": 1.0, "wasserstein": 0.5, "grey": 0.5}
WEIGHTS |= {"neighbourhoods": 1.0, "noise": 2.0}


class Lesson(NamedTuple):
    """Originals and the latents of their cells.

    Attributes:
        pixels: (B, 1, S, S) float32 in [0, 1].
        cells: (B, D), or (B, D, 2, 2) for regions, as `TextureVAE.decode` takes them.
    """

    pixels: Tensor
    cells: Tensor


class LessonPool:
    """Draws whole cells of micrographs, specimens in equal shares: patches and regions in turn.

    Every lesson follows from the seed and its number alone.
    """

    def __init__(self, micrographs: Sequence[Micrograph], seed: int, turned: bool = True) -> None:
        """Take micrographs, with a cell or more each.

        Args:
            micrographs: to draw from.
            seed: of what is drawn.
            turned: as for `core.denoiser.crops.CropPool`.
        """
        self.by_specimen: dict[str, list[Micrograph]] = {}
        for one in micrographs:
            self.by_specimen.setdefault(one.specimen, []).append(one)
        self.specimens = sorted(self.by_specimen)
        self.seed, self.turned = seed, turned
        self.side = 2 if min(min(one.cells.shape[:2]) for one in micrographs) >= 2 else 1

    def lesson(self, number: int) -> Lesson:
        """Return a lesson: patches for an even number, else a region where there are any."""
        side = self.side if number % 2 else 1
        rng = np.random.default_rng((self.seed, 2, number))
        drawn = [self._draw(rng, side) for _ in range(PATCHES // side**2)]
        pixels, cells = (np.stack(x) for x in zip(*drawn, strict=True))
        z = torch.from_numpy(cells).flatten(0, 2)
        return Lesson(torch.from_numpy(pixels).unsqueeze(1).float() / 255, lay_cells(z, side))

    def _draw(self, rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw side x side neighbouring cells: pixels, and latents (side, side, D)."""
        micrographs = self.by_specimen[self.specimens[rng.integers(len(self.specimens))]]
        one, way = micrographs[rng.integers(len(micrographs))], int(rng.integers(8))
        one = one.turned(way) if self.turned else one
        px = one.pixels.shape[0] // one.cells.shape[0]
        top, left = (int(rng.integers(n - side + 1)) for n in one.cells.shape[:2])
        pixels = one.pixels[px * top : px * (top + side), px * left : px * (left + side)]
        cells = one.cells[top : top + side, left : left + side]
        return np.ascontiguousarray(pixels), np.ascontiguousarray(cells)


def finished_lesson(
    loaded: LoadedModel, denoiser: Denoiser, lesson: Lesson, generator: Generator, precision: str
) -> Tensor:
    """Draft a lesson's pictures and finish them, (B, 1, S, S), with a gradient for the denoiser.

    Limited to [0, 1]; the gradient is that of the picture without a limit.
    """
    height, width = lesson.pixels.shape[2:]
    cells = lesson.cells.to(loaded.device)
    with torch.no_grad():
        drafts = loaded.vae.decode(cells, height, width, generator)
    made = taken_through(denoiser, drafts, cells, generator, True, precision)
    return made + (made.clamp(0, 1) - made).detach()


def compare(
    vgg: nn.Module, originals: Tensor, made: Tensor, generator: Generator, precision: str
) -> dict[str, Tensor]:
    """Compare pictures (B, 1, S, S) with originals of the same size.

    Returns:
        Means over the pictures: ``relative``, the relative style error; ``noise``, how far it is
        off; square roots of the other terms of `WEIGHTS`, which no single hard picture rules.
    """
    moves = torch.randint(SHIFT_PX, (2,), generator=generator).tolist()
    with torch.autocast(made.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        with torch.no_grad():
            target = vgg(originals, last=STYLE_LAYERS[-1])
        features = vgg(made.roll(moves, dims=(2, 3)), last=STYLE_LAYERS[-1])
    expected, found = (style_statistics(f, STYLE_LAYERS) for f in (target, features))
    relative = relative_style_error(expected, found)
    centred = centred_style_error(expected, found)
    return {
        "relative": relative.mean(),
        "style": 0.5 * (_root(centred) + _root(relative)).mean(),
        "wasserstein": _root(sliced_wasserstein(target, features, generator)).mean(),
        "grey": _root(grey_level_distance(originals, made)).mean(),
        "neighbourhoods": _root(neighbourhood_distance(originals, made, generator)).mean(),
        "noise": noise_error(originals, made, generator).mean(),
    }


def _root(errors: Tensor) -> Tensor:
    """Return square roots, with a gradient that is finite at 0."""
    return (errors + 1e-4).sqrt()
