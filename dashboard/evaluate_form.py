"""The form of the page *Evaluate patches*: files, their scale, and what is asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state, uploads
from dashboard.state import Model

KINDS = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"]
SINGLY, TOGETHER = "specimens of their own", "fields of one specimen"
_KEPT = "evaluate_kept"  # no widget's key, so that it survives page changes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form says.

    Attributes:
        files: that were chosen.
        um_per_px: given by hand, for all of them.
        together: whether they are fields of one specimen.
        graphite: whether graphite is measured.
        structure: whether what any material has is measured.
        sent: whether it was sent just now.
    """

    files: Sequence[UploadedFile]
    um_per_px: float | None
    together: bool
    graphite: bool
    structure: bool
    sent: bool


def ask(model: Model) -> Asked:
    """Show the form; what was answered before a visit to another page stands in it."""
    measure, structure = f"evaluate_graphite_{model.id}", f"evaluate_structure_{model.id}"
    iron = state.measured_kind(model) == "graphite"
    usual = {measure: iron, structure: not iron}
    _restore({"evaluate_um_per_px": None, "evaluate_several": SINGLY, **usual})
    uploads.tell_room()
    with st.form("evaluate_form"):
        files = st.file_uploader(
            "Micrographs (PNG, JPEG, TIFF or BMP)",
            KINDS,
            accept_multiple_files=True,
            key="evaluate_files",
            help="An information bar of the microscope is looked for and left out; you can change "
            "what is. Files stay in this server's memory for your session only.",
        )
        um_per_px = st.number_input(
            "Scale (µm per px), if you know it",
            value=None,
            min_value=0.0001,
            max_value=1000.0,
            format="%g",
            placeholder="as the file says",
            key="evaluate_um_per_px",
            help="Goes before the scale in the files, for all of them.",
        )
        several = st.radio(
            "Several files are",
            [SINGLY, TOGETHER],
            horizontal=True,
            key="evaluate_several",
            help="Fields of one specimen are also pooled, with intervals from field to field.",
        )
        measured = st.toggle(
            "Measure graphite",
            key=measure,
            help="Area, count, sizes, nodularity (ISO 945-4, JIS G5502): for cast irons with "
            "graphite.",
        )
        any_material = st.toggle(
            "Measure phases and texture",
            key=structure,
            help="Area and mean chord of the dark phase, mean spacing, texture length, anisotropy: "
            "for any material.",
        )
        sent = st.form_submit_button("Evaluate", type="primary", key="evaluate_submit")
    return Asked(files, um_per_px, several == TOGETHER, measured, any_material, sent)


def _restore(usual: dict[str, object]) -> None:
    """Give widgets what was left in them, else what is usual: key -> value."""
    kept = st.session_state.setdefault(_KEPT, {})
    for key, value in usual.items():
        kept[key] = st.session_state.setdefault(key, kept.get(key, value))
