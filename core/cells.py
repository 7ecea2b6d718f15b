"""Cells of a field: each with values of its own, wrapping around."""

import torch
from torch import Tensor
from torch.nn import functional as F

RAMP = 0.35  # of a cell: the transition between neighbouring cells of a field


def normalise_cells(x: Tensor, cells: tuple[int, ...]) -> Tensor:
    """Bring each channel of x (B, C, H, W) to mean 0 and variance 1 over the map or each cell.

    ``cells`` is () for the whole map, or (rows, columns) as `spread_cells` lays them out.
    """
    if not cells:
        return F.group_norm(x, x.shape[1], eps=1e-5)  # instance norm; keeps channels last
    rows = cell_weights(x.shape[2], cells[0], x)  # (H, rows)
    columns = cell_weights(x.shape[3], cells[1], x)  # (W, columns)
    rows, columns = rows / rows.sum(dim=0), columns / columns.sum(dim=0)
    size = (x.shape[2], x.shape[3])

    def average(values: Tensor) -> Tensor:
        by_column = columns.T @ values.permute(0, 2, 3, 1)  # (B, H, columns, C)
        return torch.einsum("yr,bync->brnc", rows, by_column)

    x = x - spread_cells(average(x), *size)
    return x * spread_cells((average(x.square()) + 1e-5).rsqrt(), *size)


def spread_cells(values: Tensor, height: int, width: int) -> Tensor:
    """Spread values (B, [rows, columns,] C) over a map, (B, C, height, width) or broadcastable.

    Each cell keeps its own value over most of its area, with a ramp of `RAMP` of a cell between
    neighbours; the map wraps around.
    """
    if values.dim() == 2:
        return values[:, :, None, None]
    rows = cell_weights(height, values.shape[1], values)  # (height, rows)
    columns = cell_weights(width, values.shape[2], values)
    by_row = torch.einsum("yr,brnc->bync", rows, values)
    # Channels last in memory, as the maps are that these are multiplied with.
    return (columns @ by_row).permute(0, 3, 1, 2)  # (B, H, W, C) to (B, C, H, W)


def cell_weights(length: int, cells: int, like: Tensor) -> Tensor:
    """Return (length, cells): how much each position takes from each cell; rows sum to one."""
    place = (torch.arange(length, device=like.device) + 0.5) * cells / length - 0.5
    lower = place.floor()
    share = (((place - lower) - 0.5) / RAMP + 0.5).clamp(0, 1)
    share = share * share * (3 - 2 * share)  # smooth at both ends
    weights = torch.zeros(length, cells, device=like.device)
    index = lower.long()
    weights.scatter_add_(1, (index % cells).unsqueeze(1), (1 - share).unsqueeze(1))
    weights.scatter_add_(1, ((index + 1) % cells).unsqueeze(1), share.unsqueeze(1))
    return weights.to(like.dtype)


def pad_circular(x: Tensor) -> Tensor:
    """Pad (B, C, H, W) by one position on each side, wrapping around; keeps the memory format."""
    padded: Tensor = _PadCircular.apply(x) if x.requires_grad else _padded(x)
    return padded


def _padded(x: Tensor) -> Tensor:
    x = torch.cat([x[:, :, -1:], x, x[:, :, :1]], dim=2)
    return torch.cat([x[..., -1:], x, x[..., :1]], dim=3)


class _PadCircular(torch.autograd.Function):
    """Padding whose gradient is one copy: torch's own fills the whole map for each edge."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return _padded(x)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def, override]
        found = gradient[:, :, 1:-1, 1:-1].clone()
        for edge, opposite in ((0, -1), (-1, 0)):
            found[:, :, opposite] += gradient[:, :, edge, 1:-1]
            found[..., opposite] += gradient[:, :, 1:-1, edge]
            for corner, other in ((0, -1), (-1, 0)):
                found[:, :, opposite, other] += gradient[:, :, edge, corner]
        return found
