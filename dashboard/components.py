"""Pieces of page that several pages share."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st
from PIL import Image

from bayesnet.choice import candidate_name
from bayesnet.demands import Wish
from bayesnet.network import Network
from dashboard import pictures, state
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import Estimated, Named, interval, quantity, shortfall, unbroken, wished

_CHOSEN = "chosen_model"  # no widget's key
GAPS = {"xxsmall": "0.25rem", "xsmall": "0.5rem", "small": "1rem"}
CAPTION = "text-align:center;font-size:0.875rem;line-height:1.3;opacity:0.8;overflow-wrap:anywhere"
TRAIN = "python -m core.train --data DIR --out workspace/models/NAME"


def sidebar() -> None:
    """Let the user choose a model, and say what it is; remembered in the address."""
    found = {model.id: model for model in state.models()}
    for name, why in state.damaged_models().items():
        st.sidebar.warning(escape(f"The model {name} is left out: {why}"))
    if not found:
        st.session_state.pop(_CHOSEN, None)
        st.sidebar.warning("No model is installed.")
        return
    wanted = st.session_state.get(_CHOSEN, st.query_params.get("model"))
    first = next(iter(found))
    if wanted is not None and wanted not in found:
        st.sidebar.warning(
            escape(f"There is no model {str(wanted)[:60]!r} here; {first} is shown.")
        )
    st.session_state["sidebar_model"] = wanted if wanted in found else first
    chosen = st.sidebar.selectbox(
        "Model",
        list(found),
        format_func=lambda name: found[name].name,
        key="sidebar_model",
        on_change=_choose,
        help="The reference model comes with MicroDesign; your own are in workspace/models.",
    )
    st.session_state[_CHOSEN] = chosen
    if chosen != first:
        st.query_params["model"] = chosen
    elif "model" in st.query_params:
        del st.query_params["model"]
    st.sidebar.caption(card_line(found[chosen]))


def _choose() -> None:
    st.session_state[_CHOSEN] = st.session_state["sidebar_model"]


def choose(model_id: str) -> None:
    """Let every page use this model from the next run on."""
    st.session_state[_CHOSEN] = model_id


def card_line(model: Model) -> str:
    """Say in a line what a model was trained on, and when."""
    about = model.manifest
    parts = [f"Trained on {escape(str(about.get('data_name') or 'an unnamed data set'))}"]
    if model.synthetic:
        parts.append("synthetic")
    if about.get("specimens") and about.get("images"):
        parts.append(f"{about['specimens']} specimens, {about['images']} micrographs")
    if model.um_per_px:
        parts.append(f"{model.um_per_px:g} µm per px")
    if about.get("date"):
        parts.append(escape(str(about["date"])[:10]))
    return " · ".join(parts)


def current_model() -> Model:
    """Return the chosen model; without any, say what to do next and stop the page."""
    found = {model.id: model for model in state.models()}
    model = found.get(st.session_state.get(_CHOSEN, ""))
    if model is None:
        st.info(
            "**There is no model yet.** Make a data set of your own micrographs on *Own data* and "
            "train a model on it under *Training*; the command below trains one, too. The "
            "reference model belongs in `assets/reference`; get it with `git checkout assets`."
        )
        with st.container(horizontal=True):
            st.page_link("views/data.py", label="Go to Own data", icon=":material/upload_file:")
            st.page_link(
                "views/training.py", label="Go to Training", icon=":material/model_training:"
            )
        st.code(TRAIN, language=None, wrap_lines=True)
        st.stop()
    return model


def fitted_network(model: Model) -> Network:
    """Return the model's network; without one, say what to do next and stop the page."""
    network = state.network(model)
    if network is None:
        st.info(
            "**This model has no Bayesian network yet**, so strengths and microstructures are not "
            "tied together. Encode a data set and fit the network, then reload this page:"
        )
        refit_commands(model)
        st.stop()
    return network


def refit_commands(model: Model) -> None:
    """Show the commands that encode a data set and fit the network to it."""
    st.code(
        f"python -m core.encode --model {model.place} --data DIR\n"
        f"python -m bayesnet.learn --model {model.place} --data DIR",
        language=None,
        wrap_lines=True,
    )


def title(text: str, model: Model | None = None) -> None:
    """Write the page's title, with the label that synthetic data must carry."""
    st.title(text, anchor=False)
    if model is not None and model.synthetic:
        synthetic_badge(model.synthetic_label)
        st.caption("The micrographs and properties behind this model are simulated, not measured.")


def synthetic_badge(what: str = "synthetic data") -> None:
    """Show the label that synthetic data must carry."""
    st.badge(what.capitalize(), icon=":material/science:", color="orange")


def estimates(
    found: Mapping[str, Estimated],
    named: Mapping[str, Named],
    heading: str,
    targets: Mapping[str, Wish] | None = None,
    targets_heading: str = "Target",
) -> None:
    """Show estimates with units and 90 % intervals, beside targets where given, as a table."""
    rows = []
    for name, estimate in found.items():
        if name not in named:
            continue
        unit = named[name].unit
        row = {heading: named[name].label}
        if targets is not None:
            row[targets_heading] = (
                unbroken(wished(targets[name], unit)) if name in targets else "none"
            )
        row["Value" if targets is None else "Found"] = unbroken(quantity(estimate.value, unit))
        if targets is not None:
            row["Difference"] = (
                shortfall(estimate.value, targets[name], unit) if name in targets else ""
            )
        row["90 % interval"] = interval(estimate, unit)
        rows.append(row)
    st.table(rows, hide_index=True)


def gallery(
    images: Sequence[Image.Image],
    captions: Sequence[str],
    alts: Sequence[str],
    width: int,
    gap: str,
) -> None:
    """Show small pictures beside each other; they wrap where the window is narrow.

    As one piece of HTML, which browsers draw sooner than an element of Streamlit's each.

    Args:
        images: made smaller where they are wider than they are shown.
        captions, alts: one each, plain text; an alt says what is seen to those who do not see it.
        width: px.
        gap: between them, as Streamlit names it.
    """
    shown = [
        f'<figure style="margin:0;width:{width}px;max-width:100%">'
        f'<img src="{pictures.data_uri(image, width)}" alt="{html.escape(alt)}" '
        f'style="display:block;width:100%"/>'
        f'<figcaption style="{CAPTION}">{html.escape(caption)}</figcaption></figure>'
        for image, caption, alt in zip(images, captions, alts, strict=True)
    ]
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:{GAPS[gap]}">{"".join(shown)}</div>')


def left_out_score(network: Network) -> float | None:
    """Return the left-out score of the candidate that was chosen, None where it is not known."""
    scores = network.scores
    if not {"regimes", "factors"} <= set(scores):
        return None
    name = candidate_name(scores["regimes"], scores["factors"], scores.get("structure", "full"))
    found = scores.get("left_out_log_likelihood", {}).get(name)
    return None if found is None else float(found)
