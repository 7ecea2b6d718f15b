"""Posterior of the process settings and latents given target properties, regime by regime.

Within a regime everything is exact Gaussian conditioning; limits on process settings and targets
that are ranges truncate it, and the truncated part, a few quantities only, is integrated with
weighted quasi-random samples (`bayesnet.gaussian.sample_in_box`). Regimes are weighted by their
evidence.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from bayesnet.categories import corners, prior_correction
from bayesnet.demands import Demand
from bayesnet.evidence import Evidence
from bayesnet.gaussian import Array, Index, condition, log_density, sample_in_box
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.reachable import uses_surface
from bayesnet.surface import predict_surface, transform

DRAWS, MOST_DRAWS = 1024, 16_384  # a regime, powers of two
FEWEST_DRAWS = 64  # a choice of words, where there are many
MIN_EFFECTIVE = 200.0  # draws, of all regimes together
Mode = Literal["design", "posterior"]


@dataclass(frozen=True, slots=True)
class Posterior:
    """Posterior of the settings, by weighted samples in each regime.

    Attributes:
        settings: (K, n, P) process z-scores inside the limits.
        log_weights: (K, n) normalised over everything.
        targets: (K, n, T) target z-scores: the same everywhere where values were asked for, drawn
            inside the range where ranges were.
        given: (T + P,) positions of targets and settings among the network's nodes.
        joints: of every regime, as the mode of the query has them.
        corner: (n,) which choice of words each draw has, 0 where no setting is in words.
    """

    settings: Array
    log_weights: Array
    targets: Array
    given: Index
    joints: tuple[tuple[Array, Array], ...]
    corner: Index

    def likeliest(self) -> "Posterior":
        """Return the draws that have the most probable choice of words, normalised."""
        shares = np.bincount(self.corner, np.exp(self.log_weights).sum(axis=0))
        rows = self.corner == shares.argmax()
        if rows.all():
            return self
        weights = self.log_weights[:, rows]
        return replace(
            self,
            settings=self.settings[:, rows],
            log_weights=weights - logsumexp(weights),
            targets=self.targets[:, rows],
            corner=self.corner[rows],
        )

    @property
    def effective(self) -> float:
        """Effective number of draws (Kish): 1 over the sum of squared weights."""
        return float(np.exp(-logsumexp(2 * self.log_weights)))

    @property
    def regimes(self) -> Array:
        """Posterior regime weights (K,)."""
        result: Array = np.exp(logsumexp(self.log_weights, axis=1))
        return result


def process_posterior(
    network: Network,
    targets: dict[Node, Demand],
    evidence: Evidence,
    seed: int = 0,
    mode: Mode = "design",
    draws: int = DRAWS,
) -> Posterior:
    """Sample the process settings given targets and limits, in every regime.

    Args:
        network: the fitted network.
        targets: outcome nodes and what is asked of them in their units, extremes settled.
        evidence: process limits.
        seed: scrambles the quasi-random points.
        mode: "posterior" is the network's plain posterior given measured properties. "design"
            takes targets as expected properties (`Network.design_joints`), and weights the
            settings by how well the process -> property surface of `bayesnet.support` gives the
            target there, relative to the network's own prediction: regimes are straight where
            the truth bends.
        draws: samples a regime to begin with, a power of two; four times as many are drawn as long
            as fewer than `MIN_EFFECTIVE` of them count, up to `MOST_DRAWS`.
    """
    while True:
        found = _draw_corners(network, targets, evidence, seed, mode, draws)
        exact = evidence.fixed.all() and all(demand.fixed for demand in targets.values())
        if found.effective >= MIN_EFFECTIVE or 4 * draws > MOST_DRAWS or exact:
            return found
        draws *= 4


def _draw_corners(
    network: Network,
    targets: dict[Node, Demand],
    evidence: Evidence,
    seed: int,
    mode: Mode,
    draws: int,
) -> Posterior:
    """Draw for every choice of words that the limits allow; arguments as `process_posterior`."""
    allowed = list(corners(network.process, evidence.low, evidence.high))
    each = draws
    if len(allowed) > 1:
        each = max(2 ** int(np.log2(draws / len(allowed))), FEWEST_DRAWS)
    parts = []
    for at, scores in allowed:
        low, high = evidence.low.copy(), evidence.high.copy()
        low[at] = high[at] = scores
        part = _draw(network, targets, replace(evidence, low=low, high=high), seed, mode, each)
        more = prior_correction(
            *(scores, at, network.support.process, network.weights, part.joints),
            network.positions("process")[at],
        )
        parts.append(replace(part, log_weights=part.log_weights + more))
    log_weights = np.concatenate([part.log_weights for part in parts], axis=1)
    return replace(
        parts[0],
        settings=np.concatenate([part.settings for part in parts], axis=1),
        log_weights=log_weights - logsumexp(log_weights),
        targets=np.concatenate([part.targets for part in parts], axis=1),
        corner=np.repeat(np.arange(len(parts)), [part.settings.shape[1] for part in parts]),
    )


def _draw(
    network: Network,
    targets: dict[Node, Demand],
    evidence: Evidence,
    seed: int,
    mode: Mode,
    draws: int,
) -> Posterior:
    """Draw ``draws`` weighted samples in every regime; arguments as `process_posterior`.

    Their log weights are not normalised.
    """
    at = {node.node: i for i, node in enumerate(network.nodes)}
    columns = np.array([at[node.node] for node in targets], dtype=int)
    ends = [((d.low - n.mean) / n.scale, (d.high - n.mean) / n.scale) for n, d in targets.items()]
    process = network.positions("process")
    together = np.concatenate([columns, process])  # ranges of targets first: they bind the most
    low, high = np.vstack([ends, np.stack([evidence.low, evidence.high], axis=1)]).T
    fixed = high <= low
    known, known_values, boxed = together[fixed], low[fixed], together[~fixed]
    unit = np.zeros((draws, 0))
    if boxed.size:
        unit = qmc.Sobol(boxed.size, seed=seed).random(draws)
    unit = np.clip(unit, 1e-9, 1 - 1e-9)
    drawn = np.empty((len(network.regimes), draws, together.size))
    drawn[:] = low
    log_weights = np.empty((len(network.regimes), draws))
    joints = network.design_joints if mode == "design" else network.joints
    for k, (mean, cov) in enumerate(joints):
        rest, m, c = condition(mean, cov, known, known_values)
        where = np.searchsorted(rest, boxed)
        inside, log_w = sample_in_box(
            m[where], c[np.ix_(where, where)], low[~fixed], high[~fixed], unit
        )
        drawn[k][:, ~fixed] = inside
        density = log_density(known_values[None], mean[known], cov[np.ix_(known, known)])[0]
        log_weights[k] = np.log(network.weights[k]) + density + log_w
    wanted, settings = drawn[..., : columns.size], drawn[..., columns.size :]
    order = network.outcome_places(targets)
    if mode == "design" and process.size and uses_surface(network, order):
        log_weights += _surface_correction(network, columns, order, wanted, settings)
    return Posterior(settings, log_weights, wanted, together, joints, np.zeros(draws, dtype=int))


def _surface_correction(
    network: Network, columns: Index, order: Index, wanted: Array, settings: Array
) -> Array:
    """Log ratio (K, n) of the surface's likelihood of the targets to the mixture's own.

    Args:
        network: the fitted network.
        columns: (T,) positions of the targets among the nodes; order: among the outcomes.
        wanted: (K, n, T) target z-scores; settings: (K, n, P).
    """
    flat, values = settings.reshape(-1, settings.shape[-1]), wanted.reshape(-1, columns.size)
    result = np.zeros(len(flat))
    for i, m in enumerate(order):
        model, node = network.support.surfaces[m], network.outcomes[m]
        predicted = predict_surface(model, network.support.process, flat)
        asked = transform(node.mean + node.scale * values[:, i], model.log)
        result -= 0.5 * ((asked - predicted) / model.sd) ** 2
    process = network.positions("process")
    own, prior = [], []
    joined = np.concatenate([columns, process])
    points = np.hstack([values, flat])
    for weight, (mean, cov) in zip(network.weights, network.design_joints, strict=True):
        own.append(np.log(weight) + log_density(points, mean[joined], cov[np.ix_(joined, joined)]))
        prior.append(
            np.log(weight) + log_density(flat, mean[process], cov[np.ix_(process, process)])
        )
    ratio = result - (logsumexp(own, axis=0) - logsumexp(prior, axis=0))
    corrected: Array = ratio.reshape(settings.shape[:2])
    return corrected


def latents_given(
    network: Network, posterior: Posterior, k: int, targets: Array, settings: Array
) -> Array:
    """Mean latents (n, A) in z-scores of regime k given targets (n, T) and settings (n, P)."""
    mean, cov = posterior.joints[k]
    latents, given = network.positions("latent"), posterior.given
    known = np.hstack([targets, settings])
    gain = np.linalg.solve(cov[np.ix_(given, given)], cov[np.ix_(given, latents)])
    result: Array = mean[latents] + (known - mean[given]) @ gain
    return result
