"""Columns in words, such as the kind of cooling: which can be learned from, and why not."""

from collections.abc import Sequence

import pandas as pd

MOST_LEVELS = 6
LEAST_SPECIMENS = 2  # of a word that counts
LEAST_KNOWN = 0.8  # of the specimens
LONGEST_NAME = 80  # as `core.columns.Column` allows


def plain_words(values: pd.Series) -> pd.Series:
    """Return the words without outer spaces, those of specimens that have one."""
    text = values[values.notna()].astype(str).str.strip()
    return text[text != ""]


def why_not(values: pd.Series) -> str:
    """Return why words, one a specimen, cannot be part of the network; "" where they can.

    >>> why_not(pd.Series(["air", "water"] * 4)), why_not(pd.Series(["air"] * 8))
    ('', 'the same for every specimen')
    """
    words = plain_words(values)
    counts = words.value_counts()
    if len(words) < LEAST_KNOWN * len(values):
        return f"known for {len(words)} of {len(values)} specimens"
    if len(counts) < 2:
        return "the same for every specimen"
    if len(counts) > MOST_LEVELS:
        return f"{len(counts)} different words, at most {MOST_LEVELS} can be learned"
    if counts.min() < LEAST_SPECIMENS:
        return f"{counts.idxmin()!r:.40} stands for {counts.min()} specimen only"
    return ""


def too_long(names: Sequence[str]) -> str:
    """Return the first of some names that no column can have, "" where all are short and plain."""
    return next((n for n in names if len(n) > LONGEST_NAME or not n.isprintable()), "")
