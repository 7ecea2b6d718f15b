"""Evaluations of uploads and of examples: cached, one at a time, keyed by the model's files."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core import logs
from core.evaluate import Evaluation, evaluate_image
from core.evaluate import similarity as find_similarity
from core.images import Micrograph, read_image
from core.info_bar import InfoBar, find_info_bar
from dashboard import pictures, state
from dashboard.measurements import fingerprint
from dashboard.state import Model

N_PATCHES = 6
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A micrograph to evaluate.

    Attributes:
        model_id: for which model.
        name: of the file, or the look of an example.
        data: the file's content; None for one of the model's own examples.
        um_per_px: given by hand; goes before the file's own.
    """

    model_id: str
    name: str
    data: bytes | None = None
    um_per_px: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A micrograph as read, before its information bar is left out.

    Attributes:
        micrograph: with the scale that counts.
        found: the information bar that was found.
        scale_from: where the scale comes from, in words; None where it is not known.
    """

    micrograph: Micrograph
    found: InfoBar
    scale_from: str | None


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


def read(model: Model, job: Job) -> Source:
    """Read a job's micrograph and look for its information bar."""
    if job.data is None:
        return Source(state.example(model, job.name).micrograph, InfoBar(), "from the data set")
    return _read(job.data, job.name, job.um_per_px)


@st.cache_data(max_entries=24, show_spinner=False)
def _read(data: bytes, name: str, um_per_px: float | None) -> Source:
    with logs.timed(logger, "upload", bytes=len(data)) as told:
        micrograph = read_image(data, name)
        told["height_px"], told["width_px"] = micrograph.pixels.shape
    scale_from = None if micrograph.um_per_px is None else "from the file"
    if um_per_px is not None:
        micrograph = replace(micrograph, um_per_px=um_per_px)
        scale_from = "as given in the form"
    return Source(micrograph, find_info_bar(micrograph.pixels), scale_from)


def evaluate(model: Model, micrograph: Micrograph) -> Evaluated:
    """Evaluate a micrograph whose information bar is left out already."""
    about = (fingerprint(micrograph.pixels), micrograph.um_per_px, micrograph.name)
    return _evaluate((*_evaluation_key(model), *about, *micrograph.notes), model, micrograph)


def _evaluation_key(model: Model) -> tuple[str, ...]:
    return model.key("model.safetensors", "properties.json", "reference.json")


@st.cache_data(max_entries=32, show_spinner=False)
def _evaluate(key: tuple, _model: Model, _micrograph: Micrograph) -> Evaluated:
    loaded, properties = state.loaded(_model), state.properties(_model)
    reference, micrograph = state.reference(_model), _micrograph
    about = {"model": logs.short(_model.weights), "pixels": micrograph.pixels.size}
    with state.lock(), logs.timed(logger, "evaluation", **about):
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
