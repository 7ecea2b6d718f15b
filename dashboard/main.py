"""The pages, run by Streamlit at every visit and click; the server is `app.py`."""

import streamlit as st

from dashboard import components, errors
from dashboard.state import ROOT

PAGES = (
    ("inverse_design", "Inverse design", ":material/target:"),
    ("evaluate", "Evaluate patches", ":material/biotech:"),
    ("reconstructions", "Reconstructions", ":material/compare:"),
    ("traversals", "Traversals", ":material/tune:"),
    ("structure_property", "Structure-property", ":material/scatter_plot:"),
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
