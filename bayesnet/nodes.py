"""Nodes: what a variable of the network is called, and how its z-score maps to its unit."""

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["process", "latent", "descriptor", "property"]
OUTCOMES = ("descriptor", "property")  # what hangs on the latents


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One variable of the network and how its z-score maps back to its unit.

    Attributes:
        node: identifier in the graph, such as ``z17`` or ``mg_wt``.
        column: name in the user's table, or the identifier for a latent.
        role: tier of the node.
        unit: unit of the column, empty for latents.
        label: name for people.
        mean: value at z-score 0, in the unit.
        scale: one z-score, in the unit.
        low: smallest value among the specimens (the design range of a process setting).
        high: largest value among the specimens.
        index: dimension of a latent; -1 for other nodes.
        group, level: of a setting in words: its column and the word (`bayesnet.categories`).
    """

    node: str
    column: str
    role: Role
    unit: str
    label: str
    mean: float
    scale: float
    low: float
    high: float
    index: int = -1
    group: str = ""
    level: str = ""


def identifier(name: str, taken: set[str]) -> str:
    """Turn a column name into an identifier, not taken and unlike latents and factors."""
    text = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "column"
    if text[0].isdigit() or re.fullmatch(r"[zu]\d+", text):
        text = f"c_{text}"
    base, number = text, 2
    while text in taken:
        text, number = f"{base}_{number}", number + 1
    taken.add(text)
    return text
