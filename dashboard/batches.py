"""A batch of micrographs: evaluated one at a time, kept for the session, and its table."""

import base64
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO

import pandas as pd

from core import logs
from core.batch.rows import Evaluator, Row, evaluate_source
from core.batch.sources import Source, from_uploads
from core.exports.spreadsheet import DESCRIPTOR_HEADER, structure_cells, structure_header
from core.measured_columns import Kind
from core.properties import PropertyModel
from core.regressor import Regressor
from dashboard import evaluations, state
from dashboard.state import Model
from dashboard.wording import interval, quantity

logger = logging.getLogger(__name__)
VERDICTS = {True: "unusual", False: "usual", None: "not judged"}
MOST_PROBLEMS = 20
SHOWN: dict[Kind | None, tuple[str, ...]] = {
    "graphite": (
        "Graphite area (%)",
        "Particle count (1/mm²)",
        "Nodularity, ISO 945-4 (%)",
        "Flake length (µm)",
    ),
    "phases": ("Dark phase area (%)", "Mean spacing (µm)", "Texture length (µm)", "Anisotropy"),
    None: (),
}


@dataclass
class Batch:
    """A batch in a session.

    Attributes:
        model_id: the model it is evaluated with.
        sources: its files; um_per_px, measured: as `Evaluator` takes them.
        rows: of the files done so far, in order.
        stopped: whether the user has had enough.
    """

    model_id: str
    sources: list[Source]
    um_per_px: float | None
    measured: Kind | None
    rows: list[Row] = field(default_factory=list)
    stopped: bool = False

    @property
    def pending(self) -> list[Source]:
        """The files still to do."""
        return [] if self.stopped else self.sources[len(self.rows) :]


def begin(
    model: Model,
    uploads: Iterable[tuple[str, IO[bytes]]],
    um_per_px: float | None,
    measured: Kind | None,
) -> Batch:
    """Return a new batch of uploaded files and zips.

    Raises:
        InputError: there are too many files.
    """
    return Batch(model.id, from_uploads(uploads), um_per_px, measured)


def do_next(model: Model, properties: PropertyModel | None, batch: Batch) -> None:
    """Evaluate the next file of a batch; a click in between only delays the rest.

    Raises:
        CheckpointError: the model cannot be used.
    """
    evaluator = Evaluator(
        loaded=state.loaded(model),
        properties=properties,
        reference=evaluations.usual(model),
        um_per_px=batch.um_per_px,
        measured=batch.measured,
    )
    source = batch.pending[0]
    state.lock().arrive()  # a long batch does not keep others waiting: each file has its own place
    about = {"model": logs.short(model.weights), "number": len(batch.rows) + 1}
    with state.lock().for_long(), logs.timed(logger, "batch_file", **about) as told:
        row = evaluate_source(evaluator, source)
        told["readable"] = row.problem is None
    batch.rows.append(row)


def summary(rows: Sequence[Row]) -> str:
    """Say how many files were evaluated, could not be, and are unusual.

    >>> summary([Row(name="a", problem="no"), Row(name="b", unusual=True)])
    '1 of 2 files evaluated, 1 of them unusual for this model. 1 could not be read: see below.'
    >>> summary([Row(name="a")])  # it is not known what is usual
    '1 of 1 files evaluated.'
    """
    done = [row for row in rows if row.problem is None]
    text = f"{len(done)} of {len(rows)} files evaluated"
    if any(row.unusual is not None for row in done):
        text += f", {sum(bool(row.unusual) for row in done)} of them unusual for this model"
    bad = len(rows) - len(done)
    return f"{text}. {bad} could not be read: see below." if bad else f"{text}."


def problems(rows: Sequence[Row]) -> list[str]:
    """Return a line for each file that could not be evaluated: its name and why.

    Beyond `MOST_PROBLEMS` the last line says how many more there are.

    >>> problems([Row(name="a.png", problem="it is empty"), Row(name="b.png")])
    ['a.png: it is empty']
    """
    found = []
    for row in rows:
        if row.problem is not None:
            named = row.problem.startswith(row.name)
            found.append(row.problem if named else f"{row.name}: {row.problem}")
    more = len(found) - MOST_PROBLEMS
    return found if more <= 0 else [*found[:MOST_PROBLEMS], f"{more} more: see Remarks"]


def screen_table(
    rows: Sequence[Row], properties: Sequence[Regressor], measured: Kind | None = "graphite"
) -> pd.DataFrame:
    """Return the table for the screen: thumbnails, predictions with intervals, main descriptors.

    Args:
        rows: the files done so far.
        properties: what is predicted.
        measured: what was asked for.
    """
    return pd.DataFrame([_cells(row, properties, SHOWN[measured]) for row in rows])


def _cells(
    row: Row, properties: Sequence[Regressor], descriptors: Sequence[str]
) -> dict[str, object]:
    picture = None
    if row.thumbnail is not None:
        picture = "data:image/jpeg;base64," + base64.b64encode(row.thumbnail).decode("ascii")
    verdict = "not read" if row.problem else VERDICTS[row.unusual]
    cells: dict[str, object] = {"Picture": picture, "Image": row.name, "For this model": verdict}
    cells["Remarks"] = row.problem or "; ".join(row.remarks)
    for one in properties:
        found = (row.predictions or {}).get(one.column)
        text = None
        if found is not None:
            text = f"{quantity(found.value, one.unit)} ({interval(found, one.unit)})"
        cells[f"{one.label} (90 % interval)"] = text
    cells["Distance (1 = limit)"] = row.distance
    measured = dict(zip(DESCRIPTOR_HEADER, row.descriptors, strict=False))
    measured |= dict(zip(structure_header(), structure_cells(row.structure), strict=True))
    for name in descriptors:
        cells[name] = measured.get(name)
    scale = None if row.um_per_px is None else f"{row.um_per_px:g}"
    cells["Scale (µm per px)"] = scale
    return cells
