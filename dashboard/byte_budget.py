"""Large results kept for sessions within one budget of bytes over all of them; the oldest go first.

A number of entries bounds nothing where one may be a hundred times another, and a bound for each
session grows with the number of visitors.
"""

import threading
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any


class Shelf:
    """What one session keeps; it lies in the session's state and goes with it."""

    def __init__(self) -> None:
        """Begin empty."""
        self.values: dict[Hashable, Any] = {}


@dataclass(frozen=True, slots=True)
class _Entry:
    shelf: weakref.ref[Shelf]
    key: Hashable
    size: int


class ByteBudget:
    """A bound on what all shelves hold together.

    The budget knows shelves by weak references only: what a session kept is freed when that ends.

    Args:
        most_bytes: of all entries together.

    >>> budget, shelf = ByteBudget(10), Shelf()
    >>> for name in "abc":
    ...     budget.keep(shelf, name, name.upper(), 4)
    >>> budget.find(shelf, "a"), budget.find(shelf, "c"), budget.held_bytes
    (None, 'C', 8)
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []  # the one that was not asked for for longest first

    @property
    def held_bytes(self) -> int:
        """What is kept for sessions that there still are."""
        with self._lock:
            return sum(one.size for one in self._living())

    def find(self, shelf: Shelf, key: Hashable) -> Any:
        """Return what a shelf has kept under a key, None where it has nothing."""
        with self._lock:
            for place, one in enumerate(self._entries):
                if one.shelf() is shelf and one.key == key:
                    self._entries.append(self._entries.pop(place))
                    return shelf.values[key]
        return None

    def keep(self, shelf: Shelf, key: Hashable, value: Any, size: int) -> None:
        """Keep a value on a shelf; where that is too much, what was not asked for for longest goes.

        Args:
            shelf: of the session.
            key: what it is found by; what was kept under it is replaced.
            value: not None.
            size: bytes; what is larger than the whole budget is not kept.
        """
        with self._lock:
            self._entries = [
                one for one in self._living() if one.shelf() is not shelf or one.key != key
            ]
            shelf.values.pop(key, None)
            if size > self.most_bytes:
                return
            shelf.values[key] = value
            self._entries.append(_Entry(weakref.ref(shelf), key, size))
            while sum(one.size for one in self._entries) > self.most_bytes:
                oldest = self._entries.pop(0)
                if (of := oldest.shelf()) is not None:
                    of.values.pop(oldest.key, None)

    def _living(self) -> list[_Entry]:
        return [one for one in self._entries if one.shelf() is not None]
