"""What the data support: which property values some process setting inside the data's range gives.

A mixture of Gaussians is unbounded, so its likelihood alone cannot say where reality ends. With
process columns that predict the properties, a Gaussian-process surface process -> properties
(`bayesnet.surface`) is fitted, and the reachable set is its image of the design range (kept near
the data). Without, the reachable set is the data themselves with straight lines between neighbours
in latent space.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import qmc

from bayesnet.gaussian import Array, Index
from bayesnet.levels import Levels, setting_groups
from bayesnet.nodes import OUTCOMES
from bayesnet.surface import Surface, fit_surface, refit

MIN_R2 = 0.5
NEIGHBOURS = 4
SCORES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The labelled specimens and what interpolates between them.

    Attributes:
        process: (S, P) process z-scores of the specimens.
        properties: (S, O) descriptors, then properties, in their units, NaN where unknown.
        scores: (S, R) leading principal components of the specimens' latents.
        surfaces: one an outcome (descriptor or property); empty without process columns.
        reach: largest distance from a process setting to its nearest specimen that still counts as
            near the data, in process z-scores.
        spread: (O,) left-out standard deviations of the outcomes given latents, relative where
            the surface would be logarithmic.
    """

    process: Array
    properties: Array
    scores: Array
    surfaces: tuple[Surface, ...]
    reach: float
    spread: Array


def fit_support(levels: Levels, residual: Array, seed: int) -> Support:
    """Fit the surfaces and find how near to the data a setting must be.

    Args:
        levels: the specimen table.
        residual: (S, O) left-out residuals of outcomes given latents, in z-scores.
        seed: for the surfaces.
    """
    nodes = [n for n in levels.nodes if n.role in OUTCOMES]
    properties = levels.outcomes * [n.scale for n in nodes] + np.array([n.mean for n in nodes])
    u, s, _ = np.linalg.svd(levels.latents - levels.latents.mean(axis=0), full_matrices=False)
    size = min(SCORES, len(s))
    process = levels.process
    surfaces: tuple[Surface, ...] = ()
    reach = 0.0
    if process.shape[1] and nodes:
        groups = setting_groups(process)
        surfaces = tuple(
            fit_surface(process, properties[:, m], groups, seed, levels.latents)
            for m in range(len(nodes))
        )
        reach = _reach(process[np.unique(groups, return_index=True)[1]])
    spread = np.zeros(len(nodes))
    for m, node in enumerate(nodes):
        rms = float(np.sqrt(np.nanmean(residual[:, m] ** 2))) * node.scale
        positive = (properties[np.isfinite(properties[:, m]), m] > 0).all()
        spread[m] = rms / abs(node.mean) if positive else rms
    return Support(
        process=process,
        properties=properties,
        scores=u[:, :size] * s[:size] / np.sqrt(len(u)),
        surfaces=surfaces,
        reach=reach,
        spread=spread,
    )


def _reach(settings: Array) -> float:
    """Twice the distance of different settings (U, P) to their second neighbour, but for a tenth.

    Replicates would make the distance vanish, and with it everything between the settings.
    """
    nearest = cKDTree(settings).query(settings, k=[min(3, len(settings))])[0][:, -1]
    return 2.0 * float(np.quantile(nearest, 0.9)) + 1e-9


def restricted(support: Support, rows: Index) -> Support:
    """Return what these specimens (n,) alone support; kernels and deviations are kept."""
    process, properties = support.process[rows], support.properties[rows]
    return replace(
        support,
        process=process,
        properties=properties,
        scores=support.scores[rows],
        surfaces=tuple(
            refit(surface, process, properties[:, m]) for m, surface in enumerate(support.surfaces)
        ),
    )


def process_mesh(low: Array, high: Array, count: int = 2048) -> Array:
    """Fill a box (P,) .. (P,) evenly, its faces included; fixed settings have low equal to high.

    Returns:
        (n, P) settings.
    """
    free = np.flatnonzero(high > low)
    if free.size == 0:
        return low[None].copy()
    unit = qmc.Sobol(free.size, scramble=False).random(count)
    unit = np.clip((unit - 0.5) * 1.12 + 0.5, 0.0, 1.0)  # a tenth of the points on the faces
    mesh = np.repeat(low[None], count, axis=0)
    mesh[:, free] = low[free] + unit * (high - low)[free]
    return mesh


def near_data(support: Support, process: Array) -> NDArray[np.bool_]:
    """Return which settings (n, P) lie near some specimen's: extrapolation does not count."""
    result: NDArray[np.bool_] = cKDTree(support.process).query(process)[0] <= support.reach
    return result


def interpolations(support: Support, columns: Index) -> tuple[Array, Array]:
    """Return points between specimens that are neighbours in latent space.

    Args:
        support: the specimens.
        columns: the properties that must be known.

    Returns:
        Properties (n, len(columns)) and process z-scores (n, P).
    """
    known = np.flatnonzero(np.isfinite(support.properties[:, columns]).all(axis=1))
    if known.size == 0:
        return np.zeros((0, len(columns))), np.zeros((0, support.process.shape[1]))
    count = min(NEIGHBOURS + 1, known.size)
    near = cKDTree(support.scores[known]).query(support.scores[known], k=count)[1]
    near = near.reshape(known.size, count)
    start = np.repeat(known, count)
    end = known[near.ravel()]
    steps = np.array([0.0, 0.25, 0.5])[:, None, None]
    y, p = support.properties[:, columns], support.process
    values = (1 - steps) * y[start] + steps * y[end]
    settings = (1 - steps) * p[start] + steps * p[end]
    return values.reshape(-1, len(columns)), settings.reshape(3 * len(start), p.shape[1])
