"""The form of the inverse design page, and the words that repeat what it accepted."""

from collections.abc import Sequence

import streamlit as st

from bayesnet.categories import HOLDS, groups, label_of
from bayesnet.demands import Wish
from bayesnet.network import Network
from bayesnet.nodes import Node
from dashboard.design_request import SAMPLES, SIZES, WIDGETS, DesignRequest, Limits, parameter
from dashboard.errors import escape
from dashboard.wording import exact, limit, titled, wished

MAX_SEED = 999_999_999
EXACTLY, AT_LEAST, AT_MOST, BETWEEN = "exactly", "at least", "at most", "between"
HIGHEST, LOWEST = "as high as possible", "as low as possible"
ANY = "any"  # word
USUAL = "as usual"  # number of samples
ALWAYS = (HOLDS, HOLDS)  # of a word: it and no other
FORMS = (EXACTLY, AT_LEAST, AT_MOST, BETWEEN, HIGHEST, LOWEST)


def ask(network: Network, request: DesignRequest, um_per_px: float | None) -> DesignRequest | None:
    """Show the form, filled with a request; return what was asked for when it is sent.

    Properties left empty are no targets. Without any, the form says so and returns None.
    """
    if said := in_words(network):
        st.caption(escape(said))
    forms = _forms(network, request)
    with st.form("design_form"):
        columns = st.columns(len(network.properties) + 3, vertical_alignment="bottom")
        targets = {}
        for column, node in zip(columns, network.properties, strict=False):
            with column:
                targets[node.column] = _target(node, forms[node.column], request)
        size = columns[-3].selectbox(
            "Field size",
            SIZES,
            format_func=lambda px: f"{px} × {px} px" if not um_per_px else f"{px * um_per_px:g} µm",
            key=_key("size", request.size_px),
            help="Side of the square field that is synthesised.",
        )
        samples = columns[-2].selectbox(
            "Further samples",
            (USUAL, *SAMPLES),
            key=_key("samples", USUAL if request.samples is None else request.samples),
            help="Other microstructures for the same targets, as different as these allow.",
        )
        seed = columns[-1].number_input(
            "Seed",
            min_value=0,
            max_value=MAX_SEED,
            step=1,
            key=_key("seed", request.seed),
            help="Another seed gives other fields and samples of the same design.",
        )
        structure = _structure(network, request)
        process = _process(network, request)
        sent = st.form_submit_button("Design", type="primary", key="design_submit")
    if not sent:
        return None
    wanted = tuple((name, wish) for name, wish in targets.items() if wish is not None)
    wanted += tuple((name, low if low == high else (low, high)) for name, (low, high) in structure)
    if not wanted:
        names = " or ".join(escape(node.label) for node in network.properties)
        st.warning(
            f"No target was given. Fill in at least one: {names}. "
            "What is shown below answers the last request."
        )
        return None
    usual = None if samples == USUAL else int(samples)
    return DesignRequest(wanted, process, int(seed or 0), int(size), usual)


def in_words(network: Network) -> str:
    """Say which settings in words a design cannot use, and why; "" where there are none."""
    sign, ending = ": in words, ", "; left out of the network"
    said = [note.removesuffix(ending).split(sign, 1) for note in network.notes if sign in note]
    names = [f"{name} ({why})" for name, why in said]
    if not names:
        return ""
    return (
        f"In words, so no part of designs: {', '.join(names)}. Recommendations and limits are for "
        "the other settings, whatever these are. Where the words can be ordered, such as by the "
        "cooling rate, give the numbers."
    )


def _forms(network: Network, request: DesignRequest) -> dict[str, str]:
    """Ask what kind of target each property has; outside the form, which depends on it."""
    asked, forms = dict(request.targets), {}
    places = st.columns(len(network.properties) + 3)
    for place, node in zip(places, network.properties, strict=False):
        forms[node.column] = place.selectbox(
            f"{node.label} is wanted",
            FORMS,
            key=_key(f"{parameter(node.column)}_form", _form_of(asked.get(node.column))),
            help="A value, a limit, a range, or the best that the data support.",
        )
    return forms


def _form_of(wish: Wish | None) -> str:
    if isinstance(wish, str):
        return HIGHEST if wish == "highest" else LOWEST
    if not isinstance(wish, tuple):
        return EXACTLY
    if None in wish:
        return AT_LEAST if wish[1] is None else AT_MOST
    return BETWEEN


def _target(node: Node, form: str, request: DesignRequest) -> Wish | None:
    """Ask for the numbers of one target; None where nothing is asked of the property."""
    if form in (HIGHEST, LOWEST):
        st.text_input(titled(node), value=form, disabled=True, key=f"design_said_{node.column}")
        return "highest" if form == HIGHEST else "lowest"
    asked = dict(request.targets).get(node.column)
    low, high = asked if isinstance(asked, tuple) else (asked, asked)
    if isinstance(asked, str):
        low = high = None
    first = high if form == AT_MOST else low
    name = parameter(node.column)
    value = _number(
        node, titled(node) if form == EXACTLY else f"{titled(node)}, {form}", name, first
    )
    if form == BETWEEN:
        end = _number(node, "and", f"{name}_to", high)
        return None if value is None and end is None else (value, end)
    if value is None:
        return None
    return {EXACTLY: value, AT_LEAST: (value, None), AT_MOST: (None, value)}[form]


def _number(node: Node, label: str, name: str, value: float | None) -> float | None:
    found = st.number_input(
        label,
        value=None,
        step=_step(node.high - node.low),
        format="%g",
        placeholder="free",
        key=_key(name, value),
        help=f"The specimens have {exact(round(node.low, 1), '')} to "
        f"{exact(round(node.high, 1), node.unit)}. Left empty, it is free.",
    )
    return None if found is None else float(found)


def _process(network: Network, request: DesignRequest) -> tuple:
    """Ask for limits on the process settings; empty fields leave a setting free."""
    said = (
        "Left empty, a setting is free within the range of the data. The same number in both "
        "fields fixes it."
    )
    return _bounded("Process settings", said, network.process, dict(request.process))


def _structure(network: Network, request: DesignRequest) -> tuple:
    """Ask what descriptors the microstructure is to have; empty fields leave them free."""
    asked = dict(request.targets)
    limits: dict[str, Limits] = {}
    for node in network.descriptors:
        wish = asked.get(node.column)
        if wish is not None and not isinstance(wish, str):
            limits[node.column] = wish if isinstance(wish, tuple) else (wish, wish)
    said = (
        "Descriptors of the microstructure, as measured in micrographs. Left empty, they follow "
        "from the properties asked for. The same number in both fields asks for that value."
    )
    return _bounded("Microstructure", said, network.descriptors, limits)


def _bounded(title: str, said: str, nodes: Sequence[Node], asked: dict[str, Limits]) -> tuple:
    """Ask for a lower and an upper limit of some quantities, in a part that opens."""
    if not nodes:
        return ()
    limits = []
    with st.expander(title, expanded=bool(asked)):
        st.caption(said)
        for node in (n for n in nodes if not n.group):
            left, right = st.columns(2)
            ends = [
                place.number_input(
                    f"{titled(node)}, {word}",
                    value=None,
                    step=_step(node.high - node.low),
                    format="%g",
                    placeholder=exact(float(f"{edge:.4g}"), node.unit),
                    key=_key(f"{parameter(node.column)}_{word.replace(' ', '_')}", value),
                )
                for place, word, edge, value in zip(
                    (left, right),
                    ("at least", "at most"),
                    (node.low, node.high),
                    asked.get(node.column, (None, None)),
                    strict=True,
                )
            ]
            if ends != [None, None]:
                limits.append((node.column, tuple(None if e is None else float(e) for e in ends)))
        limits += _words(nodes, asked)
    return tuple(limits)


def _words(nodes: Sequence[Node], asked: dict[str, Limits]) -> list[tuple[str, Limits]]:
    """Ask for one word of each setting in words."""
    limits: list[tuple[str, Limits]] = []
    for group, members in groups(nodes).items():
        columns = {nodes[i].level: nodes[i].column for i in members}
        held = [level for level, column in columns.items() if asked.get(column) == ALWAYS]
        chosen = st.selectbox(
            label_of(nodes[members[0]]),
            [ANY, *columns],
            key=_key(f"{parameter(group)}_word", held[0] if held else ANY),
        )
        if chosen in columns:
            limits.append((columns[chosen], ALWAYS))
    return limits


def accepted(network: Network, request: DesignRequest) -> str:
    """Repeat a request with units: what was understood of the input."""
    asked = dict(request.process)
    targets = dict(request.targets)
    parts = [
        f"{n.label} {wished(targets[n.column], n.unit) if n.column in targets else 'free'}"
        for n in network.properties
    ]
    parts += [
        f"{n.label} {wished(targets[n.column], n.unit)}"
        for n in network.descriptors
        if n.column in targets
    ]
    parts += [
        f"{n.label} {limit(*asked.get(n.column, (None, None)), n.unit)}"
        for n in network.process
        if not n.group
    ]
    for members in groups(network.process).values():
        nodes = [network.process[i] for i in members]
        held = [n.level for n in nodes if asked.get(n.column) == ALWAYS]
        parts.append(f"{label_of(nodes[0])} {held[0] if held else 'free'}")
    return " · ".join(
        [
            *parts,
            f"field {request.size_px} × {request.size_px} px",
            *([] if request.samples is None else [f"{request.samples} further samples"]),
            f"seed {request.seed}",
        ]
    )


def _key(name: str, value: object) -> str:
    """Return a widget's key, with its value set where the session has none."""
    key = WIDGETS + name
    st.session_state.setdefault(key, value)
    return key


def _step(span: float) -> float:
    """Return a round step for a range of this size."""
    steps = (10.0**power * digit for power in range(-6, 7) for digit in (1, 2, 5))
    return next((step for step in steps if step >= span / 60), 1.0)
