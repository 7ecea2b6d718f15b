"""What visitors may do: decided here alone, for the pages and for the functions behind them.

Looking, designing and evaluating are always allowed. What is kept on the server is sorted into
actions; each is on or off by where the server can be reached from and by two settings of whoever
runs it (`MICRODESIGN_READ_ONLY`, `MICRODESIGN_TRAINING`).
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

import streamlit as st

from core.errors import NotAllowedError

VARIABLE = "MICRODESIGN_TRAINING"
READ_ONLY = "MICRODESIGN_READ_ONLY"
LOCAL = ("localhost", "127.0.0.1", "::1")
ON = ("on", "1", "true", "yes")
OFF = ("off", "0", "false", "no", "")

P = ParamSpec("P")
R = TypeVar("R")
Action = Literal["save", "change", "fit", "import", "train"]
WHAT: dict[Action, str] = {
    "save": "Saving designs",
    "change": "Deleting or changing saved designs",
    "fit": "Fitting the network anew",
    "import": "Importing own data",
    "train": "Training",
}


def read_only() -> bool:
    """Tell whether nothing may be written: MICRODESIGN_READ_ONLY is set to any word but off."""
    return os.environ.get(READ_ONLY, "").strip().lower() not in OFF


def trusted() -> bool:
    """Tell whether visitors may change what others use, and give the machine work.

    MICRODESIGN_TRAINING=on or off decides, and any other word means off: whoever sets it on a
    server behind a proxy must not leave it on by a misspelling. Without it they may where the
    server is bound to this machine alone (``--server.address=localhost``, as `make run` does).
    """
    given = os.environ.get(VARIABLE, "").strip().lower()
    return given in ON if given else st.get_option("server.address") in LOCAL


def why_not(action: Action) -> str | None:
    """Return why visitors may not do something, in words for them; None where they may."""
    if read_only():
        return (
            f"**{WHAT[action]} is turned off: this server is read-only.** Designs can be made and "
            "downloaded, micrographs evaluated; nothing is kept here. On your own machine "
            "`make run` turns everything on."
        )
    if action == "save" or trusted():
        return None
    return (
        f"**{WHAT[action]} is turned off on this server**, because it may be reached from other "
        "machines. On your own machine `make run` turns it on. Whoever runs this server can do so "
        f"with the setting `{VARIABLE}=on`, where every visitor is trusted."
    )


def may(action: Action) -> bool:
    """Tell whether visitors may do something."""
    return why_not(action) is None


def offered(action: Action) -> bool:
    """Return whether a page may offer something; where not, the page says why."""
    why = why_not(action)
    if why is not None:
        st.info(why, icon=":material/lock:")
    return why is None


def require(action: Action) -> None:
    """Where something is turned off, say so with the next step, and stop the page."""
    if not offered(action):
        st.stop()


def needs(action: Action) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse where its action is turned off, whatever page or callback calls it.

    Raises:
        NotAllowedError: by the function, when it is called.
    """

    def guarded(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            why = why_not(action)
            if why is not None:
                raise NotAllowedError(why.replace("**", "").replace("`", ""))
            return function(*args, **kwargs)

        return checked

    return guarded
