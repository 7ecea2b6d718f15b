"""The oracle: cast a recommendation with the synthetic generator and test it, or measure a picture.

For the reference castings only, and for checking only: design, ranking and refinement never import
this package (a test asserts it).
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bayesnet.gaussian import Array
from bayesnet.support import process_mesh
from bayesnet.surface import fit_surface, predict_surface
from core.castings import (
    PROCESS_RANGE,
    Casting,
    Morphology,
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
from core.descriptors import Descriptors, describe
from core.errors import InputError

TEST_SCATTER = {"uts_mpa": UTS_SCATTER, "ys_mpa": YS_SCATTER}  # relative standard deviations
ORACLE_SEED = FRESH_SEED + 80_000
INSTRUMENT_SEED = FRESH_SEED + 85_000
FIELD_PX = 640
PICTURE_PX = 512  # as designs have

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
    found = in_parallel(_true_strengths, plans)
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
    truth = expected_strengths(count)
    low, high = np.array([limits[:2] for limits in PROCESS_RANGE.values()], dtype=float).T
    return truth(process_mesh(low, high, points))


def expected_strengths(count: int) -> Callable[[Array], dict[str, Array]]:
    """Return what settings (n, P), in the order of `PROCESS_RANGE`, give on average.

    As `reachable_strengths`, whose surfaces are evaluated at the settings asked for: by property,
    (n,) in MPa.
    """
    settings = space_filling_settings(count, ORACLE_SEED)
    found = in_parallel(_expected_strengths, list(enumerate(settings)))
    low, high = np.array([limits[:2] for limits in PROCESS_RANGE.values()], dtype=float).T

    def scored(raw: Array) -> Array:
        result: Array = 2 * (raw - low) / (high - low) - 1
        return result

    scores = scored(np.array([[getattr(s, name) for name in PROCESS_RANGE] for s in settings]))
    surfaces = {
        name: fit_surface(
            scores, np.array([getattr(true, name) for true in found]), np.arange(count), seed=0
        )
        for name in TEST_SCATTER
    }

    def truth(raw: Array) -> dict[str, Array]:
        at = scored(raw)
        return {n: np.exp(predict_surface(s, scores, at)) for n, s in surfaces.items()}

    return truth


def scatter_distances(targets: Array, reachable: Mapping[str, Array]) -> Array:
    """Return how far targets (T, 2) are from the nearest reachable pair, (T,) test scatters."""
    mesh = np.stack([reachable[name] for name in TEST_SCATTER], axis=1)
    scatter = np.array(list(TEST_SCATTER.values()))
    gaps = [(target / mesh - 1) / scatter for target in targets]
    return np.array([np.sqrt((gap**2).sum(axis=1).min()) for gap in gaps])


@dataclass(frozen=True, slots=True)
class GrainScale:
    """The true ferrite grain size of a casting from the mean intercept measured in its picture.

    Grain boundaries are faint, so that intercepts are missed or made up; log d = offset + slope
    log l, fitted to castings whose grain size is known.
    """

    slope: float
    offset: float
    castings: int

    def size_um(self, intercept_um: float) -> float:
        """Return the grain size d, um, for a mean intercept l."""
        return float(np.exp(self.offset + self.slope * np.log(intercept_um)))


def measured_castings(count: int, seed: int = INSTRUMENT_SEED) -> list[tuple[Casting, Descriptors]]:
    """Cast one field each at settings spread over the design space, and measure its picture."""
    settings = space_filling_settings(count, seed)
    return in_parallel(_cast_and_measure, [(seed + i, one) for i, one in enumerate(settings)])


def grain_scale(measured: Sequence[tuple[Casting, Descriptors]]) -> GrainScale:
    """Fit the grain scale to castings.

    Raises:
        InputError: fewer than three of them show grains.
    """
    pairs = [
        (d.grain_intercept_um, c.morphology.grain_size_um)
        for c, d in measured
        if d.grain_intercept_um is not None
    ]
    if len(pairs) < 3:
        raise InputError(f"grains were measured in {len(pairs)} castings; three are needed")
    intercepts, sizes = np.log(np.array(pairs)).T
    slope, offset = np.polyfit(intercepts, sizes, 1)
    return GrainScale(float(slope), float(offset), len(pairs))


def picture_strengths(found: Descriptors, grains: GrainScale) -> dict[str, float]:
    """Apply the castings' strength relations to the morphology measured in a picture.

    Yield strength is NaN where no grains could be measured; tensile strength does not need them.
    """
    grain_um = found.grain_intercept_um
    morphology = Morphology(
        graphite_fraction=found.graphite_pct / 100,
        nodularity=(found.nodularity_iso_pct or 0.0) / 100,
        particle_count_mm2=found.particles_per_mm2,
        flake_length_um=found.flake_length_um or 0.0,
        grain_size_um=1.0 if grain_um is None else grains.size_um(grain_um),
    )
    result = strengths(morphology)
    return {"uts_mpa": result.uts_mpa, "ys_mpa": np.nan if grain_um is None else result.ys_mpa}


def measure_picture(pixels: NDArray[np.floating], grains: GrainScale) -> dict[str, float]:
    """Measure a picture (H, W) of 1 um per px and return its strengths, MPa."""
    return picture_strengths(describe(pixels, 1.0), grains)


def _cast_and_measure(numbered: tuple[int, ProcessSettings]) -> tuple[Casting, Descriptors]:
    seed, settings = numbered
    casting = make_casting(settings, seed, n_fields=1, height_px=PICTURE_PX, width_px=PICTURE_PX)
    return casting, describe(casting.fields[0].pixels.astype(np.float32) / 255, 1.0)


def _expected_strengths(numbered: tuple[int, ProcessSettings]) -> Strengths:
    index, settings = numbered
    seed = np.random.SeedSequence(ORACLE_SEED + index)
    field = draw_field(nominal_structure(settings), FIELD_PX, FIELD_PX, 1.0, seed)
    return strengths(measure_truth([field]))


def _true_strengths(plan: Plan) -> Strengths:
    return cast(plan).true_strengths


def in_parallel(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Map over items in a process for each processor; in this one when there is one only."""
    workers = min(os.cpu_count() or 1, len(items))
    if workers < 2:
        return [function(item) for item in items]
    context = multiprocessing.get_context("spawn")  # torch has threads, which a fork would lose
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(function, items, chunksize=4))
