"""The form of the page *Evaluate patches*: files, their scale, and what is asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import splitext

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import address, state, uploads
from dashboard.state import Model

KINDS = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "txt"]
LEAST_SCALE, MOST_SCALE = 0.0001, 1000.0  # µm per px
PAGE, PARAMETERS = "evaluate", ("scale", "together", "graphite", "phases")
SINGLY, TOGETHER = "specimens of their own", "fields of one specimen"
_KEPT = "evaluate_kept"  # no widget's key, so that it survives page changes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form says.

    Attributes:
        files: pictures that were chosen, each with the text file of its name, None without.
        um_per_px: given by hand, for all of them.
        together: whether they are fields of one specimen.
        graphite: whether graphite is measured.
        structure: whether what any material has is measured.
        sent: whether it was sent just now.
    """

    files: Sequence[tuple[UploadedFile, UploadedFile | None]]
    um_per_px: float | None
    together: bool
    graphite: bool
    structure: bool
    sent: bool


def ask(model: Model) -> Asked:
    """Show the form; what was answered before a visit to another page stands in it."""
    measure, structure = f"evaluate_graphite_{model.id}", f"evaluate_structure_{model.id}"
    iron = state.measured_kind(model) == "graphite"
    # What the address says counts on arrival: later it is of the model that was shown then.
    asked = {} if _KEPT in st.session_state else address.restored(PAGE, PARAMETERS)
    _restore(
        {
            "evaluate_um_per_px": _scale(asked.get("scale")),
            "evaluate_several": TOGETHER if asked.get("together") == "1" else SINGLY,
            measure: _switch(asked.get("graphite"), iron),
            structure: _switch(asked.get("phases"), not iron),
        }
    )
    uploads.tell_room()
    with st.form("evaluate_form"):
        files = st.file_uploader(
            "Micrographs (PNG, JPEG, TIFF or BMP)",
            KINDS,
            accept_multiple_files=True,
            key="evaluate_files",
            help="An information bar of the microscope is looked for and left out; you can change "
            "what is. The text file that a JEOL or Hitachi microscope writes beside a picture "
            "gives its scale. Files stay in this server's memory for your session only.",
        )
        um_per_px = st.number_input(
            "Scale (µm per px), if you know it",
            value=None,
            min_value=LEAST_SCALE,
            max_value=MOST_SCALE,
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
    address.keep(
        PAGE,
        {
            "scale": None if um_per_px is None else str(um_per_px),
            "together": "1" if several == TOGETHER else None,
            "graphite": None if measured == iron else str(int(measured)),
            "phases": None if any_material != iron else str(int(any_material)),
        },
    )
    return Asked(with_texts(files), um_per_px, several == TOGETHER, measured, any_material, sent)


def with_texts(
    files: Sequence[UploadedFile],
) -> list[tuple[UploadedFile, UploadedFile | None]]:
    """Return pictures, each with the text file that its microscope wrote beside it.

    A text without a picture of its name stands alone, as in a batch: it is said to be no picture.
    """
    texts = {_stem(f.name): f for f in files if f.name.lower().endswith(".txt")}
    pictures = [f for f in files if not f.name.lower().endswith(".txt")]
    named = {_stem(f.name) for f in pictures}
    alone = [(text, None) for stem, text in texts.items() if stem not in named]
    return [*((f, texts.get(_stem(f.name))) for f in pictures), *alone]


def _stem(name: str) -> str:
    return splitext(name.lower())[0]


def _scale(text: str | None) -> float | None:
    """Return a scale from the address, None where it is none that the form takes.

    >>> _scale("0.5"), _scale("nan"), _scale("-1"), _scale("x"), _scale(None)
    (0.5, None, None, None, None)
    """
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if LEAST_SCALE <= found <= MOST_SCALE else None


def _switch(text: str | None, otherwise: bool) -> bool:
    return {"0": False, "1": True}.get(text or "", otherwise)


def _restore(usual: dict[str, object]) -> None:
    """Give widgets what was left in them, else what is usual: key -> value."""
    kept = st.session_state.setdefault(_KEPT, {})
    for key, value in usual.items():
        kept[key] = st.session_state.setdefault(key, kept.get(key, value))
