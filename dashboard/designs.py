"""Designs for requests: cached, one at a time, keyed by the model's files."""

from dataclasses import replace

import streamlit as st

from bayesnet.design import Design, Picture, Proposal, picture
from bayesnet.design import design as find_design
from bayesnet.design import propose as find_proposal
from bayesnet.network import Network
from bayesnet.query import sample_latents
from core.checkpoint import LoadedModel
from core.errors import CheckpointError
from core.properties import PropertyModel
from dashboard import state
from dashboard.design_request import DesignRequest
from dashboard.state import Model

SAMPLE_PX = 256
N_SAMPLES = 3


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
