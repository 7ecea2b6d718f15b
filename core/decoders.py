"""Decoders from latents to micrographs: the paper's (section 3.3) and a convolutional texture one.

Both turn z (B, D) into images (B, 1, H, W) in [0, 1].
"""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from core.errors import ConfigError, InputError

STRIDE = 32  # px of the finished picture for one position of the coarsest map
MAX_SIDE = 8192
RAMP = 0.35  # of a cell: the transition between neighbouring cells of a field


class PaperDecoder(nn.Module):
    """The paper's decoder: fully connected to 8x8, four blocks of convolution, upsampling, ReLU.

    Deterministic, one size only. Zero padding, slope 0.3, nearest-neighbour upsampling as in
    section 3.3; the number of channels is ours (the paper gives none), and so is the last
    convolution to one grey channel with a sigmoid.
    """

    def __init__(self, latents: int, channels: tuple[int, ...], patch_px: int) -> None:
        super().__init__()
        self.patch_px, self.first = patch_px, (channels[0], patch_px // 16, patch_px // 16)
        self.linear = nn.Linear(latents, math.prod(self.first))
        pairs = pairwise(channels)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.grey = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(
        self, z: Tensor, height: int, width: int, generator: Generator | None, periodic: bool
    ) -> Tensor:
        """Decode z (B, D); ``generator`` and ``periodic`` have no effect here."""
        if (height, width) != (self.patch_px, self.patch_px):
            raise ConfigError(
                f"the paper's decoder makes {self.patch_px}x{self.patch_px} px only, not "
                f"{height}x{width}; use a model with decoder 'texture' for other sizes"
            )
        x = self.linear(z).unflatten(1, self.first)  # (B, C, 8, 8)
        for convolution in self.convolutions:
            x = F.leaky_relu(F.interpolate(convolution(x), scale_factor=2.0), 0.3)
        return torch.sigmoid(self.grey(x).float())


class TextureDecoder(nn.Module):
    """A fully convolutional decoder of noise, modulated by z; any size, tileable, no fixed place.

    Deviation from the paper, whose fully connected decoder in our trials gave nearly the same
    picture for every z and only one size. Noise says where things are, z says what they are like:
    each convolution's input channels, shift and noise strength depend on z, with the weight
    demodulation of Karras et al. 2020 (StyleGAN2, arXiv:1912.04958). Unlike instance
    normalisation this does not depend on the size of the field, so large fields keep the scatter
    between their parts. Noise at every scale as in Ulyanov et al. 2016 (arXiv:1603.03417).
    """

    def __init__(self, latents: int, channels: tuple[int, ...], width: int = 256) -> None:
        super().__init__()
        self.mapping = nn.Sequential(
            nn.Linear(latents, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2)
        )
        self.constant = nn.Parameter(torch.randn(1, channels[0], 1, 1))
        # Two convolutions a scale; the second narrows before upsampling, where it is cheap.
        following = (*channels[1:], channels[-1])
        layers = []
        for here, after in zip(channels, following, strict=True):
            layers += [ModulatedConv(here, here, width), ModulatedConv(here, after, width)]
        self.layers = nn.ModuleList(layers[:-1])
        self.grey = ModulatedConv(channels[-1], 1, width, demodulate=False)

    def forward(
        self, z: Tensor, height: int, width: int, generator: Generator | None, periodic: bool
    ) -> Tensor:
        """Decode z to (B, 1, height, width); see `TextureVAE.decode`.

        z is (B, D), or (B, D, rows, columns) for a field whose microstructure varies: one z a cell.
        """
        _check_size(height, width, periodic)
        # Without wrapping, at least one coarse position between the right edge and the left one.
        margin = 0 if periodic else STRIDE
        rows, columns = (math.ceil((side + margin) / STRIDE) for side in (height, width))
        w = self.mapping(z.movedim(1, -1))  # (B, width) or (B, rows, columns, width)
        shape = (len(z), self.constant.shape[1], rows, columns)
        x = self.constant + _noise(shape, z, generator)
        for i, layer in enumerate(self.layers):
            if i and i % 2 == 0:
                x = F.interpolate(x, scale_factor=2.0)
            noise = _noise((len(z), 1, *x.shape[2:]), z, generator)
            x = F.leaky_relu(layer(x, w, noise), 0.2)
        grey = torch.sigmoid(self.grey(x, w).float())
        return grey[:, :, :height, :width]


class ModulatedConv(nn.Module):
    """A 3x3 convolution, circularly padded, whose input scale, shift and noise depend on w."""

    def __init__(self, inputs: int, outputs: int, width: int, demodulate: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) / math.sqrt(9 * inputs))
        self.split = (inputs, outputs, outputs)
        self.affine = nn.Linear(width, sum(self.split))
        self.demodulate = demodulate
        with torch.no_grad():  # start from scale 1, shift 0, a little noise
            self.affine.weight.mul_(0.5)
            bias = (torch.ones(inputs), torch.zeros(outputs), torch.full((outputs,), 0.3))
            self.affine.bias.copy_(torch.cat(bias))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map x (B, inputs, H, W), w (B, [rows, columns,] width), noise (B, 1, H, W).

        Returns (B, outputs, H, W).
        """
        scale, shift, strength = self.affine(w).split(self.split, dim=-1)
        size = (x.shape[2], x.shape[3])
        y = F.conv2d(pad_circular(x * spread_cells(scale, *size)), self.weight)
        if self.demodulate:  # what makes the output's variance one for inputs of variance one
            power = self.weight.square().sum(dim=(2, 3))  # (outputs, inputs)
            demodulation = torch.rsqrt(scale.square() @ power.T + 1e-8)  # (B, [...,] outputs)
            y = y * spread_cells(demodulation, *size)
        y = y + spread_cells(shift, *size)
        return y if noise is None else y + noise * spread_cells(strength, *size)


def spread_cells(values: Tensor, height: int, width: int) -> Tensor:
    """Spread values (B, [rows, columns,] C) over a map, (B, C, height, width) or broadcastable.

    Each cell keeps its own value over most of its area, with a ramp of `RAMP` of a cell between
    neighbours; the map wraps around.
    """
    if values.dim() == 2:
        return values[:, :, None, None]
    rows = _cell_weights(height, values.shape[1], values)  # (height, rows)
    columns = _cell_weights(width, values.shape[2], values)
    return torch.einsum("yr,brnc,xn->bcyx", rows, values, columns)


def _cell_weights(length: int, cells: int, like: Tensor) -> Tensor:
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
    x = torch.cat([x[:, :, -1:], x, x[:, :, :1]], dim=2)
    return torch.cat([x[..., -1:], x, x[..., :1]], dim=3)


def _noise(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    """Draw normal noise on the CPU, so that a seed gives one picture on every device."""
    device = "cpu" if generator is None else generator.device
    noise = torch.randn(shape, generator=generator, device=device, dtype=torch.float32)
    return noise.to(device=like.device, dtype=like.dtype)


def _check_size(height: int, width: int, periodic: bool) -> None:
    for side in (height, width):
        if not STRIDE <= side <= MAX_SIDE:
            raise InputError(f"a side of {side} px is out of range: {STRIDE} to {MAX_SIDE} px")
        if periodic and side % STRIDE:
            below = side // STRIDE * STRIDE
            raise ConfigError(
                f"a tileable picture needs sides that are multiples of {STRIDE} px, not {side}: "
                f"choose {below} or {below + STRIDE}, or a picture that need not tile"
            )
