"""Evaluations of uploads and of examples: cached, one at a time, keyed by the model's files."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.evaluate import Evaluation, evaluate_image
from core.evaluate import similarity as find_similarity
from core.images import Micrograph, read_image
from dashboard import pictures, state
from dashboard.state import Model

N_PATCHES = 6


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation without the whole micrograph, which may be large, but with a preview of it.

    Attributes:
        evaluation: its ``pixels`` are cut to one.
        preview: PNG with the patches marked.
        um_per_px: the micrograph's own scale, before it was brought to the model's.
    """

    evaluation: Evaluation
    preview: bytes
    um_per_px: float | None


def evaluate_upload(model: Model, data: bytes, name: str, um_per_px: float | None) -> Evaluated:
    """Read and evaluate an uploaded file; the scale given by hand goes before the file's own."""
    return _evaluate_upload(_evaluation_key(model), model, data, name, um_per_px)


@st.cache_data(max_entries=32, show_spinner=False)
def _evaluate_upload(
    key: tuple[str, ...], _model: Model, data: bytes, name: str, um_per_px: float | None
) -> Evaluated:
    micrograph = read_image(data, name)
    if um_per_px is not None:
        micrograph = replace(micrograph, um_per_px=um_per_px)
    return _evaluate(_model, micrograph)


def evaluate_example(model: Model, look: str) -> Evaluated:
    """Evaluate one of the model's own examples."""
    return _evaluate_example(_evaluation_key(model), model, look)


@st.cache_data(max_entries=16, show_spinner=False)
def _evaluate_example(key: tuple[str, ...], _model: Model, look: str) -> Evaluated:
    return _evaluate(_model, state.example(_model, look).micrograph)


def _evaluation_key(model: Model) -> tuple[str, ...]:
    return model.key("model.safetensors", "properties.json", "reference.json")


def _evaluate(model: Model, micrograph: Micrograph) -> Evaluated:
    loaded, properties = state.loaded(model), state.properties(model)
    reference = state.reference(model)
    with state.lock():
        found = evaluate_image(
            loaded, properties, reference, micrograph, n_patches=N_PATCHES, seed=0
        )
    side = loaded.config.patch_px
    preview = pictures.png(pictures.marked(found.pixels, found.corners, side))
    return Evaluated(
        replace(found, pixels=found.pixels[:1, :1].copy()), preview, micrograph.um_per_px
    )


def similarity(model: Model, found: Evaluated) -> dict[str, float]:
    """Return every metric's mean over the patches shown against their reconstructions."""
    one = found.evaluation
    return _similarity(_evaluation_key(model), model, one.originals, one)


@st.cache_data(max_entries=48, show_spinner=False)
def _similarity(
    key: tuple[str, ...], _model: Model, originals: np.ndarray, _evaluation: Evaluation
) -> dict[str, float]:
    with state.lock():
        return find_similarity(state.loaded(_model), _evaluation)
