"""Fitting a model's network and property predictors anew, and going back to its own."""

import logging

from bayesnet.fit_files import replace_fit
from bayesnet.learn import NetworkConfig, fit_network, property_models
from bayesnet.network import Network
from core import logs
from core.calibrate import load_unseen, load_unseen_structure
from core.checkpoint import read_config
from core.encode import load_latents
from core.folders import remove_folder
from core.specimen_descriptors import load_descriptors
from dashboard import state
from dashboard.permission import needs
from dashboard.state import Model

logger = logging.getLogger(__name__)


@needs("fit")
def fit_anew(model: Model, data: str, arcs: tuple[tuple[str, str], ...] | None = None) -> Network:
    """Fit network and property predictors to cached latents and keep them in the workspace.

    Args:
        model: the model.
        data: name of its cached latents.
        arcs: (parent, child) names of nodes, the user's own; None lets the fit choose.

    They take the old fit's place as a whole, so that other sessions see the one or the other.

    Raises:
        NotAllowedError: visitors may not replace what all of them use.
    """
    folder = state.latent_folders(model)[data]
    table, unseen = load_latents(folder), load_unseen(model.folder)
    if unseen is not None and unseen.data_hash == table.data_hash:
        unseen = None
    seen = load_unseen_structure(model.folder, unseen)
    config = NetworkConfig(arcs=arcs, patch_px=read_config(model.folder).patch_px)
    about = {"model": logs.short(model.weights), "specimens": len(table.specimens)}
    with logs.timed(logger, "fit", **about), state.lock().for_long():
        descriptors = load_descriptors(folder)
        network = fit_network(table, config, descriptors, unseen)
        fitted = property_models(table, unseen, descriptors, seen)
        replace_fit(model.fitted_folder, network, fitted)
    return network


@needs("fit")
def reset_fit(model: Model) -> None:
    """Go back to the network and the property predictors that came with the model.

    Raises:
        NotAllowedError: visitors may not replace what all of them use.
    """
    with state.lock():
        if model.fitted_folder.is_dir():
            remove_folder(model.fitted_folder)
