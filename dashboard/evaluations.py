"""Evaluations of uploads and of examples: cached, one at a time, keyed by the model's files.

Those of uploads are kept for their session alone.
"""

import logging
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import logs
from core.checkpoint import PICTURE_PARTS
from core.errors import CheckpointError
from core.evaluate import Evaluation, evaluate_image
from core.evaluate import similarity as find_similarity
from core.evaluate import with_structure as structure_of
from core.images import Micrograph, read_image
from core.info_bar import InfoBar, find_info_bar
from core.microscope_text import with_text_scale
from core.properties import PropertyModel
from core.reference_file import Reference
from core.seen import Seen
from dashboard import pictures, state
from dashboard.caching import kept, kept_by_size
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
        beside: content of the text file that a microscope wrote beside the picture, None without.
    """

    model_id: str
    name: str
    data: bytes | None = None
    um_per_px: float | None = None
    beside: bytes | None = None

    def at(self, um_per_px: float | None) -> "Job":
        """Return it at another scale given by hand; the model's own examples have their own."""
        return self if self.data is None else replace(self, um_per_px=um_per_px)


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
        own: whether it is of an upload.
    """

    evaluation: Evaluation
    preview: bytes
    um_per_px: float | None
    own: bool


def shown(model: Model) -> list[Job]:
    """Return what was last evaluated in this session, where that was with this model."""
    return [job for job in st.session_state.get("evaluated", []) if job.model_id == model.id]


def read(model: Model, job: Job) -> Source:
    """Read a job's micrograph and look for its information bar."""
    if job.data is None:
        return Source(state.example(model, job.name).micrograph, InfoBar(), "from the data set")
    beside = b"" if job.beside is None else job.beside
    key = ("read", *(sha256(data).digest() for data in (job.data, beside)), job.name, job.um_per_px)
    return kept_by_size(key, lambda: _read(job), lambda one: one.micrograph.pixels.nbytes)


def _read(job: Job) -> Source:
    """Read an upload in its turn: a large one takes seconds and several times its memory."""
    data, beside = job.data or b"", job.beside
    with state.lock(), logs.timed(logger, "upload", bytes=len(data)) as told:
        micrograph = read_image(data, job.name)
        told["height_px"], told["width_px"] = micrograph.pixels.shape
        found = find_info_bar(micrograph.pixels)
    scale_from = None if micrograph.um_per_px is None else "from the file"
    if scale_from is None and beside is not None:
        micrograph = with_text_scale(micrograph, lambda: beside)
        scale_from = None if micrograph.um_per_px is None else "from the text file beside it"
    if job.um_per_px is not None:
        micrograph = replace(micrograph, um_per_px=job.um_per_px)
        scale_from = "as given in the form"
    return Source(micrograph, found, scale_from)


def usual(model: Model) -> Reference | None:
    """Return what is usual for a model, None where nothing can be judged by it.

    `dashboard.evaluation_card.reference` says why on the page.
    """
    try:
        return state.reference(model)
    except CheckpointError:
        return None


def evaluate(model: Model, micrograph: Micrograph, own: bool) -> Evaluated:
    """Evaluate a micrograph, of an upload or not, whose information bar is left out already."""
    about = (fingerprint(micrograph.pixels), micrograph.um_per_px, micrograph.name)
    key = (*evaluation_key(model), *about, *micrograph.notes)
    return replace(_evaluate(key, model, micrograph, own=own), own=own)


def evaluation_key(model: Model) -> tuple[str, ...]:
    """Return what changes when what evaluations are made of does."""
    return model.key(*PICTURE_PARTS, "properties.json", "reference.json")


@kept(16)
def _evaluate(key: tuple, _model: Model, _micrograph: Micrograph) -> Evaluated:
    loaded, properties = state.loaded(_model), state.properties(_model)
    reference, micrograph = usual(_model), _micrograph
    about = {"model": logs.short(_model.weights), "pixels": micrograph.pixels.size}
    with state.lock().for_long(), logs.timed(logger, "evaluation", **about):
        found = evaluate_image(
            loaded, properties, reference, micrograph, n_patches=N_PATCHES, seed=0
        )
    side = loaded.config.patch_px
    scale = _model.um_per_px if micrograph.um_per_px else None  # it was brought to the model's
    preview = pictures.png(pictures.marked(found.pixels, found.corners, side, scale))
    return Evaluated(
        replace(found, pixels=found.pixels[:1, :1].copy()), preview, micrograph.um_per_px, True
    )


def with_structure(
    found: Evaluated, properties: PropertyModel | None, seen: Seen | None
) -> Evaluated:
    """Return an evaluation with properties by its measured structure, too."""
    again = structure_of(found.evaluation, properties, seen)
    return replace(found, evaluation=again)


def similarity(
    model: Model, found: Evaluated
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Compare the patches shown with their reconstructions (`core.evaluate.similarity`)."""
    one = found.evaluation
    key = (*evaluation_key(model), fingerprint(one.originals))
    return _similarity(key, model, one, own=found.own)


@kept(48)
def _similarity(
    key: tuple[str, ...], _model: Model, _evaluation: Evaluation
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    with state.lock().for_long():
        return find_similarity(state.loaded(_model), _evaluation)
