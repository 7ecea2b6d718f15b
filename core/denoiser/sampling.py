"""Finishing drafts: noise is added, then taken out step by step."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.cells import cell_weights
from core.decoders import drawn_px
from core.denoiser.network import STRIDE, Denoiser, Shares
from core.joint_noise import draw_normal

WAY = 2  # in which pictures are finished: one up where the same settings make others
MARGIN_PX = 32  # seen round each tile and not kept; periodic pictures seen whole need none
TILE_PX = 1024  # bounds the memory of large fields; smaller ones are slower
SOFT_PX = 5  # a side, twice: edges of what is replaced
KEPT = 0.5  # of the last, little noise: without noise nothing is taken out
CONTRADICTED = {5: 0.5, 3: 0.8}  # px a side: mean difference, of the grey levels' deviation


def finish(
    denoiser: Denoiser,
    drafts: Tensor,
    z: Tensor,
    generator: Generator | None = None,
    periodic: bool = True,
    precision: str = "float32",
) -> Tensor:
    """Finish drafts of pictures: add noise and take it out again, with the detail of real ones.

    Noise that drowns all but large things shows what no micrograph has, such as half tones: there
    the picture goes on as what comes out of that noise. Elsewhere the draft keeps its thin lines,
    which that noise drowns as well, and gets a little noise only. From there on both are one
    picture, which that little gives the detail of real ones.

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
    with torch.no_grad():
        made = taken_through(denoiser, drafts, z, generator, periodic, precision)
    return made.clamp(0, 1)


def taken_through(
    denoiser: Denoiser,
    drafts: Tensor,
    z: Tensor,
    generator: Generator | None,
    periodic: bool,
    precision: str,
) -> Tensor:
    """Finish drafts as `finish` does, without its limits to [0, 1].

    Where gradients are enabled there is one for the steps that take out the last noise, begun with
    ``start``. What came before counts as given.
    """
    config = denoiser.config
    cells = z.movedim(1, -1) if z.dim() == 4 else z[:, None, None, :]  # (B, R, C, D)
    drafts = drafts.float()
    noise = draw_normal(tuple(drafts.shape), generator).to(drafts)
    x = drafts + config.start * noise

    weights = [
        cell_weights(drawn_px(side, periodic), count, x)
        for side, count in zip(x.shape[2:], cells.shape[1:3], strict=True)
    ]
    estimated = partial(_estimate, denoiser, cells, weights, periodic, precision)
    if config.coarse:
        levels = np.geomspace(config.coarse, config.start, config.coarse_steps + 1).tolist()
        with torch.no_grad():
            found, clean = _taken_out(drafts + config.coarse * noise, levels, estimated)
        share = contradicted(drafts, clean, denoiser.spread, periodic)
        x = x + share * (found - x)
    levels = np.geomspace(config.start, config.lowest, config.steps).tolist()
    return _taken_out(x, [*levels, 0.0], estimated)[0]


def contradicted(draft: Tensor, coarse: Tensor, spread: Tensor, periodic: bool) -> Tensor:
    """Return where a draft is contradicted, 0 to 1 with soft edges, (B, 1, H, W).

    That is where the mean difference, over squares of some size, is more than a share of the grey
    levels' standard deviation that goes with the size (`CONTRADICTED`).
    """
    beyond = torch.zeros_like(draft)
    for px, share in CONTRADICTED.items():
        difference = _blurred(coarse - draft, px, periodic).abs()
        beyond = torch.maximum(beyond, (difference > share * spread).float())
    return (4 * _blurred(_blurred(beyond, SOFT_PX, periodic), SOFT_PX, periodic)).clamp(0, 1)


def _blurred(x: Tensor, px: int, periodic: bool) -> Tensor:
    """Average over ``px`` x ``px``, an odd number; wraps around, or repeats the edges."""
    padded = F.pad(x, [px // 2] * 4, mode="circular" if periodic else "replicate")
    return F.avg_pool2d(padded, px, stride=1)


def _taken_out(
    x: Tensor, levels: Sequence[float], estimated: Callable[[Tensor, float], Tensor]
) -> tuple[Tensor, Tensor]:
    """Take noise out of x, from the first level to the last, in equal steps of its logarithm.

    Each step goes along the straight line of the second order that the estimates at its level and
    at the one before give (Lu et al. 2022, "DPM-Solver++", arXiv:2211.01095, the multistep method
    of order 2). One to no noise ends half way (`KEPT`), which is of the second order, too: the
    estimate lacks what it cannot tell from noise, a detector's own.

    Args:
        x: (B, 1, H, W), with noise of the first level.
        levels: falling; the last may be 0.
        estimated: x, level -> x without its noise.

    Returns:
        x with noise of the last level, and the last estimate.
    """
    before = clean = x
    for number, (level, following) in enumerate(pairwise(levels)):
        clean = estimated(x, level)
        towards = clean + 0.5 * (clean - before) if number and following else clean
        left = following / level if following else KEPT
        x, before = towards + left * (x - towards), clean
    return x, clean


def _estimate(
    denoiser: Denoiser,
    cells: Tensor,
    weights: Sequence[Tensor],
    periodic: bool,
    precision: str,
    x: Tensor,
    level: float,
) -> Tensor:
    """Estimate pictures x (B, 1, H, W) with noise of a level without it, a tile at a time.

    ``weights`` are those of the cells, by row (px, R) and by column (px, C).
    """
    (height, width), (cells_y, cells_x) = x.shape[2:], weights
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
