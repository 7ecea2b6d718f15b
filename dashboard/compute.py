"""What the pages ask of core and bayesnet: cached, one at a time, keyed by the model's files."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from bayesnet.design import Design, Picture, Proposal, picture
from bayesnet.design import design as find_design
from bayesnet.design import propose as find_proposal
from bayesnet.learn import fit_network
from bayesnet.network import Network
from bayesnet.query import sample_latents
from core import synthesis
from core.checkpoint import LoadedModel
from core.encode import load_latents
from core.errors import CheckpointError, InputError
from core.evaluate import Evaluation, evaluate_image
from core.examples import Example
from core.images import Micrograph, read_image
from core.patches import cut_patches
from core.properties import PropertyModel, fit_properties
from core.scale import to_scale
from core.traverse import PAPER_VALUES
from core.traverse import traverse as vary
from dashboard import pictures, state
from dashboard.design_request import DesignRequest
from dashboard.state import Model

SAMPLE_PX = 256
N_SAMPLES = 3
N_PATCHES = 6
TRAVERSED = PAPER_VALUES


def propose(model: Model, request: DesignRequest) -> Proposal:
    """Return the network's answer and its picture, before the picture is measured."""
    return _propose(_design_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _propose(key: tuple[str, ...], _model: Model, request: DesignRequest) -> Proposal:
    loaded, network, _ = _parts(_model)
    with state.lock():
        return find_proposal(
            loaded,
            network,
            dict(request.targets),
            request.limits(),
            size_px=request.size_px,
            seed=request.seed,
        )


def design(model: Model, request: DesignRequest) -> Design:
    """Design for a request, without further samples: what has to be on the screen first."""
    return _design(_design_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _design(key: tuple[str, ...], _model: Model, request: DesignRequest) -> Design:
    loaded, network, properties = _parts(_model)
    proposal = propose(_model, request)
    with state.lock():
        return find_design(
            loaded,
            network,
            properties,
            dict(request.targets),
            request.limits(),
            size_px=request.size_px,
            n_samples=0,
            seed=request.seed,
            proposal=proposal,
        )


def design_samples(model: Model, request: DesignRequest) -> tuple[Picture, ...]:
    """Return other microstructures for the same request, as different as the targets allow."""
    return _design_samples(_design_key(model), model, replace(request, size_px=SAMPLE_PX))


@st.cache_data(max_entries=24, show_spinner=False)
def _design_samples(
    key: tuple[str, ...], _model: Model, request: DesignRequest
) -> tuple[Picture, ...]:
    loaded, network, properties = _parts(_model)
    table = state.latents(_model)
    with state.lock():
        latents = sample_latents(
            network, dict(request.targets), request.limits(), N_SAMPLES, request.seed
        )
        return tuple(
            picture(loaded, properties, table, z, SAMPLE_PX, request.seed + 1 + place)
            for place, z in enumerate(latents)
        )


def _design_key(model: Model) -> tuple[str, ...]:
    return model.key("model.safetensors", "network.json", "properties.json")


def _parts(model: Model) -> tuple[LoadedModel, Network, PropertyModel]:
    network, properties = state.network(model), state.properties(model)
    if network is None or properties is None:
        raise CheckpointError(
            f"the model has no {'network' if network is None else 'property models'}; "
            f"run python -m bayesnet.learn --model {model.folder}"
        )
    return state.loaded(model), network, properties


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
    return _evaluate(_model, example(_model, look).micrograph)


def _evaluation_key(model: Model) -> tuple[str, ...]:
    return model.key("model.safetensors", "properties.json", "reference.json")


def _evaluate(model: Model, micrograph: Micrograph) -> Evaluated:
    loaded, properties = state.loaded(model), state.properties(model)
    if properties is None:
        raise CheckpointError(
            f"the model has no property models; run python -m bayesnet.learn --model {model.folder}"
        )
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


def example(model: Model, look: str) -> Example:
    """Return the example of a look.

    Raises:
        InputError: the model has no such example.
    """
    for one in state.examples(model):
        if one.look == look:
            return one
    raise InputError(f"the model has no example {look!r}")


def patches(model: Model, micrograph: Micrograph) -> np.ndarray:
    """Return the micrograph's patches side by side at the model's scale, (N, size, size)."""
    side = state.loaded(model).config.patch_px
    pixels, _ = to_scale(micrograph, model.um_per_px)
    return cut_patches(pixels, side, side)


def reconstruct(model: Model, originals: np.ndarray, seed: int) -> np.ndarray:
    """Reconstruct patches (N, size, size) (paper, figure 4)."""
    return _reconstruct(model.key("model.safetensors"), model, originals, seed)


@st.cache_data(max_entries=16, show_spinner=False)
def _reconstruct(
    key: tuple[str, ...], _model: Model, originals: np.ndarray, seed: int
) -> np.ndarray:
    loaded = state.loaded(_model)
    with state.lock():
        return synthesis.reconstruct(loaded, originals, seed)


def prior_samples(model: Model, n: int, seed: int) -> np.ndarray:
    """Decode n latents drawn from the prior, (n, size, size) (paper, figure 5)."""
    return _prior_samples(model.key("model.safetensors"), model, n, seed)


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


def traverse(model: Model, patch: np.ndarray, dimension: int, seed: int) -> np.ndarray:
    """Set one latent dimension of a patch to each of `TRAVERSED` (paper, figure 6).

    Returns:
        (n, size, size), all with the same noise, so that only z changes.
    """
    return _traverse(model.key("model.safetensors"), model, patch, dimension, seed)


@st.cache_data(max_entries=64, show_spinner=False)
def _traverse(
    key: tuple[str, ...], _model: Model, patch: np.ndarray, dimension: int, seed: int
) -> np.ndarray:
    loaded = state.loaded(_model)
    with state.lock():
        z = synthesis.encode_patches(loaded, patch[None])[0][0]
        return vary(loaded, z, dimension, TRAVERSED, seed, size_px=loaded.config.patch_px)


def fit_anew(model: Model, data: str) -> Network:
    """Fit network and property predictors to cached latents and keep them in the workspace.

    Files are written whole, the network last, so that other sessions see the old fit or the new.
    """
    table = load_latents(state.latent_folders(model)[data])
    network = fit_network(table)
    fitted = fit_properties(table)
    fitted.save(model.fitted_folder / "properties.json")
    network.save(model.fitted_folder / "network.json")
    return network


def reset_fit(model: Model) -> None:
    """Go back to the network and the property predictors that came with the model."""
    for name in state.FITTED:
        (model.fitted_folder / name).unlink(missing_ok=True)
