"""Network: the fitted graph, process over latents to properties, and fitting it anew."""

import streamlit as st

from dashboard import (
    address,
    arc_editor,
    beliefs,
    components,
    errors,
    figures,
    fitting,
    latent_effects,
    permission,
    places,
    state,
    waiting,
)
from dashboard.wording import quantity, unbroken

model = components.current_model()
components.title("Network", model)
network = components.fitted_network(model)
arcs = network.arcs()
labels = latent_effects.of_model(model)
nodes = latent_effects.titled(network.nodes, labels)
named = {n.node: n for n in nodes}
refitted = model.refitted


st.write(
    "How process settings, the model's latents, descriptors and properties hang together. Inverse "
    "design goes through this network from the properties asked for to latents and settings."
)
with st.container(horizontal=True):
    st.metric("Specimens", len(network.specimens), border=True)
    st.metric(
        "Active latents", f"{len(network.latents)} of {network.latent_mean.size}", border=True
    )
    st.metric(
        "Regimes",
        len(network.regimes),
        border=True,
        help="Kinds of structure, such as flake and nodular, with a network each.",
    )
    st.metric(
        "Left-out score",
        "unknown"
        if components.left_out_score(network) is None
        else quantity(components.left_out_score(network), "nats"),
        border=True,
        help="Mean log likelihood of a specimen that the fit has not seen ; more is better.",
    )
st.caption("Fitted anew in this dashboard." if refitted else "As it came with the model.")
arc_editor.about(model, network)
for note in network.notes:
    st.caption(errors.escape(note))

st.subheader("Graph", anchor=False)
start = round(100 * figures.default_share(network.nodes, arcs))
asked = address.whole(address.restored("network", ["arcs"]).get("arcs"), start, high=100)
st.session_state.setdefault("network_minimum", asked)
percent = st.slider(
    "Show arcs from this strength on (% of the strongest between the same columns)",
    0,
    100,
    step=5,
    key="network_minimum",
)
address.keep("network", {"arcs": None if percent == start else str(percent)})
shown = figures.strongest(network.nodes, arcs, percent / 100)
st.caption(
    f"{len(shown)} of {len(arcs)} arcs are shown. Thick: strong. Pale: may be chance. Strength: "
    "standard deviations of one per standard deviation of the other (sd per sd)."
)
st.plotly_chart(
    figures.network_graph(nodes, shown),
    key="network_graph",
    config=figures.CONFIG,
    alt=f"Graph of {len(shown)} arcs from settings over latents to descriptors and properties",
)
with st.expander("Table of arcs"):
    st.dataframe(
        [
            {
                "From": named[a.parent].label,
                "To": named[a.child].label,
                "Strength (sd per sd)": round(a.weight, 3),
                "Beyond chance": "yes" if a.significant else "no",
            }
            for a in shown
        ],
        hide_index=True,
        key="network_arcs",
    )
with st.expander("What the latents do"):
    latent_effects.listed(nodes, labels)
beliefs.panel(model, network)

left_out = network.calibration.get("descriptors", {}) | network.calibration.get("properties", {})
rows = [
    {
        "Quantity": n.label,
        "Typical error": unbroken(quantity(left_out[n.column]["rms_given_latents"], n.unit)),
        "90 % interval": "too few specimens"
        if left_out[n.column]["half_width_90"] is None
        else f"± {quantity(left_out[n.column]['half_width_90'], n.unit)}",
    }
    for n in network.outcomes
    if n.column in left_out
]
if rows:
    st.subheader("How well latents tell the rest", anchor=False)
    st.caption(
        "On specimens left out of this fit. The image model was trained with micrographs of most "
        "of them, so specimens that are new to it do somewhat worse."
    )
    st.table(rows, hide_index=True)

st.subheader("Fit it anew", anchor=False)
permission.require("fit")
folders = state.latent_folders(model)
if not folders:
    st.info("No encoded data set is at hand for this model. Encode one, then reload this page:")
    place = places.shown(state.workspace() / "latents" / "NAME")
    st.code(
        f"python -m core.encode --model {model.place} --data DIR --out {place}",
        language=None,
        wrap_lines=True,
    )
else:
    arcs_wanted = arc_editor.edited(network, nodes)
    with st.form("network_form"):
        data = st.selectbox("Data set", list(folders), key="network_data")
        fit = st.form_submit_button("Fit the network anew", type="primary", key="network_fit")
    if fit:
        with errors.shown(), waiting.working("Fitting: half a minute for a hundred specimens…"):
            after = fitting.fit_anew(model, data, arcs_wanted)
            counts = len(network.specimens), len(after.specimens)
            scores = components.left_out_score(network), components.left_out_score(after)
            st.session_state["network_fitted"] = (model.id, data, counts, scores)
            st.rerun()
    told = st.session_state.get("network_fitted")
    if told and told[0] == model.id:
        before, now = (
            f"{'unknown' if value is None else f'{value:.2f} nats'} ({count} specimens)"
            for count, value in zip(told[2], told[3], strict=True)
        )
        st.success(
            f"Fitted anew on {errors.escape(told[1])}. Left-out score before {before}, now {now}."
        )
if refitted and st.button("Go back to the network that came with the model", key="network_reset"):
    fitting.reset_fit(model)
    st.session_state.pop("network_fitted", None)
    st.rerun()
