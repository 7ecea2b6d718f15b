"""Library: saved designs, their notes, side by side, and their files."""

import streamlit as st

from bayesnet import library
from bayesnet.comparison import compare_designs
from dashboard import components, errors, library_card, permission, pictures, saved_designs
from dashboard.errors import escape

MOST, SHOWN = 3, 10

components.title("Library")
st.write("Designs that were saved on this server. Whoever uses it sees them.")
if permission.offered("change"):
    st.caption("Whoever uses it can delete them, too.")
found, damaged = library.list_designs(saved_designs.folder())
for broken in damaged:
    with st.container(border=True, key=f"library_damaged_{broken.id}"):
        st.warning(escape(f"The design {broken.id} is damaged and left out: {broken.why}"))
        library_card.deletion(broken.id)
if not found:
    st.info(
        "**No design is saved yet.** Make one on the page Inverse design and press *Save design* "
        "under its picture."
    )
    st.page_link("views/inverse_design.py", label="Go to Inverse design", icon=":material/target:")
    st.stop()

known = {one.id: one for one in found}
if "library_compare" not in st.session_state:
    asked = [name for name in st.query_params.get("compare", "").split(",") if name]
    if gone := [name for name in asked if name not in known]:
        st.warning(escape(f"Not in the library any more: {', '.join(gone)[:200]}."))
    st.session_state["library_compared"] = [n for n in asked if n in known][:MOST]
chosen = st.multiselect(
    "Compare two or three designs",
    list(known),
    default=[n for n in st.session_state.get("library_compared", []) if n in known],
    format_func=lambda name: f"{saved_designs.title(known[name].recipe)} ({name[:8]})",
    max_selections=MOST,
    key="library_compare",
)
st.session_state["library_compared"] = chosen
if chosen:
    st.query_params["compare"] = ",".join(chosen)
elif "compare" in st.query_params:
    del st.query_params["compare"]

if len(chosen) > 1:
    designs = [known[name] for name in chosen]
    with errors.shown(), st.container(key="library_comparison"):
        st.subheader("Side by side", anchor=False)
        for column, one in zip(st.columns(len(designs)), designs, strict=True):
            column.image(
                pictures.with_scale_bar(one.pixels, one.recipe.um_per_px),
                caption=escape(saved_designs.title(one.recipe)),
                width="stretch",
                output_format="PNG",
                alt=f"Saved design for {saved_designs.title(one.recipe)}",
            )
        heads = [f"Design {place}" for place in range(1, len(designs) + 1)]
        rows = compare_designs([one.recipe for one in designs])
        st.table(
            [
                {"What": escape(what)} | dict(zip(heads, map(escape, cells), strict=True))
                for what, cells in rows
            ],
            hide_index=True,
        )
        st.download_button(
            "These designs (ZIP)",
            lambda: library.archive(designs),
            "designs.zip",
            "application/zip",
            key="library_zip",
            on_click="ignore",
            help="Recipe, picture, note and report of each.",
        )
elif len(chosen) == 1:
    st.info("Choose one more to see both side by side.")

st.subheader(f"{len(found)} saved design{'s' if len(found) > 1 else ''}", anchor=False)
most = st.session_state.setdefault("library_most", SHOWN)
for one in found[:most]:
    library_card.show(one)


def show_more() -> None:
    """Show ten more."""
    st.session_state["library_most"] = most + SHOWN


if len(found) > most:
    st.button(f"Show {min(SHOWN, len(found) - most)} more", key="library_more", on_click=show_more)
