"""The arcs of a network for display: standardised slopes over all specimens, with their tests."""

import numpy as np
from scipy.stats import norm

from bayesnet.gaussian import Array
from bayesnet.levels import Levels
from bayesnet.network import Arc
from bayesnet.nodes import OUTCOMES
from bayesnet.structure import Structure


def pooled_arcs(levels: Levels, structure: Structure) -> tuple[Arc, ...]:
    """Standardised slopes over all specimens, with Bonferroni-corrected z tests.

    Slopes on the latents are ridge estimates; their standard errors (of the same ridge) leave out
    its bias, so "significant" is a guide there.
    """
    latents, rows = levels.named("latent"), []
    tiers = (
        (structure.latents, levels.named("process"), latents, levels.process, levels.latents, 1e-3),
        (structure.outcomes, latents, levels.named(*OUTCOMES), levels.latents, levels.outcomes, 10),
    )
    for mask, parents, children, x, y, strength in tiers:
        for i, child in enumerate(children):
            known, some = np.isfinite(y[:, i]), np.flatnonzero(mask[i])
            if some.size:
                slopes, errors = _ridge_with_errors(x[np.ix_(known, some)], y[known, i], strength)
                names = [parents[j] for j in some]
                rows += list(zip(names, [child] * len(names), slopes, errors, strict=True))
    bar = norm.ppf(1 - 0.025 / max(len(rows), 1))
    return tuple(Arc(a, b, float(w), bool(abs(w) > bar * e)) for a, b, w, e in rows)


def _ridge_with_errors(x: Array, y: Array, strength: float) -> tuple[Array, Array]:
    x, y = x - x.mean(axis=0), y - y.mean()
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    gain = s / (s**2 + strength)
    slopes = vt.T @ (gain * (u.T @ y))
    freedom = max(len(y) - 1 - float((gain * s).sum()), 1.0)
    variance = float(((y - x @ slopes) ** 2).sum()) / freedom
    return slopes, np.sqrt(variance * ((vt.T * gain) ** 2).sum(axis=1))
