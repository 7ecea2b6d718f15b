"""Below a design: what it changes from the nearest known specimen, and what to test next."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from bayesnet.categories import HOLDS, label_of
from bayesnet.explain import SMALL, Explanation
from bayesnet.network import Network
from bayesnet.next_test import NextTest
from bayesnet.nodes import Node
from core.errors import InputError
from core.examples import Example
from dashboard import designs, errors, latent_maps, pictures, waiting
from dashboard.design_request import DesignRequest
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import number, quantity, unbroken

LITTLE = 0.1  # of the uncertainty


def differences(model: Model, request: DesignRequest, network: Network) -> None:
    """Show the nearest known specimen and which descriptors change from it to the design."""
    st.subheader("What changes from the nearest known specimen", anchor=False)
    kept = None
    with errors.shown("Descriptors of the specimens are left out: "):
        kept = latent_maps.descriptors(model)
    try:
        with waiting.working("Measuring the design beside the nearest specimen…"):
            found = designs.explanation(model, request, kept)
    except InputError as error:
        st.info(f"Descriptors cannot be compared: {escape(str(error))}.")
        return
    if found is None:
        st.info(
            "The model keeps neither descriptors of its nearest specimen nor example micrographs "
            "to compare with."
        )
        return
    right = st.container()
    if found.example is not None:
        left, right = st.columns([7, 14], gap="medium")
        _picture(left, found, found.example)
    known = _known(network, found.nearest.name)
    right.caption(
        f"Nearest specimen of the data: {escape(found.nearest.name)}{known}. "
        + escape(compared_in_words(found, request.size_px, model.um_per_px))
    )
    right.table(
        [
            {
                "Descriptor": change.label,
                found.compared: _measured(change.before, change.unit),
                "Design": _measured(change.after, change.unit),
                "Change": _share(change.share),
            }
            for change in found.changes
        ],
        hide_index=True,
    )


def _picture(
    place: st.delta_generator.DeltaGenerator, found: Explanation, example: Example
) -> None:
    """Show the example micrograph, and whether it is of the specimen in the table."""
    caption = f"{escape(example.specimen)}: {escape(example.look)}"
    if example.specimen != found.compared:
        caption = (
            f"Another specimen, {caption}. It is the nearest with a picture here, and not the one "
            "in the table."
        )
    place.image(
        pictures.with_scale_bar(example.micrograph.pixels, example.micrograph.um_per_px),
        caption=caption,
        width="stretch",
        output_format="PNG",
        alt=f"Micrograph of specimen {example.specimen}",
    )


def compared_in_words(found: Explanation, size_px: int, um_per_px: float | None) -> str:
    """Say what the table compares: specimens or pictures.

    Args:
        found: the comparison.
        size_px: side of the design's field; um_per_px: its scale.
    """
    if found.pooled:
        side = f"{size_px * um_per_px:g} µm" if um_per_px else f"{size_px} px"
        return (
            f"The table compares the design with {found.nearest.name} itself. Both are measured "
            "by the same routine: the specimen in all its micrographs together, the design in its "
            f"one field of {side}. Diameters, nodularity and flake length are of whole particles; "
            "a smaller field cuts more of the large ones, so the design may read smaller there."
        )
    own = found.compared == found.nearest.name
    near = "" if own else f" The nearest with a micrograph here is {found.compared}."
    return (
        f"The model keeps no descriptors of {found.nearest.name}.{near} The table compares two "
        f"pictures: one micrograph of {found.compared}, beside, and the design."
    )


def _known(network: Network, name: str) -> str:
    """Return a specimen's properties in words; its descriptors stand in the table."""
    if name not in network.specimens:
        return ""
    places = network.outcome_places(network.properties)
    values = network.support.properties[network.specimens.index(name)][places]
    said = [
        f"{n.label.lower()} {quantity(float(v), n.unit)}"
        for n, v in zip(network.properties, values, strict=True)
        if v == v
    ]
    return f" ({', '.join(said)})" if said else ""


def _measured(value: float | None, unit: str) -> str:
    return "none" if value is None else unbroken(quantity(value, "" if unit == "1" else unit))


def _share(share: float | None) -> str:
    if share is None:
        return "not comparable"
    if abs(share) < SMALL:
        return "about the same"
    return f"{'+' if share > 0 else '−'}{100 * abs(share):.0f} %"


def next_tests(model: Model, request: DesignRequest, network: Network) -> None:
    """Show which castings, made and tested, would tell most about this target."""
    st.subheader("What to test next", anchor=False)
    try:
        with waiting.working("Working out which tests would tell most…"):
            tests = designs.next_tests(model, request)
    except InputError as error:
        st.info(escape(str(error)) + ".")
        return
    targets = [n for n in network.outcomes if n.column in tests[0].before]
    st.table(_test_rows(tests, network, targets), hide_index=True)
    gained = 1 - np.mean([tests[-1].after[n.column] / tests[0].before[n.column] for n in targets])
    verdict = "Little is gained: the data already say what they can." if gained < LITTLE else ""
    st.caption(f"Together they take away {100 * gained:.0f} % of the uncertainty. {verdict}")
    st.caption(
        "Process settings whose testing would narrow the predicted properties most where this "
        "target may be met, in this order. Uncertainty: standard deviation of the expected "
        "property, before and after each test, those above it made; a single test scatters more."
    )
    if untested := designs.next_tests(model, request, untested=True):
        st.markdown("**Of your specimens that have micrographs but no test**")
        st.table(_test_rows(untested, network, targets), hide_index=True)
        st.caption("In the order in which testing them would tell most about this target.")


def _test_rows(
    tests: Sequence[NextTest], network: Network, targets: Sequence[Node]
) -> list[dict[str, str]]:
    """Return the table of proposed tests: what to test, and what that does to the uncertainty."""
    rows = []
    for place, test in enumerate(tests, start=1):
        row = {"Test": escape(test.specimen) or str(place)}
        for node in network.process:
            value = test.settings[node.column]
            if not node.group:
                row[node.label] = unbroken(quantity(value, node.unit))
            elif value > HOLDS / 2:
                row[label_of(node)] = node.level
        for node in targets:
            before, after = test.before[node.column], test.after[node.column]
            row[f"Uncertainty of {node.label.lower()}"] = unbroken(
                f"± {number(before)} → {quantity(after, node.unit)}"
            )
        rows.append(row)
    return rows
