"""Below a design: what it changes from the nearest known specimen, and what to test next."""

import numpy as np
import streamlit as st

from bayesnet.explain import SMALL
from bayesnet.network import Network
from core.errors import InputError
from dashboard import designs, pictures, waiting
from dashboard.design_request import DesignRequest
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import number, quantity, unbroken

LITTLE = 0.1  # of the uncertainty


def differences(model: Model, request: DesignRequest, network: Network) -> None:
    """Show the nearest known specimen and which descriptors change from it to the design."""
    st.subheader("What changes from the nearest known specimen", anchor=False)
    try:
        with waiting.working("Measuring both microstructures…"):
            found = designs.explanation(model, request)
    except InputError as error:
        st.info(f"Descriptors cannot be compared: {escape(str(error))}.")
        return
    if found is None:
        st.info("The model ships no example micrographs to compare with.")
        return
    nearest, example, changes = found
    left, right = st.columns([7, 14], gap="medium")
    left.image(
        pictures.with_scale_bar(example.micrograph.pixels, example.micrograph.um_per_px),
        caption=f"{example.specimen}: {example.look}",
        width="stretch",
        output_format="PNG",
        alt=f"Micrograph of specimen {example.specimen}",
    )
    known = _known(network, nearest.name)
    right.caption(
        f"Nearest specimen of the data: {escape(nearest.name)}{known}. "
        + (
            "Its micrograph is beside."
            if nearest.name == example.specimen
            else f"The nearest with a micrograph here is {escape(example.specimen)}, beside."
        )
    )
    right.table(
        [
            {
                "Descriptor": change.label,
                example.specimen: _measured(change.before, change.unit),
                "Design": _measured(change.after, change.unit),
                "Change": _share(change.share),
            }
            for change in changes
        ],
        hide_index=True,
    )


def _known(network: Network, name: str) -> str:
    """Return what is known of a specimen's properties, in words."""
    if name not in network.specimens:
        return ""
    values = network.support.properties[network.specimens.index(name)]
    said = [
        f"{n.label.lower()} {quantity(float(v), n.unit)}"
        for n, v in zip(network.outcomes, values, strict=True)
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
        tests = designs.next_tests(model, request)
    except InputError as error:
        st.info(escape(str(error)) + ".")
        return
    targets = [n for n in network.outcomes if n.column in tests[0].before]
    rows = []
    for place, test in enumerate(tests, start=1):
        row = {"Test": str(place)}
        for node in network.process:
            value = unbroken(quantity(test.settings[node.column], node.unit))
            row[node.label] = value
        for node in targets:
            before, after = test.before[node.column], test.after[node.column]
            row[f"Uncertainty of {node.label.lower()}"] = unbroken(
                f"± {number(before)} → {quantity(after, node.unit)}"
            )
        rows.append(row)
    st.table(rows, hide_index=True)
    gained = 1 - np.mean([tests[-1].after[n.column] / tests[0].before[n.column] for n in targets])
    verdict = "Little is gained: the data already say what they can." if gained < LITTLE else ""
    st.caption(f"Together they take away {100 * gained:.0f} % of the uncertainty. {verdict}")
    st.caption(
        "Process settings whose testing would narrow the predicted properties most where this "
        "target may be met, in this order. Uncertainty: standard deviation of the expected "
        "property, before and after each test, those above it made; a single test scatters more."
    )
