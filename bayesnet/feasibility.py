"""Say whether a target is within what the data support, and what the nearest feasible one is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.support import (
    MIN_R2,
    interpolations,
    near_data,
    predict_surface,
    process_mesh,
    transform,
)

FEASIBLE, LIMIT = 0.85, 1.0  # distances: 2.55 and 3 left-out standard deviations
TOLERANCE = 0.05  # of the design range, for limits met by interpolation between specimens


@dataclass(frozen=True, slots=True)
class Feasibility:
    """The verdict on a target.

    Attributes:
        verdict: "feasible" up to distance 0.85, "borderline" up to 1, "infeasible" beyond.
        distance: from the target to the nearest values that the data support, in left-out standard
            deviations over three: 1 is the limit of what the data support. Infinite when nothing in
            the data satisfies the process limits.
        nearest: for a target that is not feasible, the supported values nearest in relative terms.
        message: a sentence with values and units.
    """

    verdict: Literal["feasible", "borderline", "infeasible"]
    distance: float
    nearest: dict[str, float] | None
    message: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """Reachable property values (n, T), raw, with the left-out deviation of each property."""

    values: Array
    deviations: Array  # (T,) relative where log
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
        mesh = process_mesh(low, high)
        mesh = mesh[near_data(support, mesh)]
        surfaces = [support.surfaces[m] for m in columns]
        values = [predict_surface(s, support.process, mesh) for s in surfaces]
        values = [np.exp(v) if s.log else v for s, v in zip(surfaces, values, strict=True)]
        return Candidates(
            np.stack(values, axis=1),
            np.array([s.sd for s in surfaces]),
            tuple(s.log for s in surfaces),
        )
    values_, settings = interpolations(support, columns)
    margin = TOLERANCE * np.array([(n.high - n.low) / n.scale for n in network.process])
    inside = ((settings >= low - margin) & (settings <= high + margin)).all(axis=1)
    known = support.properties[:, columns]
    log = tuple(bool((known[np.isfinite(known[:, i]), i] > 0).all()) for i in range(len(columns)))
    return Candidates(values_[inside], support.spread[columns], log)


def distances(found: Candidates, targets: Array) -> Array:
    """Return for each target (n, T) its distance to the candidates in standard deviations."""
    if len(found.values) == 0:
        return np.full(len(targets), np.inf)

    def scaled(values: Array) -> Array:
        columns = [transform(values[:, i], log) for i, log in enumerate(found.log)]
        return np.stack(columns, axis=1) / found.deviations

    result: Array = cKDTree(scaled(found.values)).query(scaled(targets))[0]
    return result


def assess(
    network: Network, targets: dict[Node, float], low: Array, high: Array, limits: str
) -> Feasibility:
    """Judge a target under process limits (z-scores); ``limits`` says them in words."""
    names = {node: i for i, node in enumerate(network.properties)}
    columns = np.array([names[node] for node in targets], dtype=int)
    target = np.array(list(targets.values()))
    found = candidates(network, columns, low, high)
    distance = float(distances(found, target[None])[0]) / network.support.limit
    asked = _phrase(list(targets), target)
    where = f" with {limits}" if limits else ""
    if distance <= FEASIBLE:
        return Feasibility("feasible", distance, None, f"{asked}{where} is within the data.")
    if not np.isfinite(distance):
        text = f"{asked} cannot be judged: no specimen in the data lies near {limits or 'it'}."
        return Feasibility("infeasible", distance, None, text)
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


def _open_distance(network: Network, columns: Index, target: Array) -> float:
    low, high = design_range(network)
    found = candidates(network, columns, low, high)
    return float(distances(found, target[None])[0]) / network.support.limit


def design_range(network: Network) -> tuple[Array, Array]:
    """Return the range of the data of every process setting in z-scores, (P,) each."""
    low = np.array([(n.low - n.mean) / n.scale for n in network.process])
    return low, np.array([(n.high - n.mean) / n.scale for n in network.process])


def _phrase(nodes: list[Node], values: Array) -> str:
    parts = [f"{n.label} {v:.4g} {n.unit}".rstrip() for n, v in zip(nodes, values, strict=True)]
    return " with ".join(parts) if len(parts) < 3 else ", ".join(parts)
