"""A decoder's layer without gradient: the same sums as with one, strip by strip.

A layer's map of a field of 1024 px takes 200 MB, and each operation on it as a whole goes through
main memory twice, which is what decoding waits for. Here all that can be done to some rows is done
while they are in the cache, in place.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from core.cells import cell_weights, spread_cells

STRIP_BYTES = 2 * 2**20
FLOOR = 1e-5  # of the variance, as in normalise_cells


class Style(NamedTuple):
    """What a layer's map is changed by, each (B, [rows, columns,] channels)."""

    scale: Tensor
    shift: Tensor
    strength: Tensor  # of the noise


@torch.no_grad()
def style_in_strips(
    x: Tensor, weight: Tensor, style: Style, noise: Tensor | None, factor: int
) -> Tensor:
    """Enlarge a map, convolve it circularly, add noise, normalise by cell, scale and shift.

    Args:
        x: (B, inputs, H, W).
        weight: (outputs, inputs, 3, 3).
        style: of the cells, or of the whole map.
        noise: (B, 1, factor H, factor W), or None.
        factor: 1, or 2 to double each position first.

    Returns:
        (B, outputs, factor H, factor W) float32, channels last; what `StyledConv` gives, up to
        rounding.
    """
    height, width = factor * x.shape[2], factor * x.shape[3]
    made = torch.empty(
        (len(x), len(weight), height, width),
        dtype=torch.float32,
        device=x.device,
        memory_format=torch.channels_last,
    )
    cells = _Cells(style.scale.shape[1:-1], height, width, made)
    strips = list(_strips(made))
    with torch.autocast(x.device.type, enabled=False):
        mean = square = torch.zeros(())
        for rows in strips:
            part = F.conv2d(_padded_rows(x, rows, factor), weight.to(x.dtype)).float()
            if noise is not None:
                part.addcmul_(noise[:, :, rows], cells.spread(style.strength, rows))
            made[:, :, rows] = part
            mean = mean + cells.share(part, rows)
        for rows in strips:
            part = made[:, :, rows].sub_(cells.spread(mean, rows))
            square = square + cells.share(part.square(), rows)
        deviation = (square + FLOOR).rsqrt()
        for rows in strips:
            part = made[:, :, rows].mul_(cells.spread(deviation, rows))
            part.mul_(cells.spread(style.scale, rows)).add_(cells.spread(style.shift, rows))
            F.leaky_relu_(part, 0.2)
    return made


class _Cells:
    """How cells lie over a map, a strip of rows at a time."""

    def __init__(self, cells: tuple[int, ...], height: int, width: int, like: Tensor) -> None:
        self.whole = not cells
        self.size = height, width
        self.rows = cell_weights(height, cells[0] if cells else 1, like)  # (H, rows)
        self.columns = cell_weights(width, cells[1] if cells else 1, like)  # (W, columns)
        self.row_shares = self.rows / self.rows.sum(dim=0)
        self.column_shares = (self.columns / self.columns.sum(dim=0)).T  # (columns, W)

    def spread(self, values: Tensor, rows: slice) -> Tensor:
        """Return what `spread_cells` does, of some rows only."""
        if self.whole:
            return spread_cells(values, *self.size)
        by_row = torch.einsum("yr,brnc->bync", self.rows[rows], values)
        return (self.columns @ by_row).permute(0, 3, 1, 2)

    def share(self, part: Tensor, rows: slice) -> Tensor:
        """Return these rows' share of the cells' averages, (B, [rows, columns,] channels)."""
        by_column = self.column_shares @ part.permute(0, 2, 3, 1)  # (B, h, columns, C)
        found = torch.einsum("yr,bync->brnc", self.row_shares[rows], by_column)
        return found[:, 0, 0] if self.whole else found


def _strips(made: Tensor) -> Iterator[slice]:
    """Yield rows of ``made`` (B, C, H, W) that fit the cache; on other devices all of them."""
    height = made.shape[2]
    step = height
    if made.device.type == "cpu":
        row_bytes = made.element_size() * made.numel() // height
        step = max(STRIP_BYTES // row_bytes // 2 * 2, 2)  # even: positions are doubled in pairs
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))


def _padded_rows(x: Tensor, rows: slice, factor: int) -> Tensor:
    """Return rows of the enlarged map with one more on each side, wrapping around.

    Result: (B, C, rows + 2, factor W + 2).
    """
    height = x.shape[2]
    first, last = (rows.start - 1) // factor, rows.stop // factor  # inclusive, of x
    parts = [x[:, :, max(first, 0) : min(last, height - 1) + 1]]
    if first < 0:
        parts.insert(0, x[:, :, height + first :])
    if last >= height:
        parts.append(x[:, :, : last - height + 1])
    piece = torch.cat(parts, dim=2) if len(parts) > 1 else parts[0]
    if factor == 2:
        piece = F.interpolate(piece, scale_factor=2.0)
        skipped = rows.start - 1 - factor * first
        piece = piece[:, :, skipped : skipped + rows.stop - rows.start + 2]
    return torch.cat([piece[..., -1:], piece, piece[..., :1]], dim=3)
