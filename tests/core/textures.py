"""Small data sets of random textures, for tests that need images but no castings."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from core.columns import Column
from core.dataset import DataSet, load_dataset, write_manifest
from core.images import encode_png

COLUMNS = (
    Column("grain_um", "µm", "Grain size", "process", "numeric"),
    Column("route", "", "Route", "process", "categorical"),
    Column("uts_mpa", "MPa", "Ultimate tensile strength", "property", "numeric"),
)


def texture(height: int, width: int, grain_px: float = 2.0, seed: int = 0) -> np.ndarray:
    """Smoothed noise (H, W) float32 in [0, 1] that wraps around."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    smooth = gaussian_filter(noise, grain_px, mode="wrap")
    return np.clip(0.5 + 0.2 * smooth / smooth.std(), 0, 1).astype(np.float32)


def make_textures(
    folder: Path,
    specimens: int = 2,
    images: int = 1,
    height: int = 64,
    width: int = 128,
    um_per_px: float = 1.0,
) -> DataSet:
    """Write and load a data set; each specimen has a grain size of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for s in range(specimens):
        for i in range(images):
            file = f"s{s}_{i}.png"
            grain = 1.0 + s
            pixels = texture(height, width, grain, seed=100 * s + i)
            (folder / file).write_bytes(encode_png(pixels))
            row = {"file": file, "specimen": f"s{s}", "um_per_px": um_per_px}
            rows.append(row | {"grain_um": grain, "route": "cast", "uts_mpa": 300 + 10 / grain})
    write_manifest(folder, pd.DataFrame(rows), COLUMNS, "Textures", synthetic=True)
    return load_dataset(folder)
