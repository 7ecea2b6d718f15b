"""A small foundry for tests: process -> morphology (sigmoidal in Mg) -> latents and strengths.

It shares no code with `core.castings`; numbers are plausible, not calibrated. Strengths form a
curved cloud. `strengths` is the truth before scatter, used only to judge.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd

SCATTER = {"uts_mpa": 0.03, "ys_mpa": 0.02}
RANGES = {"ce_pct": (3.6, 4.6), "mg_wt": (0.0, 0.06), "radius_mm": (10.0, 50.0)}


def column(name, unit, label, role, kind="numeric"):
    return SimpleNamespace(name=name, unit=unit, label=label, role=role, kind=kind)


COLUMNS = (
    column("mg_wt", "wt%", "magnesium", "process"),
    column("radius_mm", "mm", "casting radius", "process"),
    column("ce_pct", "%", "carbon equivalent", "process"),
    column("uts_mpa", "MPa", "tensile strength", "property"),
    column("ys_mpa", "MPa", "yield strength", "property"),
)


def morphology(mg, radius, ce):
    """Nodularity, log particle count, log flake length, graphite fraction, log ferrite grain."""
    nodularity = 1 / (1 + np.exp(-(mg - 0.016 - 0.00012 * (radius - 30)) / 0.0045))
    log_count = np.log(180) - 0.9 * np.log(radius / 25) + 0.6 * (ce - 4.1)
    log_flake = np.log(70) + 0.5 * np.log(radius / 25) + 0.7 * (ce - 4.1)
    graphite = 0.10 + 0.03 * (ce - 4.1)
    log_grain = np.log(28) + 0.45 * np.log(radius / 25)
    return np.stack([nodularity, log_count, log_flake, graphite, log_grain], axis=-1)


def strengths(mg, radius, ce):
    """True UTS and yield strength, MPa, shape (..., 2)."""
    nod, count, flake, graphite, grain = np.moveaxis(morphology(mg, radius, ce), -1, 0)
    ferrite = 150 + 700 / np.sqrt(np.exp(grain))
    ys = ferrite * (1 - 2.2 * graphite) * (0.62 + 0.55 * nod)
    uts_flake = 1750 / np.sqrt(np.exp(flake)) + 0.15 * ferrite
    uts_nodule = 440 + 55 * (count - np.log(180)) + 0.5 * (ferrite - 280) - 900 * (graphite - 0.1)
    return np.stack([uts_flake + (uts_nodule - uts_flake) * nod**1.3, ys], axis=-1)


def latents_of(process, rng_map, dimensions):
    """True specimen latents (S, D) for process settings (S, 3) in the order mg, radius, ce."""
    shape = morphology(*process.T)
    scaled = (shape - [0.7, 5.0, 4.1, 0.10, 3.2]) / [0.35, 0.5, 0.45, 0.009, 0.25]
    scaled = scaled * [1.6, 1.0, 1.0, 0.6, 0.6]
    hidden = np.tanh(0.5 * scaled @ rng_map.normal(size=(5, 40)) + 0.3 * rng_map.normal(size=40))
    mixing = rng_map.normal(size=(40, dimensions)) / np.sqrt(40)
    return 1.2 * hidden @ mixing * np.linspace(1.2, 0.3, dimensions)


def simulate(
    specimens=100,
    dimensions=64,
    patches=45,
    seed=0,
    map_seed=1,
    noise=0.7,
    dead=6,
    replicates=1,
):
    """Return a stand-in for `core.encode.LatentTable` from the toy foundry.

    ``replicates`` castings share each process setting, and differ in test scatter and patches.
    """
    rng, rng_map = np.random.default_rng(seed), np.random.default_rng(map_seed)
    low, high = np.array([0, 10, 3.6]), np.array([0.06, 50, 4.6])
    process = low + (high - low) * rng.random((specimens, 3))
    process[: max(specimens // 10, 1), 0] = 0.0
    process = np.repeat(process[: -(-specimens // replicates)], replicates, axis=0)[:specimens]
    z = latents_of(process, rng_map, dimensions)
    mixing = np.eye(dimensions) + 0.3 * rng_map.normal(size=(dimensions,) * 2) / np.sqrt(dimensions)
    counts = rng.integers(patches // 2 + 1, patches + patches // 2, specimens)
    owner = np.repeat(np.arange(specimens), counts)
    mu = z[owner] + noise * rng.normal(size=(owner.size, dimensions)) @ mixing
    mu[:, dimensions - dead :] = 0.02 * rng.normal(size=(owner.size, dead)) + 0.1
    truth = strengths(*process.T)
    measured = truth * (1 + rng.normal(size=truth.shape) * [0.03, 0.02])
    names = np.array([f"c{i:03d}" for i in range(specimens)])
    frame = pd.DataFrame(
        np.hstack([process, measured]),
        index=pd.Index(names, name="specimen"),
        columns=[c.name for c in COLUMNS],
    )
    side = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return SimpleNamespace(
        mu=mu.astype(np.float32),
        specimen=names[owner],
        file=np.array([f"{name}.png" for name in names[owner]]),
        corner=np.stack([side // 8 * 100, side % 8 * 100], axis=1),
        specimens=frame,
        columns=COLUMNS,
        data_hash="d" * 64,
        model_hash="m" * 64,
        synthetic=True,
    )


def reachable(points=40):
    """True strengths (n, 2) over a mesh of the whole design space."""
    axes = [np.linspace(*RANGES[name], points) for name in ("mg_wt", "radius_mm", "ce_pct")]
    return strengths(*[a.ravel() for a in np.meshgrid(*axes, indexing="ij")])


def scatter_distance(targets, mesh):
    """Distance of targets (T, 2) to the reachable set in test-scatter standard deviations."""
    result = np.empty(len(targets))
    for i, target in enumerate(targets):
        result[i] = np.sqrt((((target / mesh - 1) / [0.03, 0.02]) ** 2).sum(axis=1).min())
    return result
