"""Measure how well `core.descriptors` measures: castings beside true masks, irons beside figures.

``python -m core.castings.descriptor_errors [--castings N] [--real DIR]`` writes
``docs/results/descriptors.json``. It stands here because it needs true masks, which
`core.descriptors` never sees.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.castings import VERSION, Casting, generator_hash
from core.castings.design import cast, fresh_design
from core.castings.real_irons import IRONS, measure_irons
from core.descriptors import SCALARS, Descriptors, measure_field, measure_mask, sum_up
from core.errors import InputError, MicroDesignError
from core.results import RESULTS, record, write_result
from core.summaries import summary

SEED = 970_000  # castings used for nothing else
CASTINGS = 60
INTERCEPT_SHARE = 0.72  # mean intercept of random polygons over their equivalent diameter
POINTS = ("graphite_pct", "nodularity_iso_pct", "nodularity_jis_pct", "roundness")
GRAINS = "grain_intercept_um"
WEAK = (
    "Weak: ferrite grains. Their boundaries are faint in the castings' pictures; fine grains come "
    "out too coarse. Nodularity errs where a large particle stands at the limit of roundness 0.6: "
    "on castings with few particles one that changes sides counts for points."
)
logger = logging.getLogger(__name__)


def casting_values(casting: Casting) -> tuple[Descriptors, dict[str, float | None]]:
    """Measure a casting from its pictures, and get the true values.

    Returns:
        What the pictures give; and the same descriptors of the true masks, with the grain size as
        drawn.
    """
    fields = casting.fields
    found = sum_up([measure_field(f.pixels / np.float32(255), f.um_per_px) for f in fields])
    true = sum_up([measure_mask(f.graphite, f.um_per_px) for f in fields]).scalars()
    true[GRAINS] = INTERCEPT_SHARE * float(np.mean([f.grain_size_um for f in fields]))
    return found, true


def errors(
    found: Sequence[Mapping[str, float | None]], true: Sequence[Mapping[str, float | None]]
) -> dict[str, dict[str, Any]]:
    """Sum up how far measured descriptors are off.

    Args:
        found, true: of each casting, by the names of `SCALARS`.

    Returns:
        Descriptor -> label, unit ("points" for percentages and roundness, else "%" of the true
        value), absolute error, mean error; those that no casting has in both are left out.
    """
    figures = {}
    for scalar in SCALARS:
        pairs = [
            (a, b)
            for a, b in ((f[scalar.name], t[scalar.name]) for f, t in zip(found, true, strict=True))
            if a is not None and b is not None
        ]
        if not pairs:
            continue
        measured, known = np.array(pairs, dtype=float).T
        absolute = scalar.name in POINTS
        off = measured - known if absolute else 100 * (measured / known - 1)
        figures[scalar.name] = {
            "label": scalar.label,
            "unit": ("1" if scalar.unit == "1" else "points") if absolute else "%",
            "error": summary(np.abs(off)),
            "bias": float(off.mean()),
        }
    return figures


def measure_castings(count: int) -> dict[str, Any]:
    """Measure ``count`` castings of the fresh design from pictures and from true masks.

    Raises:
        InputError: fewer than two.
    """
    if count < 2:
        raise InputError(f"{count} castings: errors need at least two")
    found, true = [], []
    for number, plan in enumerate(fresh_design(count, SEED), start=1):
        measured, known = casting_values(cast(plan))
        found.append(measured.scalars())
        true.append(known)
        if number % 20 == 0 or number == count:
            logger.info("%d of %d castings", number, count)
    return {
        "what": "descriptors from the pictures against those of the true masks, a casting each",
        "n": count,
        "generator": VERSION,
        "descriptors": errors(found, true),
        "weak": WEAK,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure how well descriptors are measured on castings and on real irons."""
    parser = argparse.ArgumentParser(
        prog="python -m core.castings.descriptor_errors", description=main.__doc__
    )
    parser.add_argument("--castings", type=int, default=CASTINGS)
    parser.add_argument("--real", type=Path, help="folder with real micrographs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        content = record(
            "core.castings.descriptor_errors",
            ["--castings", str(arguments.castings), *(["--real", "DIR"] if arguments.real else [])],
            model_sha256="",
            data_hash=generator_hash(),
        )
        content["castings"] = measure_castings(arguments.castings)
        content["irons"], content["not_available"] = measure_irons(IRONS, arguments.real)
        path = write_result("descriptors", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", path)


if __name__ == "__main__":
    main()
