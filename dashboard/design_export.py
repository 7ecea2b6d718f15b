"""What can be taken away of a design: files, and a place in the library."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import numpy as np
import streamlit as st

from bayesnet import library
from bayesnet.design import Design
from bayesnet.design_files import picture_zip
from bayesnet.design_report import design_report
from bayesnet.fit_files import NETWORK
from bayesnet.network import Network
from bayesnet.pictures import Picture
from bayesnet.recipe import Recipe
from bayesnet.recording import parts_of, picture_text, record
from bayesnet.refine import Refinement
from core import logs
from core.descriptors import describe
from core.exports.spreadsheet import descriptors_csv, latents_csv, structures_csv
from core.exports.tiff16 import encode_tiff16
from core.stereology import measure_structure
from core.turns import Turns
from dashboard import errors, permission, saved_designs, state
from dashboard.designs import SAMPLE_PX
from dashboard.state import Model

logger = logging.getLogger(__name__)
T = TypeVar("T")


def named_pictures(design: Design) -> dict[str, Picture]:
    """Return the pictures by the names that tables give them."""
    return {"design": design.main} | {
        f"sample {i}": sample.picture for i, sample in enumerate(design.samples, start=1)
    }


def offer(
    design: Design, stem: str, model: Model, network: Network, refined: Refinement | None = None
) -> None:
    """Offer further files of a design, and to save it; everything is made when it is asked for.

    What it was made with is looked at here: when a file is asked for, the network may be another.

    Args:
        design: on the screen, with its samples.
        stem: what the files' names begin with.
        model: the model; network: its network.
        refined: the design refined, where it is on the screen.
    """
    with errors.shown():
        parts = parts_of(model.folder, model.part(NETWORK).parent)

        def recipe() -> Recipe:
            loaded = state.loaded(model)
            return record(design, loaded, network, parts, SAMPLE_PX, model.name, refined)

        with st.container(horizontal=True, key="design_export"):
            with st.popover("More files", icon=":material/download:", key="design_files"):
                _files(design, stem, model, recipe, refined)
            with st.popover("Save design", icon=":material/bookmark_add:", key="design_save"):
                _save(design, recipe, refined)


def _files(
    design: Design,
    stem: str,
    model: Model,
    recipe: Callable[[], Recipe],
    refined: Refinement | None,
) -> None:
    pictures = named_pictures(design)
    if refined is not None:
        pictures["refined design"] = refined.picture
    shown = design.main if refined is None else refined.picture
    turns = state.lock()

    def tiff() -> bytes:
        return encode_tiff16(shown.pixels, design.um_per_px, picture_text(recipe()))

    def every_picture() -> bytes:
        return picture_zip(design, recipe(), refined)

    def as_json() -> str:
        return json.dumps(recipe().to_json(), indent=2, allow_nan=False)

    def report() -> str:
        samples = [sample.picture.pixels for sample in design.samples]
        return design_report(recipe(), [shown.pixels, *samples])

    def structures() -> bytes:
        found = _one_by_one(pictures, partial(measure_structure, um_per_px=design.um_per_px), turns)
        return structures_csv(found, design.um_per_px).encode("utf-8-sig")

    def descriptors() -> bytes:
        found = _one_by_one(pictures, partial(describe, um_per_px=design.um_per_px or 0), turns)
        return descriptors_csv(found).encode("utf-8-sig")

    def latents() -> bytes:
        return latents_csv({n: p.z for n, p in pictures.items()}).encode("utf-8-sig")

    offers = [
        ("Report (HTML)", report, "html", "text/html", "One page with pictures, verdict, numbers."),
        ("Picture (16-bit TIFF)", tiff, "tif", "image/tiff", "ImageJ opens it with its scale."),
        (
            "All pictures (ZIP)",
            every_picture,
            "pictures.zip",
            "application/zip",
            "The design and its samples, each as PNG and 16-bit TIFF.",
        ),
        (
            "Recipe (JSON)",
            as_json,
            "recipe.json",
            "application/json",
            "python -m bayesnet.replay makes the same design from it again.",
        ),
        ("Latents (CSV)", latents, "latents.csv", "text/csv", "Of the design and its samples."),
    ]
    graphite = state.measured_kind(model) == "graphite"
    if design.um_per_px or not graphite:
        what = "Graphite and grains" if graphite else "Phase area, spacing and texture"
        about = f"{what} of the design and its samples, measured on the pictures."
        measured = descriptors if graphite else structures
        offers.append(("Descriptors (CSV)", measured, "descriptors.csv", "text/csv", about))
    for label, make, suffix, mime, about in offers:
        key = f"design_file_{suffix.replace('.', '_')}"
        name = f"{stem}.{suffix}" if "." not in suffix else f"{stem}_{suffix}"
        st.download_button(label, make, name, mime, key=key, on_click="ignore")
        st.caption(about)  # a tooltip would cover the next button


def _one_by_one(
    pictures: Mapping[str, Picture], measure: Callable[[np.ndarray], T], turns: Turns
) -> dict[str, T]:
    """Measure pictures, each in a turn of its own.

    A download is a click of its own, on a thread that may have served others before.
    """
    turns.arrive()
    found = {}
    for name, picture in pictures.items():
        with turns:
            found[name] = measure(picture.pixels)
    return found


def _save(design: Design, recipe: Callable[[], Recipe], refined: Refinement | None) -> None:
    if not permission.offered("save"):
        return
    with st.form("design_save_form", border=False):
        note = st.text_area(
            "Note", key="design_note", max_chars=library.MAX_NOTE, placeholder="What is it for?"
        )
        sent = st.form_submit_button("Save to the library", key="design_save_submit")
    if not sent:
        return
    shown = design.main if refined is None else refined.picture
    with errors.shown():
        name, new = saved_designs.save(recipe(), shown.pixels, note)
        logs.event(logger, "design_saved", id=name, new=new)
        if new:
            st.success(f"Saved as {name}.")
        elif note.strip() in ("", saved_designs.note_of(name)):
            st.success(f"This design is in the library as {name}.")
        else:
            st.warning(
                f"This design is in the library as {name} already; its note was left as it is and "
                "can be changed there."
            )
        st.page_link("views/library.py", label="Open the library", icon=":material/bookmarks:")
