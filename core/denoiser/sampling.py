"""Finishing drafts: noise is added, then taken out step by step."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Generator, Tensor

from core.cells import cell_weights
from core.decoders import drawn_px
from core.denoiser.network import STRIDE, Denoiser, Shares
from core.joint_noise import draw_normal

MARGIN_PX = 32  # seen round each tile and not kept
TILE_PX = 256  # a tile's maps stay in a CPU's cache


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

    Steps are equal in the noise's logarithm; each goes along the straight line of the second order
    that the estimates of it and of the step before give (Lu et al. 2022, "DPM-Solver++",
    arXiv:2211.01095, the multistep method of order 2).

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
    levels = np.geomspace(config.start, config.lowest, config.steps).tolist()
    cells = z.movedim(1, -1) if z.dim() == 4 else z[:, None, None, :]  # (B, R, C, D)
    noise = draw_normal(tuple(drafts.shape), generator).to(drafts)
    x, before = drafts.float() + levels[0] * noise, None
    for level, following in zip(levels, [*levels[1:], 0.0], strict=True):
        clean = _estimate(denoiser, x, level, cells, periodic, precision)
        towards = clean
        if before is not None and following:
            towards = clean + 0.5 * (clean - before)  # steps are of one length
        x = towards + (following / level) * (x - towards)
        before = clean
    return x.clamp(0, 1)


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
        for top, bottom, y in _tiles(height, step, periodic):
            for left, right, across in _tiles(width, step, periodic):
                tile = x[:, :, y][:, :, :, across]
                shares = Shares(*(_by_position(w) for w in (cells_y[y], cells_x[across])))
                made = denoiser(tile, noise, cells, shares)[..., MARGIN_PX:, MARGIN_PX:]
                found[:, :, top:bottom, left:right] = made[..., : bottom - top, : right - left]
    return found


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
