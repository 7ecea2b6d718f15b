"""MicroDesign's dashboard: ``streamlit run dashboard/app.py``, from any directory."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts this folder, not the root, on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from core import logs  # noqa: E402
from core.allocator import few_arenas  # noqa: E402
from dashboard import errors, sessions, warm_up  # noqa: E402
from dashboard.gate import Gate, SecurityHeaders  # noqa: E402
from dashboard.upload_room import UploadRoom  # noqa: E402

few_arenas()
logs.set_up(sessions.context)
BASE_PATH = st.get_option("server.baseUrlPath") or ""
app = st.App(
    "main.py",
    lifespan=warm_up.lifespan,
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(Gate, base_path=BASE_PATH),
        Middleware(UploadRoom),
    ],
    on_script_error=errors.unexpected,
)
