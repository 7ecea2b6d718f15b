"""The oracle: cast a recommendation with the synthetic generator and test it.

For the reference castings only, and for checking only: design, ranking and refinement never import
this module (a test asserts it).
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.support import process_mesh
from bayesnet.surface import fit_surface, predict_surface
from core.castings import (
    PROCESS_RANGE,
    ProcessSettings,
    Strengths,
    make_casting,
    measure_truth,
    nominal_structure,
    strengths,
)
from core.castings.design import FRESH_SEED, Plan, cast, fresh_design, space_filling_settings
from core.castings.field import draw_field
from core.castings.strength import UTS_SCATTER, YS_SCATTER
from core.errors import InputError

TEST_SCATTER = {"uts_mpa": UTS_SCATTER, "ys_mpa": YS_SCATTER}  # relative standard deviations
ORACLE_SEED = FRESH_SEED + 80_000
FIELD_PX = 640

Item = TypeVar("Item")
Result = TypeVar("Result")


def cast_again(settings: Mapping[str, float], seed: int, n_fields: int = 2) -> Strengths:
    """Return the strengths, before test scatter, of a casting made with these settings.

    Args:
        settings: mg_wt, radius_mm, ce_pct, as recommended by `bayesnet.query.most_probable`.
        seed: of the casting.
        n_fields: 640 px fields that its morphology is measured over.

    Raises:
        InputError: the settings are not those of the reference castings.
    """
    if set(settings) != set(PROCESS_RANGE):
        raise InputError(
            f"the oracle casts {sorted(PROCESS_RANGE)} only, not {sorted(settings)}: it "
            "belongs to the synthetic reference castings"
        )
    inside = {
        name: float(np.clip(value, *PROCESS_RANGE[name][:2])) for name, value in settings.items()
    }
    casting = make_casting(ProcessSettings(**inside), seed, n_fields=n_fields)
    return casting.true_strengths


def fresh_castings(count: int) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Cast a fresh design; return settings and strengths before scatter, one each a casting."""
    plans = fresh_design(count)
    found = _in_parallel(_true_strengths, plans)
    settings = [{name: getattr(plan.settings, name) for name in PROCESS_RANGE} for plan in plans]
    return settings, [{name: getattr(true, name) for name in TEST_SCATTER} for true in found]


def reachable_strengths(count: int, points: int = 8192) -> dict[str, Array]:
    """Return what settings of the design space give on average, before scatter.

    One field of the average structure (`core.castings.nominal_structure`) is drawn at each of
    ``count`` settings and measured. A field holds a sample of particles only, so a smooth surface
    through the logarithms (`bayesnet.surface`, fitted to these true strengths alone) is evaluated
    at ``points`` settings.

    Returns:
        By property, (points,) in MPa.
    """
    settings = space_filling_settings(count, ORACLE_SEED)
    found = _in_parallel(_expected_strengths, list(enumerate(settings)))
    low, high = np.array([limits[:2] for limits in PROCESS_RANGE.values()], dtype=float).T
    raw = np.array([[getattr(s, name) for name in PROCESS_RANGE] for s in settings])
    scores = 2 * (raw - low) / (high - low) - 1
    corners = np.full(len(low), -1.0), np.full(len(low), 1.0)
    mesh = process_mesh(*corners, points)
    result = {}
    for name in TEST_SCATTER:
        values = np.array([getattr(true, name) for true in found])
        surface = fit_surface(scores, values, np.arange(count), seed=0)
        result[name] = np.exp(predict_surface(surface, scores, mesh))
    return result


def scatter_distances(targets: Array, reachable: Mapping[str, Array]) -> Array:
    """Return how far targets (T, 2) are from the nearest reachable pair, (T,) test scatters."""
    mesh = np.stack([reachable[name] for name in TEST_SCATTER], axis=1)
    scatter = np.array(list(TEST_SCATTER.values()))
    gaps = [(target / mesh - 1) / scatter for target in targets]
    return np.array([np.sqrt((gap**2).sum(axis=1).min()) for gap in gaps])


def _expected_strengths(numbered: tuple[int, ProcessSettings]) -> Strengths:
    index, settings = numbered
    seed = np.random.SeedSequence(ORACLE_SEED + index)
    field = draw_field(nominal_structure(settings), FIELD_PX, FIELD_PX, 1.0, seed)
    return strengths(measure_truth([field]))


def _true_strengths(plan: Plan) -> Strengths:
    return cast(plan).true_strengths


def _in_parallel(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Map over items in a process for each processor; in this one when there is one only."""
    workers = min(os.cpu_count() or 1, len(items))
    if workers < 2:
        return [function(item) for item in items]
    context = multiprocessing.get_context("spawn")  # torch has threads, which a fork would lose
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(function, items, chunksize=4))
