"""Editing the arcs of the network: which the next fit is to have."""

import pandas as pd
import streamlit as st

from bayesnet.network import Network
from bayesnet.nodes import OUTCOMES, Node
from dashboard import errors, latent_maps
from dashboard.state import Model

CHOSEN, EDITED = "chosen by the fit", "my own"
WAYS = (CHOSEN, EDITED)
KINDS = {
    "full": "all between the tiers",
    "learned": "those that a score asks for",
    "given": "chosen by hand",
}
Pairs = tuple[tuple[str, str], ...]


def about(model: Model, network: Network) -> None:
    """Say which arcs the network has and what they score, and whether descriptors are in it."""
    scores = network.scores
    if scores.get("structure") in KINDS:
        st.caption(
            f"Arcs: {scores['arcs']}, {KINDS[scores['structure']]}. Their score (BIC) is "
            f"{scores['bic_per_specimen']:.1f} nats per specimen."
        )
    if not network.descriptors:
        with errors.shown("Descriptors are left out: "):
            _no_descriptors(model, network)


def _no_descriptors(model: Model, network: Network) -> None:
    """Say why the network has no descriptors, as far as it is known, and what brings them in.

    Raises:
        CheckpointError: those of the specimens are damaged, or of other data.
    """
    found = latent_maps.descriptors(model)
    measured = [] if found is None else [n for n in found.values if found.values[n].notna().any()]
    if measured and {node.column for node in network.properties}.issuperset(measured):
        return  # the data set has them as properties
    if measured:
        st.caption(
            "It has no descriptors, although those of the model's specimens are measured. A fit "
            "takes in all that differ between specimens; what it has left out is named below."
        )
        return
    note = f": {errors.escape(found.note)}" if found is not None and found.note else ""
    st.caption(
        f"It has no descriptors of the structure{note}. This measures them in the micrographs, and "
        "the next fit takes them in:"
    )
    st.code(
        f"python -m core.specimen_descriptors --model {model.place} --data DIR",
        language=None,
        wrap_lines=True,
    )


def edited(network: Network, nodes: tuple[Node, ...]) -> Pairs | None:
    """Offer to edit the arcs into one node after the other; return them, None where not asked for.

    Args:
        network: whose arcs are the start.
        nodes: its nodes, titled as they are shown.
    """
    way = st.radio(
        "Arcs",
        WAYS,
        key="network_arcs_way",
        horizontal=True,
        help="By default the fit takes all arcs between the tiers or those that a score (BIC) "
        "asks for, whichever predicts left-out specimens better.",
    )
    if way == CHOSEN:
        return None
    key = f"network_kept_{network.model_hash[:8]}_{network.data_hash[:8]}"
    kept: set[tuple[str, str]] = st.session_state.setdefault(
        key, {(arc.parent, arc.child) for arc in network.arcs()}
    )
    children = [n for n in nodes if possible_parents(n, nodes)]
    children.sort(key=lambda n: n.role not in OUTCOMES)
    child = st.selectbox("Arcs into", children, format_func=lambda n: n.label, key="network_child")
    if child is not None:
        parents = possible_parents(child, nodes)
        strength = {(a.parent, a.child): a.weight for a in network.arcs()}
        frame = pd.DataFrame(
            {
                "Keep": [(p.node, child.node) in kept for p in parents],
                "From": [p.label for p in parents],
                "Strength (sd per sd)": [
                    round(strength.get((p.node, child.node), 0.0), 3) for p in parents
                ],
            }
        )
        found = st.data_editor(
            frame,
            hide_index=True,
            disabled=["From", "Strength (sd per sd)"],
            key=f"network_edit_{child.node}",
        )
        own = {(p.node, child.node) for p in parents}
        ticked = {
            (p.node, child.node) for p, keep in zip(parents, found["Keep"], strict=True) if keep
        }
        kept = (kept - own) | ticked
        st.session_state[key] = kept
    st.caption(f"{len(kept)} arcs; every node can be edited before the fit.")
    return tuple(sorted(kept))


def possible_parents(child: Node, nodes: tuple[Node, ...]) -> list[Node]:
    """Return the nodes of the tier before a node's: settings of latents, latents of outcomes."""
    tier = "process" if child.role == "latent" else "latent" if child.role in OUTCOMES else ""
    return [n for n in nodes if n.role == tier]
