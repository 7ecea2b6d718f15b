"""Saved designs on the pages: where they lie, what they are called, keeping and opening them."""

import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

from bayesnet import library
from bayesnet.library import Saved
from bayesnet.recipe import Recipe
from bayesnet.wording import wished
from core.errors import InputError
from core.images import read_image
from dashboard import components, design_request, designs, pictures, state
from dashboard.design_request import SAMPLES, SIZES, DesignRequest
from dashboard.permission import needs
from dashboard.state import Model

THUMBNAIL_PX, COMPARED_PX = 400, 640  # widths of a picture in the list, and beside others
MOST = 1000  # of all visitors together, so that strangers cannot fill the disk


def folder() -> Path:
    """Return where saved designs lie."""
    return state.workspace() / "designs"


@needs("save")
def save(recipe: Recipe, pixels: np.ndarray, note: str) -> tuple[str, bool]:
    """Keep a design; returns its id and whether it is new.

    Raises:
        InputError: the library is full, the note too long, or the folder cannot be written.
        NotAllowedError: the server is read-only.
    """
    kept = sum(1 for _ in folder().iterdir()) if folder().is_dir() else 0
    if kept >= MOST:
        raise InputError(f"the library is full: it holds {kept} designs; delete some first")
    return library.save_design(folder(), recipe, pixels, note)


def note_of(name: str) -> str:
    """Return the note of a saved design.

    Raises:
        InputError: there is no such design, or it is damaged.
    """
    return library.load_design(folder(), name).note


@needs("change")
def set_note(name: str, note: str) -> None:
    """Replace the note of a saved design.

    Raises:
        InputError: there is no such design, or the note is too long.
        NotAllowedError: visitors may not change what is saved.
    """
    library.set_note(folder(), name, note)


@needs("change")
def delete(name: str) -> None:
    """Delete a saved design for good.

    Raises:
        InputError: there is no such design.
        NotAllowedError: visitors may not delete what is saved.
    """
    library.delete_design(folder(), name)


def thumbnail(one: Saved, width_px: int = THUMBNAIL_PX) -> bytes:
    """Return a small JPEG of a saved design's picture, with its scale bar, made once.

    Raises:
        InputError: the picture is damaged or gone.
    """
    picture = one.picture
    content = hashlib.sha256(picture).hexdigest()
    return _thumbnail(content, one.recipe.um_per_px, width_px, picture)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnail(content: str, um_per_px: float | None, width_px: int, _picture: bytes) -> bytes:
    return pictures.thumbnail(read_image(_picture, library.PICTURE).pixels, um_per_px, width_px)


def title(recipe: Recipe) -> str:
    """Name a design by what was asked for: ``Yield strength 280 MPa, seed 3``."""
    named = recipe.named
    asked = [
        f"{named[name].label} {wished(wish, named[name].unit)}"
        for name, wish in recipe.targets.items()
    ]
    return ", ".join([*asked, f"seed {recipe.seed}"])


def model_of(recipe: Recipe) -> Model | None:
    """Return the model that a design was made with, None where it is not installed."""
    return next((m for m in state.models() if m.weights == recipe.parts["model"]), None)


def request_of(recipe: Recipe) -> DesignRequest:
    """Return what the *Inverse design* page has to be asked for the same design."""
    limits = tuple(
        (name, limit if isinstance(limit, tuple) else (limit, limit))
        for name, limit in recipe.process.items()
    )
    # Samples are drawn together, so another number of them gives others.
    samples = recipe.samples if recipe.samples in SAMPLES else None
    if samples == designs.N_SAMPLES:
        samples = None
    targets = tuple(recipe.targets.items())
    return DesignRequest(targets, limits, recipe.seed, recipe.size_px, samples)


def can_be_opened(recipe: Recipe) -> bool:
    """Return whether the *Inverse design* page can show the design again."""
    return model_of(recipe) is not None and recipe.size_px in SIZES


def prepare(recipe: Recipe) -> None:
    """Let the *Inverse design* page show the design when it is opened next, refined or not."""
    model, request = model_of(recipe), request_of(recipe)
    if model is not None:
        components.choose(model.id)
        design_request.replace(model.id, request)
        design_request.refine(model.id, request, recipe.refinement is not None)
