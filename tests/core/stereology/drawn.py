"""Drawn structures of known size."""

import numpy as np


def lamellae(side: int, dark_px: int, light_px: int, noise: float = 0.0, seed: int = 0):
    """Vertical lamellae (H, W); one period is a dark and a light one."""
    period = np.repeat([0.2, 0.7], [dark_px, light_px])
    row = np.tile(period, side // len(period) + 1)[:side]
    pixels = np.tile(row, (side, 1))
    grain = np.random.default_rng(seed).normal(0, noise, pixels.shape) if noise else 0.0
    return np.clip(pixels + grain, 0, 1).astype(np.float32)


def discs(side: int, pitch: int, radius: float) -> np.ndarray:
    """Dark discs on a square lattice (H, W)."""
    y, x = (np.mod(n, pitch) - pitch / 2 + 0.5 for n in np.mgrid[:side, :side])
    return np.where(np.hypot(y, x) < radius, 0.2, 0.7).astype(np.float32)


def one_phase(side: int, seed: int = 0) -> np.ndarray:
    """Normal grey levels without structure (H, W)."""
    return np.clip(np.random.default_rng(seed).normal(0.5, 0.1, (side, side)), 0, 1).astype(
        np.float32
    )
