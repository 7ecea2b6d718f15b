"""Designs for requests: cached, one at a time, keyed by the model's files."""

import logging
from contextlib import AbstractContextManager
from dataclasses import replace

import streamlit as st

from bayesnet.association import property_changes, weighed
from bayesnet.design import Design, Proposal
from bayesnet.design import design as find_design
from bayesnet.design import propose as find_proposal
from bayesnet.explain import (
    Explanation,
    Neighbour,
    compare,
    compare_with_kept,
    nearest_specimens,
)
from bayesnet.network import Network
from bayesnet.next_test import NextTest, propose_tests
from bayesnet.refine import Refinement, refine
from bayesnet.samples import Sample, diverse_designs
from bayesnet.specimen_picture import SpecimenPicture
from core import logs
from core.checkpoint import PICTURE_PARTS, LoadedModel
from core.errors import CheckpointError
from core.properties import PropertyModel
from core.specimen_descriptors import FILE as DESCRIPTORS
from core.specimen_descriptors import SpecimenDescriptors
from dashboard import state
from dashboard.design_request import DesignRequest
from dashboard.state import Model

SAMPLE_PX = 256
N_SAMPLES = 3
logger = logging.getLogger(__name__)


def fit_key(model: Model) -> tuple[str, ...]:
    """Return what changes when what designs are made of does: pictures, latents, fits."""
    return model.key(*PICTURE_PARTS, "latents/latents.json", "network.json", "properties.json")


def propose(model: Model, request: DesignRequest) -> Proposal:
    """Return the network's answer and its picture, before the picture is measured."""
    return _propose(fit_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _propose(key: tuple[str, ...], _model: Model, request: DesignRequest) -> Proposal:
    loaded, network, _ = _parts(_model)
    with state.lock(), _told("proposal", _model, request):
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
    return _design(fit_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _design(key: tuple[str, ...], _model: Model, request: DesignRequest) -> Design:
    loaded, network, properties = _parts(_model)
    proposal = propose(_model, request)
    with state.lock(), _told("design", _model, request):
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


def design_samples(model: Model, request: DesignRequest) -> tuple[tuple[Sample, ...], int]:
    """Return other microstructures for the same request, as different as the targets allow.

    The nearest to the target first; and how many were dropped because they read back otherwise.
    """
    return _design_samples(fit_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _design_samples(
    key: tuple[str, ...], _model: Model, request: DesignRequest
) -> tuple[tuple[Sample, ...], int]:
    count = N_SAMPLES if request.samples is None else request.samples
    if not count:
        return (), 0
    loaded, network, properties = _parts(_model)
    answer = propose(_model, request).answer
    table = state.latents(_model)
    with state.lock().for_long(), _told("samples", _model, request):
        return diverse_designs(
            loaded,
            network,
            properties,
            table,
            dict(request.targets),
            request.limits(),
            answer,
            count=count,
            size_px=SAMPLE_PX,
            seed=request.seed,
        )


def refined(model: Model, request: DesignRequest) -> Refinement:
    """Refine the design for a request."""
    return _refined(fit_key(model), model, request)


@st.cache_data(max_entries=24, show_spinner=False)
def _refined(key: tuple[str, ...], _model: Model, request: DesignRequest) -> Refinement:
    loaded, network, properties = _parts(_model)
    found = design(_model, request)
    table = state.latents(_model)
    answer = found.answer
    with state.lock().for_long(), _told("refinement", _model, request):
        return refine(
            loaded, network, properties, table, found.main, answer.conditioned_on, answer.regimes
        )


def next_tests(
    model: Model, request: DesignRequest, count: int = 5, untested: bool = False
) -> tuple[NextTest, ...]:
    """Return the castings whose testing would tell most about a request.

    ``untested``: only of the data's own specimens that lack a test.
    """
    return _next_tests(fit_key(model), model, request, count, untested)


@st.cache_data(max_entries=24, show_spinner=False)
def _next_tests(
    key: tuple[str, ...], _model: Model, request: DesignRequest, count: int, untested: bool
) -> tuple[NextTest, ...]:
    return propose_tests(
        _parts(_model)[1],
        dict(request.targets),
        request.limits(),
        count=count,
        seed=request.seed,
        untested=untested,
    )


def nearest(model: Model, request: DesignRequest) -> tuple[Neighbour, ...]:
    """Return the model's specimens by nearness to the design for a request, the nearest first."""
    return nearest_specimens(state.latents(model), propose(model, request).answer.latents)


def explanation(
    model: Model,
    request: DesignRequest,
    kept: SpecimenDescriptors | None = None,
    picture: SpecimenPicture | None = None,
) -> Explanation | None:
    """Return the nearest specimen, what changes from it, and what that goes with in properties.

    Args:
        model: the model.
        request: the design's.
        kept: descriptors of the model's specimens. Without those of the nearest specimen, the
            design is compared with the picture.
        picture: of the nearest specimen, or of another near one.

    Returns:
        None where there are neither descriptors nor a picture.

    Raises:
        InputError: the design or the picture cannot be measured.
    """
    parts = ("reference.json", "examples/examples.json", f"latents/{DESCRIPTORS}")
    shown = (picture.specimen, picture.micrograph.name, picture.said) if picture else ()
    key = (*fit_key(model), *model.key(*parts), str(kept is not None), *shown)
    return _explanation(key, model, request, kept, picture)


@st.cache_data(max_entries=24, show_spinner=False)
def _explanation(
    key: tuple[str, ...],
    _model: Model,
    request: DesignRequest,
    _kept: SpecimenDescriptors | None,
    _picture: SpecimenPicture | None,
) -> Explanation | None:
    network, proposal = _parts(_model)[1], propose(_model, request)
    answer, pixels, scale = proposal.answer, proposal.pixels, _model.um_per_px
    near = nearest(_model, request)[0]
    with state.lock():
        changes = compare_with_kept(_kept, near.name, pixels, scale) if _kept else ()
        pooled = bool(changes)
        if not pooled:
            if _picture is None:
                return None
            beside, kind = _picture.micrograph, state.measured_kind(_model)
            changes = compare(beside.pixels, pixels, scale, beside.um_per_px, kind)
    asked = [node for node in network.properties if node.column in dict(request.targets)]
    properties = asked or network.properties
    found = Explanation(
        near, _picture, weighed(changes, network, answer.regimes, properties), pooled
    )
    known = property_changes(network, found.compared, answer.properties, properties)
    return replace(found, properties=known)


def _told(event: str, model: Model, request: DesignRequest) -> AbstractContextManager:
    """Log what is computed and how long it takes."""
    asked = {"targets": len(request.targets), "limits": len(request.process)}
    return logs.timed(
        logger, event, model=logs.short(model.weights), size_px=request.size_px, **asked
    )


def _parts(model: Model) -> tuple[LoadedModel, Network, PropertyModel]:
    network, properties = state.network(model), state.properties(model)
    if network is None or properties is None:
        raise CheckpointError(
            f"the model has no {'network' if network is None else 'property models'}; "
            f"run python -m bayesnet.learn --model {model.place}"
        )
    return state.loaded(model), network, properties
