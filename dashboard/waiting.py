"""What a page shows while it works: what it does, and how many visitors are before it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

from dashboard import state

LOOK_S = 0.5


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a spinner, and below it how many calculations of others are before this one.

    The line is written by a thread of its own, as Streamlit's spinner is: what waits may be a
    cached function, which would keep the line with its result.
    """
    with st.spinner(text):
        place, done, me = st.empty(), threading.Event(), threading.get_ident()
        watcher = threading.Thread(target=_watch, args=(place, done, me), daemon=True)
        add_script_run_ctx(watcher)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join(2 * LOOK_S)
            place.empty()


def _watch(place: st.delta_generator.DeltaGenerator, done: threading.Event, thread: int) -> None:
    """Write how many are before a thread, as it changes, until it is done."""
    said = 0
    while not done.wait(LOOK_S):
        before = state.lock().ahead(thread)
        if before != said:
            place.caption(line(before)) if before else place.empty()
            said = before


def line(before: int) -> str:
    """Say how many are before.

    >>> line(1)
    'Waiting: one calculation of another visitor is before this one.'
    """
    if before == 1:
        return "Waiting: one calculation of another visitor is before this one."
    return f"Waiting: {before} calculations of other visitors are before this one."
