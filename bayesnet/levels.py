"""The two levels of the data: specimen means, which carry labels, and patch scatter within them.

A 128 px patch holds a handful of particles, so its latents scatter widely round the mean of its
specimen, while process settings and strengths belong to the specimen. The effective sample size is
the number of specimens.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.covariance import ledoit_wolf

from bayesnet.gaussian import Array, Index
from bayesnet.nodes import Node, identifier
from core.encode import LatentTable
from core.errors import InputError

MIN_SPECIMENS = 5
MIN_LABELLED = 5
MIN_SCALE = 1e-3
SAME_SETTING = 0.05  # z-scores: settings closer than that are replicates


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Specimen-level table in z-scores, and the pooled patch scatter.

    Attributes:
        nodes: process, latent and property nodes, in this order.
        process: (S, P) z-scores.
        latents: (S, A) z-scores of the active latents' specimen means.
        properties: (S, M) z-scores, NaN where a specimen is unlabelled.
        names: (S,) specimen names.
        latent_mean: (D,) mean of the specimen means of every dimension, in latent units.
        within: (A, A) pooled within-specimen covariance of patches, in latent units.
        noise: (A, A) mean sampling covariance of a specimen mean, in z-scores.
        notes: what was left out and why.
    """

    nodes: tuple[Node, ...]
    process: Array
    latents: Array
    properties: Array
    names: tuple[str, ...]
    latent_mean: Array
    within: Array
    noise: Array
    notes: tuple[str, ...]


def effective_patches(file: np.ndarray, corner: np.ndarray, patch_px: int = 128) -> float:
    """Count the patches of one specimen that carry independent pixels: union area over patch area.

    Args:
        file: (n,) micrograph of each patch.
        corner: (n, 2) row and column of each patch's upper left pixel.
        patch_px: side of a patch.
    """
    step = max(patch_px // 16, 1)
    area = 0
    for name in np.unique(file):
        cells = np.asarray(corner)[file == name] // step
        cells = cells - cells.min(axis=0)
        side = patch_px // step
        mask = np.zeros(cells.max(axis=0) + side, dtype=bool)
        for row, col in cells:
            mask[row : row + side, col : col + side] = True
        area += int(mask.sum())
    return min(max(area * step**2 / patch_px**2, 1.0), float(len(file)))


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


def _label_columns(
    columns: tuple, frame: pd.DataFrame, role: str, notes: list[str]
) -> list[tuple[Any, Array]]:
    """Return the usable numeric columns of one role with their values, sorted by name."""
    kept: list[tuple[Any, Array]] = []
    for column in sorted((c for c in columns if c.role == role), key=lambda c: c.name):
        if column.kind != "numeric":
            notes.append(f"{column.name}: categorical, left out of the network")
            continue
        values = pd.to_numeric(frame[column.name], errors="coerce")
        values = values.to_numpy(dtype=float, copy=True)
        values[~np.isfinite(values)] = np.nan
        known = values[np.isfinite(values)]
        if role == "property" and known.size < MIN_LABELLED:
            notes.append(f"{column.name}: {known.size} labelled specimens, {MIN_LABELLED} needed")
        elif role == "process" and known.size < max(0.8 * len(frame), MIN_LABELLED):
            notes.append(
                f"{column.name}: known for {known.size} of {len(frame)} specimens, left out"
            )
        elif np.ptp(known) <= 1e-9 * max(np.abs(known).max(), 1e-300):
            notes.append(f"{column.name}: the same value for every specimen, left out")
        else:
            kept.append((column, values))
    return kept


def _z_scored(columns: list[tuple], role: str, taken: set[str]) -> tuple[list[Node], list[Array]]:
    nodes, scores = [], []
    for column, values in columns:
        mean, scale = float(np.nanmean(values)), float(np.nanstd(values))
        nodes.append(
            Node(
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
        )
        scores.append((values - mean) / scale)
    return nodes, scores


def build_levels(table: LatentTable, active_variance: float = 0.05, patch_px: int = 128) -> Levels:
    """Aggregate patch latents by specimen and z-score everything.

    Left out, each with a note: latents that are not active (variance of mu over the patches at most
    ``active_variance``, measures.md) or collapsed, constant or categorical columns, properties with
    fewer than five labels, process columns unknown for more than a fifth of the specimens, and
    specimens with an unknown process setting.

    Raises:
        InputError: non-finite latents, fewer than five specimens, or no active latent.
    """
    notes: list[str] = []
    mu = np.asarray(table.mu, dtype=np.float64)
    owner = np.asarray(table.specimen).astype(str)
    if mu.ndim != 2 or len(mu) != len(owner) or not np.isfinite(mu).all():
        raise InputError("latents must be a finite (N, D) table with one specimen name a row")
    by_name = table.specimens.copy()
    by_name.index = by_name.index.astype(str)
    missing = sorted(set(owner) - set(by_name.index))
    if missing:
        raise InputError(f"specimens without a row of settings and properties: {missing[:5]}")
    names = sorted(map(str, set(owner)))
    frame = by_name.loc[names]
    process_columns = _label_columns(table.columns, frame, "process", notes)
    known = np.ones(len(names), dtype=bool)
    for _, values in process_columns:
        known &= np.isfinite(values)
    if not known.all():
        lost = [n for n, ok in zip(names, known, strict=True) if not ok]
        notes.append(f"{len(lost)} specimens with unknown process settings left out: {lost[:5]}")
        names = [n for n, ok in zip(names, known, strict=True) if ok]
        frame = by_name.loc[names]
        process_columns = _label_columns(table.columns, frame, "process", [])
    property_columns = _label_columns(table.columns, frame, "property", notes)
    if len(names) < MIN_SPECIMENS:
        raise InputError(f"{len(names)} specimens; a network needs at least {MIN_SPECIMENS}")

    position = {name: i for i, name in enumerate(names)}
    rows = np.array([position.get(name, -1) for name in owner])
    mu, file = mu[rows >= 0], np.asarray(table.file)[rows >= 0]
    corner, rows = np.asarray(table.corner)[rows >= 0], rows[rows >= 0]
    counts = np.bincount(rows, minlength=len(names)).astype(float)
    means = np.zeros((len(names), mu.shape[1]))
    np.add.at(means, rows, mu)
    means /= counts[:, None]
    active = np.flatnonzero((mu.var(axis=0) > active_variance) & (means.std(axis=0) > MIN_SCALE))
    if active.size == 0:
        raise InputError("no active latent: the model has collapsed, or all images are alike")
    if active.size < mu.shape[1]:
        notes.append(f"{active.size} of {mu.shape[1]} latents are active; the others are left out")

    spread = mu[:, active] - means[rows][:, active]
    degrees = max(len(mu) - len(names), 1)
    within = ledoit_wolf(spread, assume_centered=True)[0] * len(mu) / degrees
    within = (within + within.T) / 2 + 1e-8 * np.eye(active.size)
    independent = [
        effective_patches(file[rows == i], corner[rows == i], patch_px) for i in range(len(names))
    ]

    taken: set[str] = {f"z{i}" for i in active}
    process_nodes, process = _z_scored(process_columns, "process", taken)
    property_nodes, properties = _z_scored(property_columns, "property", taken)
    centre, scale = means[:, active].mean(axis=0), means[:, active].std(axis=0)
    latent_nodes = [
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
    empty = np.zeros((len(names), 0))
    return Levels(
        nodes=(*process_nodes, *latent_nodes, *property_nodes),
        process=np.stack(process, axis=1) if process else empty,
        latents=(means[:, active] - centre) / scale,
        properties=np.stack(properties, axis=1) if properties else empty,
        names=tuple(names),
        latent_mean=means.mean(axis=0),
        within=within,
        noise=within * np.mean(1 / np.array(independent)) / np.outer(scale, scale),
        notes=tuple(notes),
    )
