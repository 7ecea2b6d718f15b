"""Network: the fitted graph, process over latents to properties, and fitting it anew."""

from dataclasses import replace

import streamlit as st

from dashboard import (
    address,
    arc_editor,
    beliefs,
    components,
    errors,
    figures,
    latent_effects,
    network_fit,
    state,
)
from dashboard.wording import quantity, unbroken

model = components.current_model()
components.title("Network", model)
fitted = state.network(model)
if fitted is None:
    st.info(
        "**This model has no Bayesian network yet**, so strengths and microstructures are not "
        "tied together. Fit it below, or with these commands, then reload this page:"
    )
    components.refit_commands(model)
    network_fit.section(model, None)
    st.stop()
labels = latent_effects.of_model(model)
nodes = latent_effects.titled(fitted.nodes, labels)
network = replace(fitted, nodes=nodes)  # latents by their names, wherever one is shown
arcs = network.arcs()
named = {n.node: n for n in nodes}


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
        help="Kinds of structure with a network each; under What follows from what it is said what "
        "tells them apart.",
    )
st.caption("Fitted anew in this dashboard." if model.refitted else "As it came with the model.")
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

network_fit.section(model, network)
