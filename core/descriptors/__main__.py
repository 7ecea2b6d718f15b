"""Command line: ``python -m core.descriptors FILE [FILE ...] [--um-per-px X] [--overlay DIR]``."""

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from core.descriptors import (
    SCALARS,
    Descriptors,
    MeasuredField,
    draw_overlay,
    encode_overlay,
    measure_field,
    sum_up,
)
from core.errors import InputError, MicroDesignError
from core.files import write_bytes, write_text
from core.images import Micrograph, read_image

UNKNOWN = "-"
COUNTS = (("n_inner", "Particles, inner"), ("n_particles", "Particles, all"))


def measure_file(
    path: Path, um_per_px: float | None
) -> tuple[Micrograph, MeasuredField, Descriptors]:
    """Read and measure one file.

    Args:
        path: a micrograph.
        um_per_px: scale; None takes the file's own.

    Raises:
        InputError: the file cannot be read or measured, or its scale is unknown.
    """
    micrograph = read_image(path)
    scale = um_per_px if um_per_px is not None else micrograph.um_per_px
    if scale is None:
        raise InputError(f"{micrograph.name}: the file states no scale; give --um-per-px")
    try:
        measured = measure_field(micrograph.pixels, scale)
    except InputError as error:
        raise InputError(f"{micrograph.name}: {error}") from error
    return micrograph, measured, sum_up([measured])


def format_table(results: dict[str, Descriptors]) -> str:
    """Return a table for people: a descriptor a row, a file a column."""
    rows = [["", *results]]
    for name, label in COUNTS:
        rows.append([label, *(str(getattr(found, name)) for found in results.values())])
    values = [found.scalars() for found in results.values()]
    for scalar in SCALARS:
        cells = (
            UNKNOWN if (value := found[scalar.name]) is None else f"{value:.4g}" for found in values
        )
        rows.append([f"{scalar.label} ({scalar.unit})", *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join([first, *(cell.strip().rjust(len(cell)) for cell in others)]))
    for name, found in results.items():
        notes = found.notes + (() if found.grain_reason is None else (found.grain_reason,))
        lines += [f"{name}: {note}" for note in notes]
    return "\n".join(lines)


def format_csv(results: dict[str, Descriptors]) -> str:
    """Return a CSV, one row a file; empty cells where there is nothing to measure."""
    text = io.StringIO()
    names = [scalar.name for scalar in SCALARS]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "um_per_px", "area_mm2", *(name for name, _ in COUNTS), *names])
    for file, found in results.items():
        values = found.scalars()
        counts = [getattr(found, name) for name, _ in COUNTS]
        writer.writerow(
            [file, found.um_per_px, found.area_mm2, *counts, *(values[name] for name in names)]
        )
    return text.getvalue()


def main(argv: Sequence[str] | None = None) -> None:
    """Measure micrographs of cast irons by the metallographers' standards."""
    parser = argparse.ArgumentParser(prog="python -m core.descriptors", description=main.__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--um-per-px", type=float, help="scale; by default the file's own")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="draw what was measured here")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table here")
    arguments = parser.parse_args(argv)
    results: dict[str, Descriptors] = {}
    try:
        for number, path in enumerate(arguments.files, start=1):
            micrograph, measured, found = measure_file(path, arguments.um_per_px)
            name = micrograph.name if micrograph.name not in results else f"{number}_{path.name}"
            results[name] = found
            if arguments.overlay is not None:
                picture = draw_overlay(micrograph.pixels, measured.graphite, measured.particles)
                target = arguments.overlay / f"{number:03d}_{path.stem}_overlay.png"
                write_bytes(target, encode_overlay(picture))
        if arguments.csv is not None:
            write_text(arguments.csv, format_csv(results))
    except (MicroDesignError, OSError) as error:
        parser.exit(2, f"{error}\n")
    sys.stdout.write(format_table(results) + "\n")


if __name__ == "__main__":
    main()
