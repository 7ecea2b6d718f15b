"""Evaluate many micrographs: ``python -m core.evaluate_batch FILES --model DIR --out results.csv``.

FILES are pictures, zips of pictures, or folders. Information bars are left out, as on the page
*Evaluate patches*. A file that cannot be read is a row with its
reason. Exit status: 0 when at least one file was evaluated, 1 when none was, 2 when nothing could
begin.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from core.batch.rows import Evaluator, evaluate_all
from core.batch.sources import from_paths
from core.batch.table import batch_csv, batch_latents_csv
from core.checkpoint import load_model
from core.errors import InputError, MicroDesignError
from core.exports.spreadsheet import model_cells
from core.files import write_text
from core.measured_columns import KINDS, Kind
from core.properties import PropertyModel
from core.reference import FILE, load_reference

SHIPPED = Path(__file__).resolve().parents[1] / "assets" / "reference"
WORDS = {True: "unusual", False: "usual", None: "not judged"}
NOT_JUDGED = (
    "what is usual for this model is not known (core.reference measures it): none is judged"
)
MEASURES = ("auto", *KINDS, "nothing")
logger = logging.getLogger(__name__)


def load_evaluator(model: Path, um_per_px: float | None, measure: str) -> Evaluator:
    """Load what evaluates; without property models nothing is predicted, and where it was not
    measured what is usual for the model nothing is judged.

    ``measure`` is one of `MEASURES`; "auto" is graphite where the model's own pictures are known to
    have it.

    Raises:
        CheckpointError: the model is damaged.
        InputError: the scale is not positive.
    """
    if um_per_px is not None and not 0 < um_per_px < 1000:
        raise InputError(f"--um-per-px is {um_per_px:g}; a scale is above 0")
    fitted = model / "properties.json"
    reference = load_reference(model) if (model / FILE).is_file() else None
    kind: Kind = "graphite" if reference is not None and reference.graphite else "phases"
    if measure in KINDS:
        kind = measure
    return Evaluator(
        loaded=load_model(model),
        properties=PropertyModel.load(fitted) if fitted.is_file() else None,
        reference=reference,
        um_per_px=um_per_px,
        measured=None if measure == "nothing" else kind,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate micrographs and write a table with a row for each; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.evaluate_batch", description=main.__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="model folder")
    parser.add_argument("--out", type=Path, required=True, metavar="CSV")
    parser.add_argument("--latents", type=Path, metavar="CSV", help="write mean latents here")
    parser.add_argument("--um-per-px", type=float, help="scale of all; by default each file's own")
    parser.add_argument(
        "--measure",
        choices=MEASURES,
        default="auto",
        help="on each picture: graphite (irons), phases (any material) or nothing; by default what "
        "the model's own pictures have",
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = []
    try:
        sources = from_paths(arguments.files)
        evaluator = load_evaluator(arguments.model, arguments.um_per_px, arguments.measure)
        if evaluator.reference is None:
            logger.info("%s", NOT_JUDGED)
        for row in evaluate_all(evaluator, sources):
            rows.append(row)
            said = row.problem or WORDS[row.unusual]
            logger.info("%d of %d  %s: %s", len(rows), len(sources), row.name, said)
        regressors = evaluator.properties.regressors if evaluator.properties else ()
        manifest = evaluator.loaded.manifest
        origin = model_cells(str(manifest.get("name") or arguments.model.name), manifest)
        write_text(arguments.out, "\ufeff" + batch_csv(rows, regressors, origin))
        if arguments.latents is not None:
            write_text(arguments.latents, "\ufeff" + batch_latents_csv(rows))
    except (MicroDesignError, OSError) as error:
        parser.exit(2, f"{error}\n")
    done = sum(row.problem is None for row in rows)
    logger.info("%d of %d files evaluated: %s", done, len(rows), arguments.out)
    return 0 if done else 1


if __name__ == "__main__":
    raise SystemExit(main())
