"""Models: what each was trained on, how good it is, its limits; two of them side by side."""

import re

import streamlit as st

from bayesnet.model_facts import SECTIONS, Fact, ModelParts, compare_models, model_facts
from core.denoiser.store import recorded_denoiser
from core.errors import MicroDesignError
from dashboard import components, errors, latent_effects, model_parity, state
from dashboard.errors import escape
from dashboard.state import Model

NOTHING = "no other"
MAX_CARD_BYTES = 200_000


def read(load, model: Model):
    """Return a part of a model, None where it is missing; a damaged one is said to be."""
    try:
        return load(model)
    except MicroDesignError as error:
        st.warning(escape(f"{model.name}: {error}"))
        return None


def facts_of(model: Model) -> list[Fact]:
    """Return what is known of a model."""
    measured = (model.folder / "reference.json").is_file()
    return model_facts(
        ModelParts(
            manifest=model.manifest,
            network=read(state.network, model),
            properties=read(state.properties, model),
            reference=read(state.reference, model) if measured else None,
            labels=latent_effects.of_model(model),
            denoiser=read(lambda one: recorded_denoiser(one.folder), model),
        )
    )


model = components.current_model()
components.title("Models", model)
st.write(
    "What the model chosen on the left has learned from, how good it is on specimens that were "
    "left out, and what nobody has tested it for."
)
others = {m.id: m for m in state.models() if m.id != model.id}
st.session_state.setdefault("models_compared", st.query_params.get("other", NOTHING))
if len(others) > 0:
    options = [NOTHING, *others]
    asked = st.session_state["models_compared"]
    other = st.selectbox(
        "Compare with",
        options,
        index=options.index(asked) if asked in options else 0,
        format_func=lambda name: others[name].name if name in others else NOTHING,
        key="models_other",
    )
    st.session_state["models_compared"] = other
else:
    other = NOTHING
    st.caption(
        "There is no second model to compare with. Train one, on your own micrographs or with "
        "other settings, and it appears here."
    )
if other in others:
    st.query_params["other"] = other
elif "other" in st.query_params:
    del st.query_params["other"]

shown = [model, *([others[other]] if other in others else [])]
rows = compare_models([facts_of(one) for one in shown])
heads = [one.name for one in shown]
if len(set(heads)) < len(heads):
    heads = [f"{one.name} ({one.id})" for one in shown]
for section in SECTIONS:
    some = [(what, cells) for of, what, cells in rows if of == section]
    if some:
        st.subheader(section, anchor=False)
        rows_shown = [
            {"What": escape(what)} | dict(zip(heads, map(escape, cells), strict=True))
            for what, cells in some
        ]
        st.table(rows_shown, hide_index=True)
    if section == "Properties" and some:
        st.caption(
            "Errors are of specimens left out of the property fit. The image model was trained on "
            "micrographs of most of them, so specimens that are new to it do somewhat worse."
        )
        model_parity.show(shown)

for one in shown:
    card = one.folder / "card.md"
    with errors.shown(), st.expander(f"Card of {escape(one.name)} with every measured figure"):
        if not card.is_file():
            st.info(
                "Nothing was measured on fresh specimens yet; the figures above are what the "
                "training run and the fits recorded."
            )
        elif card.stat().st_size > MAX_CARD_BYTES:
            st.warning("The card is too large to show.")
        else:
            # A card comes with the model: no picture in it may call another server.
            text = card.read_text(encoding="utf-8", errors="replace")
            text = re.sub(r"!\[([^\[\]]*)\]\([^()]*\)", r"(Figure, not shown here: \1.)", text)
            st.markdown(re.sub(r"!\[", r"!\\[", text))
