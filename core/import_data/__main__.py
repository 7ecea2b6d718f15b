"""Command line: ``python -m core.import_data --images DIR|ZIP --table FILE --name NAME``."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import InputError, MicroDesignError
from core.image_limits import DEFAULT_LIMITS, load_bytes
from core.import_data.cells import ScaleRule
from core.import_data.examine import Crop, examine_all
from core.import_data.fields import FieldChoice, guess_fields, parse_declaration, scale_column
from core.import_data.findings import failing_files, has_errors
from core.import_data.matching import MatchRule, guess_rule, match
from core.import_data.measuring import Known, measure_plan
from core.import_data.naming import PATTERNS, check_name, plain
from core.import_data.plan import Choices, ImportPlan, make_plan
from core.import_data.preflight import preflight
from core.import_data.sheet import Sheet, read_sheet
from core.import_data.source import Listing, list_source
from core.import_data.write import write_dataset
from core.measured_columns import KINDS
from core.stereology import Measurement
from core.workspace import data_folder

logger = logging.getLogger(__name__)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.import_data", description=main.__doc__)
    add = parser.add_argument
    add("--images", type=Path, required=True, help="folder or zip with the pictures")
    add("--table", type=Path, help="CSV or Excel file; without, the one among the images")
    add("--name", required=True, help="of the data set")
    add("--out", type=Path, help="folder that keeps data sets; default: workspace/data")
    add("--match", choices=("file", "specimen", "nothing"), help="what a row is; default: guessed")
    add("--match-column", default="", help="column of file names or specimens")
    add("--specimen-column", default="", help="column that names specimens (rows are pictures)")
    add("--pattern", help=f"tells specimens from file names: {', '.join(PATTERNS)}, ...")
    declared = "COLUMN[:UNIT[:LABEL]]; repeat it; without any, roles are guessed and printed"
    add("--process", action="append", default=[], metavar="DECLARED", help=declared)
    add("--property", action="append", default=[], metavar="DECLARED", help=declared)
    measured = "measure the pictures: graphite, phases of any material, or whichever fits (auto)"
    add("--measure", nargs="?", const="auto", choices=("auto", *KINDS), help=measured)
    add("--um-per-px", type=float, help="one scale for all pictures")
    one = "scale of one picture, before all else, as p1.tif=0.25; repeat it"
    add("--scale", action="append", default=[], metavar="FILE=UM", help=one)
    add("--scale-column", default="", help="column of µm (or nm) per px")
    add("--crop-top", type=int, default=0, metavar="PX")
    add("--crop-bottom", type=int, default=0, metavar="PX", help="such as the information bar")
    own = "px cut off one picture, before all else, as p1.tif=0,64; repeat it"
    add("--crop", action="append", default=[], metavar="FILE=TOP,BOTTOM", help=own)
    add("--keep-bars", action="store_true", help="do not cut off information bars that are found")
    add("--leave-out", action="append", default=[], metavar="FILE", help="a picture; repeat it")
    add("--leave-out-failing", action="store_true", help="leave out pictures that errors name")
    add("--synthetic", action="store_true", help="the pictures are simulated")
    add("--check-only", action="store_true", help="check, write nothing")
    return parser.parse_args(argv)


def _sheet(arguments: argparse.Namespace, listing: Listing) -> Sheet | None:
    """Return the table that is named, else the only one among the images."""
    if arguments.table is not None:
        try:
            data = load_bytes(arguments.table, DEFAULT_LIMITS)
        except InputError as error:
            raise InputError(f"{arguments.table}: {error}") from error
        return read_sheet(data, arguments.table.name)
    if len(listing.tables) > 1:
        names = ", ".join(table.path for table in listing.tables)
        raise InputError(f"there are several tables: {names}; give one with --table")
    return read_sheet(listing.tables[0].load(), listing.tables[0].path) if listing.tables else None


def _rule(arguments: argparse.Namespace, paths: Sequence[str], sheet: Sheet | None) -> MatchRule:
    rule = guess_rule(paths, sheet)
    if arguments.match:
        rule = replace(rule, by=arguments.match)
    elif sheet is not None and rule.by == "nothing":
        raise InputError(
            f"no column of {sheet.name} fits the pictures' names; give --match and --match-column"
        )
    if arguments.match_column:
        rule = replace(rule, column=arguments.match_column)
    if arguments.specimen_column:
        rule = replace(rule, specimen_column=arguments.specimen_column)
    if arguments.pattern:
        rule = replace(rule, pattern=arguments.pattern, specimen_column=arguments.specimen_column)
    return rule


def _fields(
    arguments: argparse.Namespace, sheet: Sheet | None, rule: MatchRule, scale: str
) -> tuple[FieldChoice, ...]:
    """Return the columns as declared, the others as notes; all guessed where none is declared."""
    guessed = guess_fields(sheet, rule, scale)
    if sheet is None or not (arguments.process or arguments.property):
        return tuple(guessed)
    declared = [
        parse_declaration(text, role, sheet)
        for role in ("process", "property")
        for text in getattr(arguments, role)
    ]
    named = {choice.header for choice in declared}
    return (*declared, *(replace(g, column=None) for g in guessed if g.header not in named))


def _scale(arguments: argparse.Namespace, sheet: Sheet | None) -> ScaleRule:
    if arguments.um_per_px is not None:
        return ScaleRule(by="value", value=arguments.um_per_px)
    column = arguments.scale_column or scale_column(sheet)
    return ScaleRule(by="column", column=column) if column else ScaleRule()


def _scales(given: Sequence[str], paths: Sequence[str]) -> dict[str, float | None]:
    """Return the scales that are given picture by picture."""
    found: dict[str, float | None] = {}
    for text in given:
        path, _, number = text.rpartition("=")
        if path not in paths:
            raise InputError(f"--scale {text}: there is no picture {path!r}; write FILE=UM")
        try:
            found[path] = float(number)
        except ValueError as error:
            raise InputError(f"--scale {text}: {number!r} is no number") from error
    return found


def _crops(given: Sequence[str], paths: Sequence[str]) -> dict[str, Crop]:
    """Return the crops that are given picture by picture."""
    found = {}
    for text in given:
        path, _, numbers = text.rpartition("=")
        if path not in paths:
            raise InputError(f"--crop {text}: there is no picture {path!r}; write FILE=TOP,BOTTOM")
        parts = numbers.split(",")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise InputError(f"--crop {text}: {numbers!r} is no pair of whole px, as in 0,64")
        found[path] = Crop(top=int(parts[0]), bottom=int(parts[1]))
    return found


def _with_measured(arguments: argparse.Namespace, plan: ImportPlan, known: Known) -> ImportPlan:
    """Return the plan with the descriptors of its pictures, where they are asked for."""
    return measure_plan(plan, arguments.measure, known).plan if arguments.measure else plan


def run(arguments: argparse.Namespace) -> int:
    """Import what the command line names; return the exit status, 1 with errors in the check."""
    listing = list_source(arguments.images)
    paths = [file.path for file in listing.pictures]
    sheet = _sheet(arguments, listing)
    rule, scale = _rule(arguments, paths, sheet), _scale(arguments, sheet)
    used = sheet if rule.by != "nothing" else None
    choices = Choices(
        name=arguments.name,
        synthetic=arguments.synthetic,
        fields=_fields(arguments, used, rule, scale.column),
        scale=scale,
        scales=_scales(arguments.scale, paths),
        crop=Crop(top=arguments.crop_top, bottom=arguments.crop_bottom),
        left_out=frozenset(arguments.leave_out),
    )
    for line in (*listing.notes, *(sheet.notes if sheet else ())):
        logger.info("%s", line)
    logger.info("matched by %s, pattern %s", rule.column or "file names only", rule.pattern)
    for field in choices.fields:
        column = field.column
        told = f"{column.role}, {column.unit or column.kind}" if column else "a note"
        logger.info("column %s: %s", field.header, told)
    examined = examine_all(listing.pictures)
    crops: dict[str, Crop] = {}
    if not arguments.keep_bars:
        crops = {path: choices.crop.with_bar(one.bar) for path, one in examined.items()}
    choices = replace(choices, crops=crops | _crops(arguments.crop, paths))
    matching, known = match(paths, used, rule), dict[tuple[object, ...], Measurement]()
    plan = make_plan(listing.pictures, examined, used, matching, choices)
    plan = _with_measured(arguments, plan, known)
    findings = preflight(plan)
    while arguments.leave_out_failing and (failing := failing_files(findings)):
        choices = replace(choices, left_out=choices.left_out | failing)
        plan = make_plan(listing.pictures, examined, used, matching, choices)
        plan = _with_measured(arguments, plan, known)
        findings = preflight(plan)
    for finding in findings:
        logger.info("%s, %s: %s", finding.level, finding.check, finding.message)
    if has_errors(findings):
        return 1
    specimens = plan.table["specimen"].nunique()
    logger.info("%d pictures of %d specimens", len(plan.files), specimens)
    if not arguments.check_only:
        record: dict[str, Any] = {"table": sheet.name if sheet else None, "matching": asdict(rule)}
        record["measured"] = [column.name for column in plan.columns if column.derived]
        folder = check_name(plain(arguments.name))
        parent = arguments.out or data_folder()
        logger.info("%s", write_dataset(plan, findings, parent, folder, record).root)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Make a data set from pictures and a table, after a check of both."""
    arguments = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return run(arguments)
    except MicroDesignError as error:
        logger.error("error: %s", error)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
