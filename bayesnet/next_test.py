"""What to test next: the process settings whose testing would tell most about a target.

A design's process window rests on the surfaces process -> property (`bayesnet.surface`). Where
these are uncertain at the settings that may give the target, a casting made and tested there, or
near, narrows them. For a Gaussian process this needs no outcome: the variance after a test depends
on its settings alone (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, equation
2.26; choosing by it is active learning after Cohn, Ghahramani and Jordan 1996, *JAIR* 4, 129).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from bayesnet.categories import in_corners
from bayesnet.demands import Demand, Limit, Wish
from bayesnet.evidence import Evidence
from bayesnet.gaussian import Array, Index
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.posterior import process_posterior
from bayesnet.query import resolve
from bayesnet.reachable import uses_surface
from bayesnet.support import Support, process_mesh
from bayesnet.surface import JITTER, Surface, kernel, refit
from bayesnet.threads import one_thread
from core.errors import InputError

CANDIDATES, WHERE = 1024, 256  # settings that may be tested; settings that may give the target
DISTINCT = 0.25  # z-scores: proposals at least that far apart, since one casting shows one setting


@dataclass(frozen=True, slots=True)
class NextTest:
    """A casting worth testing.

    Attributes:
        settings: by column, in their units.
        before, after: by property, the surface's standard deviation where the target may be met,
            before and after this test and those proposed before it; in the property's unit, at the
            target.
        specimen: the data's own specimen that it is, "" for one to be made.
    """

    settings: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]
    specimen: str = ""

    @property
    def reduction(self) -> float:
        """Share of the deviation that goes, averaged over the properties; 0 to 1."""
        return float(np.mean([1 - self.after[name] / self.before[name] for name in self.before]))


@one_thread
def propose_tests(
    network: Network,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None = None,
    *,
    count: int = 5,
    seed: int = 0,
    untested: bool = False,
) -> tuple[NextTest, ...]:
    """Propose castings to make and test, or specimens to test, the most telling first.

    Greedy: each is the one that reduces the most, beside those before it, the mean over the target
    properties of the surface's variance, relative to what it is now, averaged over the posterior of
    the settings that give the target.

    Args:
        network: the fitted network.
        targets: as in `bayesnet.query.most_probable`; the nearest feasible ones stand in for
            infeasible ones.
        process: limits, which hold for the proposals too.
        count: how many.
        seed: of the posterior's draws.
        untested: choose among the data's own specimens that lack a test of a target property: their
            micrographs are there, their strengths are not. None of them, no proposals.

    Raises:
        InputError: as `most_probable`; no positive count; or process settings do not predict these
            properties, so that no choice of settings tells more than another.
    """
    if count < 1:
        raise InputError(f"count = {count}: at least one test")
    evidence, _, wanted = resolve(network, targets, process)
    columns = network.outcome_places(wanted)
    if not network.process or not uses_surface(network, columns):
        raise InputError(
            "process settings do not predict these properties here, so nothing says which settings "
            "to test next"
        )
    where = settings_of_the_target(network, wanted, evidence, seed)
    if untested:
        rows = _untested(network.support, columns, evidence)
        mesh, names = network.support.process[rows], [network.specimens[i] for i in rows]
    else:
        mesh = process_mesh(evidence.low, evidence.high, CANDIDATES)
        mesh = in_corners(network.process, mesh, evidence.low, evidence.high)
        names = [""] * len(mesh)
    spaces = [_Space(network.support, int(m), mesh, where) for m in columns]
    start = [space.spread() for space in spaces]
    found: list[NextTest] = []
    allowed = np.ones(len(mesh), dtype=bool)
    while len(found) < count and allowed.any():
        gain = np.mean([s.gain() / b**2 for s, b in zip(spaces, start, strict=True)], axis=0)
        best = int(np.where(allowed, gain, -np.inf).argmax())
        allowed &= np.linalg.norm(mesh - mesh[best], axis=1) >= DISTINCT
        before = [space.spread() for space in spaces]
        for space in spaces:
            space.test(best)
        after = [space.spread() for space in spaces]
        found.append(
            NextTest(
                {
                    n.column: float(np.clip(n.mean + n.scale * v, *bounds))
                    for n, v, bounds in zip(
                        network.process, mesh[best], evidence.bounds, strict=True
                    )
                },
                _in_units(network, wanted, before),
                _in_units(network, wanted, after),
                names[best],
            )
        )
    return tuple(found)


def _untested(support: Support, columns: Index, evidence: Evidence) -> Index:
    """Return the specimens (n,) within the limits that lack one of some properties."""
    lacking = ~np.isfinite(support.properties[:, columns]).all(axis=1)
    inside = (support.process >= evidence.low) & (support.process <= evidence.high)
    return np.flatnonzero(lacking & inside.all(axis=1))


def settings_of_the_target(
    network: Network, wanted: dict[Node, Demand], evidence: Evidence, seed: int
) -> Array:
    """Draw settings (WHERE, P), z-scores, from the posterior given the target."""
    posterior = process_posterior(network, wanted, evidence, seed=seed)
    flat = posterior.settings.reshape(-1, len(network.process))
    weights = np.exp(posterior.log_weights).ravel()
    steps = (np.arange(WHERE) + 0.5) / WHERE  # systematic resampling
    return flat[np.searchsorted(np.cumsum(weights) / weights.sum(), steps).clip(max=len(flat) - 1)]


def _in_units(
    network: Network, wanted: dict[Node, Demand], spreads: list[float]
) -> dict[str, float]:
    """Turn the surfaces' deviations into the properties' units, at the target."""
    result = {}
    for node, spread in zip(wanted, spreads, strict=True):
        surface = network.support.surfaces[network.outcomes.index(node)]
        demand = wanted[node]
        at = float(np.mean([e for e in (demand.low, demand.high) if np.isfinite(e)]))
        result[node.column] = spread * abs(at) if surface.log else spread
    return result


class _Space:
    """One surface's covariance between candidates (C) and the settings of the target (W)."""

    def __init__(self, support: Support, m: int, mesh: Array, where: Array) -> None:
        self.surface: Surface = support.surfaces[m]
        known = support.process[np.isfinite(support.properties[:, m])]
        lengths, constant = self.surface.lengths, self.surface.constant
        gram = kernel(known, known, lengths, constant)
        factor = np.linalg.cholesky(gram + (self.surface.noise + JITTER) * np.eye(len(gram)))

        def explained(points: Array) -> Array:
            cross = kernel(known, points, lengths, constant)
            return np.asarray(solve_triangular(factor, cross, lower=True), dtype=np.float64)

        at_mesh, at_where = explained(mesh), explained(where)
        self.cross = kernel(mesh, where, lengths, constant) - at_mesh.T @ at_where  # (C, W)
        self.own = kernel(mesh, mesh, lengths, constant) - at_mesh.T @ at_mesh  # (C, C)
        self.variance = constant - (at_where**2).sum(axis=0)  # (W,)

    def spread(self) -> float:
        """Root mean variance where the target may be met, in the unit of `Surface.sd`."""
        return self.surface.scale * float(np.sqrt(np.maximum(self.variance, JITTER).mean()))

    def gain(self) -> Array:
        """Mean variance that a test of each candidate takes away (C,), in squares of that unit."""
        denominator = np.maximum(np.diag(self.own), 0.0) + self.surface.noise + JITTER
        result: Array = self.surface.scale**2 * (self.cross**2).mean(axis=1) / denominator
        return result

    def test(self, i: int) -> None:
        """Condition on a test of candidate i, whatever it gives."""
        denominator = max(self.own[i, i], 0.0) + self.surface.noise + JITTER
        self.variance = self.variance - self.cross[i] ** 2 / denominator
        column, row = self.own[:, i].copy(), self.cross[i].copy()
        self.cross = self.cross - np.outer(column, row) / denominator
        self.own = self.own - np.outer(column, column) / denominator


def with_tests(network: Network, settings: Array, properties: Array) -> Network:
    """Return the network with more tested specimens behind its surfaces, their kernels kept.

    Args:
        network: fitted on specimens with latents.
        settings: (n, P) in their units; properties: (n, M) in their units, NaN where unknown.
            Descriptors are not known of them.

    Returns:
        A network whose verdicts and recommended settings know of them; its regimes do not.
    """
    support = network.support
    mean, scale = np.array([[n.mean, n.scale] for n in network.process]).T
    process = np.vstack([support.process, (settings - mean) / scale])
    unknown = np.full((len(settings), len(network.descriptors)), np.nan)
    values = np.vstack([support.properties, np.hstack([unknown, properties])])
    surfaces = tuple(refit(s, process, values[:, m]) for m, s in enumerate(support.surfaces))
    blank = np.zeros((len(settings), support.scores.shape[1]))
    scores = np.vstack([support.scores, blank])
    return replace(
        network,
        support=replace(
            support, process=process, properties=values, scores=scores, surfaces=surfaces
        ),
    )
