"""Below a design: what it changes from the nearest known specimen, what that goes with in the
properties, and what to test next.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from bayesnet.association import carriers
from bayesnet.categories import HOLDS, label_of
from bayesnet.explain import SMALL, Change, Explanation
from bayesnet.network import Network
from bayesnet.next_test import NextTest
from bayesnet.nodes import Node
from bayesnet.specimen_picture import SpecimenPicture
from core.errors import InputError
from dashboard import designs, errors, latent_maps, pictures, specimen_pictures, waiting
from dashboard.design_request import DesignRequest
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import number, quantity, unbroken

LITTLE = 0.1  # of the uncertainty
NAMED = 2  # descriptors that are named as going with most
GRAPHITE_SIZES = {"diameter_um", "nodularity_iso_pct", "flake_length_um"}
CUT_PARTICLES = (
    " Diameters, nodularity and flake length are of whole particles; a smaller field cuts more of "
    "the large ones, so the design may read smaller there."
)
BEYOND = 2.0  # of a property's change, from which a descriptor's figure is called larger than it
MORE_THAN_ALL = (
    " That is more than the whole change: other changes offset it, or the design's one field does "
    "not show the descriptor as its specimen would."
)
NOTHING_CARRIES = "goes with none of the descriptors below"
ASSOCIATION = (
    "Goes with: by how much the property differs in the data where this descriptor alone is known "
    "to differ so, by the network's slope near the design. It is an association, no cause. "
    "Descriptors change together, so these figures overlap and do not add up."
)


def differences(model: Model, request: DesignRequest, network: Network) -> None:
    """Show the nearest known specimen and which descriptors change from it to the design."""
    st.subheader("What changes from the nearest known specimen", anchor=False)
    kept = None
    with errors.shown("Descriptors of the specimens are left out: "):
        kept = latent_maps.descriptors(model)
    picture, why = _nearest_picture(model, request)
    try:
        with waiting.working("Measuring the design beside the nearest specimen…"):
            found = designs.explanation(model, request, kept, picture)
    except InputError as error:
        st.info(f"Descriptors cannot be compared: {escape(str(error))}.")
        return
    if found is None:
        st.info(
            "The model keeps neither descriptors of its nearest specimen nor example micrographs "
            "to compare with."
        )
        if why:
            st.caption(escape(why))
        return
    right = st.container()
    if found.picture is not None:
        left, right = st.columns([7, 14], gap="medium")
        _picture(left, found, found.picture)
        if why:
            left.caption(escape(why))
    known = _known(network, found.nearest.name)
    right.caption(
        f"Nearest specimen of the data: {escape(found.nearest.name)}{known}. "
        + escape(compared_in_words(found, request.size_px, model.um_per_px))
    )
    for line in carried(found):
        right.markdown(escape(line))
    right.table([_row(found, change) for change in found.changes], hide_index=True)
    if any(change.goes_with for change in found.changes):
        right.caption(ASSOCIATION)


def _nearest_picture(model: Model, request: DesignRequest) -> tuple[SpecimenPicture | None, str]:
    """Return a picture of a specimen near the design; why it is not of the nearest."""
    with (
        errors.shown("The picture of the nearest specimen is left out: "),
        waiting.working("Looking for the nearest specimen's micrograph…"),
    ):
        return specimen_pictures.nearest_picture(model, designs.nearest(model, request))
    return None, ""


def _row(found: Explanation, change: Change) -> dict[str, str]:
    """Return a line of the table of changes; what they go with, where the network can tell."""
    row = {
        "Descriptor": change.label,
        found.compared: _measured(change.before, change.unit),
        "Design": _measured(change.after, change.unit),
        "Change": _share(change.share),
    }
    for one in found.properties:
        if any(one.name in other.goes_with for other in found.changes):
            known = change.goes_with.get(one.name)
            row[f"Goes with: {one.label}"] = "" if known is None else _signed(known, one)
    return row


def carried(found: Explanation) -> list[str]:
    """Say of each property how it changes, and the changes of which descriptors go with most."""
    said = []
    for one in found.properties:
        if not any(one.name in change.goes_with for change in found.changes):
            continue
        carrying = carriers(one, found.changes)[:NAMED]
        named = [f"{c.label} ({_signed(c.goes_with[one.name], one)})" for c in carrying]
        most = f"goes most with {', then '.join(named)}" if named else NOTHING_CARRIES
        if one.before is None or one.after is None or one.gap is None:
            start = f"{one.label} is not known of {found.compared}; the change to the design"
        else:
            ends = f"{number(one.before)} to {quantity(one.after, one.unit)}"
            start = f"{one.label}, {ends} ({_signed(one.gap, one)}),"
        much = one.gap is not None and any(
            abs(c.goes_with[one.name]) > BEYOND * abs(one.gap) for c in carrying
        )
        said.append(f"{start} {most}.{MORE_THAN_ALL if much else ''}")
    return said


def _signed(value: float, of: Change) -> str:
    sign = "−" if value < 0 else "+"
    return unbroken(f"{sign}{quantity(abs(value), of.unit)}")


def _picture(
    place: st.delta_generator.DeltaGenerator, found: Explanation, picture: SpecimenPicture
) -> None:
    """Show the micrograph, and whether it is of the specimen in the table."""
    caption = f"{escape(picture.specimen)}: {escape(picture.said)}"
    if picture.specimen != found.compared:
        caption = (
            f"Another specimen, {caption}. It is the nearest with a picture here, and not the one "
            "in the table."
        )
    place.image(
        pictures.with_scale_bar(picture.micrograph.pixels, picture.micrograph.um_per_px),
        caption=caption,
        width="stretch",
        output_format="PNG",
        alt=f"Micrograph of specimen {picture.specimen}",
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
            f"one field of {side}."
            + (CUT_PARTICLES if GRAPHITE_SIZES & {change.name for change in found.changes} else "")
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
