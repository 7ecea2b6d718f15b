"""MicroDesign's dashboard: ``streamlit run dashboard/app.py``, from any directory."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts this folder, not the root, on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from dashboard import components, errors  # noqa: E402

PAGES = (
    ("inverse_design", "Inverse design", ":material/target:"),
    ("evaluate", "Evaluate patches", ":material/biotech:"),
    ("reconstructions", "Reconstructions", ":material/compare:"),
    ("traversals", "Traversals", ":material/tune:"),
    ("network", "Network", ":material/hub:"),
)

st.set_page_config(
    page_title="MicroDesign",
    page_icon=str(ROOT / "dashboard" / "static" / "favicon.png"),
    layout="wide",
)
page = st.navigation(
    [
        st.Page(
            f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == PAGES[0][0]
        )
        for name, title, icon in PAGES
    ]
)
with errors.shown():
    components.sidebar()
    page.run()
