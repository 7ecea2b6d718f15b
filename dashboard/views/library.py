"""Library: saved designs, their notes, side by side, and their files."""

import streamlit as st

from bayesnet import library
from bayesnet.comparison import compare_designs
from dashboard import address, components, errors, library_card, permission, saved_designs
from dashboard.errors import escape

MOST, SHOWN = 3, 10
_SHEET = "library_sheet"  # no widget's key: which ten are shown, from 0

components.title("Library")
st.write("Designs that were saved on this server. Whoever uses it sees them.")
if permission.offered("change"):
    st.caption("Whoever uses it can delete them, too.")
names = library.design_names(saved_designs.folder())
if not names:
    st.info(
        "**No design is saved yet.** Make one on the page Inverse design and press *Save design* "
        "under its picture."
    )
    st.page_link("views/inverse_design.py", label="Go to Inverse design", icon=":material/target:")
    st.stop()

# Only what is shown or compared is read: a library may hold a thousand recipes.
last = (len(names) - 1) // SHOWN
left_at = address.restored("library", ["compare", "page"])
turned = st.session_state.get(_SHEET, address.whole(left_at.get("page"), 1, 1) - 1)
sheet = min(turned, last)
shown = names[sheet * SHOWN : (sheet + 1) * SHOWN]
asked = address.parts(left_at.get("compare"))
wanted = list(dict.fromkeys([*st.session_state.get("library_compare", ()), *asked[:MOST]]))
beside = [name for name in wanted if name in names and name not in shown]
found, damaged = library.load_designs(saved_designs.folder(), sorted([*shown, *beside])[::-1])
for broken in damaged:
    with st.container(border=True, key=f"library_damaged_{broken.id}"):
        st.warning(escape(f"The design {broken.id} is damaged and left out: {broken.why}"))
        library_card.deletion(broken.id)

known = {one.id: one for one in found}
gone = [name for name in asked if name not in names]
if gone and "library_compare" not in st.session_state:
    st.warning(escape(f"Not in the library any more: {', '.join(gone)[:200]}."))
chosen = st.multiselect(
    "Compare two or three designs",
    list(known),
    default=[name for name in asked if name in known][:MOST],
    format_func=lambda name: f"{saved_designs.title(known[name].recipe)} ({name[:8]})",
    max_selections=MOST,
    key="library_compare",
    help=f"Of the {SHOWN} shown below; turn to others, and those chosen stay." if last else None,
)
kept = {"compare": ",".join(chosen) or None, "page": str(sheet + 1) if sheet else None}
address.keep("library", kept)

if len(chosen) > 1:
    designs = [known[name] for name in chosen]
    with errors.shown(), st.container(key="library_comparison"):
        st.subheader("Side by side", anchor=False)
        for column, one in zip(st.columns(len(designs)), designs, strict=True):
            column.image(
                saved_designs.thumbnail(one, saved_designs.COMPARED_PX),
                caption=escape(saved_designs.title(one.recipe)),
                width="stretch",
                output_format="JPEG",
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

st.subheader(f"{len(names)} saved design{'s' if len(names) > 1 else ''}", anchor=False)
st.caption("Pictures are shown small here; the reports and ZIP files hold them in full.")
for one in (known[name] for name in shown if name in known):
    library_card.show(one)


def turn(by: int) -> None:
    """Show the ten designs before or after these."""
    st.session_state[_SHEET] = sheet + by


if last:
    first = sheet * SHOWN + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Newer", key="library_newer", on_click=turn, args=(-1,), disabled=sheet == 0)
        st.button("Older", key="library_older", on_click=turn, args=(1,), disabled=sheet == last)
        st.caption(f"{first} to {first + len(shown) - 1} of {len(names)}, the newest first")
