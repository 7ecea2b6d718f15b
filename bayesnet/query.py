"""Ask the network: from target properties and process limits to latents, process and verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayesnet.belief import Belief
from bayesnet.demands import Demand, Limit, Wish
from bayesnet.evidence import Evidence, check_evidence
from bayesnet.feasibility import Feasibility, assess, settle
from bayesnet.gaussian import Array, Index, condition
from bayesnet.inference import Beliefs, posterior
from bayesnet.intervals import spread
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.on_target import on_target
from bayesnet.posterior import Mode, Posterior, latents_given, process_posterior
from bayesnet.threads import one_thread
from core.errors import InputError

__all__ = [
    "Answer",
    "Belief",
    "Beliefs",
    "Estimate",
    "judge",
    "most_probable",
    "posterior",
    "predict_back",
    "sample_latents",
]

POOL = 40  # draws for each sample returned


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 90 % interval, in the column's unit; None with fewer than nine specimens."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network answers to a target.

    Attributes:
        latents: (D,) most probable specimen-mean latents; inactive ones at their mean in the data.
        process: recommended settings, inside the range of the data and the limits.
        properties: what the network predicts back from ``latents``, descriptors too.
        regimes: (K,) posterior regime weights.
        feasibility: the verdict on the target that was asked for.
        conditioned_on: the targets behind latents and process: those asked for, or the nearest
            feasible ones when the verdict is "infeasible".
    """

    latents: Array
    process: dict[str, Estimate]
    properties: dict[str, Estimate]
    regimes: tuple[float, ...]
    feasibility: Feasibility
    conditioned_on: dict[str, Wish]


@one_thread
def judge(
    network: Network,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None = None,
) -> Feasibility:
    """Return the verdict on a target alone; arguments and errors as `most_probable`."""
    return resolve(network, targets, process)[1]


def resolve(
    network: Network, targets: Mapping[str, Wish], process: Mapping[str, Limit] | None
) -> tuple[Evidence, Feasibility, dict[Node, Demand]]:
    """Check the query, judge it, and choose the targets to condition on (settled demands)."""
    evidence = check_evidence(network, targets, process)
    wanted = settle(network, evidence.targets, evidence.low, evidence.high)
    feasibility = assess(network, wanted, evidence.low, evidence.high, evidence.words)
    if feasibility.verdict == "infeasible" and feasibility.nearest is not None:
        wanted = {node: d.at(feasibility.nearest[node.column]) for node, d in wanted.items()}
    return evidence, feasibility, wanted


@one_thread
def most_probable(
    network: Network,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None = None,
    *,
    mode: Mode = "design",
) -> Answer:
    """Return the most probable latents and settings for target properties.

    The regime with the largest posterior weight is taken, and in it the posterior mean, which is
    the mode of a Gaussian, moved to where the surfaces meet the target (`bayesnet.on_target`).
    (Weighting by the height of the density instead would always favour the tightest regime,
    because in dozens of dimensions heights differ by many orders of magnitude.)
    Intervals are over all regimes. An infeasible target is answered with the verdict, and with the
    design for the nearest feasible target, so that nothing is extrapolated.

    Args:
        network: the fitted network.
        targets: properties and descriptors by column name, in their units; at least one. Each a
            value, a range (low, high) with None for an open end, "highest" or "lowest".
        process: settings by column name, each a value, or (low, high) with None for open ends.
        mode: see `process_posterior`.

    Raises:
        InputError: unknown names, values that are not finite numbers, contradictory limits, or
            limits outside the range of the data or away from all of its specimens.

    Example:
        >>> most_probable(network, {"uts_mpa": 430, "ys_mpa": 280}, {"mg_wt": (0.03, None)})
        ... # doctest: +SKIP
    """
    evidence, feasibility, wanted = resolve(network, targets, process)
    everything = process_posterior(network, wanted, evidence, mode=mode)
    found = everything.likeliest()
    best = int(found.regimes.argmax())
    weights = np.exp(found.log_weights[best] - logsumexp(found.log_weights[best]))
    settings = weights @ found.settings[best]  # (P,), inside the limits: a box is convex
    if mode == "design":
        settings = on_target(network, wanted, evidence, found.settings[best], weights)
    middle = weights @ found.targets[best]  # (T,), inside the ranges asked for
    scores = latents_given(network, found, best, middle[None], settings[None])[0]
    return Answer(
        latents=network.full_latents(scores),
        process=_recommend(network, evidence, everything, settings, mode),
        properties=predict_back(network, scores, best),
        regimes=tuple(float(w) for w in everything.regimes),
        feasibility=feasibility,
        conditioned_on={node.column: demand.plain() for node, demand in wanted.items()},
    )


def _recommend(
    network: Network, evidence: Evidence, found: Posterior, settings: Array, mode: Mode
) -> dict[str, Estimate]:
    """Return the settings (P,), z-scores, in their units with their intervals.

    Of settings in words the probability of each word is given, without an interval; the others are
    those that go with the most probable words.

    In a design these are widened as left-out specimens ask for (`bayesnet.intervals`), and left
    out where there were too few of them.
    """
    factors = [network.calibration["process"][n.column]["widening_90"] for n in network.process]
    if mode == "posterior":
        factors = [1.0] * len(factors)
    wide = np.array([1.0 if f is None else f for f in factors])
    ends = np.stack(spread(found.likeliest()).widened(wide), axis=1)
    weights = np.exp(found.log_weights)
    recommended = {}
    for i, node in enumerate(network.process):
        bounds = evidence.bounds[i]
        if node.group:
            holds = node.mean + node.scale * float((weights * found.settings[..., i]).sum())
            held = round(
                float(np.clip(holds, *bounds)), 6
            )  # rounding leaves 1e-14 where 0 is meant
            recommended[node.column] = Estimate(held, None, None)
            continue
        value = float(np.clip(node.mean + node.scale * settings[i], *bounds))
        low, high = (float(np.clip(v, *bounds)) for v in node.mean + node.scale * ends[i])
        known = factors[i] is not None
        recommended[node.column] = Estimate(
            value, min(low, value) if known else None, max(high, value) if known else None
        )
    return recommended


def predict_back(network: Network, scores: Array, regime: int) -> dict[str, Estimate]:
    """Return every descriptor and property given latent z-scores (A,) in one regime.

    The half width is that of the left-out specimens (split conformal); None below nine specimens.
    """
    mean, cov = network.joints[regime]
    latents = network.positions("latent")
    rest, expected, _ = condition(mean, cov, latents, scores)
    place = {network.nodes[i].column: e for i, e in zip(rest, expected, strict=True)}
    result = {}
    for node in network.outcomes:
        value = node.mean + node.scale * float(place[node.column])
        kind = "properties" if node.role == "property" else "descriptors"
        half = network.calibration[kind][node.column]["half_width_90"]
        ends = (None, None) if half is None else (value - half, value + half)
        result[node.column] = Estimate(value, *ends)
    return result


@one_thread
def sample_latents(
    network: Network,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit] | None,
    n: int,
    seed: int,
    accept: Callable[[Array], NDArray[np.bool_]] | None = None,
) -> Array:
    """Draw different specimens that have the targets: posterior samples of specimen-mean latents.

    Forty times as many are drawn from the whole mixture, the tenth furthest from their regime's
    posterior mean is dropped, and n are picked so that each is as far as possible from those picked
    before (farthest point first), starting with the draw of median distance from the mean of all.

    Args:
        network: the fitted network.
        targets: as in `most_probable`; the nearest feasible ones stand in for infeasible ones.
        process: as in `most_probable`.
        n: number of samples.
        seed: of all draws; the same seed gives the same samples.
        accept: says which draws (m, D) may be returned, such as those from which other models
            predict the targets too; unless it leaves fewer than n.

    Returns:
        (n, D) latents; inactive ones at their mean in the data.

    Raises:
        InputError: as `most_probable`, or n is not positive.
    """
    if n < 1:
        raise InputError(f"n = {n}: at least one sample")
    evidence, _, wanted = resolve(network, targets, process)
    found = process_posterior(network, wanted, evidence, seed=seed)
    rng = np.random.default_rng(seed)
    count = max(POOL * n, 400)
    flat = np.exp(found.log_weights).ravel()
    chosen = rng.choice(flat.size, size=count, p=flat / flat.sum())
    regime, row = np.divmod(chosen, found.log_weights.shape[1])
    latents = network.positions("latent")
    draws, unlikely = np.empty((count, latents.size)), np.empty(count)
    for k in np.unique(regime):
        at = np.flatnonzero(regime == k)
        at_targets, at_settings = found.targets[k, row[at]], found.settings[k, row[at]]
        centre = latents_given(network, found, int(k), at_targets, at_settings)
        mean, cov = found.joints[k]
        rest, _, spread = condition(mean, cov, found.given, mean[found.given])
        keep = np.searchsorted(rest, latents)
        factor = np.linalg.cholesky(spread[np.ix_(keep, keep)])
        noise = rng.standard_normal((at.size, latents.size))
        draws[at], unlikely[at] = centre + noise @ factor.T, (noise**2).sum(axis=1)
    draws = draws[unlikely <= np.quantile(unlikely, 0.9)]
    if accept is not None:
        accepted = accept(network.full_latents(draws))
        draws = draws[accepted] if accepted.sum() >= n else draws
    return network.full_latents(draws[_spread_out(draws, n)])


def _spread_out(points: Array, n: int) -> Index:
    """Pick n rows far from each other, greedily, from a row of median distance to the centre."""
    radius = np.linalg.norm(points - points.mean(axis=0), axis=1)
    picked = [int(np.argsort(radius)[len(radius) // 2])]
    gap = np.linalg.norm(points - points[picked[0]], axis=1)
    while len(picked) < n:
        picked.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(points - points[picked[-1]], axis=1))
    return np.array(picked)
