"""The password asked for once more by the pages, for whoever comes past `dashboard.gate`."""

from collections.abc import Mapping

import streamlit as st

from dashboard.gate import LOG_OUT
from dashboard.password import let_in, password


def cookies() -> Mapping[str, str]:
    """Return the cookies that the browser sent when it connected."""
    return st.context.cookies


def require() -> None:
    """Stop before anything is shown where a password is set and this visit has not given it.

    What counts is the signed cookie of the connection, not the session's state. A visit ends after
    twelve hours; an open page then shows this at its next click.

    Raises:
        ConfigError: the password is too short.
    """
    if not let_in(cookies()):
        st.info(
            "**Log in first**: this server asks for a password, and this visit has not given it or "
            "has ended. Reload the page.",
            icon=":material/lock:",
        )
        st.stop()


def log_out() -> None:
    """Offer to end the visit, where there is a password."""
    if password() is not None:
        st.sidebar.markdown(f"[Log out]({LOG_OUT})")
