"""Fitting a model's network and property predictors anew, and going back to its own."""

import logging

from bayesnet.learn import fit_network
from bayesnet.network import Network
from core import logs
from core.calibrate import fit_calibrated, load_unseen
from core.encode import load_latents
from core.files import storing
from dashboard import state
from dashboard.permission import needs
from dashboard.state import Model

logger = logging.getLogger(__name__)


@needs("fit")
def fit_anew(model: Model, data: str) -> Network:
    """Fit network and property predictors to cached latents and keep them in the workspace.

    Files are written whole, the network last, so that other sessions see the old fit or the new.

    Raises:
        NotAllowedError: visitors may not replace what all of them use.
    """
    table = load_latents(state.latent_folders(model)[data])
    about = {"model": logs.short(model.weights), "specimens": len(table.specimens)}
    with logs.timed(logger, "fit", **about):
        with state.lock():
            network = fit_network(table)
            fitted = fit_calibrated(table, load_unseen(model.folder))
        fitted.save(model.fitted_folder / "properties.json")
        network.save(model.fitted_folder / "network.json")
    return network


@needs("fit")
def reset_fit(model: Model) -> None:
    """Go back to the network and the property predictors that came with the model.

    Raises:
        NotAllowedError: visitors may not replace what all of them use.
    """
    with storing(model.fitted_folder):
        for name in state.FITTED:
            (model.fitted_folder / name).unlink(missing_ok=True)


def left_out_score(network: Network) -> float | None:
    """Return the left-out score of the candidate that was chosen, in nats; None where unknown."""
    scores = network.scores
    tried = scores.get("left_out_log_likelihood", {})
    return tried.get(f"regimes={scores.get('regimes')},factors={scores.get('factors')}")
