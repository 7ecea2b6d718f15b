"""Which columns become nodes of the network, and their z-scores."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesnet.categories import MOST_CORNERS, level_columns, with_levels
from bayesnet.gaussian import Array, Index
from bayesnet.nodes import Node, identifier
from core.errors import InputError
from core.specimen_descriptors import SpecimenDescriptors

MIN_LABELLED = 5


@dataclass(frozen=True, slots=True)
class DescriptorColumn:
    """A descriptor as `core.columns.Column` describes other columns."""

    name: str
    unit: str
    label: str
    role: str = "descriptor"
    kind: str = "numeric"


def label_columns(
    columns: tuple, frame: pd.DataFrame, role: str, notes: list[str]
) -> list[tuple[Any, Array]]:
    """Return the usable columns of one role with their values, sorted by name; words as numbers."""
    kept: list[tuple[Any, Array]] = []
    choices = 1  # of words, all settings together: each is sampled
    for column in sorted((c for c in columns if c.role == role), key=lambda c: c.name):
        if column.kind != "numeric":
            words = level_columns(
                column.name, column.label or column.name, frame[column.name], notes
            )
            if words and choices * len(words) > MOST_CORNERS:
                notes.append(
                    f"{column.name}: in words, more than {MOST_CORNERS} choices with the other "
                    "settings in words; left out of the network"
                )
                continue
            choices *= max(len(words), 1)
            kept += words
            continue
        values = pd.to_numeric(frame[column.name], errors="coerce")
        values = values.to_numpy(dtype=float, copy=True)
        values[~np.isfinite(values)] = np.nan
        known = values[np.isfinite(values)]
        if role != "process" and known.size < MIN_LABELLED:
            kind = "labelled" if role == "property" else "measured"
            notes.append(f"{column.name}: {known.size} {kind} specimens, {MIN_LABELLED} needed")
        elif role == "process" and known.size < max(0.8 * len(frame), MIN_LABELLED):
            notes.append(
                f"{column.name}: known for {known.size} of {len(frame)} specimens, left out"
            )
        elif np.ptp(known) <= 1e-9 * max(np.abs(known).max(), 1e-300):
            notes.append(f"{column.name}: the same value for every specimen, left out")
        else:
            kept.append((column, values))
    return kept


def z_scored(columns: list[tuple], role: str, taken: set[str]) -> tuple[list[Node], list[Array]]:
    nodes, scores = [], []
    for column, values in columns:
        mean, scale = float(np.nanmean(values)), float(np.nanstd(values))
        node = Node(
            node=identifier(column.name, taken),
            column=column.name,
            role=role,  # type: ignore[arg-type]
            unit=column.unit or "",
            label=column.label or column.name,
            mean=mean,
            scale=scale,
            low=float(np.nanmin(values)),
            high=float(np.nanmax(values)),
        )
        nodes.append(with_levels(node, column))
        scores.append((values - mean) / scale)
    return nodes, scores


def descriptor_columns(
    table: Any, found: SpecimenDescriptors | None, names: list[str], notes: list[str]
) -> list[tuple[Any, Array]]:
    """Return the usable descriptors with their values, in the order of their table."""
    if found is None:
        return []
    if found.data_hash != table.data_hash:
        raise InputError(
            "the descriptors are those of another data set; run python -m core.specimen_descriptors"
        )
    if found.note:
        notes.append(found.note)
    declared = {column.name for column in table.columns}
    columns = tuple(
        DescriptorColumn(s.name, "" if s.unit == "1" else s.unit, s.label)
        for s in found.scalars
        if s.name not in declared
    )
    values = found.values.copy()
    values.index = values.index.astype(str)
    kept = label_columns(columns, values.reindex(names), "descriptor", notes)
    return sorted(kept, key=lambda pair: columns.index(pair[0]))


def latent_nodes(means: Array, active: Index) -> tuple[Array, Array, list[Node]]:
    """Return z-scores (S, A) of the active latents' means (S, D), their scale (A,), their nodes."""
    centre, scale = means[:, active].mean(axis=0), means[:, active].std(axis=0)
    nodes = [
        Node(
            node=f"z{d}",
            column=f"z{d}",
            role="latent",
            unit="",
            label=f"latent {d}",
            mean=float(centre[i]),
            scale=float(scale[i]),
            low=float(means[:, d].min()),
            high=float(means[:, d].max()),
            index=int(d),
        )
        for i, d in enumerate(active)
    ]
    return (means[:, active] - centre) / scale, scale, nodes
