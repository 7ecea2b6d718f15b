"""One at a time, first come first served: the gate around everything that decodes or encodes.

Two inferences at once on the same cores are slower than one after the other, and each needs its own
memory: with one at a time, memory does not grow with the number of visitors.
"""

import threading
from collections import deque


class Turns:
    """A lock that is fair and knows who waits.

    Unlike `threading.Lock` it serves in the order of arrival, so nobody is passed over for long,
    and `ahead` tells a waiting page how many are before it. Not reentrant: whoever has the turn
    must not ask for another.

    >>> turns = Turns()
    >>> with turns:
    ...     turns.waiting
    0
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[int] = deque()  # thread numbers; the first has the turn

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            if me in self._queue:
                raise RuntimeError("this thread has the turn or waits for it already")
            self._queue.append(me)
            try:
                self._changed.wait_for(lambda: self._queue[0] == me)
            except BaseException:
                self._leave(me)
                raise

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._leave(threading.get_ident())

    def _leave(self, thread: int) -> None:
        self._queue.remove(thread)
        self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many wait, besides the one that has the turn."""
        return max(len(self._queue) - 1, 0)

    def ahead(self, thread: int) -> int:
        """Return how many are before a thread; 0 where it has the turn or does not wait.

        Args:
            thread: its number (`threading.get_ident`).
        """
        with self._changed:
            return self._queue.index(thread) if thread in self._queue else 0
