"""What the server does before its first visitor: imports, tidying, the design a page opens with."""

import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from core import logs
from core.folders import remove_leftovers
from core.workspace import workspace
from dashboard import permission
from dashboard.answers import answer_at_once

logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Import what the pages need, which takes seconds; then answer, tidy, and start on a design.

    A visitor who comes before the first design is done waits for the same one.
    """
    # Here, not at the top: Streamlit's caches are to belong to the server, which now runs.
    from dashboard import decoding, designs, evaluations, fitting  # noqa: F401

    logs.event(logger, "answers_at_once", sockets=answer_at_once())
    threading.Thread(target=tidy, name="tidy", daemon=True).start()
    threading.Thread(target=first_design, name="first design", daemon=True).start()
    yield


def tidy() -> None:
    """Remove what killed imports, savings and trainings have left unfinished in the workspace.

    Only what nobody has written to for an hour goes (`core.folders.leftovers`), nothing where the
    server is read-only. Whatever is wrong with the workspace is for `core.doctor` to say, so it is
    only logged here.
    """
    if permission.read_only():
        return
    try:
        removed = remove_leftovers(workspace())
    except Exception:
        logger.exception("the workspace could not be tidied")
        return
    if removed:
        logs.event(logger, "tidied", leftovers=removed)


def first_design() -> None:
    """Compute what the *Inverse design* page opens with, for the first model.

    Whatever is wrong with the model is for the page to say, so it is only logged here.
    """
    from dashboard import designs, state
    from dashboard.design_request import default_request

    try:
        model = next(iter(state.models()), None)
        network = state.network(model) if model else None
        if model and network and network.properties:
            request = default_request(network)
            designs.propose(model, request)
            designs.design(model, request)
    except Exception:
        logger.exception("the first design could not be prepared")
    set_aside()


def set_aside() -> None:
    """Let Python's search for garbage pass over what is there now, which stays until the end.

    Streamlit has all objects searched after every run of a page. Most of them are the modules and
    models that were loaded here: a quarter of a second each time in which no other page goes on.
    """
    gc.collect()
    gc.freeze()
