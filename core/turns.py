"""One at a time: the gate around everything that decodes or encodes.

Two inferences at once on the same cores are slower than one after the other, and each needs its own
memory: with one at a time, memory does not grow with the number of visitors.

First come, first served, but what is quick goes before what says that it is long. A page that needs
one patch decoded does not wait behind fifty designs, and each of those shows its first picture
before any is refined. How many may go before a long one is bounded, so that it is served whatever
comes.
"""

import threading
import time
from bisect import insort
from collections.abc import Callable
from contextlib import AbstractContextManager

SHARE_S = 8.0
OVERTAKEN = 100  # later clicks at most that go before a long turn


class Turns:
    """A lock that is fair and knows who waits.

    Unlike `threading.Lock` it serves in the order of arrival, so nobody is passed over for long,
    and `ahead` tells a waiting page how many are before it. A page asks for several turns, one
    after the other: it has one place for all of them, that of its click (`arrive`) or else of its
    first turn, so that who has waited once does not wait again behind everybody; after ``share_s``
    seconds of turns it goes to the end. Not reentrant: whoever has the turn must not ask for
    another.

    Args:
        share_s: how long a place holds, seconds of turns.
        clock: tells the time in seconds.
        tidy: done after each turn, when the next may already have begun.

    >>> turns = Turns()
    >>> with turns:
    ...     turns.waiting
    0
    """

    def __init__(
        self,
        share_s: float = SHARE_S,
        clock: Callable[[], float] = time.monotonic,
        tidy: Callable[[], object] = bool,
    ) -> None:
        self.share_s, self.clock, self.tidy = share_s, clock, tidy
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int]] = []  # places and threads that wait, in order
        self._current: tuple[float, int] | None = None  # who has the turn
        self._places = 0  # given so far
        self._mine = _Own()

    def arrive(self) -> None:
        """Take a new place, the last: what this thread asks for next is of a new click or file.

        The place counts from now, not from the first turn: a page that first waits for what another
        page computes may be the one that has to go on with it, and all who wait as well with it.
        """
        with self._changed:
            self._take_place()

    def for_long(self) -> AbstractContextManager[None]:
        """Return what gives turns that take seconds: up to `OVERTAKEN` later clicks go before each.

        >>> turns = Turns()
        >>> with turns.for_long():
        ...     turns.taken
        True
        """
        return _Long(self)

    def __enter__(self) -> None:
        self.take()

    def take(self, behind: float = 0) -> None:
        """Wait for the turn and take it, as ``with`` does.

        Args:
            behind: how many places later than its own this thread waits.
        """
        with self._changed:
            own = self._mine
            if any(thread == threading.get_ident() for _, thread in self._all()):
                raise RuntimeError("this thread has the turn or waits for it already")
            me = ((own.place or self._take_place()) + behind, threading.get_ident())
            insort(self._queue, me)
            try:
                self._changed.wait_for(lambda: self._current is None and self._queue[0] == me)
            except BaseException:  # the waiting was broken off
                self._queue.remove(me)
                self._changed.notify_all()
                raise
            self._queue.remove(me)
            self._current = me
            own.since = self.clock()

    def __exit__(self, *_: object) -> None:
        own = self._mine
        own.used_s += self.clock() - own.since
        if own.used_s >= self.share_s:
            own.place = None
        with self._changed:
            self._current = None
            self._changed.notify_all()
        self.tidy()

    def _take_place(self) -> int:
        self._places += 1
        self._mine.place, self._mine.used_s = self._places, 0.0
        return self._places

    def _all(self) -> list[tuple[float, int]]:
        return ([] if self._current is None else [self._current]) + self._queue

    @property
    def taken(self) -> bool:
        """Whether somebody has the turn."""
        return self._current is not None

    @property
    def waiting(self) -> int:
        """How many wait, besides the one that has the turn."""
        return len(self._queue)

    def ahead(self, thread: int) -> int:
        """Return how many are before a thread; 0 where it has the turn or does not wait.

        Whoever is between two turns and comes back to an earlier place is not counted.

        Args:
            thread: its number (`threading.get_ident`).
        """
        with self._changed:
            threads = [one for _, one in self._all()]
        return threads.index(thread) if thread in threads else 0


class _Long(AbstractContextManager[None]):
    """The turns of a gate, for what is long."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def __enter__(self) -> None:
        self.turns.take(OVERTAKEN + 0.5)  # so that no other has the same place

    def __exit__(self, *error: object) -> None:
        self.turns.__exit__(*error)


class _Own(threading.local):
    """A thread's place, how long it has had turns with it, and since when it has this one."""

    place: int | None = None
    used_s = 0.0
    since = 0.0
