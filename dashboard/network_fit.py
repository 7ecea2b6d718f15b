"""Fitting a model's network on the Network page: what the one in use scores, and the way back."""

import streamlit as st

from bayesnet.fit_files import NETWORK
from bayesnet.network import Network
from dashboard import (
    arc_editor,
    components,
    errors,
    fitting,
    permission,
    places,
    state,
    waiting,
)
from dashboard.state import Model
from dashboard.wording import quantity

FITTED = "network_fitted"  # no widget's key: the model, the data set, the scores before and after


def section(model: Model, network: Network | None) -> None:
    """Offer to fit a model's network, to its first one too.

    Args:
        model: the model.
        network: the one in use, its nodes titled as they are shown; None where there is none.
    """
    st.subheader("Fit the network" if network is None else "Fit it anew", anchor=False)
    if network is not None:
        _score(network)
    permission.require("fit")
    folders = state.latent_folders(model)
    if folders:
        _form(model, network, list(folders))
    else:
        st.info("No encoded data set is at hand for this model. Encode one, then reload this page:")
        place = places.shown(state.workspace() / "latents" / "NAME")
        st.code(
            f"python -m core.encode --model {model.place} --data DIR --out {place}",
            language=None,
            wrap_lines=True,
        )
    if model.refitted and st.button(_way_back(model), key="network_reset"):
        fitting.reset_fit(model)
        st.session_state.pop(FITTED, None)
        st.rerun()


def _score(network: Network) -> None:
    """Show the left-out score, by which fits to the same data are compared."""
    score = components.left_out_score(network)
    st.metric("Left-out score", "unknown" if score is None else quantity(score, "nats"))
    st.caption(
        "How well the network foretells specimens that the fit has not seen: their mean log "
        "likelihood. More is better; only fits to the same data set can be compared."
    )


def _form(model: Model, network: Network | None, data_sets: list[str]) -> None:
    """Ask for the data set and the arcs, fit, and say how the scores compare."""
    arcs = None if network is None else arc_editor.edited(network, network.nodes)
    with st.form("network_form"):
        data = st.selectbox("Data set", data_sets, key="network_data")
        label = "Fit the network" if network is None else "Fit the network anew"
        fit = st.form_submit_button(label, type="primary", key="network_fit")
    if fit:
        with errors.shown(), waiting.working("Fitting: half a minute for a hundred specimens…"):
            after = fitting.fit_anew(model, data, arcs)
            st.session_state[FITTED] = (model.id, data, _scored(network), _scored(after))
            st.rerun()
    told = st.session_state.get(FITTED)
    if told and told[0] == model.id:
        _, data, before, now = told
        scores = f"before {before}, now {now}" if before else now
        st.success(f"Fitted on {errors.escape(data)}. Left-out score {scores}.")


def _scored(network: Network | None) -> str:
    """Return a network's score in words, "" without a network."""
    if network is None:
        return ""
    score = components.left_out_score(network)
    value = "unknown" if score is None else f"{score:.2f} nats"
    return f"{value} ({len(network.specimens)} specimens)"


def _way_back(model: Model) -> str:
    if (model.folder / NETWORK).is_file():
        return "Go back to the network that came with the model"
    return "Take this network away; the model came without one"
