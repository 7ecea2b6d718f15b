"""What is shown of the graphite measured on micrographs."""

from collections.abc import Sequence

import streamlit as st

from core.descriptors import FieldsSummary
from core.descriptors.two_point import TwoPoint
from core.stereology import Measurement
from dashboard import descriptor_figures, figures
from dashboard.descriptor_results import descriptor_rows, pooled_rows, structure_rows
from dashboard.errors import escape
from dashboard.measurements import Measured
from dashboard.wording import number

LEGEND = (
    "Outlined: **nodules green**, other particles orange, particles cut by the border blue, those "
    "under 10 µm pink (not counted)."
)


def show(place: int, found: Measured, scale_from: str | None) -> None:
    """Show a micrograph's graphite: outlined in the picture, and in figures."""
    st.markdown("**Graphite, as measured on the whole micrograph**")
    if not found.graphite:
        st.warning(
            "This picture does not look like a graphite iron (dark graphite, 2 to 25 % of the "
            "area, in an even matrix). Figures of graphite may mean nothing: look at the outlines, "
            "or switch the measurement off in the form."
        )
    left, right = st.columns([3, 2], gap="medium")
    described = found.descriptors()
    left.image(
        found.overlay,
        width="stretch",
        caption=LEGEND if described else "Outlined: what was taken for graphite.",
        alt=f"Micrograph {found.name} with what was taken for graphite outlined",
    )
    with right:
        if described is None:
            st.markdown(f"Graphite area **{number(found.graphite_pct)} %**")
            st.info(
                "The scale of this micrograph is not known. Give it in the form (µm per px) to "
                "get sizes, counts and nodularity: the standards' 10 µm rule needs it."
            )
            for note in found.notes:
                st.caption(escape(note))
            return
        st.table(descriptor_rows(described), hide_index=True)
    st.caption(
        f"Scale {number(described.um_per_px, 4)} µm per px, {scale_from}; area "
        f"{number(described.area_mm2)} mm². Particles of 10 µm and more; sizes, shapes and "
        "nodularity of those that no border cuts (ISO 945-4)."
    )
    for note in described.notes + (() if not described.grain_reason else (described.grain_reason,)):
        st.caption(escape(note))
    if described.two_point is not None:
        _two_point(described.two_point, f"descriptors_two_point_{place}")


def show_structure(found: Measurement, um_per_px: float | None, scale_from: str | None) -> None:
    """Show what any material has, measured on the whole micrograph."""
    st.markdown("**Phases and texture, as measured on the whole micrograph**")
    st.table(structure_rows(found), hide_index=True)
    scale = "Scale not known." if um_per_px is None else f"Scale {number(um_per_px, 4)} µm per px"
    said = scale if um_per_px is None else f"{scale}, {scale_from}."
    st.caption(
        f"{said} ±: 95 % half width from field to field, and how far the limit between the phases "
        "may move. Of the dark phase and the light one, whatever they are."
    )


def show_together(measured: Sequence[Measured], found: FieldsSummary) -> None:
    """Show several micrographs as fields of one specimen."""
    with st.container(border=True, key="descriptors_together"):
        st.subheader(f"One specimen, {len(measured)} fields together", anchor=False)
        st.table(pooled_rows(found), hide_index=True)
        pooled = found.pooled
        st.caption(
            f"{pooled.n_inner} particles that no border cuts, of {pooled.n_particles}, on "
            f"{number(pooled.area_mm2)} mm². Intervals: mean of the fields' values, from their "
            "scatter from field to field (Student's t); fields count alike."
        )
        if pooled.two_point is not None:
            _two_point(pooled.two_point, "descriptors_two_point_together")


def _two_point(found: TwoPoint, key: str) -> None:
    with st.expander("Two-point statistics"):
        st.plotly_chart(
            descriptor_figures.two_point_chart(found.lag_um, found.s2),
            key=key,
            config=figures.CONFIG,
            alt="Probability that two points at a distance both lie in what was outlined",
        )
        st.caption(
            "S2: how probable it is that two points at this distance both lie in what is outlined. "
            "It starts at the area fraction and falls to its square. It holds for any dark phase, "
            "graphite or not."
        )
