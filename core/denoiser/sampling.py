"""Finishing drafts: noise is added, then taken out step by step."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.cells import cell_weights
from core.decoders import drawn_px
from core.denoiser.network import STRIDE, Denoiser, Shares
from core.joint_noise import draw_normal

MARGIN_PX = 32  # seen round each tile and not kept; periodic pictures seen whole need none
TILE_PX = 1024  # bounds the memory of large fields; smaller ones are slower
SEEN_PX = 5  # a side, of what is compared
CONTRADICTED = 0.5  # of the grey levels' standard deviation


@torch.no_grad()
def finish(
    denoiser: Denoiser,
    drafts: Tensor,
    z: Tensor,
    generator: Generator | None = None,
    periodic: bool = True,
    precision: str = "float32",
) -> Tensor:
    """Finish drafts of pictures: add noise and take it out again, with the detail of real ones.

    Twice: noise that drowns all but large things shows what no micrograph has, such as half tones;
    there the draft is replaced. Elsewhere its thin lines, which that noise drowns as well, are
    kept. Then a little noise gives the whole the detail of real pictures.

    Args:
        denoiser: what has learned the material.
        drafts: (B, 1, H, W) in [0, 1].
        z: (B, D) latents, or (B, D, rows, columns) for a field of cells with a z each.
        generator: source of the noise, on the CPU. None draws from torch's global generator.
        periodic: whether opposite edges fit together, and are to.
        precision: "float32" or "bfloat16" of the convolutions.

    Returns:
        (B, 1, H, W) float32 in [0, 1].
    """
    config = denoiser.config
    cells = z.movedim(1, -1) if z.dim() == 4 else z[:, None, None, :]  # (B, R, C, D)
    x = drafts.float()
    if config.coarse:
        levels = np.geomspace(config.coarse, config.start, config.coarse_steps + 1)[:-1].tolist()
        coarse = _taken_out(denoiser, x, levels, cells, generator, periodic, precision)
        x = x + contradicted(x, coarse, denoiser.spread, periodic) * (coarse - x)
    levels = np.geomspace(config.start, config.lowest, config.steps).tolist()
    x = _taken_out(denoiser, x, levels, cells, generator, periodic, precision, textured=True)
    return x.clamp(0, 1)


def contradicted(draft: Tensor, coarse: Tensor, spread: Tensor, periodic: bool) -> Tensor:
    """Return where a draft is contradicted, 0 to 1 with soft edges, (B, 1, H, W).

    That is where the mean difference over `SEEN_PX` is more than half the grey levels' standard
    deviation.
    """
    difference = _blurred(coarse - draft, SEEN_PX, periodic).abs()
    beyond = (difference > CONTRADICTED * spread).float()
    return (4 * _blurred(_blurred(beyond, SEEN_PX, periodic), SEEN_PX, periodic)).clamp(0, 1)


def _blurred(x: Tensor, px: int, periodic: bool) -> Tensor:
    """Average over ``px`` x ``px``, an odd number; wraps around, or repeats the edges."""
    padded = F.pad(x, [px // 2] * 4, mode="circular" if periodic else "replicate")
    return F.avg_pool2d(padded, px, stride=1)


def _taken_out(
    denoiser: Denoiser,
    x: Tensor,
    levels: Sequence[float],
    cells: Tensor,
    generator: Generator | None,
    periodic: bool,
    precision: str,
    textured: bool = False,
) -> Tensor:
    """Add noise of the first level to x and take it out, level by level.

    Levels are equal steps in the noise's logarithm; each goes along the straight line of the second
    order that the estimates at it and at the level before give (Lu et al. 2022, "DPM-Solver++",
    arXiv:2211.01095, the multistep method of order 2). The last step, to no noise, ends at the
    estimate; or, ``textured``, half way, which is of the second order too, since without noise
    nothing is taken out. The estimate lacks what it cannot tell from noise: a detector's own.
    """
    x, before = x + levels[0] * draw_normal(tuple(x.shape), generator).to(x), None
    for level, following in zip(levels, [*levels[1:], 0.0], strict=True):
        clean = _estimate(denoiser, x, level, cells, periodic, precision)
        towards = clean
        if before is not None and following:
            towards = clean + 0.5 * (clean - before)  # steps are of one length
        left = following / level if following else 0.5 * textured
        x = towards + left * (x - towards)
        before = clean
    return x


def _estimate(
    denoiser: Denoiser, x: Tensor, level: float, cells: Tensor, periodic: bool, precision: str
) -> Tensor:
    """Estimate the pictures without their noise, a tile at a time."""
    height, width = x.shape[2:]
    cells_y, cells_x = (
        cell_weights(drawn_px(side, periodic), count, x)
        for side, count in zip((height, width), cells.shape[1:3], strict=True)
    )
    step = denoiser.config.step_px
    noise = torch.full((len(x),), level, device=x.device)
    found = torch.empty_like(x)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        if periodic and all(_in_one(side, step) for side in (height, width)):
            shares = Shares(*(_by_position(w) for w in (cells_y, cells_x)))
            return denoiser(x, noise, cells, shares, periodic)
        for top, bottom, y in _tiles(height, step, periodic):
            for left, right, across in _tiles(width, step, periodic):
                tile = x[:, :, y][:, :, :, across]
                shares = Shares(*(_by_position(w) for w in (cells_y[y], cells_x[across])))
                made = denoiser(tile, noise, cells, shares)[..., MARGIN_PX:, MARGIN_PX:]
                found[:, :, top:bottom, left:right] = made[..., : bottom - top, : right - left]
    return found


def _in_one(length: int, step: int) -> bool:
    """Whether a periodic side is seen whole, without a margin: it wraps around by itself."""
    return length % step == 0 and round(length / TILE_PX) <= 1


def _tiles(length: int, step: int, periodic: bool) -> Iterator[tuple[int, int, Tensor]]:
    """Yield begin and end of each tile of a side and the positions that it sees, margin and all.

    The positions wrap around, or turn back at the edges; their number is a multiple of ``step``.
    """
    count = max(round(length / TILE_PX), 1)
    ends = [round(i * length / count / step) * step for i in range(count)] + [length]
    for begin, end in pairwise(ends):
        seen = math.ceil((end - begin + 2 * MARGIN_PX) / step) * step
        places = torch.arange(begin - MARGIN_PX, begin - MARGIN_PX + seen)
        if periodic:
            yield begin, end, places % length
        else:
            places = places % (2 * length)
            yield begin, end, torch.where(places < length, places, 2 * length - 1 - places)


def _by_position(weights: Tensor) -> Tensor:
    """Bring weights (n, cells) of px to those of the finest map's positions, (1, n / 4, cells)."""
    return weights.unflatten(0, (-1, STRIDE)).mean(dim=1)[None]
