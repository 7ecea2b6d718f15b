"""MicroDesign's dashboard: ``streamlit run dashboard/app.py``, from any directory."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts this folder, not the root, on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from core import logs  # noqa: E402
from dashboard import sessions, warm_up  # noqa: E402

logs.set_up(sessions.context)
app = st.App("main.py", lifespan=warm_up.lifespan)
