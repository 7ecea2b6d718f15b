"""The two levels of the data: specimen means, which carry labels, and patch scatter within them.

A 128 px patch holds a handful of particles, so its latents scatter widely round the mean of its
specimen, while process settings and strengths belong to the specimen. The effective sample size is
the number of specimens.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesnet.gaussian import Array, Index
from bayesnet.nodes import Node
from bayesnet.patch_statistics import Chunks, gather, pooled_scatter
from bayesnet.variables import descriptor_columns, label_columns, latent_nodes, z_scored
from core.encode import LatentTable
from core.errors import InputError
from core.latent_stream import LatentStream
from core.specimen_descriptors import SpecimenDescriptors
from core.validation import ACTIVE_VARIANCE

MIN_SPECIMENS = 5
MIN_SCALE = 1e-3
SAME_SETTING = 0.05  # z-scores: settings closer than that are replicates


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Specimen-level table in z-scores, and the pooled patch scatter.

    Attributes:
        nodes: process, latent, descriptor and property nodes, in this order.
        process: (S, P) z-scores.
        latents: (S, A) z-scores of the active latents' specimen means.
        descriptors: (S, E) z-scores, NaN where there was nothing to measure it on.
        properties: (S, M) z-scores, NaN where a specimen is unlabelled.
        names: (S,) specimen names.
        latent_mean: (D,) mean of the specimen means of every dimension, in latent units.
        within: (A, A) pooled within-specimen covariance of patches, in latent units.
        independent: patches that overlap no other, as many as a specimen's are worth on average.
        noise: (A, A) mean sampling covariance of a specimen mean, in z-scores.
        notes: what was left out and why.
    """

    nodes: tuple[Node, ...]
    process: Array
    latents: Array
    descriptors: Array
    properties: Array
    names: tuple[str, ...]
    latent_mean: Array
    within: Array
    independent: float
    noise: Array
    notes: tuple[str, ...]

    @property
    def outcomes(self) -> Array:
        """Descriptors, then properties (S, O): what hangs on the latents."""
        return np.hstack([self.descriptors, self.properties])

    def named(self, *roles: str) -> list[str]:
        """Return the nodes of these roles, in the order of `nodes`."""
        return [n.node for n in self.nodes if n.role in roles]


def setting_groups(process: Array) -> Index:
    """Number the different process settings; replicates of one setting share its number.

    Args:
        process: (S, P) z-scores; without columns every specimen is a group of its own.

    Returns:
        (S,) numbers from 0, in the order in which the settings appear.
    """
    groups = np.arange(len(process))
    if process.shape[1] == 0:
        return groups
    first: list[int] = []
    for row, settings in enumerate(process):
        gap = np.linalg.norm(process[first] - settings, axis=1)
        if gap.size and gap.min() <= SAME_SETTING:
            groups[row] = int(gap.argmin())
        else:
            groups[row] = len(first)
            first.append(row)
    return groups


def build_levels(
    table: LatentTable | LatentStream,
    active_variance: float = ACTIVE_VARIANCE,
    patch_px: int = 128,
    descriptors: SpecimenDescriptors | None = None,
) -> Levels:
    """Aggregate patch latents by specimen and z-score everything.

    A stream is read twice, chunk by chunk; the rows are never in memory together.

    Left out, each with a note: latents that are not active (variance of mu over the patches at most
    ``active_variance``, measures.md) or collapsed, constant columns, words that cannot be learned
    (`bayesnet.categories`), properties with fewer than five labels, process columns unknown for
    more than a fifth of the specimens, and specimens with an unknown process setting.

    Raises:
        InputError: non-finite latents, fewer than five specimens, or no active latent.
    """
    notes: list[str] = []
    chunks = _chunks_of(table)
    patches = gather(chunks, patch_px)
    by_name = table.specimens.copy()
    by_name.index = by_name.index.astype(str)
    missing = sorted(set(patches.names) - set(by_name.index))
    if missing:
        raise InputError(f"specimens without a row of settings and properties: {missing[:5]}")
    names, process_columns = _with_settings(table, by_name, list(patches.names), notes)
    frame = by_name.loc[names]
    property_columns = label_columns(table.columns, frame, "property", notes)
    measured = descriptor_columns(table, descriptors, names, notes)
    if len(names) < MIN_SPECIMENS:
        raise InputError(f"{len(names)} specimens; a network needs at least {MIN_SPECIMENS}")

    patches = patches.of(names)
    means, variance = patches.means, patches.variance()
    active = np.flatnonzero((variance > active_variance) & (means.std(axis=0) > MIN_SCALE))
    if active.size == 0:
        raise InputError("no active latent: the model has collapsed, or all images are alike")
    if active.size < means.shape[1]:
        notes.append(
            f"{active.size} of {means.shape[1]} latents are active; the others are left out"
        )
    within = pooled_scatter(chunks, patches, active)
    within = (within + within.T) / 2 + 1e-8 * np.eye(active.size)

    taken: set[str] = {f"z{i}" for i in active}
    process_nodes, process = z_scored(process_columns, "process", taken)
    property_nodes, properties = z_scored(property_columns, "property", taken)
    descriptor_nodes, described = z_scored(measured, "descriptor", taken)
    latents, scale, active_nodes = latent_nodes(means, active)
    independent = float(1 / np.mean(1 / patches.independent))
    empty = np.zeros((len(names), 0))
    return Levels(
        nodes=(*process_nodes, *active_nodes, *descriptor_nodes, *property_nodes),
        process=np.stack(process, axis=1) if process else empty,
        latents=latents,
        descriptors=np.stack(described, axis=1) if described else empty,
        properties=np.stack(properties, axis=1) if properties else empty,
        names=tuple(names),
        latent_mean=means.mean(axis=0),
        within=within,
        independent=independent,
        noise=within / independent / np.outer(scale, scale),
        notes=tuple(notes),
    )


def _chunks_of(table: Any) -> Chunks:
    """Return the rows of a table, all at once, or of a stream, in chunks."""
    if isinstance(table, LatentStream):
        return table.chunks
    return lambda: (table,)


def _with_settings(
    table: Any, by_name: pd.DataFrame, names: list[str], notes: list[str]
) -> tuple[list[str], list[tuple[Any, Array]]]:
    """Return the specimens whose process settings are known, and the settings' columns."""
    columns = label_columns(table.columns, by_name.loc[names], "process", notes)
    known = np.ones(len(names), dtype=bool)
    for _, values in columns:
        known &= np.isfinite(values)
    if known.all():
        return names, columns
    lost = [n for n, ok in zip(names, known, strict=True) if not ok]
    notes.append(f"{len(lost)} specimens with unknown process settings left out: {lost[:5]}")
    names = [n for n, ok in zip(names, known, strict=True) if ok]
    return names, label_columns(table.columns, by_name.loc[names], "process", [])
