"""The picture with what was taken for graphite outlined."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.descriptors.nodularity import is_nodule
from core.descriptors.particles import Particles, label_particles
from core.images import to_uint8

NODULE, OTHER, CUT, SMALL = (0, 158, 115), (230, 159, 0), (86, 180, 233), (204, 121, 167)


def draw_overlay(
    pixels: NDArray[np.floating],
    graphite: NDArray[np.bool_],
    particles: Particles,
    line_px: int = 1,
) -> NDArray[np.uint8]:
    """Outline graphite: nodules green, other particles orange, cut ones blue, small ones pink.

    Args:
        pixels: (H, W) in [0, 1].
        graphite: (H, W) mask.
        particles: measured on it; those not among them are too small to count.
        line_px: thickness of the outlines, inwards.

    Returns:
        (H, W, 3) uint8, colours of Okabe and Ito.
    """
    labels = label_particles(graphite)
    colours = np.full((labels.max() + 1, 3), SMALL, dtype=np.uint8)
    colours[particles.labels] = OTHER
    colours[particles.labels[is_nodule(particles)]] = NODULE
    colours[particles.labels[particles.touches_border]] = CUT
    rgb = np.repeat(to_uint8(pixels)[..., None], 3, axis=2)
    edge = graphite & ~ndimage.binary_erosion(graphite, iterations=line_px, border_value=1)
    rgb[edge] = colours[labels[edge]]
    return rgb


def encode_overlay(overlay: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(overlay).save(buffer, format="PNG")
    return buffer.getvalue()
