"""The pages, run by Streamlit at every visit and click; the server is `app.py`."""

import logging

import streamlit as st

from core import logs
from dashboard import access, components, errors, guide, state
from dashboard.state import ROOT

logger = logging.getLogger("dashboard.main")  # this file runs as __main__
FIRST = "inverse_design"
SECTIONS = {
    "Design": (
        ("inverse_design", "Inverse design", ":material/target:"),
        ("library", "Library", ":material/bookmarks:"),
    ),
    "Evaluate": (
        ("evaluate", "Evaluate patches", ":material/biotech:"),
        ("batch", "Batch evaluation", ":material/stacks:"),
    ),
    "Understand": (
        ("reconstructions", "Reconstructions", ":material/compare:"),
        ("traversals", "Traversals", ":material/tune:"),
        ("structure_property", "Structure-property", ":material/monitoring:"),
        ("latent_map", "Latent map", ":material/scatter_plot:"),
        ("network", "Network", ":material/hub:"),
    ),
    "Models and data": (
        ("models", "Models", ":material/inventory_2:"),
        ("data", "Own data", ":material/upload_file:"),
        ("training", "Training", ":material/model_training:"),
    ),
}

st.set_page_config(
    page_title="MicroDesign",
    page_icon=str(ROOT / "dashboard" / "static" / "favicon.png"),
    layout="wide",
)
page = st.navigation(
    {
        section: [
            st.Page(
                f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == FIRST
            )
            for name, title, icon in pages
        ]
        for section, pages in SECTIONS.items()
    },
    expanded=True,
)
with logs.timed(logger, "page", page=page.url_path or FIRST), errors.shown():
    access.require()
    state.lock().arrive()
    components.sidebar()
    access.log_out()
    guide.show(page.url_path or FIRST)
    page.run()
