"""The pre-flight check: everything that would spoil a training run, found before it starts."""

from collections.abc import Callable

from core.import_data.column_checks import check_columns
from core.import_data.findings import Finding, error, note, ordered, warning
from core.import_data.picture_checks import (
    check_bars,
    check_duplicates,
    check_scales,
    check_sizes,
    paths_of,
)
from core.import_data.plan import ImportPlan
from core.import_data.source import many, named

FEW_SPECIMENS = 12  # below, a design rests on very little
NETWORK_SPECIMENS = 5  # what `bayesnet.levels` needs
REFERENCE_SPECIMENS = 8  # from so many on training keeps back what `core.reference` needs


def preflight(plan: ImportPlan) -> tuple[Finding, ...]:
    """Return everything found, errors first; with an error the data set cannot be made."""
    if not plan.files:
        told = "no picture is left that could be used; add pictures, or match them to the table"
        return ordered([error("no picture", told), *plan.findings])
    checks: tuple[Callable[[ImportPlan], list[Finding]], ...] = (
        _unreadable,
        _specimens,
        check_scales,
        check_sizes,
        check_bars,
        check_duplicates,
        check_columns,
        _reading,
    )
    found = [*plan.findings, *(finding for check in checks for finding in check(plan))]
    return ordered(found)


def _unreadable(plan: ImportPlan) -> list[Finding]:
    return [
        error("unreadable", f"{one.error}; or leave it out", (file.path,))
        for file, one in zip(plan.files, plan.examined, strict=True)
        if one.error
    ]


def _specimens(plan: ImportPlan) -> list[Finding]:
    """Every picture has a specimen, and there are enough of them."""
    names = plan.table["specimen"].to_numpy(dtype=str)
    found = []
    if (names == "").any():
        paths = paths_of(plan, names == "")
        told = f"{many(len(paths), 'picture')} without a specimen: {named(paths)}"
        todo = "choose another pattern or column, or name them by hand"
        found.append(error("no specimen", f"{told}; {todo}", paths))
    count = len(set(names) - {""})
    if count < NETWORK_SPECIMENS:
        told = (
            f"{many(count, 'specimen')}; at least {NETWORK_SPECIMENS} are needed to tie pictures to"
        )
        why = "settings and properties, and several pictures of one specimen count once"
        found.append(error("few specimens", f"{told} {why}"))
    elif count < FEW_SPECIMENS:
        told = f"only {count} specimens: below {FEW_SPECIMENS} a design rests on very little"
        if count < REFERENCE_SPECIMENS:
            told += (
                f", and below {REFERENCE_SPECIMENS} too few can be kept from training to learn "
                "what is usual, so the model cannot tell how unusual an image is"
            )
        found.append(warning("few specimens", told))
    return found


def _reading(plan: ImportPlan) -> list[Finding]:
    """Say once what was done to the data on reading."""
    told: dict[str, list[str]] = {}
    for file, one in zip(plan.files, plan.examined, strict=True):
        for text in one.notes:
            told.setdefault(text, []).append(file.path)
    return [note("on reading", f"{text}: {named(paths)}") for text, paths in told.items()]
