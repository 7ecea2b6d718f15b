"""Library: saved designs, their notes, side by side, and their files."""

import streamlit as st

from bayesnet import library
from bayesnet.comparison import compare_designs
from dashboard import address, components, errors, library_card, permission, pictures, saved_designs
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
asked = address.parts(address.restored("library", ["compare"]).get("compare"))
gone = [name for name in asked if name not in known]
if gone and "library_compare" not in st.session_state:
    st.warning(escape(f"Not in the library any more: {', '.join(gone)[:200]}."))
chosen = st.multiselect(
    "Compare two or three designs",
    list(known),
    default=[name for name in asked if name in known][:MOST],
    format_func=lambda name: f"{saved_designs.title(known[name].recipe)} ({name[:8]})",
    max_selections=MOST,
    key="library_compare",
)
address.keep("library", {"compare": ",".join(chosen) or None})

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
