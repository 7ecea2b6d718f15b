"""The arcs of a network for display: standardised slopes over all specimens, with their tests."""

import numpy as np
from scipy.stats import norm

from bayesnet.gaussian import Array
from bayesnet.levels import Levels
from bayesnet.network import Arc


def pooled_arcs(levels: Levels) -> tuple[Arc, ...]:
    """Standardised slopes over all specimens, with Bonferroni-corrected z tests.

    Slopes on the latents are ridge estimates; their standard errors (of the same ridge) leave out
    its bias, so "significant" is a guide there.
    """
    groups = {r: [n.node for n in levels.nodes if n.role == r] for r in ("process", "latent")}
    rows: list[tuple[str, str, float, float]] = []
    p, z = levels.process, levels.latents
    if p.shape[1]:
        for j, child in enumerate(groups["latent"]):
            slopes, errors = _ridge_with_errors(p, z[:, j], 1e-3)
            rows += list(zip(groups["process"], [child] * len(slopes), slopes, errors, strict=True))
    for m, node in enumerate(n for n in levels.nodes if n.role == "property"):
        known = np.isfinite(levels.properties[:, m])
        slopes, errors = _ridge_with_errors(z[known], levels.properties[known, m], 10.0)
        rows += list(zip(groups["latent"], [node.node] * len(slopes), slopes, errors, strict=True))
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
