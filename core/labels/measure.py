"""Measuring a model's labels: traversals, effects, names, and how well they hold."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import core
from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.encode import LatentTable
from core.errors import ConfigError, InputError
from core.labels.effects import curve, estimate
from core.labels.entanglement import entanglement, independence, size_and_sparsity
from core.labels.influence import influences
from core.labels.kept import Kept
from core.labels.labels import Direction, Labels
from core.labels.naming import (
    Effect,
    conjunction,
    false_discovery_limit,
    judge,
    ranked,
    strong,
    thinned,
)
from core.labels.quantities import QUANTITIES, measure_specimens, spreads
from core.labels.stability import stability, used_for_design
from core.labels.traversals import (
    Decode,
    Plan,
    choose_starts,
    measure_traversals,
    principal_directions,
)
from core.properties import PropertyModel
from core.summaries import specimen_means
from core.synthesis import decode_many
from core.validation import ACTIVE_VARIANCE

Array = NDArray[np.float64]
Influence = Callable[[Sequence[Direction]], Array | None]
Named = tuple[tuple[str, int], ...]


def label_model(
    loaded: LoadedModel,
    table: LatentTable,
    data: DataSet,
    plan: Plan,
    only: Sequence[int] | None = None,
    work: Path | None = None,
) -> Labels:
    """Name the latents of a model.

    Args:
        loaded: the model.
        table: latents of its training set.
        data: the training set.
        plan: how to traverse.
        only: latents to traverse; all active ones for None.
        work: a folder where finished traversals are kept, so that a run broken off goes on.

    Raises:
        InputError: latents or data are of another model or data set, the model has no scale or no
            active latent, or the data cannot name anything.
        ConfigError: the decoder cannot make fields of the plan's size.
    """
    if table.model_hash != loaded.hash:
        raise InputError("the latents are of another model; run python -m core.encode again")
    if table.data_hash != data.hash:
        raise InputError("the latents are of other data; give the data set that was encoded")
    if loaded.um_per_px is None:
        raise InputError("the model has no scale, so lengths and counts cannot be measured")
    if loaded.config.decoder == "paper" and plan.size_px != loaded.config.patch_px:
        raise ConfigError(
            f"this model's decoder makes patches of {loaded.config.patch_px} px only: "
            f"give that size (--size) instead of {plan.size_px}"
        )

    def decode(z: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
        return decode_many(loaded, z, plan.size_px, plan.size_px, seed)

    specimens = measure_specimens(data, loaded.um_per_px, plan.specimens)
    path, influence = loaded.path / "properties.json", None
    if path.is_file():
        properties = PropertyModel.load(path)
        properties.require_model(loaded.hash)
        influence = _influence(properties, table)
    kept = None if work is None else Kept(work, _about(loaded, plan))
    found = label_latents(decode, table, specimens, plan, loaded.um_per_px, only, influence, kept)
    return replace(found, plan=found.plan | {"finishing": loaded.denoiser_hash})


def _influence(properties: PropertyModel, table: LatentTable) -> Influence:
    """Return a function from named latents to the influence of each latent of the model."""
    means, specimens = specimen_means(table.mu, table.specimen)

    def measured(dimensions: Sequence[Direction]) -> Array | None:
        slopes = {quantity.name: np.zeros(means.shape[1]) for quantity in QUANTITIES}
        for dimension in dimensions:
            for effect in dimension.effects:
                slopes[effect.quantity][dimension.index] = effect.slope
        return influences(properties, means, [str(name) for name in specimens], slopes)

    return measured


def _about(loaded: LoadedModel, plan: Plan) -> dict[str, Any]:
    """Return what decides what is measured along a direction from given starts."""
    return {
        "model": loaded.hash,
        "denoiser": loaded.denoiser_hash,
        "um_per_px": loaded.um_per_px,
        "values": plan.values,
        "size_px": plan.size_px,
        "seed": plan.seed,
        "quantities": [quantity.name for quantity in QUANTITIES],
        "version": core.__version__,
    }


def label_latents(
    decode: Decode,
    table: LatentTable,
    specimens: Array,
    plan: Plan,
    um_per_px: float,
    only: Sequence[int] | None = None,
    influence: Influence | None = None,
    kept: Kept | None = None,
) -> Labels:
    """Name latents by what a decoder draws; see `label_model`.

    Args:
        decode: latents (V, D) and a seed of the noise to pictures (V, H, W).
        table: latents of the training set.
        specimens: (S, Q) descriptors of training specimens.
        plan: how to traverse.
        um_per_px: scale of the pictures.
        only: latents to traverse; all active ones for None.
        influence: from the named latents to that of each latent on designs, (D,) or None; None
            where it is not known.
        kept: where finished traversals are kept; None for nowhere.

    Raises:
        InputError: there is no active latent, or the specimens cannot name anything.
    """
    mu = table.mu.astype(float)
    active = np.flatnonzero(mu.var(axis=0) > ACTIVE_VARIANCE)
    if only is not None:
        if odd := sorted(set(only) - set(active.tolist())):
            raise InputError(f"z{odd[0]} is no active latent; active are {active.tolist()}")
        active = np.array(sorted(set(only)), dtype=int)
    if len(active) == 0:
        raise InputError("no latent is active: there is nothing to name")
    spread = spreads(specimens)
    means, _ = specimen_means(mu, table.specimen)
    principal, _ = principal_directions(means, plan.directions)
    vectors = np.concatenate([np.eye(mu.shape[1])[active], principal])
    starts = mu[choose_starts(table, plan.starts, plan.seed)]
    measured = measure_traversals(decode, starts, vectors, plan, um_per_px, kept)
    limit = _limit(measured, spread, plan)
    found = [
        _direction(k, vector, active, mu, means, measured[k], spread, plan, limit)
        for k, vector in enumerate(vectors)
    ]
    dimensions, directions = tuple(found[: len(active)]), tuple(found[len(active) :])
    if influence is not None and (found_influence := influence(dimensions)) is not None:
        dimensions = tuple(
            replace(d, influence=float(found_influence[d.index])) for d in dimensions
        )
    names = [direction.name for direction in dimensions]
    effects = [direction.effects for direction in dimensions]
    figures = {
        "stability": {"dimensions": stability(dimensions), "directions": stability(directions)},
        "used_for_design": used_for_design(dimensions),
        "independence": {
            "patches": independence(mu[:, active], names),
            "specimens": independence(means[:, active], names),
        },
        "entanglement": entanglement(effects),
        "size_and_sparsity": size_and_sparsity(
            {d.name: d.effects for d in dimensions},
            {d.name: d.effects for d in directions},
            specimens,
        ),
    }
    return Labels(
        model_hash=table.model_hash,
        data_name=table.data_name,
        data_hash=table.data_hash,
        synthetic=table.synthetic,
        um_per_px=um_per_px,
        plan=asdict(plan),
        spreads={
            q.name: float(sd) for q, sd in zip(QUANTITIES, spread, strict=True) if np.isfinite(sd)
        },
        dimensions=dimensions,
        directions=directions,
        figures=figures,
    )


def _direction(
    k: int,
    vector: Array,
    active: NDArray[np.int64],
    mu: Array,
    means: Array,
    measured: Array,
    spread: Array,
    plan: Plan,
    limit: float,
) -> Direction:
    """Sum up the traversals along direction ``k``, measured (2, n, V, Q)."""
    latent = k < len(active)
    index = int(active[k]) if latent else k - len(active) + 1
    effects, set_clear = _judge_all(measured, spread, plan, limit)
    pooled = np.concatenate(list(measured))  # (2 n, V, Q)
    curves = {q.name: curve(pooled[..., place]) for place, q in enumerate(QUANTITIES)}
    known = {effect.quantity for effect in effects}
    along = mu @ vector
    low, high = np.quantile(along, (0.05, 0.95))
    return Direction(
        name=f"z{index}" if latent else f"d{index}",
        kind="latent" if latent else "specimens",
        index=index,
        vector=() if latent else tuple(map(float, vector)),
        explained=float(np.var(means @ vector) / max(means.var(axis=0).sum(), 1e-12)),
        sd_patches=float(along.std()),
        sd_specimens=float((means @ vector).std()),
        low=float(low),
        high=float(high),
        named=thinned(ranked({e.quantity: e.standardised for e in effects if e.clear})),
        set_clear=set_clear,
        effects=effects,
        curves={name: line for name, line in curves.items() if line and name in known},
    )


def _judge_all(
    measured: Array, spread: Array, plan: Plan, limit: float
) -> tuple[tuple[Effect, ...], tuple[Named, ...]]:
    """Return every effect of traversals (2, n, V, Q), and what each set alone calls clear."""
    effects: list[Effect] = []
    alone: list[dict[str, float]] = [{} for _ in measured]
    for place, (quantity, sd) in enumerate(zip(QUANTITIES, spread, strict=True)):
        sets = [estimate(rows, plan.values) for rows in measured[..., place]]
        pooled = estimate(np.concatenate(list(measured[..., place])), plan.values)
        if pooled is None or not np.isfinite(sd):
            continue
        effects.append(judge(quantity.name, pooled, sets, float(sd), plan.span, limit))
        for own, found in zip(alone, sets, strict=True):
            if found is not None and found.sign and strong(found, float(sd), plan.span):
                own[quantity.name] = found.slope / float(sd)
    return tuple(effects), tuple(ranked(own) for own in alone)


def _limit(measured: Array, spread: Array, plan: Plan) -> float:
    """Return the largest p that counts among all effects of traversals (K, 2, n, V, Q)."""
    chances = []
    for one in measured:
        for place in np.flatnonzero(np.isfinite(spread)):
            p = conjunction([estimate(rows, plan.values) for rows in one[..., place]])
            chances += [] if p is None else [p]
    return false_discovery_limit(chances)
