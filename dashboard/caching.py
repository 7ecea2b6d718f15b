"""Results kept for all sessions, or, where they come of a visitor's upload, for that session alone.

What every visitor gets alike (designs, examples) is computed once for all. What comes of an upload
is found by its own session only and forgotten when that ends.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, TypeVar

import streamlit as st

from core.hardware import memory_bytes
from dashboard.byte_budget import ByteBudget, Shelf

T = TypeVar("T")
_SHELF = "kept_by_size"  # no widget's key
MOST_BYTES, SHARE = 2**30, 16


def kept(entries: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep a function's latest results, of each session and of all together.

    Args:
        entries: how many; for small results.

    Returns:
        A decorator; the function then takes ``own`` besides its arguments: whether they come of an
        upload. Arguments that begin with an underscore are no part of the key.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        of_all = st.cache_data(max_entries=entries, show_spinner=False)(function)
        of_one = st.cache_data(max_entries=entries, show_spinner=False, scope="session")(function)

        @wraps(function)
        def found(*args: Any, own: bool) -> Any:
            return of_one(*args) if own else of_all(*args)

        return found

    return decorate


def most_bytes() -> int:
    """Return how much of large results all sessions together keep, bytes.

    That is 1 GiB, or a sixteenth of the machine's memory where that is less.
    """
    memory = memory_bytes()
    return MOST_BYTES if memory is None else min(MOST_BYTES, memory // SHARE)


_budget = ByteBudget(most_bytes())  # holds nothing itself: what is kept lies with its session


def kept_by_size(key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
    """Return what this session has kept of a large result, else make it and keep it.

    Args:
        key: what it is found by, in this session only.
        make: computes it; nobody may change what it returns.
        size: tells its bytes, which count against `most_bytes` of all sessions.
    """
    shelf = st.session_state.setdefault(_SHELF, Shelf())
    found: T | None = _budget.find(shelf, key)
    if found is None:
        found = make()
        _budget.keep(shelf, key, found, size(found))
    return found
