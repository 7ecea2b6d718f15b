"""Results kept for all sessions, or, where they come of a visitor's upload, for that session alone.

What every visitor gets alike (designs, examples) is computed once for all. What comes of an upload
is found by its own session only and forgotten when that ends.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st


def kept(entries: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep a function's latest results, of each session and of all together.

    Args:
        entries: how many.

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
