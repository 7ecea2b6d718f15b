"""Say whether a target is within what the data support, and what the nearest feasible one is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.support import MIN_R2, Support, interpolations, near_data, process_mesh
from bayesnet.surface import predict_surface, surface_sd, transform
from core.errors import InputError

FEASIBLE, LIMIT = 0.85, 1.0  # distances; 1 is where support ends
# Deviations at which support ends; measures.md: within 2 of the test feasible, beyond 4 not.
SURFACE_SD = 2.25  # of scatter and surface error together, from a surface over settings
BETWEEN_SD = 3.0  # of the left-out deviation given latents, from lines between tested specimens
TOLERANCE = 0.05  # of the design range, for limits met by interpolation between specimens


@dataclass(frozen=True, slots=True)
class Feasibility:
    """The verdict on a target.

    Attributes:
        verdict: "feasible" up to distance 0.85, "borderline" up to 1, "infeasible" beyond.
        distance: from the target to the nearest values that the data support, over the limit: 1
            is where support ends.
        nearest: for a target that is not feasible, the supported values nearest in relative terms.
        message: a sentence with values and units.
    """

    verdict: Literal["feasible", "borderline", "infeasible"]
    distance: float
    nearest: dict[str, float] | None
    message: str


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
    """Return what the data support within process limits.

    Args:
        network: the fitted network.
        columns: (T,) positions among the properties.
        low: (P,) lower process limits in z-scores.
        high: (P,) upper process limits; equal to the lower ones where fixed.
    """
    support = network.support
    if uses_surface(network, columns):
        return _on_surface(support, columns, low, high)
    values, settings = interpolations(support, columns)
    margin = TOLERANCE * np.array([(n.high - n.low) / n.scale for n in network.process])
    inside = ((settings >= low - margin) & (settings <= high + margin)).all(axis=1)
    known = support.properties[:, columns]
    log = tuple(bool((known[np.isfinite(known[:, i]), i] > 0).all()) for i in range(len(columns)))
    found = values[inside]
    tolerances = np.broadcast_to(BETWEEN_SD * support.spread[columns], found.shape)
    return Candidates(found, tolerances, log)


def _on_surface(support: Support, columns: Index, low: Array, high: Array) -> Candidates:
    """Return the surfaces' values at settings near the data, the specimens' own among them.

    A target counts as reachable as far off as a test of such a casting may lie: by the scatter that
    neither settings nor latents explain, and the error of the surface there. (The left-out
    deviation of castings would be too much: it also holds how castings of one setting differ.)
    """
    mesh = process_mesh(low, high)
    inside = ((support.process >= low) & (support.process <= high)).all(axis=1)
    mesh = np.vstack([mesh[near_data(support, mesh)], support.process[inside]])
    values, tolerances = [], []
    surfaces = [support.surfaces[m] for m in columns]
    for m, surface in zip(columns, surfaces, strict=True):
        known = support.process[np.isfinite(support.properties[:, m])]
        found = predict_surface(surface, support.process, mesh)
        values.append(np.exp(found) if surface.log else found)
        error = surface_sd(surface, known, mesh)
        tolerances.append(SURFACE_SD * np.hypot(surface.scatter, error))
    log = tuple(s.log for s in surfaces)
    return Candidates(np.stack(values, axis=1), np.stack(tolerances, axis=1), log)


def distances(found: Candidates, targets: Array) -> Array:
    """Return for each target (n, T) its distance to the nearest candidate, in its tolerances.

    Infinite without candidates.
    """

    def scaled(values: Array) -> Array:
        columns = [transform(values[:, i], log) for i, log in enumerate(found.log)]
        return np.stack(columns, axis=1)

    result = np.full(len(targets), np.inf)
    if len(found.values):
        reachable = scaled(found.values)
        for row, target in enumerate(scaled(targets)):
            gap = (target - reachable) / found.tolerances
            result[row] = np.sqrt((gap**2).sum(axis=1).min())
    return result


def assess(
    network: Network, targets: dict[Node, float], low: Array, high: Array, limits: str
) -> Feasibility:
    """Judge a target under process limits (z-scores); ``limits`` says them in words.

    Raises:
        InputError: the data hold nothing within the limits, so neither a verdict nor a design
            could rest on them.
    """
    names = {node: i for i, node in enumerate(network.properties)}
    columns = np.array([names[node] for node in targets], dtype=int)
    target = np.array(list(targets.values()))
    found = candidates(network, columns, low, high)
    asked = _phrase(list(targets), target)
    if len(found.values) == 0:
        raise InputError(_nothing(asked, limits))
    distance = float(distances(found, target[None])[0])
    where = f" with {limits}" if limits else ""
    if distance <= FEASIBLE:
        return Feasibility("feasible", distance, None, f"{asked}{where} is within the data.")
    weights = np.where(np.abs(target) > 1e-12, np.abs(target), 1.0)
    best = found.values[(((found.values - target) / weights) ** 2).sum(axis=1).argmin()]
    nearest = {node.column: float(v) for node, v in zip(targets, best, strict=True)}
    instead = f"the nearest feasible target is {_phrase(list(targets), best)}"
    if distance <= LIMIT:
        text = f"{asked}{where} is at the edge of what the data support; {instead}."
        return Feasibility("borderline", distance, nearest, text)
    text = f"{asked}{where} is outside what the data support ({distance:.1f} times the limit); "
    if limits and _open_distance(network, columns, target) <= FEASIBLE:
        text += "it would be feasible without these limits; "
    return Feasibility("infeasible", distance, nearest, f"{text}{instead}.")


def _nothing(asked: str, limits: str) -> str:
    if limits:
        return (
            f"{asked} cannot be judged: no specimen in the data lies near {limits}. There is no "
            "design, since it would be an extrapolation; widen the limits on the process settings"
        )
    return (
        f"{asked} cannot be judged: no specimen in the data has all these properties; "
        "ask for fewer of them"
    )


def _open_distance(network: Network, columns: Index, target: Array) -> float:
    low, high = design_range(network)
    found = candidates(network, columns, low, high)
    return float(distances(found, target[None])[0])


def design_range(network: Network) -> tuple[Array, Array]:
    """Return the range of the data of every process setting in z-scores, (P,) each."""
    low = np.array([(n.low - n.mean) / n.scale for n in network.process])
    return low, np.array([(n.high - n.mean) / n.scale for n in network.process])


def _phrase(nodes: list[Node], values: Array) -> str:
    parts = [f"{n.label} {v:.4g} {n.unit}".rstrip() for n, v in zip(nodes, values, strict=True)]
    return " with ".join(parts) if len(parts) < 3 else ", ".join(parts)
