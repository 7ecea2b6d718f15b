"""What changes of descriptors go with in the properties, by the network's own joint normal.

Slopes are taken one quantity at a time: cov(property, descriptor) / var(descriptor), over the
regimes of an answer. A regression on all descriptors together would split the change among them,
but they are so strongly correlated that its slopes change sign with the specimens drawn. Slopes one
at a time are stable; what they give overlaps and does not add up, and it is no cause.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayesnet.explain import Change
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.nodes import Node
from core.wording import Estimated

LEAST_VARIANCE = 1e-6  # of z-scores: what hardly varies goes with nothing


def mixture_covariance(network: Network, regimes: Sequence[float]) -> Array:
    """Return the covariance (N, N) of a mixture of the network's regimes, in z-scores.

    The regimes' covariances and that of their means: sum_k w_k (C_k + (m_k - m)(m_k - m)').

    Args:
        network: the network.
        regimes: (K,) weights, 0 or more and not all 0.
    """
    weights = np.asarray(regimes, dtype=float)
    weights = weights / weights.sum()
    means = np.array([mean for mean, _ in network.joints])  # (K, N)
    apart = means - weights @ means
    within = sum(w * cov for w, (_, cov) in zip(weights, network.joints, strict=True))
    return np.asarray(within + (weights[:, None] * apart).T @ apart, dtype=float)


def slopes(
    network: Network, regimes: Sequence[float], columns: Iterable[str], of: Node
) -> dict[str, float]:
    """Return what one unit more of a quantity goes with in another.

    Args:
        network: the network.
        regimes: (K,) weights, such as those of an answer.
        columns: names of the quantities that change.
        of: the property that goes with them.

    Returns:
        Column -> slope, in the property's unit per unit of the column. Columns that are no outcome
        of the network, that hardly vary in these regimes, or that are the property itself are
        left out.
    """
    covariance = mixture_covariance(network, regimes)
    target = network.nodes.index(of)
    found = {}
    for column in columns:
        node = next((n for n in network.outcomes if n.column == column), None)
        if node is None or node == of:
            continue
        place = network.nodes.index(node)
        if (variance := covariance[place, place]) > LEAST_VARIANCE:
            found[column] = float(covariance[target, place] / variance * of.scale / node.scale)
    return found


def weighed(
    changes: Sequence[Change],
    network: Network,
    regimes: Sequence[float],
    properties: Sequence[Node],
) -> tuple[Change, ...]:
    """Say what each change goes with in some properties, and put first what goes with most.

    Most is counted in the properties' spread among the specimens, the largest of each change.
    Changes that the network cannot tell of come last, in the order given.

    Args:
        changes: of descriptors.
        network: knows how descriptors and properties vary together.
        regimes: (K,) weights of its regimes at the design.
        properties: nodes of the network.
    """
    names = [change.name for change in changes]
    tables = {node.column: slopes(network, regimes, names, node) for node in properties}
    scales = {node.column: node.scale for node in properties}

    def told(change: Change) -> Change:
        gap = change.gap
        if gap is None:
            return change
        known = {
            of: table[change.name] * gap for of, table in tables.items() if change.name in table
        }
        return replace(change, goes_with=known)

    def most(change: Change) -> float:
        return max((abs(v) / scales[of] for of, v in change.goes_with.items()), default=-1.0)

    return tuple(sorted(map(told, changes), key=most, reverse=True))


def property_changes(
    network: Network, specimen: str, expected: Mapping[str, Estimated], properties: Sequence[Node]
) -> tuple[Change, ...]:
    """Return properties of a specimen, None where it was not tested, and of the design.

    Args:
        network: with the specimens' properties.
        specimen: its name.
        expected: column -> what the network expects of the design.
        properties: nodes of the network.
    """
    values = [np.nan] * len(properties)
    if specimen in network.specimens:
        row = network.support.properties[network.specimens.index(specimen)]
        values = row[network.outcome_places(properties)]
    return tuple(
        Change(
            node.column,
            node.label,
            node.unit,
            float(value) if np.isfinite(value) else None,
            expected[node.column].value,
        )
        for node, value in zip(properties, values, strict=True)
    )


def carriers(of: Change, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes that go with the change of a property in its direction, most first.

    Where it is not known which way the property changes, all that go with any of it.
    """
    gap = of.gap
    found = [c for c in changes if c.goes_with.get(of.name, 0.0) * (gap or 0.0) > 0]
    if gap is None:
        found = [c for c in changes if c.goes_with.get(of.name)]
    return tuple(sorted(found, key=lambda c: abs(c.goes_with[of.name]), reverse=True))
