"""Say whether a target is within what the data support, and what the nearest feasible one is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bayesnet.categories import groups, label_of
from bayesnet.demands import Demand, with_unit
from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.reachable import Candidates, candidates, design_range, distance_to, gaps
from core.errors import InputError

FEASIBLE, LIMIT = 0.85, 1.0  # distances; 1 is where support ends


@dataclass(frozen=True, slots=True)
class Feasibility:
    """The verdict on a target.

    Attributes:
        verdict: "feasible" up to distance 0.85, "borderline" up to 1, "infeasible" beyond.
        distance: from the target to the nearest values that the data support, over the limit: 1
            is where support ends.
        nearest: for a target that is not feasible, the supported values nearest in relative terms.
        message: a sentence with values and units.
        ways_out: for an infeasible target with several properties, what each would have to be if
            it alone gave way: name -> (low, high) of what the data support beside the others.
            A property whose giving way would not help is left out.
    """

    verdict: Literal["feasible", "borderline", "infeasible"]
    distance: float
    nearest: dict[str, float] | None
    message: str
    ways_out: dict[str, tuple[float, float]] = field(default_factory=dict)


def settle(
    network: Network, targets: dict[Node, Demand], low: Array, high: Array
) -> dict[Node, Demand]:
    """Say how high "as high as possible" is: the best that the data support beside the rest.

    Several extremes are weighed by the scatter of the data: the candidate with the largest sum of
    z-scores, each with its sign, is taken, among those that meet the other demands.

    Args:
        network: the fitted network.
        targets: what is asked.
        low, high: (P,) process limits in z-scores.

    Returns:
        The targets, every extreme with its value; unsettled where the data hold nothing at all.
    """
    if not any(demand.open for demand in targets.values()):
        return targets
    found = candidates(network, _columns(network, targets), low, high)
    if len(found.values) == 0:
        return targets
    distance = np.linalg.norm(gaps(found, list(targets.values())), axis=1)
    keep = distance <= max(FEASIBLE, float(distance.min()) + 1e-9)
    signs = np.array([d.extreme if d.open else 0 for d in targets.values()])
    gain = found.values[keep] @ (signs / [node.scale for node in targets])
    best = found.values[keep][int(gain.argmax())]
    return {
        node: demand.at(float(value)) if demand.open else demand
        for (node, demand), value in zip(targets.items(), best, strict=True)
    }


def assess(
    network: Network, targets: dict[Node, Demand], low: Array, high: Array, limits: str
) -> Feasibility:
    """Judge settled targets under process limits (z-scores); ``limits`` says them in words.

    Raises:
        InputError: the data hold nothing within the limits, so neither a verdict nor a design
            could rest on them.
    """
    columns, demands = _columns(network, targets), list(targets.values())
    found = candidates(network, columns, low, high)
    asked = _joined([demand.words(node) for node, demand in targets.items()])
    if len(found.values) == 0:
        raise InputError(_nothing(asked, limits))
    distance = distance_to(found, demands)
    where = f" with {limits}" if limits else ""
    if distance <= FEASIBLE:
        return Feasibility("feasible", distance, None, f"{asked}{where} is within the data.")
    best = _nearest(found, demands)
    nearest = {node.column: float(v) for node, v in zip(targets, best, strict=True)}
    said = _joined([f"{n.label} {with_unit(v, n)}" for n, v in zip(targets, best, strict=True)])
    instead = f"the nearest feasible target is {said}"
    ways = _ways_out(found, targets)
    if distance <= LIMIT:
        text = f"{asked}{where} is at the edge of what the data support; {instead}."
        return Feasibility("borderline", distance, nearest, text, ways)
    text = f"{asked}{where} is outside what the data support ({distance:.1f} times the limit); "
    everywhere = candidates(network, columns, *design_range(network))
    if limits and distance_to(everywhere, demands) <= FEASIBLE:
        alone = _limits_that_give(network, columns, demands, low, high)
        without = f"the limit on {' or that on '.join(alone)}" if alone else "these limits"
        text += f"it would be feasible without {without}; "
    return Feasibility("infeasible", distance, nearest, f"{text}{instead}.", ways)


def _nearest(found: Candidates, demands: Sequence[Demand]) -> Array:
    """Return the values (T,) of the candidate nearest to what is asked, in relative terms."""
    relative = [d.outside(found.values[:, i]) / d.size for i, d in enumerate(demands)]
    best: Array = found.values[(np.array(relative) ** 2).sum(axis=0).argmin()]
    return best


def _ways_out(found: Candidates, targets: dict[Node, Demand]) -> dict[str, tuple[float, float]]:
    """Return what each property could be if it alone gave way; see `Feasibility.ways_out`."""
    if len(targets) < 2:
        return {}
    gap = gaps(found, list(targets.values()))
    result = {}
    for i, node in enumerate(targets):
        others = np.linalg.norm(np.delete(gap, i, axis=1), axis=1) <= FEASIBLE
        if others.any():
            values = found.values[others, i]
            result[node.column] = float(values.min()), float(values.max())
    return result


def _columns(network: Network, targets: dict[Node, Demand]) -> Index:
    """Positions (T,) of the targets among the outcomes."""
    return network.outcome_places(targets)


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


def _limits_that_give(
    network: Network, columns: Index, demands: Sequence[Demand], low: Array, high: Array
) -> list[str]:
    """Return the settings, in words, of which each alone makes a target feasible if not limited."""
    open_low, open_high = design_range(network)
    settings = {node.label: [i] for i, node in enumerate(network.process) if not node.group}
    settings |= {label_of(network.process[at[0]]): at for at in groups(network.process).values()}
    found = []
    for label, at in settings.items():
        if ((low[at] <= open_low[at]) & (high[at] >= open_high[at])).all():
            continue
        free_low, free_high = low.copy(), high.copy()
        free_low[at], free_high[at] = open_low[at], open_high[at]
        if distance_to(candidates(network, columns, free_low, free_high), demands) <= FEASIBLE:
            found.append(label)
    return found


def _joined(parts: Sequence[str]) -> str:
    return " with ".join(parts) if len(parts) < 3 else ", ".join(parts)
