"""Which property values the data support, as points, and how far from them something asked is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from skimage.measure import find_contours

from bayesnet.categories import in_corners
from bayesnet.demands import Demand
from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.support import MIN_R2, interpolations, near_data, process_mesh
from bayesnet.surface import predict_surface, surface_sd, transform
from bayesnet.threads import one_thread
from core.errors import InputError

# Deviations of a pair of properties at which support ends (`radius`). Of 2048 targets spread over
# the castings' strengths (not those that verdicts are measured on), none within 2 test scatters of
# what the generator reaches lies beyond, and 1.7 % of those beyond 4 lie within. Less than this
# would refuse targets that the toy foundry of the tests reaches.
SURFACE_SD = 2.05  # of scatter and surface error together, from a surface over settings
BETWEEN_SD = 3.0  # of the left-out deviation given latents, from lines between tested specimens
MARGIN = 0.25  # of the reachable values, round a map of them
KEPT = 16  # candidates of a network, by properties and limits: 70 kB each
TOLERANCE = 0.05  # of the design range, for limits met by interpolation between specimens


@dataclass(frozen=True, slots=True)
class Candidates:
    """Reachable property values, and how far from each a target may lie.

    Attributes:
        values: (n, T) in their units.
        tolerances: (n, T) distances at which support ends, relative where ``log``.
        log: whether distances count in the logarithm of each property.
    """

    values: Array
    tolerances: Array
    log: tuple[bool, ...]


def uses_surface(network: Network, columns: Index) -> bool:
    """Return whether process settings predict these properties well enough to bound them."""
    surfaces = network.support.surfaces
    return bool(surfaces) and min(surfaces[m].r2 for m in columns) >= MIN_R2


def candidates(network: Network, columns: Index, low: Array, high: Array) -> Candidates:
    """Return what the data support within process limits; worked out once a network and limits.

    Args:
        network: the fitted network.
        columns: (T,) positions among the outcomes.
        low: (P,) lower process limits in z-scores.
        high: (P,) upper process limits; equal to the lower ones where fixed.
    """
    known, key = network.reachable, (columns.tobytes(), low.tobytes(), high.tobytes())
    if (found := known.get(key)) is None:
        found = _candidates(network, columns, low, high)
        if len(known) >= KEPT:
            known.clear()
        known[key] = found
    return found


def _candidates(network: Network, columns: Index, low: Array, high: Array) -> Candidates:
    if uses_surface(network, columns):
        return _on_surface(network, columns, low, high)
    support = network.support
    values, settings = interpolations(support, columns)
    margin = TOLERANCE * np.array([(n.high - n.low) / n.scale for n in network.process])
    inside = ((settings >= low - margin) & (settings <= high + margin)).all(axis=1)
    known = support.properties[:, columns]
    log = tuple(bool((known[np.isfinite(known[:, i]), i] > 0).all()) for i in range(len(columns)))
    found = values[inside]
    end = radius(BETWEEN_SD, len(columns))
    tolerances = np.broadcast_to(end * support.spread[columns], found.shape)
    return Candidates(found, tolerances, log)


def radius(pair_sd: float, count: int) -> float:
    """Return the distance that holds as much of the scatter of ``count`` properties as of a pair.

    The more properties are asked for, the farther from its true values a casting's tests lie in
    all of them together.

    Args:
        pair_sd: the distance for two properties, in standard deviations; also that for one.
        count: of properties.
    """
    if count <= 2:
        return pair_sd
    return float(np.sqrt(chi2.ppf(chi2.cdf(pair_sd**2, 2), count)))


def _on_surface(network: Network, columns: Index, low: Array, high: Array) -> Candidates:
    """Return the surfaces' values at settings near the data, the specimens' own among them.

    A target counts as reachable as far off as a test of such a casting may lie: by the scatter that
    neither settings nor latents explain, and the error of the surface there. (The left-out
    deviation of castings would be too much: it also holds how castings of one setting differ.)
    """
    support = network.support
    mesh = in_corners(network.process, process_mesh(low, high), low, high)
    inside = ((support.process >= low) & (support.process <= high)).all(axis=1)
    mesh = np.vstack([mesh[near_data(support, mesh)], support.process[inside]])
    values, tolerances = [], []
    surfaces = [support.surfaces[m] for m in columns]
    for m, surface in zip(columns, surfaces, strict=True):
        known = support.process[np.isfinite(support.properties[:, m])]
        found = predict_surface(surface, support.process, mesh)
        values.append(np.exp(found) if surface.log else found)
        error = surface_sd(surface, known, mesh)
        tolerances.append(radius(SURFACE_SD, len(columns)) * np.hypot(surface.scatter, error))
    log = tuple(s.log for s in surfaces)
    return Candidates(np.stack(values, axis=1), np.stack(tolerances, axis=1), log)


def gaps(found: Candidates, demands: Sequence[Demand]) -> Array:
    """Return how far each candidate is from what is asked, (n, T), in its tolerances; 0 inside."""
    columns = []
    for i, (demand, log) in enumerate(zip(demands, found.log, strict=True)):
        low, high = transform(np.array([demand.low, demand.high]), log)
        columns.append(Demand(float(low), float(high)).outside(transform(found.values[:, i], log)))
    result: Array = np.stack(columns, axis=1) / found.tolerances
    return result


def distance_to(found: Candidates, demands: Sequence[Demand]) -> float:
    """Return how far what is asked is from the nearest candidate; infinite without candidates."""
    if len(found.values) == 0:
        return np.inf
    return float(np.linalg.norm(gaps(found, demands), axis=1).min())


def design_range(network: Network) -> tuple[Array, Array]:
    """Return the range of the data of every process setting in z-scores, (P,) each."""
    low = np.array([(n.low - n.mean) / n.scale for n in network.process])
    return low, np.array([(n.high - n.mean) / n.scale for n in network.process])


@dataclass(frozen=True, slots=True)
class Region:
    """How far each pair of two properties is from what the data support.

    Attributes:
        x, y: (n,) values of the two properties, in their units.
        distance: (n, n) row by y, column by x, as `Feasibility.distance`: feasible up to
            `FEASIBLE`, infeasible beyond `LIMIT`.
    """

    x: Array
    y: Array
    distance: Array

    def outlines(self, level: float) -> tuple[Array, ...]:
        """Return closed polygons (n, 2) of x and y round where the distance is below ``level``."""
        padded = np.pad(self.distance, 1, constant_values=2 * level)  # closes them at the edge
        found = []
        for line in find_contours(np.minimum(padded, 2 * level), level):
            x = np.interp(line[:, 1] - 1, np.arange(len(self.x)), self.x)
            y = np.interp(line[:, 0] - 1, np.arange(len(self.y)), self.y)
            found.append(np.column_stack([x, y]))
        return tuple(found)


@one_thread
def feasible_region(
    network: Network, x: Node, y: Node, low: Array, high: Array, count: int = 61
) -> Region:
    """Map the verdict over two properties under process limits (z-scores).

    Raises:
        InputError: the data hold nothing within the limits.
    """
    columns = network.outcome_places((x, y))
    found = candidates(network, columns, low, high)
    if len(found.values) == 0:
        raise InputError("no specimen in the data lies near these limits")
    margin = MARGIN * (found.values.max(axis=0) - found.values.min(axis=0))
    ends = found.values.min(axis=0) - margin, found.values.max(axis=0) + margin
    at = [np.linspace(a, b, count) for a, b in zip(*ends, strict=True)]
    scaled = [transform(values, log) for values, log in zip(at, found.log, strict=True)]
    squares = []
    for i, log in enumerate(found.log):
        reachable = transform(found.values[:, i], log)
        squares.append(((scaled[i][:, None] - reachable) / found.tolerances[:, i]) ** 2)  # (n, C)
    distance = np.stack([np.sqrt((squares[0] + row).min(axis=1)) for row in squares[1]])
    return Region(at[0], at[1], distance)
