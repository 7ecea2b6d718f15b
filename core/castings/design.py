"""Designs: which castings make up a data set, and writing them to disk like a user's."""

import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import qmc

from core.castings import VERSION, Casting, generator_hash, make_casting
from core.castings.process import PROCESS_RANGE, ProcessSettings
from core.dataset import Column, write_manifest
from core.errors import ConfigError, InputError
from core.images import encode_png

logger = logging.getLogger(__name__)

COLUMNS = (
    Column("mg_wt", "wt%", "Magnesium", "process", "numeric"),
    Column("radius_mm", "mm", "Casting radius", "process", "numeric"),
    Column("ce_pct", "%", "Carbon equivalent", "process", "numeric"),
    Column("uts_mpa", "MPa", "Ultimate tensile strength", "property", "numeric"),
    Column("ys_mpa", "MPa", "Yield strength", "property", "numeric"),
)
FRESH_SEED = 900_000  # fresh castings start here; training seeds stay below


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One casting to make: name, settings, seed, fields, and whether its strengths are tested."""

    specimen: str
    settings: ProcessSettings
    seed: int
    n_fields: int
    height_px: int
    width_px: int
    tested: bool = True


def paper_design(seed: int = 0) -> tuple[Plan, ...]:
    """Return the paper's twelve castings: R 12, 24, 36, 48 mm by Mg 0, 0.025, 0.045 wt%.

    One field of 2048 x 1532 px each; only the six of the smallest and the largest radius have
    strengths (paper, 4.1). The carbon equivalent, not given in the paper, is eutectic.
    """
    return tuple(
        Plan(
            specimen=f"r{radius}_mg{mg:.3f}",
            settings=ProcessSettings(mg_wt=mg, radius_mm=radius, ce_pct=4.3),
            seed=seed + index,
            n_fields=1,
            height_px=1532,
            width_px=2048,
            tested=radius in (12, 48),
        )
        for index, (radius, mg) in enumerate(
            (r, m) for r in (12, 24, 36, 48) for m in (0, 0.025, 0.045)
        )
    )


def space_filling_settings(n: int, seed: int) -> tuple[ProcessSettings, ...]:
    """Spread ``n`` settings over `PROCESS_RANGE`: scrambled Sobol points of this seed."""
    if not 1 <= n <= 4096:
        raise ConfigError(f"castings = {n} is outside 1 to 4096")
    points = qmc.Sobol(len(PROCESS_RANGE), rng=np.random.default_rng(seed)).random(
        2 ** int(np.ceil(np.log2(n)))
    )[:n]
    low, high = (np.array([limits[i] for limits in PROCESS_RANGE.values()]) for i in (0, 1))
    # Rounded as a foundry would write them down.
    steps = np.array([1e-4, 0.1, 0.01])
    scaled = np.round((low + points * (high - low)) / steps) * steps
    names = list(PROCESS_RANGE)
    return tuple(
        ProcessSettings(**dict(zip(names, (round(float(v), 6) for v in row), strict=True)))
        for row in scaled
    )


def extended_design(n: int = 120, seed: int = 10_000) -> tuple[Plan, ...]:
    """Return ``n`` castings over all three settings, two fields of 640 x 640 px each."""
    if seed + n > FRESH_SEED:
        raise ConfigError(f"seed = {seed}: training seeds stay below {FRESH_SEED - n}")
    return _spread("c", n, seed, 2, 640)


def fresh_design(n: int = 200, seed: int = FRESH_SEED) -> tuple[Plan, ...]:
    """Return castings for testing: seeds and settings that no training design uses."""
    if seed < FRESH_SEED:
        raise ConfigError(f"seed = {seed}: fresh castings have seeds from {FRESH_SEED}")
    return _spread("f", n, seed, 2, 640)


def _spread(prefix: str, n: int, seed: int, n_fields: int, size_px: int) -> tuple[Plan, ...]:
    return tuple(
        Plan(
            specimen=f"{prefix}{index:03d}",
            settings=settings,
            seed=seed + index,
            n_fields=n_fields,
            height_px=size_px,
            width_px=size_px,
        )
        for index, settings in enumerate(space_filling_settings(n, seed))
    )


def cast(plan: Plan) -> Casting:
    """Make the planned casting."""
    return make_casting(
        plan.settings,
        plan.seed,
        n_fields=plan.n_fields,
        height_px=plan.height_px,
        width_px=plan.width_px,
    )


def _cast_and_write(plan: Plan, root: Path) -> tuple[list[dict], dict]:
    casting = cast(plan)
    settings = {name: getattr(plan.settings, name) for name in PROCESS_RANGE}
    strengths = casting.tested_strengths
    rows = []
    for index, field in enumerate(casting.fields):
        name = f"{plan.specimen}_{index}.png"
        (root / name).write_bytes(encode_png(field.pixels / np.float32(255), field.um_per_px))
        rows.append(
            {"file": name, "specimen": plan.specimen, "um_per_px": field.um_per_px}
            | settings
            | {
                "uts_mpa": round(strengths.uts_mpa, 1) if plan.tested else None,
                "ys_mpa": round(strengths.ys_mpa, 1) if plan.tested else None,
            }
        )
    truth = {"specimen": plan.specimen} | casting.morphology.as_dict()
    truth |= {
        "true_uts_mpa": casting.true_strengths.uts_mpa,
        "true_ys_mpa": casting.true_strengths.ys_mpa,
    }
    return rows, truth


def write_design(plans: tuple[Plan, ...], root: Path, name: str, workers: int = 1) -> None:
    """Make every planned casting; write images, manifest, ``dataset.json`` and ``truth.csv``.

    ``truth.csv`` holds the true morphology and the strengths before test scatter; the data-set
    reader does not look at it. The manifest is written last: a folder with one is complete.

    Raises:
        InputError: the folder already holds a data set.
    """
    if (root / "manifest.csv").exists():
        raise InputError(f"{root} already holds a data set; choose another folder or delete it")
    root.mkdir(parents=True, exist_ok=True)
    rows: list[dict] = []
    truths = []
    for index, (written, truth) in enumerate(_results(plans, root, workers), start=1):
        rows += written
        truths.append(truth)
        if index % 20 == 0 or index == len(plans):
            logger.info("%d of %d castings", index, len(plans))
    pd.DataFrame(truths).to_csv(root / "truth.csv", index=False)
    generator = {"name": "core.castings", "version": VERSION, "sha256": generator_hash()}
    write_manifest(root, pd.DataFrame(rows), COLUMNS, name, True, generator)


def _results(
    plans: tuple[Plan, ...], root: Path, workers: int
) -> Iterator[tuple[list[dict], dict]]:
    if workers == 1:
        yield from (_cast_and_write(plan, root) for plan in plans)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_cast_and_write, plans, [root] * len(plans))
