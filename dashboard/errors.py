"""How errors reach the user: ours as they are, all others logged and shown as an id."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core import logs
from core.errors import MicroDesignError
from dashboard import places

logger = logging.getLogger(__name__)


@contextmanager
def shown(prefix: str = "") -> Iterator[None]:
    """Show what goes wrong inside as an error box, and go on after it.

    Args:
        prefix: put before the message, for example the file it is about.
    """
    try:
        yield
    except MicroDesignError as error:
        logs.refused(logger, error)
        st.error(escape(f"{prefix}{error}"))
    except Exception as error:  # a defect; Streamlit's own control flow is no Exception
        _defect(error, prefix)


def unexpected(error: Exception) -> bool:
    """Show what went wrong outside the pages' own `shown`, in a callback or a part of a page.

    Returns:
        True: Streamlit is to show nothing more.
    """
    if isinstance(error, MicroDesignError):
        logs.refused(logger, error)
        st.error(escape(str(error)))
    else:
        _defect(error)
    return True


def _defect(error: Exception, prefix: str = "") -> None:
    number = uuid.uuid4().hex[:8]
    fields = {"event": "error", "id": number}  # the id that the page shows
    logger.error("error %s", number, exc_info=error, extra={"fields": fields})
    st.error(
        f"{escape(prefix)}Something went wrong here, and it is not your doing. It is in the "
        f"server's log as error {number}; please report it with this number."
    )


def escape(text: str) -> str:
    """Return text so that Markdown shows it literally (file names, values, messages).

    Messages name files where they lie; the server's own folders are shown by short names.
    """
    text = places.shown(text)
    for mark in "\\`*_{}[]<>#$~|:":
        text = text.replace(mark, "\\" + mark)
    return text
