"""Whether visitors may write: import their own data and train models on this machine."""

import os

import streamlit as st

VARIABLE = "MICRODESIGN_TRAINING"
LOCAL = ("localhost", "127.0.0.1", "::1")
ON = ("on", "1", "true", "yes")


def may_train() -> bool:
    """Tell whether own data and training are turned on.

    MICRODESIGN_TRAINING=on or off decides, and any other word means off: whoever sets it on a
    server behind a proxy must not leave it on by a misspelling. Without it they are on where the
    server is bound to this machine alone (``--server.address=localhost``, as `make run` does) and
    off elsewhere.
    """
    given = os.environ.get(VARIABLE, "").strip().lower()
    return given in ON if given else st.get_option("server.address") in LOCAL


def require() -> None:
    """Where it is turned off, say so with the next step, and stop the page."""
    if not may_train():
        st.info(
            "**Own data and training are turned off on this server**, because it may be reached "
            "from other machines. On your own machine `make run` turns them on. Whoever runs this "
            f"server can do so with the setting `{VARIABLE}=on`, where every visitor is trusted."
        )
        st.stop()
