"""Pre-flight checks of the columns: agreeing within specimens, varying, known often enough."""

from collections.abc import Sequence

from core.columns import Column
from core.conformal import MIN_INTERVAL
from core.import_data.findings import Finding, error, note, warning
from core.import_data.plan import ImportPlan
from core.import_data.source import named
from core.properties import MIN_LABELLED
from core.words import MOST_LEVELS, plain_words, why_not

MISSING_SETTING = 0.2  # share of specimens without a setting beyond which it is not used


def check_columns(plan: ImportPlan) -> list[Finding]:
    """Check every declared column, and that there is a property."""
    found = [finding for column in plan.columns for finding in _column(plan, column)]
    if not any(column.role == "property" for column in plan.columns):
        told = "no column is a property: pictures can be compared and evaluated, but there is"
        found.append(warning("no property", f"{told} nothing to design for"))
    return found


def _column(plan: ImportPlan, column: Column) -> list[Finding]:
    values = plan.table[column.name]
    values = values if column.kind == "numeric" else values.where(values != "")
    by_specimen = values.groupby(plan.table["specimen"])
    distinct = by_specimen.nunique()
    if (distinct > 1).any():
        specimen = distinct.index[distinct > 1][0]
        shown = values[plan.table["specimen"] == specimen].dropna().unique()[:3]
        told = f"{column.label} of specimen {specimen} is {' and '.join(map(str, shown))}: it"
        todo = "correct the table, give the pictures two specimens, or keep the column as a note"
        return [error("differs in a specimen", f"{told} belongs to the specimen; {todo}")]
    of_specimens = by_specimen.first()
    without = [str(name) for name in of_specimens.index[of_specimens.isna()]]
    if len(without) == len(of_specimens):
        told = f"{column.label}: nothing is known; keep the column as a note"
        return [error("missing values", told)]
    found = [_missing(column, without, len(of_specimens))] if without else []
    if of_specimens.nunique() == 1:
        told = f"{column.label} is {of_specimens.dropna().iloc[0]} throughout: it tells nothing"
        found.append(warning("constant column", f"{told} and is not used"))
    if column.kind == "categorical":
        words = ", ".join(sorted(plain_words(of_specimens).unique())[:MOST_LEVELS])
        told = f"{column.label} is in words ({words}): designs recommend one of them"
        if why := why_not(of_specimens):
            told = (
                f"{column.label} is in words and steers no design: {why}. Where the words can be "
                "ordered, such as by the cooling rate, give the numbers"
            )
        found.append(note("words", told))
    return found


def _missing(column: Column, without: Sequence[str], count: int) -> Finding:
    known = count - len(without)
    told = f"{column.label} is not known for {len(without)} of {count} specimens ({named(without)})"
    if column.role == "process" and len(without) > MISSING_SETTING * count:
        return warning("missing values", f"{told}: too many, it is not used in designs")
    if column.role == "process":
        return warning("missing values", f"{told}; the network does without these")
    if known < MIN_LABELLED:
        need = f"it cannot be predicted, which needs {MIN_LABELLED} specimens"
        return warning("missing values", f"{told}; {need}")
    if known < MIN_INTERVAL:
        need = f"there will be no intervals, which need {MIN_INTERVAL} specimens"
        return warning("missing values", f"{told}; {need}")
    return note("missing values", f"{told}; their pictures are still learned from")
