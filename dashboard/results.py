"""Evaluations as rows for a spreadsheet."""

from collections.abc import Sequence

from core.exports.spreadsheet import MODEL_HEADER, to_csv
from dashboard.evaluations import Evaluated
from dashboard.wording import Named, titled


def as_csv(
    evaluations: Sequence[Evaluated], properties: Sequence[Named], origin: Sequence[object]
) -> str:
    """Return evaluations as CSV with units in the header.

    Args:
        evaluations: one an image.
        properties: the model's property columns, each with ``column`` (its name), label and unit.
        origin: cells under `MODEL_HEADER`.
    """
    header = [
        "Image",
        "Scale (µm per px)",
        "Relative style error",
        "Distance (1 = limit)",
        "Unusual",
    ]
    for column in properties:
        header += [titled(column), f"{column.label}, 90 % low", f"{column.label}, 90 % high"]
    rows = []
    for found in evaluations:
        one = found.evaluation
        row = [one.name, found.um_per_px, one.style_error, one.distance, one.unusual]
        for column in properties:
            predicted = one.predictions.get(column.column)
            row += [predicted.value, predicted.low, predicted.high] if predicted else [None] * 3
        rows.append([*row, one.message, *origin])
    return to_csv([*header, "Remark", *MODEL_HEADER], rows)
