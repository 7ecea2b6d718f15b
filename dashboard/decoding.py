"""Patches and what is decoded from latents (paper, figures 4 to 6): cached, one at a time."""

import numpy as np
import streamlit as st

from core import synthesis
from core.checkpoint import PICTURE_PARTS
from core.images import Micrograph
from core.patches import cut_patches
from core.scale import to_scale
from core.traverse import PAPER_VALUES, traverse_along
from core.traverse import traverse as vary
from dashboard import state
from dashboard.caching import kept
from dashboard.measurements import fingerprint
from dashboard.state import Model

TRAVERSED = PAPER_VALUES


def patches(model: Model, micrograph: Micrograph) -> np.ndarray:
    """Return the micrograph's patches side by side at the model's scale, (N, size, size)."""
    side = state.loaded(model).config.patch_px
    pixels, _ = to_scale(micrograph, model.um_per_px)
    return cut_patches(pixels, side, side)


def reconstruct(model: Model, originals: np.ndarray, seed: int) -> np.ndarray:
    """Reconstruct patches (N, size, size) (paper, figure 4)."""
    key = (*model.key(*PICTURE_PARTS), fingerprint(originals))
    return _reconstruct(key, model, originals, seed)


@st.cache_data(max_entries=16, show_spinner=False)
def _reconstruct(
    key: tuple[str, ...], _model: Model, _originals: np.ndarray, seed: int
) -> np.ndarray:
    loaded = state.loaded(_model)
    with state.lock():
        return synthesis.reconstruct(loaded, _originals, seed)


def prior_samples(model: Model, n: int, seed: int) -> np.ndarray:
    """Decode n latents drawn from the prior, (n, size, size) (paper, figure 5)."""
    return _prior_samples(model.key(*PICTURE_PARTS), model, n, seed)


@st.cache_data(max_entries=16, show_spinner=False)
def _prior_samples(key: tuple[str, ...], _model: Model, n: int, seed: int) -> np.ndarray:
    loaded = state.loaded(_model)
    side = loaded.config.patch_px
    drawn = np.random.default_rng(seed).standard_normal((n, loaded.config.latents))
    with state.lock():
        return np.stack(
            [
                synthesis.synthesise(loaded, z.astype(np.float32), side, side, seed=seed + place)
                for place, z in enumerate(drawn)
            ]
        )


def traverse(
    model: Model, patch: np.ndarray, along: int | tuple[float, ...], seed: int, own: bool
) -> np.ndarray:
    """Set a patch's coordinate along a direction to each of `TRAVERSED` (paper, figure 6).

    Args:
        model: which model.
        patch: (size, size) to start from.
        along: a latent dimension, or a unit vector of the latent space.
        seed: of the noise.
        own: whether the patch is of an upload; what comes of it is kept for its session alone.

    Returns:
        (n, size, size), all with the same noise, so that only z changes.
    """
    key = (*model.key(*PICTURE_PARTS), fingerprint(patch))
    return _traverse(key, model, patch, along, seed, own=own)


@kept(64)
def _traverse(
    key: tuple[str, ...],
    _model: Model,
    _patch: np.ndarray,
    along: int | tuple[float, ...],
    seed: int,
) -> np.ndarray:
    loaded = state.loaded(_model)
    side = loaded.config.patch_px
    with state.lock():
        z = synthesis.encode_patches(loaded, _patch[None])[0][0]
        if isinstance(along, int):
            return vary(loaded, z, along, TRAVERSED, seed, size_px=side)
        return traverse_along(loaded, z, np.array(along), TRAVERSED, seed, size_px=side)
