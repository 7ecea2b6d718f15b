"""What the pre-flight check finds: errors, warnings and notes, with the pictures they are about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.import_data.source import named

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the user should know before the data set is made.

    Attributes:
        level: with an "error" it cannot be made.
        check: which check found it, in one or two words.
        message: what, which value, what to do.
        files: the pictures it is about; leaving them out settles it, where there are any.
    """

    level: Level
    check: str
    message: str
    files: tuple[str, ...] = ()


def error(check: str, message: str, files: Sequence[str] = ()) -> Finding:
    """Return a finding that keeps the data set from being made."""
    return Finding("error", check, message, tuple(files))


def warning(check: str, message: str, files: Sequence[str] = ()) -> Finding:
    """Return a finding that the user should think about."""
    return Finding("warning", check, message, tuple(files))


def note(check: str, message: str, files: Sequence[str] = ()) -> Finding:
    """Return something that is only said."""
    return Finding("note", check, message, tuple(files))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the errors first."""
    return tuple(sorted(findings, key=lambda one: LEVELS.index(one.level)))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether there is an error."""
    return any(one.level == "error" for one in findings)


def failing_files(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the pictures that errors are about: without them these errors are settled."""
    return frozenset(path for one in findings if one.level == "error" for path in one.files)


def rows_named(rows: Sequence[int]) -> str:
    """Return rows, counted from 0, as a spreadsheet numbers them: 2 is the first below the header.

    >>> rows_named([0, 4])
    '2, 6'
    """
    return named([str(row + 2) for row in rows], 12)
