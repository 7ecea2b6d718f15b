"""The evidence panel of the Network page: say what is known, see what follows for all the rest."""

from collections.abc import Mapping

import streamlit as st

from bayesnet.categories import HOLDS
from bayesnet.demands import Wish
from bayesnet.network import Network
from bayesnet.nodes import Node
from bayesnet.query import Belief, Beliefs, posterior
from bayesnet.regime_means import regime_means
from bayesnet.unit_slips import unit_slips
from core.labels import FILE as LABELS
from dashboard import address, belief_figure, errors, figures
from dashboard.evidence_address import (
    AT_LEAST,
    AT_MOST,
    BETWEEN,
    FORMS,
    HIGHEST,
    LOWEST,
    VALUE,
    from_text,
    in_widgets,
    to_text,
)
from dashboard.state import Model
from dashboard.wording import quantity, titled, unbroken

KEY, NODES = "belief_", "belief_nodes"
SHOWN_LATENTS = 8
WORD_HOLDS, WORD_NOT = "it is", "it is not"


@st.fragment
def panel(model: Model, network: Network) -> None:
    """Show the panel: choose quantities, say what is known, see the posterior of all the rest.

    Args:
        model: the model.
        network: its network, latents labelled as they are to be shown.
    """
    st.subheader("What follows from what", anchor=False)
    st.caption(
        "Say what is known of any process settings, latents, descriptors or properties, and see "
        "what the network expects of all the others. Intervals are as wide as left-out specimens "
        "ask for."
    )
    named = {n.column: n for n in network.nodes}
    if NODES not in st.session_state:
        _restore(named)
    kept = [name for name in st.session_state[NODES] if name in named]
    st.session_state[NODES] = kept  # another model's quantities go
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    chosen = left.multiselect(
        "Known",
        list(named),
        format_func=lambda name: titled(named[name]),
        key=NODES,
        placeholder="Choose quantities",
    )
    right.button("Reset", key="belief_reset", on_click=_reset, disabled=not chosen)
    evidence = {name: _known(named[name]) for name in chosen}
    address.keep("network", {"known": to_text(evidence)})
    given = {name: wish for name, wish in evidence.items() if wish is not None}
    if len(given) < len(chosen):
        st.caption("Quantities without a number are left free.")
    for slip in unit_slips(network, given):
        st.warning(f"**Another unit?** {errors.escape(slip)}.")
    with errors.shown(), st.spinner("Asking the network…"):
        key = model.key("network.json", LABELS)
        found = _ask(key, network, tuple(given.items()))
        _show(found, _ask(key, network, ()), network)


def _restore(named: Mapping[str, Node]) -> None:
    """Fill the widgets from the address, or as they were left in this session."""
    text = address.restored("network", ["known"]).get("known")
    found = from_text(text, named)
    st.session_state[NODES] = list(found)
    for name, wish in found.items():
        form, first, second = in_widgets(wish)
        if named[name].group:
            form, first, second = (WORD_NOT if first == 0 else WORD_HOLDS), None, None
        for part, value in (("_form", form), ("", first), ("_to", second)):
            if value is not None:
                st.session_state[f"{KEY}{name}{part}"] = value


def _reset() -> None:
    for key in [k for k in st.session_state if str(k).startswith(KEY)]:
        del st.session_state[key]
    st.session_state[NODES] = []


def _known(node: Node) -> Wish | None:
    """Ask what is known of one node; None where no number was given."""
    name, kind, first, second = node.column, *st.columns([3, 2, 2])
    if node.group:  # a word of a category
        said = kind.selectbox(node.label, (WORD_HOLDS, WORD_NOT), key=f"{KEY}{name}_form")
        return HOLDS if said == WORD_HOLDS else 0.0
    form = kind.selectbox(titled(node), FORMS, key=f"{KEY}{name}_form")
    if form in (HIGHEST, LOWEST):
        return "highest" if form == HIGHEST else "lowest"
    value = _number(first, node, "from" if form == BETWEEN else form, f"{KEY}{name}")
    if form == BETWEEN:
        end = _number(second, node, "to", f"{KEY}{name}_to")
        return None if value is None and end is None else (value, end)
    if value is None:
        return None
    return {VALUE: value, AT_LEAST: (value, None), AT_MOST: (None, value)}[form]


def _number(
    place: st.delta_generator.DeltaGenerator, node: Node, word: str, key: str
) -> float | None:
    found = place.number_input(
        f"{word} ({node.unit})" if node.unit else word,
        value=None,
        format="%g",
        placeholder=f"{node.low:.4g} to {node.high:.4g}",
        key=key,
        help="The specimens' own range is shown until a number is given.",
    )
    return None if found is None else float(found)


@st.cache_data(max_entries=64, show_spinner=False)
def _ask(
    key: tuple[str, ...], _network: Network, evidence: tuple[tuple[str, Wish], ...]
) -> Beliefs:
    return posterior(_network, dict(evidence))


def _show(found: Beliefs, before: Beliefs, network: Network) -> None:
    """Show every node's posterior, in a chart beside what it was without evidence and a table."""
    if found.unusual:
        st.warning(
            "Hardly any specimen is like this "
            f"({100 * found.plausibility:.1g} % of those expected are further out). "
            "What follows is an extrapolation."
        )
    latents = sorted(
        (n for n in network.latents), key=lambda n: _moved(found, before, n), reverse=True
    )
    shown = [*network.process, *network.outcomes, *latents[:SHOWN_LATENTS]]
    shown += [n for n in latents[SHOWN_LATENTS:] if found.nodes[n.column].given is not None]
    st.plotly_chart(
        belief_figure.beliefs_chart(
            [found.nodes[n.column] for n in shown], [before.nodes[n.column] for n in shown]
        ),
        key="belief_chart",
        config=figures.CONFIG,
        alt="Posterior of every quantity, with and without what is known",
    )
    st.caption(
        f"Points: expected value; lines: 90 % interval. Of the latents, the {SHOWN_LATENTS} that "
        "move most are shown; the table has them all."
    )
    if len(network.regimes) > 1:
        _regimes(found, before, network)
    with st.expander("Table of all quantities", expanded=False):
        st.dataframe(
            [_row(found.nodes[n.column], before.nodes[n.column]) for n in network.nodes],
            hide_index=True,
            key="belief_table",
        )


def _regimes(found: Beliefs, before: Beliefs, network: Network) -> None:
    """Show how likely every regime is, and the means that tell it from the others."""
    st.caption(
        "Regimes: kinds of structure with a network each. What their specimens have on average, in "
        "the quantities that tell them apart best:"
    )
    described = regime_means(network)
    st.table(
        [
            {
                "Regime": f"{number}",
                **{
                    node.label: unbroken(quantity(mean, node.unit))
                    for node, mean in zip(described.nodes, means, strict=True)
                },
                "Probability": unbroken(f"{100 * now:.0f} %"),
                "Without evidence": unbroken(f"{100 * then:.0f} %"),
            }
            for number, (means, now, then) in enumerate(
                zip(described.means.tolist(), found.regimes, before.regimes, strict=True), start=1
            )
        ],
        hide_index=True,
    )


def _moved(found: Beliefs, before: Beliefs, node: Node) -> float:
    return abs(found.nodes[node.column].mean - before.nodes[node.column].mean) / node.scale


def _row(belief: Belief, before: Belief) -> dict[str, str]:
    unit = belief.node.unit
    if belief.node.group:  # the mean is a probability, and has no interval
        now, then = (unbroken(quantity(b.probability_pct, unit)) for b in (belief, before))
        known = "" if belief.given is None else "yes"
        row = {"Quantity": belief.node.label, "Known": known, "Expected": now}
        return row | {"90 % interval": "", "Without evidence": then}
    return {
        "Quantity": belief.node.label,
        "Known": "" if belief.given is None else "yes",
        "Expected": unbroken(quantity(belief.mean, unit)),
        "90 % interval": f"{quantity(belief.low, '')} to {quantity(belief.high, unit)}",
        "Without evidence": f"{quantity(before.low, '')} to {quantity(before.high, unit)}",
    }
