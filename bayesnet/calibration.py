"""How wide the network's intervals must be: left-out figures, and factors for posteriors.

The network's own 90 % intervals come from its normals: regimes are straight where the truth bends
(too narrow where a setting is inferred), and spreads hold the error of the fit besides the scatter
of castings, and are shrunk together (too wide where a property is predicted). For specimens that
the network has not seen its posterior is asked, as a user would, and the factor is kept by which
the interval must be stretched or shrunk for 90 % of the specimens to lie in it (split conformal).

Specimens new to both network and encoder are asked where there are enough of them. Left-out
specimens of the training set are new to the network alone, which matters where latents are the
evidence; and they stand where somebody has chosen settings, often on a grid, while a user asks for
what lies between.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesnet.belief import Belief
from bayesnet.gaussian import Array, Index
from bayesnet.inference import posterior
from bayesnet.intervals import left_out_widening, without
from bayesnet.levels import Levels
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.selection import HeldOut, coverage
from bayesnet.stretch import Direction, explained
from core.conformal import conformal_half_width
from core.encode import LatentTable
from core.errors import InputError

MOST_SPECIMENS = 120  # asked for in each direction; more say hardly more
DIRECTIONS: tuple[Direction, ...] = ("process", "latent", "outcome")


def left_out_figures(
    levels: Levels,
    held_out: HeldOut,
    folds: Index,
    network: Network,
    unseen: LatentTable | None = None,
) -> dict[str, Any]:
    """Return what `Network.calibration` holds, by column; columns without labels are left out.

    Args:
        levels: the specimens fitted to.
        held_out: what they say left out; folds: (S,) of each.
        network: fitted to all.
        unseen: specimens that neither network nor encoder has learned.
    """
    result: dict[str, Any] = {"folds": int(folds.max()) + 1}
    result["process"] = left_out_widening(network, held_out.mixtures, folds)
    covered = coverage(held_out.ranks)
    for i, node in enumerate(network.process):
        entry = result["process"][node.column]
        if np.isfinite(held_out.ranks[:, i]).any():
            entry["coverage_90_given_properties"] = float(covered[i])
        for name in ("process_given_properties", "process_given_outcomes"):
            residual = getattr(held_out, name)[:, i]
            if np.isfinite(residual).any():
                entry[f"rms_{name.removeprefix('process_')}"] = _rms(residual) * node.scale
    places = {"descriptors": network.descriptors, "properties": network.properties}
    for kind, nodes in places.items():
        result[kind] = {n.column: _outcome(held_out, network, n) for n in nodes}
    asked = _left_out(levels, held_out, folds, network)
    new = [] if unseen is None else _unseen(network, unseen)
    result["posterior"] = _factors(
        network, new, asked, None if unseen is None else unseen.data_name
    )
    return result


def _rms(values: Array) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def _outcome(held_out: HeldOut, network: Network, node: Node) -> dict[str, Any]:
    """Return the left-out errors of one descriptor or property, in its unit."""
    at = network.outcomes.index(node)
    left = held_out.given_latents[:, at]
    left = np.abs(left[np.isfinite(left)]) * node.scale
    entry = {
        "specimens": int(left.size),
        "rms_given_latents": float(np.sqrt((left**2).mean())),
        "half_width_90": conformal_half_width(left),  # None with fewer than nine specimens
    }
    if network.process:
        entry["rms_given_process"] = _rms(held_out.given_process[:, at]) * node.scale
    if network.descriptors and node.role == "property":
        both = held_out.given_both[:, at - len(network.descriptors)]
        entry["rms_given_latents_and_descriptors"] = _rms(both) * node.scale
    return entry


class _Asked:
    """One specimen's truth by column, and a network that has not seen it."""

    def __init__(self, network: Network, truth: Mapping[str, float]) -> None:
        self.network, self.truth = network, truth

    def of(self, nodes: Sequence[Node]) -> dict[str, float]:
        """Return what is known of some nodes."""
        return {n.column: self.truth[n.column] for n in nodes if n.column in self.truth}

    def ask(self, direction: Direction) -> list[Belief]:
        """Return the posterior of what a direction is about; empty where it cannot be asked."""
        network = self.network
        given = {
            "process": network.process,
            "latent": network.latents,
            "outcome": network.properties,
        }[direction]
        evidence = self.of(given)
        about = (*network.process, *network.outcomes)
        if direction != "latent":
            about = network.outcomes if direction == "process" else network.process
        about = tuple(n for n in about if not n.group)  # a word has a probability, no interval
        if not evidence or (direction == "process" and len(evidence) < len(given)):
            return []
        try:
            names = {n.column for n in about}
            found = posterior(network, evidence, stretched=False, about=names)
        except InputError:  # held for impossible: no interval
            return []
        return [found.nodes[n.column] for n in about if n.column in self.truth]


def _left_out(levels: Levels, held_out: HeldOut, folds: Index, network: Network) -> list[_Asked]:
    """Return specimens left out of the network, each with the network of its fold."""
    asked = []
    values = np.hstack([levels.process, levels.latents, levels.outcomes])
    step = max(-(-len(values) // MOST_SPECIMENS), 1)
    for fold, mixture in held_out.mixtures.items():
        blind = without(network, mixture, np.flatnonzero(folds != fold))
        for row in np.flatnonzero(folds == fold)[::step]:
            asked.append(_Asked(blind, _truth(network, values[row])))
    return asked


def _truth(network: Network, scores: Array) -> dict[str, float]:
    return {
        n.column: float(n.mean + n.scale * v)
        for n, v in zip(network.nodes, scores, strict=True)
        if np.isfinite(v)
    }


def _unseen(network: Network, unseen: LatentTable) -> list[_Asked]:
    """Return specimens that are new to encoder and network, those outside its settings left out."""
    owner = np.asarray(unseen.specimen).astype(str)
    frame = unseen.specimens.copy()
    frame.index = frame.index.astype(str)
    labels = [n for n in (*network.process, *network.properties) if n.column in frame]
    asked = []
    for name in sorted(set(owner) & set(frame.index)):
        mean = np.asarray(unseen.mu[owner == name], dtype=float).mean(axis=0)
        truth = {n.column: float(mean[n.index]) for n in network.latents}
        truth |= {n.column: float(frame.loc[name, n.column]) for n in labels}
        truth = {k: v for k, v in truth.items() if np.isfinite(v)}
        if all(n.low <= truth.get(n.column, n.low) <= n.high for n in network.process):
            asked.append(_Asked(network, truth))
    return asked[:: max(-(-len(asked) // MOST_SPECIMENS), 1)]


def _factors(
    network: Network, new: list[_Asked], left: list[_Asked], name: str | None
) -> dict[str, Any]:
    """Return the factors by direction and column.

    Each is from new specimens if enough of them have the value, else from those left out.
    """
    result: dict[str, Any] = {}
    for direction in DIRECTIONS:
        by_source = {"unseen": _needed(new, direction), "left out": _needed(left, direction)}
        columns: dict[str, Any] = {}
        for column in {c for found in by_source.values() for c in found}:
            for source, found in by_source.items():
                scores = np.array(found.get(column, ())).reshape(-1, 2)
                factor = conformal_half_width(scores[:, 0])
                if factor is not None and np.isfinite(factor):
                    columns[column] = {
                        "factor": float(factor),
                        "explained": float(np.median(scores[:, 1])),
                        "coverage_90_before": float((scores[:, 0] <= 1).mean()),
                        "specimens": len(scores),
                        "from": f"{source} ({name})" if source == "unseen" else source,
                    }
                    break
        result[direction] = dict(sorted(columns.items()))
    return result


def _needed(asked: list[_Asked], direction: Direction) -> dict[str, list[tuple[float, float]]]:
    """Return, by column, the factor each specimen needs and the share explained of its value."""
    result: dict[str, list[tuple[float, float]]] = {}
    for one in asked:
        for belief in one.ask(direction):
            gap = one.truth[belief.node.column] - belief.mean
            half = belief.high - belief.mean if gap > 0 else belief.mean - belief.low
            pair = abs(gap) / max(half, 1e-9 * belief.node.scale), explained(belief)
            result.setdefault(belief.node.column, []).append(pair)
    return result
