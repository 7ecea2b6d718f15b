"""Pictures that no model of cast irons has learned from: other alloys, photographs and noise."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from scipy import ndimage

from core.images import Micrograph, read_image
from core.pixels import LUMINANCE

PHOTOGRAPHS = (  # those that come with scikit-image; others it would download
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "page",
    "retina",
    "rocket",
    "text",
)
NOISE_GRAINS_PX = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)
NOISE_PX = 512
NOISE_LEVEL, NOISE_SD = 0.55, 0.15  # about the grey levels of a cast iron
ALLOYS = ("uhcs", "superalloy")
IRONS = "castiron"


def photographs() -> Iterator[Micrograph]:
    """Yield the photographs in grey."""
    for name in PHOTOGRAPHS:
        pixels = np.asarray(getattr(skimage.data, name)(), dtype=np.float32) / 255
        grey = pixels[..., :3] @ LUMINANCE if pixels.ndim == 3 else pixels
        yield Micrograph(np.clip(grey, 0, 1).astype(np.float32), name, None, ())


def noise(seed: int = 0) -> Iterator[Micrograph]:
    """Yield smoothed normal noise of several grain sizes."""
    rng = np.random.default_rng(seed)
    for grain_px in NOISE_GRAINS_PX:
        field = ndimage.gaussian_filter(rng.standard_normal((NOISE_PX, NOISE_PX)), grain_px)
        pixels = np.clip(NOISE_LEVEL + NOISE_SD * field / field.std(), 0, 1).astype(np.float32)
        yield Micrograph(pixels, f"noise of {grain_px:g} px", None, ())


def folder(root: Path) -> Iterator[Micrograph]:
    """Yield the PNG micrographs of a folder; masks, ``*_mask.png``, are left out.

    Their scales, where ``manifest.csv`` in the folder above states them.
    """
    scales = _scales(root.parent / "manifest.csv")
    for path in sorted(root.glob("*.png")):
        if not path.stem.endswith("_mask"):
            found = read_image(path)
            scale = scales.get(f"{root.name}/{path.name}")
            yield Micrograph(found.pixels, found.name, scale, found.notes)


def _scales(manifest: Path) -> dict[str, float]:
    if not manifest.is_file():
        return {}
    with open(manifest, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["file"]: float(row["um_per_px"]) for row in rows if row.get("um_per_px")}
