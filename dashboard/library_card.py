"""One saved design on the *Library* page: picture, facts, note, and what can be done with it."""

import streamlit as st

from bayesnet import library
from bayesnet.comparison import compare_designs
from bayesnet.design_report import VERDICTS, design_report
from bayesnet.library import Saved
from dashboard import errors, permission, saved_designs
from dashboard.errors import escape

_DELETING = "library_deleting"


def show(one: Saved) -> None:
    """Show a saved design."""
    recipe = one.recipe
    with st.container(border=True, key=f"library_{one.id}"), errors.shown(f"{one.id}: "):
        left, right = st.columns([1, 2], gap="medium")
        left.image(
            saved_designs.thumbnail(one),
            width="stretch",
            output_format="JPEG",
            alt=f"Saved design for {saved_designs.title(recipe)}",
        )
        with right:
            st.markdown(f"**{escape(saved_designs.title(recipe))}**")
            word = VERDICTS[recipe.verdict][0].rstrip(".")
            synthetic = " · synthetic data" if recipe.synthetic else ""
            made = recipe.created.replace("T", " ")[:16]
            st.caption(escape(f"{word} · {recipe.model['name']}{synthetic} · {made} UTC"))
            with st.expander("Numbers"):
                rows = compare_designs([recipe])
                st.table(
                    [{"What": escape(what), "Value": escape(cells[0])} for what, cells in rows],
                    hide_index=True,
                )
            _note(one)
            _actions(one)


def _note(one: Saved) -> None:
    with st.form(f"library_note_form_{one.id}", border=False):
        note = st.text_area(
            "Note", one.note, key=f"library_note_{one.id}", max_chars=library.MAX_NOTE
        )
        if st.form_submit_button(
            "Keep this note",
            key=f"library_keep_{one.id}",
            disabled=not permission.may("change"),
        ):
            with errors.shown():
                saved_designs.set_note(one.id, note)
                st.success("The note is kept.")


def _actions(one: Saved) -> None:
    def report() -> str:
        return design_report(one.recipe, [one.pixels], one.note)

    with st.container(horizontal=True):
        opened = st.button(
            "Open in Inverse design",
            key=f"library_open_{one.id}",
            disabled=not saved_designs.can_be_opened(one.recipe),
            help="Its model has to be installed here. With another fit of the network than the "
            "saved one the design comes out differently.",
        )
        st.download_button(
            "Report (HTML)",
            report,
            f"design_{one.id}.html",
            "text/html",
            key=f"library_report_{one.id}",
            on_click="ignore",
        )
        st.download_button(
            "All files (ZIP)",
            lambda: library.archive([one]),
            f"design_{one.id}.zip",
            "application/zip",
            key=f"library_zip_{one.id}",
            on_click="ignore",
            help="Recipe, picture, note and report.",
        )
        deletion(one.id)
    if opened:
        saved_designs.prepare(one.recipe)
        st.switch_page("views/inverse_design.py")


def deletion(name: str) -> None:
    """Offer to delete a saved design, and ask once more before it is done."""
    if st.session_state.get(_DELETING) != name:
        st.button(
            "Delete",
            key=f"library_delete_{name}",
            on_click=_ask,
            args=(name,),
            disabled=not permission.may("change"),
        )
        return
    st.warning("Delete this design for good?")
    if st.button("Yes, delete it", key=f"library_really_{name}", type="primary"):
        with errors.shown():
            saved_designs.delete(name)
            _ask(None)
            st.rerun()
    st.button("Keep it", key=f"library_leave_{name}", on_click=_ask, args=(None,))


def _ask(name: str | None) -> None:
    st.session_state[_DELETING] = name
