"""What latents do, as pages show it: their names everywhere, and their effects in detail."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from bayesnet.nodes import Node
from core.labels import FILE, QUANTITIES, Direction, Labels, latent_title, load_labels
from dashboard import address, errors, latent_figures
from dashboard.figures import CONFIG
from dashboard.state import Model
from dashboard.wording import number, quantity, unbroken

PAGE = "traversals"  # whose address keeps what is chosen here
_KNOWN = {one.name: one for one in QUANTITIES}
_NAMELESS = "The latents of this model have not been named yet, so they are shown by number."


def of_model(model: Model) -> Labels | None:
    """Return what the model's latents do.

    Returns:
        None where they have not been named; also, with an error shown, where the labels are damaged
        or of another model.
    """
    if not model.part(FILE).is_file():
        return None
    with errors.shown("Latents are shown by number alone: "):
        found = _load(model.key(FILE), str(model.folder))
        found.require_model(model.weights or "")
        return found
    return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(key: tuple[str, ...], folder: str) -> Labels:
    return load_labels(Path(folder))


def titled(nodes: Sequence[Node], labels: Labels | None) -> tuple[Node, ...]:
    """Return a network's nodes, latents labelled by what they do."""
    return tuple(
        replace(node, label=latent_title(labels, node.index)) if node.role == "latent" else node
        for node in nodes
    )


def listed(nodes: Sequence[Node], labels: Labels | None) -> None:
    """Show a network's latents (`titled`) with their names, most active first."""
    latents = sorted((n for n in nodes if n.role == "latent"), key=lambda n: -n.scale)
    st.caption(
        _NAMELESS
        if labels is None
        else "Measured on traversals from −4 to +4, see the page Traversals. + rises, − falls with "
        "the latent; weak: by less than half of what specimens typically differ by."
    )
    rows = [
        {"Latent": n.label, "Spread between specimens (sd)": round(n.scale, 2)} for n in latents
    ]
    st.dataframe(rows, hide_index=True, key="network_latents")


def section(model: Model, labels: Labels | None, chosen: Sequence[Direction]) -> None:
    """Show the effects of one of the chosen directions, and how far labels can be trusted."""
    st.subheader("What they do, measured", anchor=False)
    if labels is None:
        st.info(f"{_NAMELESS} To measure what each one does (some minutes), then reload this page:")
        st.code(
            f"python -m core.labels --model {model.place} --data DIR",
            language=None,
            wrap_lines=True,
        )
        return
    plan = labels.plan
    low, high = (_signed(plan["values"][end]) for end in (0, -1))
    st.write(
        f"Fields of {plan['size_px']} × {plan['size_px']} px were made along each latent from "
        f"{low} to {high}, from {plan['starts']} patches of the training set, and again from "
        f"{plan['starts']} of other specimens, and measured. A label names only what both find."
    )
    if chosen:
        named = {one.name: one for one in chosen}
        name = address.selectbox(
            "Effects of",
            list(named),
            PAGE,
            "effects",
            "traversal_effects_of",
            format_func=lambda name: named[name].title,
        )
        _effects(labels, named[name], low, high)
    with st.expander("How far the labels hold"):
        for line in remarks(labels):
            st.markdown(f"- {line}")


def _effects(labels: Labels, direction: Direction, low: str, high: str) -> None:
    """Show the table of a direction's effects and one of them as a curve."""
    what = (
        f"{direction.name} is a single latent."
        if direction.kind == "latent"
        else f"{direction.name} is no single latent but a direction of all of them, along which "
        f"lie {100 * direction.explained:.0f} % of the differences between specimens' means."
    )
    st.caption(
        f"{what} Of the training set's patches 90 % lie between {_signed(direction.low)} and "
        f"{_signed(direction.high)}; the standard deviation of specimens' means is "
        f"{number(direction.sd_specimens, 2)}."
    )
    rows = []
    for effect in sorted(direction.effects, key=lambda e: -abs(e.standardised)):
        known = _KNOWN[effect.quantity]
        rows.append(
            {
                "Descriptor": known.label,
                "Clear": "yes" if effect.clear else "no",
                "Per unit of z": unbroken(_change(effect.slope, known.unit)),
                "95 % interval": unbroken(f"{_signed(effect.low)} to {_signed(effect.high)}"),
                f"{low} to {high}, in sd of specimens": _signed(effect.move),
                "Monotonicity": _signed(effect.monotonicity),
                "Share explained": f"{100 * effect.share:.0f} %",
            }
        )
    st.dataframe(rows, hide_index=True, key="traversal_effects")
    st.caption(
        "Clear: found by both sets of starts, large enough to see, one way; the label names the "
        "strongest of these. In sd of specimens: what the training specimens differ by. "
        "Monotonicity: rank correlation with z, mean over starts. Share explained: of the change "
        "along the traversals, what all starts have in common. Intervals: over starts."
    )
    drawn = [_KNOWN[row.quantity] for row in direction.effects if row.quantity in direction.curves]
    if not drawn:
        return
    shown = _KNOWN[
        address.selectbox(
            "Descriptor",
            [one.name for one in drawn],
            PAGE,
            "curve",
            f"traversal_curve_of_{direction.name}",
            otherwise=direction.named[0][0] if direction.named else None,
            format_func=lambda name: _KNOWN[name].label,
        )
    ]
    st.plotly_chart(
        latent_figures.traversal_curve(labels, direction, shown),
        key="traversal_curve",
        config=CONFIG,
        alt=f"{shown.label} along {direction.name}, mean and spread of the starts",
    )


def remarks(labels: Labels) -> list[str]:
    """Say how stable, independent and disentangled a model's latents are."""
    figures = labels.figures
    held, free = figures["stability"]["dimensions"], figures["independence"]["specimens"]
    moved, sparse = figures["entanglement"], figures["size_and_sparsity"]
    lines = [f"{held['labelled']} of {held['directions']} latents have a label."]
    if (used := figures.get("used_for_design")) is not None:
        lines.append(
            f"Designs use {used['used']} of them ({used['criterion']}); of these "
            f"{used['labelled']} have a label."
        )
    if held["strongest_effect_survives"] is not None:
        lines.append(
            "Of the strongest effects that one set of starts finds the other finds "
            f"{100 * held['strongest_effect_survives']:.0f} %."
        )
    if free["most_correlated"] is not None:
        first, second = free["most_correlated"]["pair"]
        lines.append(
            f"Over the specimens the {held['directions']} latents vary like "
            f"{free['effective_dimensions']:.1f} independent ones; {first} and {second} go "
            f"together most (correlation {_signed(free['most_correlated']['correlation'])})."
        )
    lines.append(f"A latent moves {moved['descriptors_a_dimension']:.1f} descriptors on average.")
    lines.append(_size_and_sparsity(sparse))
    return lines


def _size_and_sparsity(found: dict) -> str:
    """Say whether large particles come with few (paper, section 4.3)."""
    told = []
    for name, where in (("over_specimens", "the specimens"), ("over_dimensions", "the latents")):
        if found[name] is not None:
            told.append(f"{_signed(found[name]['correlation'])} over {where}")
    how = f" (rank correlation of size and count {', '.join(told)})" if told else ""
    shows = "shows" if found["shows"] else "does not show clearly"
    named = ", ".join(found["against_each_other"])
    along = f" Size and count go against each other along {named}." if named else ""
    return f"That large particles come with few, as in the paper, {shows}{how}.{along}"


def _change(value: float, unit: str) -> str:
    """Return a signed change with its unit, "per mm²" rather than "1/mm²"."""
    said = "" if unit == "1" else unit.replace("1/", "per ")
    return f"{'+' if value >= 0 else '−'}{quantity(abs(value), said)}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{number(abs(value), 2)}"
