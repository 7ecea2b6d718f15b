"""A decoder's layer without gradient: the same sums as with one, strip by strip.

A layer's map of a field of 1024 px takes 200 MB, and each operation on it as a whole goes through
main memory twice, which is what decoding waits for. Here all that can be done to some rows is done
while they are in the cache, in place.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from core.cells import cell_weights, pad_circular, spread_cells

STRIP_BYTES = 8 * 2**20
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
    cells = _Cells(style.scale.shape[1:-1], height, width, x)
    strips = list(_strips(len(x) * len(weight) * width, height, x.device))
    weight = weight.to(x.dtype)
    with torch.autocast(x.device.type, enabled=False):
        parts, mean = [], torch.zeros((), device=x.device)
        made = None if len(strips) == 1 else _empty(len(x), len(weight), height, width, x.device)
        for rows in strips:
            part = F.conv2d(_padded_rows(x, rows, factor), weight).float()
            if noise is not None:
                at = noise if made is None else noise[:, :, rows]
                part.addcmul_(at, cells.spread(style.strength, rows))
            mean = mean + cells.share(part, rows)
            parts.append(part if made is None else made[:, :, rows].copy_(part))
        square = torch.zeros_like(mean)
        for rows, part in zip(strips, parts, strict=True):
            part.sub_(cells.spread(mean, rows))
            square = square + cells.share(part.square(), rows)
        deviation = (square + FLOOR).rsqrt()
        for rows, part in zip(strips, parts, strict=True):
            if cells.whole:
                part.mul_(cells.spread(deviation * style.scale, rows))
            else:  # a product of two spreads is no spread of the product
                part.mul_(cells.spread(deviation, rows)).mul_(cells.spread(style.scale, rows))
            F.leaky_relu_(part.add_(cells.spread(style.shift, rows)), 0.2)
    return parts[0] if made is None else made


def _empty(*shape_and_device: Any) -> Tensor:
    *shape, device = shape_and_device
    layout = torch.channels_last
    return torch.empty(shape, dtype=torch.float32, device=device, memory_format=layout)


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
        last = part.permute(0, 2, 3, 1)  # (B, h, W, C), as it lies in memory
        if self.whole:
            flat = last.flatten(1, 2)
            even = flat.new_full((1, flat.shape[1]), 1 / (self.size[0] * self.size[1]))
            return (even @ flat)[:, 0]
        by_column = self.column_shares @ last  # (B, h, columns, C)
        return torch.einsum("yr,bync->brnc", self.row_shares[rows], by_column)


def _strips(row: int, height: int, device: torch.device) -> Iterator[slice]:
    """Yield rows of a map, ``row`` numbers each, that fit the cache; all on other devices."""
    step = height
    if device.type == "cpu":
        step = max(STRIP_BYTES // (4 * row) // 2 * 2, 2)  # even: positions are doubled in pairs
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))


def _padded_rows(x: Tensor, rows: slice, factor: int) -> Tensor:
    """Return rows of the enlarged map with one more on each side, wrapping around.

    Result: (B, C, rows + 2, factor W + 2).
    """
    height = x.shape[2]
    if rows == slice(0, factor * height):
        piece = F.interpolate(x, scale_factor=2.0) if factor == 2 else x
        return pad_circular(piece)
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
