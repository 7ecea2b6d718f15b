"""A case: a hostile or broken input, what reads it, and what must come of that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, InputError, MicroDesignError

MEMORY_CAP_MIB = 1024  # beyond what the process has before: address space, enforced by the system
CPU_CAP_S = 6  # of one case, enforced by the system
MESSAGE_CAP = 1000  # characters of an error


def nothing(folder: Path) -> None:
    """Make nothing."""


def anything(result: Any) -> None:
    """Be content with whatever was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A hostile or broken input.

    Attributes:
        name: what is wrong with it; unique within its category.
        category: what reads it.
        make: makes the input in an empty folder; what it returns goes to ``read``.
        read: reads it, and may leave no file behind.
        says: what the error must say (a regular expression); "" where the input is accepted.
        right: raises AssertionError where an accepted input was read wrongly.
        kind: of the error.
    """

    name: str
    category: str
    make: Callable[[Path], Any] = nothing
    read: Callable[[Any], Any]
    says: str = ""
    right: Callable[[Any], None] = anything
    kind: type[MicroDesignError] = InputError

    @property
    def id(self) -> str:
        """Category and name."""
        return f"{self.category}: {self.name}"


def damaged(case: Case) -> Case:
    """Return a case whose error is a `CheckpointError`."""
    return Case(
        name=case.name,
        category=case.category,
        make=case.make,
        read=case.read,
        says=case.says,
        kind=CheckpointError,
    )


def equal(wanted: Any) -> Callable[[Any], None]:
    """Return a check that the result is what is wanted."""

    def right(result: Any) -> None:
        assert result == wanted, f"read {result!r:.200}, not {wanted!r:.200}"

    return right


def keep(name: str, data: bytes) -> Callable[[Path], Path]:
    """Return what writes a file of this name and content into the folder, and gives its path."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return make
