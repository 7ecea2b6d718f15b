"""Which session a record of the log belongs to."""

import hashlib
from collections.abc import Mapping

from streamlit.runtime.scriptrunner import get_script_run_ctx


def context() -> Mapping[str, object]:
    """Return a session's short name; its own id would let a reader of the log take it over."""
    running = get_script_run_ctx(suppress_warning=True)
    if running is None:
        return {}
    return {"session": hashlib.sha256(running.session_id.encode()).hexdigest()[:8]}
