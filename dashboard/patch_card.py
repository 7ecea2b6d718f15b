"""One patch of the latent map: its pictures, what is known of its specimen, a design from it."""

import numpy as np
import streamlit as st

from bayesnet.network import Network
from core.encode import LatentTable
from core.specimen_descriptors import SpecimenDescriptors
from dashboard import (
    components,
    design_request,
    errors,
    latent_maps,
    originals,
    pictures,
    waiting,
)
from dashboard.errors import escape
from dashboard.state import Model

NO_NETWORK = (
    "No design from here: the model has no Bayesian network yet. The page Network fits one."
)
NOT_MEASURED = (
    "No design from here: none of the properties that designs aim at was measured on this specimen."
)


def show(
    letter: str,
    row: int,
    decoded: np.ndarray,
    table: LatentTable,
    model: Model,
    network: Network | None,
    descriptors: SpecimenDescriptors | None = None,
) -> None:
    """Show a chosen patch.

    Args:
        letter: A or B.
        row: of the patch in the table.
        decoded: (side, side), its latents as a picture.
        table: latents of the training set; model: theirs; network: of the model.
        descriptors: of the specimens, where they were measured.
    """
    specimen = str(table.specimen[row])
    with st.container(border=True, key=f"map_point_{letter}"):
        st.number_input(
            f"Point {letter}: patch number",
            min_value=1,
            max_value=len(table.mu),
            step=1,
            key=f"map_{letter.lower()}",
        )
        top, left = (int(v) for v in table.corner[row])
        st.markdown(f"**Specimen {escape(specimen)}**")
        st.caption(escape(f"{table.file[row]}, from row {top} px and column {left} px"))
        shown = [("decoded from its latents", decoded)]
        found = originals.Original(None, "")
        with (
            errors.shown("Its micrograph is left out: "),
            waiting.working("Looking for its micrograph…"),
        ):
            found = originals.original(model, table, row)
        if found.patch is not None:
            shown.insert(0, (found.said, found.patch))
        components.gallery(
            [pictures.with_scale_bar(p, model.um_per_px, 2) for _, p in shown],
            [caption for caption, _ in shown],
            [f"Patch {row + 1} of specimen {specimen}, {caption}" for caption, _ in shown],
            200,
            "small",
        )
        if found.patch is None and found.said:
            st.caption(escape(found.said))
        facts = latent_maps.facts(table, row, descriptors)
        with errors.shown("Its micrograph is not measured: "), waiting.working("Measuring…"):
            alone = originals.measured(model, row, found, descriptors)
            if alone is not None and descriptors is not None:
                facts = originals.beside(facts, alone, descriptors)
        st.table([{k: escape(v) for k, v in fact.items()} for fact in facts], hide_index=True)
        _design(letter, row, table, model, network)


def _design(
    letter: str, row: int, table: LatentTable, model: Model, network: Network | None
) -> None:
    """Offer a design with the properties of the patch's specimen as targets."""
    request = latent_maps.design_for(table, row, network) if network else None
    started = st.button(
        "Design with this specimen's properties",
        key=f"map_design_{letter}",
        disabled=request is None,
        help="Opens Inverse design with the specimen's measured properties as targets. The patch's "
        "latents are not taken over: a design for the same properties may look otherwise.",
    )
    if request is None:
        st.caption(NOT_MEASURED if network else NO_NETWORK)
    if started and request is not None:
        design_request.replace(model.id, request)
        st.switch_page("views/inverse_design.py")
