"""Outlines of single graphite particles, in um round the origin: nodule, compacted, flake.

An outline is a closed polygon, float64 (K, 2) as (y, x). Directions are uniform, so a field of
many particles has no preferred direction.
"""

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float64]


def nodule(diameter_um: float, rng: np.random.Generator) -> Outline:
    """Draw a nodule of about this equivalent diameter: round, slightly lobed, notched at the rim.

    The lobes were set beside the real irons (median roundness, area over that of the circle on the
    maximum Feret diameter, 0.71 to 0.75 with touching nodules counted as one).
    """
    angle = np.linspace(0.0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    lobes = np.abs(rng.normal(0.0, 1.0)) * 0.5 + 0.5
    for k in range(2, 7):
        amplitude = 0.115 * lobes * rng.normal() / k**0.8
        radius += amplitude * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    for k in range(9, 25, 3):
        radius += 0.014 * rng.normal() * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    for _ in range(rng.poisson(2.0)):
        width = rng.uniform(0.05, 0.14)
        offset = np.angle(np.exp(1j * (angle - rng.uniform(0, 2 * np.pi))))
        radius -= rng.uniform(0.08, 0.28) * np.exp(-((offset / width) ** 2))
    radius *= 0.5 * diameter_um / np.sqrt(np.mean(radius**2))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _ribbon(centre: Outline, half_width: NDArray[np.float64]) -> Outline:
    """Return the polygon of a curve (K, 2) thickened by ``half_width`` (K,) to either side."""
    tangent = np.gradient(centre, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    left = centre + normal * half_width[:, None]
    right = centre - normal * half_width[:, None]
    return np.concatenate([left, right[::-1]])


def _curve(length_um: float, wander: float, rng: np.random.Generator, points: int) -> Outline:
    """Return a smooth random curve through the origin's neighbourhood, (points, 2).

    ``wander`` is the standard deviation in rad of the change of direction along the whole length.
    """
    position = np.linspace(-0.5, 0.5, points)
    bend = rng.normal(0.0, wander) * position
    for k in (1, 2, 3):
        phase = rng.uniform(0, 2 * np.pi)
        bend += rng.normal(0.0, wander / (2.2 * k)) * np.sin(2 * np.pi * k * position + phase)
    direction = bend + rng.uniform(0, 2 * np.pi)
    step = length_um / (points - 1)
    path = np.cumsum(np.stack([np.sin(direction), np.cos(direction)], axis=1) * step, axis=0)
    return path - path.mean(axis=0)


def compacted(area_um2: float, rng: np.random.Generator) -> Outline:
    """Draw a compacted (vermicular) particle: short, thick, knobbly, with rounded ends."""
    aspect = rng.uniform(2.2, 5.5)
    thickness = np.sqrt(area_um2 / (0.85 * aspect))
    points = 28
    centre = _curve(aspect * thickness, 1.0, rng, points)
    u = np.linspace(-1.0, 1.0, points)
    half = 0.5 * thickness * np.sqrt(np.clip(1.0 - np.abs(u) ** 4, 0.0, None))
    for k in (1, 2, 3):
        half *= 1.0 + 0.16 * rng.normal() * np.cos(np.pi * k * u + rng.uniform(0, 2 * np.pi))
    return _ribbon(centre, half)


def flake(length_um: float, thickness_um: float, rng: np.random.Generator) -> Outline:
    """Draw a flake: long, thin, gently curved, tapering to its ends (area about 0.72 L t)."""
    points = 32
    centre = _curve(length_um, 0.8, rng, points)
    u = np.linspace(-1.0, 1.0, points)
    half = 0.5 * thickness_um * np.clip(1.0 - np.abs(u) ** 2.6, 0.0, None)
    half *= 1.0 + 0.22 * np.sin(rng.uniform(2, 6) * np.pi * u + rng.uniform(0, 2 * np.pi))
    half *= 1.0 + 0.10 * rng.normal(size=points)
    return _ribbon(centre, half)


def polygon_area(outline: Outline) -> float:
    """Return the area of a simple polygon (shoelace formula), um2."""
    y, x = outline[:, 0], outline[:, 1]
    return float(0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))


def max_feret(outline: Outline) -> float:
    """Return the largest distance between two points of the outline, um."""
    difference = outline[:, None, :] - outline[None, :, :]
    return float(np.sqrt((difference**2).sum(axis=-1).max()))
