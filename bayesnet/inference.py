"""Ask the network in any direction: any nodes as evidence, the posterior of all the others.

Values are conditioned on exactly, regime by regime. Ranges truncate the normal of each regime; the
truncated part is integrated with weighted quasi-random samples (`bayesnet.gaussian.sample_in_box`,
importance sampling by sequential truncation), and the rest follows from them exactly. Regimes are
weighted by the probability of the evidence, and intervals are quantiles of the whole mixture.

The network's own uncertainty shows in the answers as far as its conditionals hold it: outcomes
given latents have the spread of left-out residuals, latents given process the spread of residuals
corrected for the slopes fitted, both shrunk (`bayesnet.regimes`). What is still too wide or too
narrow is stretched by factors from specimens that the network has not seen. Designs do not use
these plain posteriors but take targets as expected values and settings from the surface
(`bayesnet.query`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, ndtr
from scipy.stats import qmc

from bayesnet.belief import Belief
from bayesnet.box import Box, evidence_box, plausibility
from bayesnet.categories import HOLDS, other_words
from bayesnet.demands import Demand, Wish
from bayesnet.evidence import demand_on, process_limits
from bayesnet.gaussian import Array, Index, condition, log_density, sample_in_box
from bayesnet.network import Network
from bayesnet.quantiles import mixture_summary, sample_summary
from bayesnet.stretch import as_wide_as_needed
from bayesnet.threads import one_thread
from core.errors import InputError

DRAWS, MOST_DRAWS = 512, 8192  # a regime, powers of two
MIN_EFFECTIVE = 200.0  # draws, of all regimes together
IMPOSSIBLE = 1e-9  # plausibility below which there is no answer
UNUSUAL = 0.01
TAILS = (0.05, 0.95)
EXTREME = 0.9  # "highest" is above this quantile of what the other evidence leaves


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Answer of `posterior`.

    Attributes:
        nodes: by column name, every node, those with evidence too.
        regimes: (K,) posterior regime weights.
        plausibility: 0 to 1, the share of data that the network expects to be further out than the
            evidence (chi-square of its Mahalanobis distance in the likeliest regime).
        effective: effective number of draws; infinite where the answer is exact.
    """

    nodes: dict[str, Belief]
    regimes: tuple[float, ...]
    plausibility: float
    effective: float

    @property
    def unusual(self) -> bool:
        """Whether hardly any of the data is like the evidence."""
        return self.plausibility < UNUSUAL


@one_thread
def posterior(
    network: Network,
    evidence: Mapping[str, Wish],
    *,
    inside_data: bool = True,
    stretched: bool | None = None,
    about: Collection[str] | None = None,
    seed: int = 0,
) -> Beliefs:
    """Return the posterior of every node given evidence on any of them.

    Args:
        network: the fitted network.
        evidence: by column name (``z17`` for a latent), in its unit: a value; (low, high) with None
            for an open end; "highest" or "lowest", which means beyond the quantile 0.9 (0.1) of
            what the other evidence leaves of it. Empty: the prior.
        inside_data: keep process settings without evidence inside the range of the data, as
            designs do. Without it, and with values only, the answer is exact.
        stretched: make the intervals as wide as left-out specimens say (`bayesnet.stretch`); as
            ``inside_data`` where None.
        about: columns to answer for, which saves time; evidence is answered for too. None: all.
        seed: of the quasi-random points.

    Raises:
        InputError: unknown names, numbers that are not finite, contradictory limits, settings
            outside the range of the data, or evidence that the network holds for impossible.

    Example:
        >>> posterior(network, {"mg_wt": 0.04, "ys_mpa": (250, None)})  # doctest: +SKIP
    """
    demands = _read(network, evidence)
    open_ones = {i: d for i, d in demands.items() if d.open}
    if open_ones:
        plain = {i: d for i, d in demands.items() if not d.open}
        rest = _answer(network, plain, inside_data, seed, (1 - EXTREME, EXTREME))
        for i, demand in open_ones.items():
            node = network.nodes[i]
            found = rest.nodes[node.column]
            edge, end = (found.high, np.inf) if demand.extreme > 0 else (found.low, -np.inf)
            if node.role == "process":
                end = float(np.clip(end, node.low, node.high))
            low, high = sorted((edge, end))
            demands[i] = Demand(low, high, demand.extreme)
    beliefs = _answer(network, demands, inside_data, seed, TAILS, about)
    if stretched or (stretched is None and inside_data):
        return replace(beliefs, nodes=as_wide_as_needed(network, beliefs.nodes, inside_data))
    return beliefs


def _read(network: Network, evidence: Mapping[str, Wish]) -> dict[int, Demand]:
    """Check evidence and return it by position among the nodes."""
    places = {n.column: i for i, n in enumerate(network.nodes)}
    result = {}
    for name, wish in evidence.items():
        if name not in places:
            known = [n.column for n in network.nodes if n.role != "latent"]
            raise InputError(
                f"unknown quantity {name!r}; the network has {sorted(known)} and the latents "
                f"{network.latents[0].node} to {network.latents[-1].node}"
            )
        node = network.nodes[places[name]]
        demand = demand_on(node, wish)
        if node.role == "process" and not demand.extreme:
            low, high, _ = process_limits(wish, node)
            demand = Demand(low, high)
        result[places[name]] = demand
    holding = {i for i, d in result.items() if network.nodes[i].group and d.low >= HOLDS}
    for i in other_words(network.nodes, holding):
        if i in result and result[i].low > 0:
            raise InputError(f"{network.nodes[i].label}: another word of it is said to hold")
        result[i] = Demand(0.0, 0.0)
    return result


def _answer(
    network: Network,
    demands: Mapping[int, Demand],
    inside_data: bool,
    seed: int,
    tails: tuple[float, float],
    about: Collection[str] | None = None,
) -> Beliefs:
    likely = plausibility(network, evidence_box(network, demands, inside_data=False))
    if likely < IMPOSSIBLE:
        said = ", ".join(d.words(network.nodes[i]) for i, d in demands.items())
        raise InputError(
            f"the network holds this for impossible: {said}. Such a specimen lies far outside the "
            "data, or its parts contradict each other; loosen or leave out some of it"
        )
    box = evidence_box(network, demands, inside_data)
    draws = 1 if box.fixed.all() else DRAWS
    while True:
        log_w, inside, centres, covs, rest = _sample(network, box, draws, seed)
        effective = float(np.exp(-logsumexp(2 * log_w)))
        if draws == 1 or effective >= MIN_EFFECTIVE or 4 * draws > MOST_DRAWS:
            break
        draws *= 4
    weights = np.exp(log_w)  # (K, n)
    kept = np.arange(rest.size)
    if about is not None:
        kept = np.array([j for j in kept if network.nodes[rest[j]].column in about], dtype=int)
    rest = rest[kept]
    scores = mixture_summary(weights, centres[..., kept], covs[:, kept], tails)
    own = sample_summary(weights, inside, tails)
    beliefs = {}
    for positions, (mean, low, high) in ((rest, scores), (box.at, own)):
        for j, i in enumerate(positions):
            node = network.nodes[i]
            middle, bottom, top = (node.mean + node.scale * float(v[j]) for v in (mean, low, high))
            beliefs[int(i)] = Belief(node, middle, bottom, top, demands.get(int(i)))
    return Beliefs(
        nodes={network.nodes[i].column: beliefs[i] for i in sorted(beliefs)},
        regimes=tuple(float(w) for w in weights.sum(axis=1)),
        plausibility=likely,
        effective=np.inf if draws == 1 else effective,
    )


def _sample(
    network: Network, box: Box, draws: int, seed: int
) -> tuple[Array, Array, Array, Array, Index]:
    """Condition every regime on values, and on ranges by weighted samples.

    Returns:
        Normalised log weights (K, n), evidence (K, n, E) inside its box, means (K, n, R) of the
        other nodes given it, their variances (K, R), and the others' positions (R,).
    """
    fixed = box.fixed
    known, values, boxed = box.at[fixed], box.low[fixed], box.at[~fixed]
    unit = np.zeros((draws, 0))
    if boxed.size:
        unit = np.clip(qmc.Sobol(boxed.size, seed=seed).random(draws), 1e-9, 1 - 1e-9)
    regimes = len(network.regimes)
    log_w, inside = np.empty((regimes, draws)), np.empty((regimes, draws, box.at.size))
    others = np.setdiff1d(np.arange(len(network.nodes)), box.at)
    centres: Array = np.empty((regimes, draws, others.size))
    variances: Array = np.empty((regimes, others.size))
    for k, (mean, cov) in enumerate(network.observed(box.at)):
        rest, m, c = condition(mean, cov, known, values)
        where = np.searchsorted(rest, boxed)
        order = np.argsort(_width(m, c, where, box.low[~fixed], box.high[~fixed]))
        back = np.argsort(order)
        drawn, log_weight = sample_in_box(
            m[where[order]],
            c[np.ix_(where[order], where[order])],
            box.low[~fixed][order],
            box.high[~fixed][order],
            unit,
        )
        inside[k] = box.low
        inside[k][:, ~fixed] = drawn[:, back]
        density = log_density(values[None], mean[known], cov[np.ix_(known, known)])[0]
        log_w[k] = np.log(network.weights[k]) + density + log_weight
        middle, spread = condition(mean, cov, box.at, mean[box.at])[1:]
        variances[k] = np.diag(spread)
        centres[k] = middle + (inside[k] - mean[box.at]) @ _gain(cov, box.at, others)
    return log_w - logsumexp(log_w), inside, centres, variances, others


def _gain(cov: Array, given: Index, others: Index) -> Array:
    """Regression (E, R) of the other nodes on the evidence."""
    if given.size == 0:
        return np.zeros((0, others.size))
    own, cross = cov[np.ix_(given, given)], cov[np.ix_(given, others)]
    return np.asarray(np.linalg.solve(own, cross), dtype=np.float64)


def _width(mean: Array, cov: Array, where: Index, low: Array, high: Array) -> Array:
    """Probability of each range by itself: the narrowest first keeps the weights even."""
    std = np.sqrt(np.diag(cov)[where])
    result: Array = ndtr((high - mean[where]) / std) - ndtr((low - mean[where]) / std)
    return result
