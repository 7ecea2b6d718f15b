"""Settings in words, such as the kind of cooling: one node a word, 100 % where it holds, else 0.

In the network's normals such a node is a number like any other, and its posterior mean is the
probability of the word. A real setting has one word of each category, though: what is sampled for
designs, and what is taken for reachable, keeps to these corners of the box of settings.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from bayesnet.gaussian import Array, Index, log_density
from bayesnet.nodes import Node
from core.errors import InputError
from core.wording import LIKELY
from core.words import plain_words, too_long, why_not

MOST_CORNERS = 24  # choices of words that a network has
HOLDS = 100.0  # %
SLACK = 1e-6  # z-scores


@dataclass(frozen=True, slots=True)
class LevelColumn:
    """A word of a categorical column, as `core.columns.Column` describes other columns."""

    name: str
    unit: str
    label: str
    group: str
    level: str
    role: str = "process"
    kind: str = "numeric"


def level_columns(
    name: str, label: str, values: pd.Series, notes: list[str]
) -> list[tuple[LevelColumn, Array]]:
    """Return a categorical setting as numeric columns in %, NaN where it is not known.

    Args:
        name, label: of the column.
        values: of the specimens.
        notes: receives why it is left out, where it is.
    """
    words = plain_words(values)
    levels, why = sorted(words.unique()), why_not(values)
    names = [n for w in levels for n in (f"{name} = {w}", f"{label} is {w}")]
    if not why and (odd := too_long(names)):
        why = f"{odd[:40]!r} is too long for a name, or no plain word"
    if why:
        notes.append(f"{name}: in words, {why}; left out of the network")
        return []
    result = []
    for level in levels:
        column = LevelColumn(f"{name} = {level}", LIKELY, f"{label} is {level}", name, level)
        found = (words == level).map({True: HOLDS, False: 0.0}).reindex(values.index)
        result.append((column, found.to_numpy(dtype=float)))
    return result


def groups(nodes: Sequence[Node]) -> dict[str, list[int]]:
    """Return the positions among ``nodes`` of each category's words, by category."""
    found: dict[str, list[int]] = {}
    for i, node in enumerate(nodes):
        if node.group:
            found.setdefault(node.group, []).append(i)
    return found


def label_of(node: Node) -> str:
    """Return what people call the category of a word's node: its label without the word."""
    return node.label.removesuffix(f" is {node.level}")


def corners(nodes: Sequence[Node], low: Array, high: Array) -> Iterator[tuple[Index, Array]]:
    """Yield the choices of words that limits allow: positions (G,) and z-scores (G,) of all words.

    Args:
        nodes: of the process settings, P.
        low, high: (P,) limits in z-scores.

    Yields:
        One empty choice where no setting is in words.
    """
    categories = list(groups(nodes).values())
    at = np.array([i for members in categories for i in members], dtype=int)
    for chosen in product(*categories):
        values = np.array([HOLDS if i in chosen else 0.0 for i in at])
        scores = (values - [nodes[i].mean for i in at]) / [nodes[i].scale for i in at]
        if ((scores >= low[at] - SLACK) & (scores <= high[at] + SLACK)).all():
            yield at, scores


def other_words(nodes: Sequence[Node], holding: Collection[int]) -> set[int]:
    """Return the positions of the words that cannot hold since others of their category do.

    Args:
        nodes: any of the network's.
        holding: positions of the words that are known to hold.

    Raises:
        InputError: two words of one category are said to hold.
    """
    found: set[int] = set()
    for members in groups(nodes).values():
        held = [i for i in members if i in holding]
        if len(held) > 1:
            said = " and ".join(nodes[i].label for i in held)
            raise InputError(f"{said}: a specimen has one of them only; take one out")
        if held:
            found |= set(members) - set(held)
    return found


def require_corner(nodes: Sequence[Node], low: Array, high: Array) -> None:
    """Raise InputError where limits leave a category without any word."""
    if next(corners(nodes, low, high), None) is None:
        names = " and ".join(dict.fromkeys(label_of(n) for n in nodes if n.group))
        raise InputError(
            f"the limits leave nothing to choose for {names}: ask for one of its words at 100 %, "
            "or leave them free"
        )


def in_corners(nodes: Sequence[Node], settings: Array, low: Array, high: Array) -> Array:
    """Move settings (n, P), z-scores, to the choices of words that limits allow, in turn."""
    allowed = list(corners(nodes, low, high))
    if not allowed or not allowed[0][0].size:
        return settings
    result = settings.copy()
    for row, (at, scores) in enumerate(allowed):
        result[row :: len(allowed), at] = scores
    return result


def prior_correction(
    scores: Array,
    at: Index,
    known: Array,
    weights: Array,
    joints: Sequence[tuple[Array, Array]],
    columns: Index,
) -> float:
    """Return the log of how much more often words occur in the data than the normals say.

    Args:
        scores: (G,) z-scores of the words' nodes.
        at: (G,) their positions among the process settings.
        known: (S, P) process z-scores of the specimens.
        weights: (K,) of the regimes; joints: their means and covariances.
        columns: (G,) positions of the words among all nodes.
    """
    if at.size == 0:
        return 0.0
    matches = (np.abs(known[:, at] - scores) < 1e-3).all(axis=1).sum()
    share = np.log((matches + 0.5) / (len(known) + 1.0))
    normals = [
        np.log(w) + log_density(scores[None], mean[columns], cov[np.ix_(columns, columns)])[0]
        for w, (mean, cov) in zip(weights, joints, strict=True)
    ]
    return float(share - logsumexp(normals))


def with_levels(node: Node, column: object) -> Node:
    """Return a node that knows its category and word, where its column has them."""
    if not isinstance(column, LevelColumn):
        return node
    return replace(node, group=column.group, level=column.level)
