"""Tables as CSV for spreadsheets: units in the headers, and no cell that would run as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np

from core.descriptors import SCALARS, Descriptors
from core.encode import LatentTable
from core.logs import short
from core.measured_columns import MARK, columns_of
from core.stereology import QUANTITIES, Measurement
from core.wording import titled

# Full-width signs begin a formula where the language writes them so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A semicolon or a tab begins a new cell where those separate cells, whatever is quoted.
# So do they with signs between that nobody sees.
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff"
_INNER = re.compile(rf"([;\t\r\n|][{_UNSEEN}]*)(?=[=+\-@＝＋－＠])")
LATENT_DIGITS = 9  # enough for a float32 to come back exactly
DESCRIPTOR_HEADER = (
    "Scale (µm per px)",
    "Area (mm²)",
    "Particles not cut by a border",
    "Particles, all",
    *(s.label if s.unit == "1" else f"{s.label} ({s.unit})" for s in SCALARS),
)
MODEL_HEADER = ("Model", "Model's data")


def harmless(cell: object, digits: int = 6) -> str:
    """Return a cell's text; what a spreadsheet would run as a formula gets a quote in front.

    >>> harmless("=1+1"), harmless(-4.5), harmless(None), harmless(True)
    ("'=1+1", '-4.5', '', 'yes')
    """
    if cell is None:
        return ""
    if isinstance(cell, (bool, np.bool_)):
        return "yes" if cell else "no"
    if isinstance(cell, Real):
        value = float(cell)
        if isinstance(cell, (int, np.integer)):
            return str(int(cell))
        return f"{value:.{digits}g}" if np.isfinite(value) else ""
    text = str(cell)
    begin = "".join(sign for sign in text[:100] if sign.isprintable() or sign in "\t\r\n")
    text = _INNER.sub(r"\1'", text)
    return "'" + text if begin.lstrip(" \u3000\xa0").startswith(_FORMULA) else text


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]], digits: int = 6) -> str:
    """Return a table as CSV; unknown and missing numbers are empty cells.

    Args:
        header: a name for each column, with its unit.
        rows: cells: texts, numbers, None.
        digits: significant digits of numbers that are not whole.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    for row in rows:
        writer.writerow([harmless(cell, digits) for cell in row])
    return buffer.getvalue()


def model_cells(name: str, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Return the cells under `MODEL_HEADER`: which model predicted, and what it has learned from.

    Args:
        name: for people.
        manifest: content of the model's `manifest.json`.

    >>> model_cells("Mine", {"weights_sha256": "408c1eb1ac1671de32fa", "synthetic": True})
    ('Mine 408c1eb1ac16', 'synthetic')
    """
    which = " ".join(filter(None, (name, short(manifest.get("weights_sha256")))))
    return which, "synthetic" if manifest.get("synthetic") else "measured"


def descriptor_cells(found: Descriptors | None) -> list[object]:
    """Return the cells under `DESCRIPTOR_HEADER`; empty ones where nothing was measured."""
    if found is None:
        return [None] * len(DESCRIPTOR_HEADER)
    values = found.scalars()
    counts = [found.um_per_px, found.area_mm2, found.n_inner, found.n_particles]
    return [*counts, *(values[scalar.name] for scalar in SCALARS)]


def descriptors_csv(found: Mapping[str, Descriptors]) -> str:
    """Return descriptors, a picture a row, with their notes.

    Args:
        found: name of the picture -> what was measured on it.
    """
    rows = (
        [name, *descriptor_cells(one), "; ".join([*one.notes, one.grain_reason or ""]).strip("; ")]
        for name, one in found.items()
    )
    return to_csv(["Picture", *DESCRIPTOR_HEADER, "Remarks"], rows)


def structures_csv(found: Mapping[str, Measurement], um_per_px: float | None) -> str:
    """Return descriptors of any material, a picture a row, with why some could not be measured.

    Args:
        found: name of the picture -> what was measured on it.
        um_per_px: scale of the pictures; without one lengths are in px.
    """
    header = ["Picture", "Scale (µm per px)", *structure_header(um_per_px is not None)]
    rows = [
        [name, um_per_px, *structure_cells(one), "; ".join(structure_reasons(one))]
        for name, one in found.items()
    ]
    return to_csv([*header, "Remarks"], rows)


def structure_header(scale_known: bool = True) -> list[str]:
    """Return the headings of what is measured on any material, each with its half width's."""
    header = []
    for column in columns_of("phases", scale_known):
        plain = replace(column, label=column.label.removesuffix(MARK))
        header += [titled(plain), titled(replace(plain, label=f"{plain.label}, ± 95 %"))]
    return header


def structure_cells(found: Measurement | None) -> list[object]:
    """Return the cells under `structure_header`; empty ones where nothing was measured."""
    found = found or Measurement()
    cells = [(found.values.get(q.name), found.half_width(q.name)) for q in QUANTITIES]
    return list(chain.from_iterable(cells))


def structure_reasons(found: Measurement) -> list[str]:
    """Return why some quantities could not be measured."""
    return [f"{q.label}: {found.reasons[q.name]}" for q in QUANTITIES if q.name in found.reasons]


def latents_csv(latents: Mapping[str, Sequence[float] | np.ndarray]) -> str:
    """Return latents, a picture a row: its name, then z[0], z[1] and so on (no unit).

    Args:
        latents: name of the picture -> (D,) latents.
    """
    dimensions = len(next(iter(latents.values()))) if latents else 0
    header = ["Picture", *(f"z[{i}]" for i in range(dimensions))]
    return to_csv(header, ([name, *z] for name, z in latents.items()), LATENT_DIGITS)


def latent_table_csv(table: LatentTable) -> str:
    """Return the latents of a data set, a patch a row, with what is known of its specimen."""
    header = [
        "Specimen",
        "Image",
        "Patch row (px)",
        "Patch column (px)",
        *(titled(column) for column in table.columns),
        *(f"z[{i}]" for i in range(table.mu.shape[1])),
    ]
    known = {
        str(name): [row[column.name] for column in table.columns]
        for name, row in table.specimens.iterrows()
    }
    rows = (
        [specimen, file, *corner, *known[str(specimen)], *mu]
        for specimen, file, corner, mu in zip(
            table.specimen, table.file, table.corner, table.mu, strict=True
        )
    )
    return to_csv(header, rows, LATENT_DIGITS)
