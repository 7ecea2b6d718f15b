"""What the data support: which property values some process setting inside the data's range gives.

A mixture of Gaussians is unbounded, so its likelihood alone cannot say where reality ends. With
process columns that predict the properties, a Gaussian-process surface process -> properties is
fitted, and the reachable set is its image of the design range (kept near the data). Without, the
reachable set is the data themselves with straight lines between neighbours in latent space. Either
way distances are counted in left-out standard deviations.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from bayesnet.gaussian import Array, Index
from bayesnet.levels import Levels

LIMIT_SD = 3.0  # measures.md: reachable within 2 scatter deviations, not beyond 4
MIN_R2 = 0.5
NEIGHBOURS = 4
SCORES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One property as a smooth function of the process z-scores (posterior mean of a GP).

    Attributes:
        alpha: (S',) dual coefficients, zero where a specimen is unlabelled.
        lengths: (P,) length scales in z-scores.
        constant: signal variance.
        centre: value at zero signal, in log units when ``log``.
        scale: unit of the signal.
        log: whether the logarithm of the property is modelled (all values positive).
        sd: left-out standard deviation, in log units when ``log``, else in the property's unit.
        r2: left-out coefficient of determination.
    """

    alpha: Array
    lengths: Array
    constant: float
    centre: float
    scale: float
    log: bool
    sd: float
    r2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The labelled specimens and what interpolates between them.

    Attributes:
        process: (S, P) process z-scores of the specimens.
        properties: (S, M) properties in their units, NaN where unlabelled.
        scores: (S, R) leading principal components of the specimens' latents.
        surfaces: one a property; empty without process columns.
        reach: largest distance from a process setting to its nearest specimen that still counts as
            near the data, in process z-scores.
        spread: (M,) left-out standard deviations of the properties given latents, relative where
            the surface would be logarithmic.
        limit: number of left-out standard deviations at which support ends.
    """

    process: Array
    properties: Array
    scores: Array
    surfaces: tuple[Surface, ...]
    reach: float
    spread: Array
    limit: float


def transform(values: Array, log: bool) -> Array:
    """Return the logarithm of positive values, or the values."""
    return np.log(np.maximum(values, 1e-300)) if log else values


def kernel(a: Array, b: Array, lengths: Array, constant: float) -> Array:
    """Squared-exponential kernel (n, m) with one length a column."""
    a, b = a / lengths, b / lengths
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    result: Array = constant * np.exp(-0.5 * np.maximum(squared, 0.0))
    return result


def predict_surface(surface: Surface, support_process: Array, process: Array) -> Array:
    """Return the property (n,), or its logarithm (`Surface.log`), at settings (n, P)."""
    signal = kernel(process, support_process, surface.lengths, surface.constant) @ surface.alpha
    result: Array = surface.centre + surface.scale * signal
    return result


def fit_surface(process: Array, values: Array, seed: int) -> Surface:
    """Fit one property on process z-scores; judge it by exact leave-one-out (Rasmussen eq. 5.12).

    Args:
        process: (S, P) z-scores.
        values: (S,) property, NaN where unlabelled.
        seed: for the restarts of the marginal-likelihood search.
    """
    known = np.isfinite(values)
    log = bool((values[known] > 0).all())
    target = transform(values[known], log)
    centre, scale = float(target.mean()), float(target.std())
    size = process.shape[1]
    model = GaussianProcessRegressor(
        ConstantKernel(4.0, (0.1, 100.0)) * RBF(np.full(size, 2.0), (0.2, 30.0))
        + WhiteKernel(0.05, (1e-4, 1.5)),
        n_restarts_optimizer=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(process[known], (target - centre) / scale)
    signal = model.kernel_.k1
    lengths = np.broadcast_to(signal.k2.length_scale, (size,)).astype(float).copy()
    constant = float(signal.k1.constant_value)
    gram = kernel(process[known], process[known], lengths, constant)
    noise = float(model.kernel_.k2.noise_level)
    inverse = np.linalg.inv(gram + (noise + 1e-10) * np.eye(len(gram)))
    dual = inverse @ ((target - centre) / scale)
    left = dual / np.diag(inverse)
    alpha = np.zeros(len(values))
    alpha[known] = dual
    return Surface(
        alpha=alpha,
        lengths=lengths,
        constant=constant,
        centre=centre,
        scale=scale,
        log=log,
        sd=float(scale * np.sqrt((left**2).mean())),
        r2=float(1 - (left**2).sum() / (((target - centre) / scale) ** 2).sum()),
    )


def fit_support(levels: Levels, property_residual: Array, seed: int) -> Support:
    """Fit the surfaces and calibrate the limit.

    Args:
        levels: the specimen table.
        property_residual: (S, M) left-out residuals of properties given latents, in z-scores.
        seed: for the surfaces.
    """
    nodes = [n for n in levels.nodes if n.role == "property"]
    properties = levels.properties * [n.scale for n in nodes] + np.array([n.mean for n in nodes])
    u, s, _ = np.linalg.svd(levels.latents - levels.latents.mean(axis=0), full_matrices=False)
    size = min(SCORES, len(s))
    process = levels.process
    surfaces: tuple[Surface, ...] = ()
    reach = 0.0
    if process.shape[1] and nodes:
        surfaces = tuple(fit_surface(process, properties[:, m], seed) for m in range(len(nodes)))
        nearest = cKDTree(process).query(process, k=min(3, len(process)))[0][:, -1]
        reach = 2.0 * float(np.quantile(nearest, 0.9)) + 1e-9
    spread = np.zeros(len(nodes))
    for m, node in enumerate(nodes):
        rms = float(np.sqrt(np.nanmean(property_residual[:, m] ** 2))) * node.scale
        positive = (properties[np.isfinite(properties[:, m]), m] > 0).all()
        spread[m] = rms / abs(node.mean) if positive else rms
    return Support(
        process=process,
        properties=properties,
        scores=u[:, :size] * s[:size] / np.sqrt(len(u)),
        surfaces=surfaces,
        reach=reach,
        spread=spread,
        limit=LIMIT_SD,
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
