"""The information bar of a micrograph on the page: shown, and what is left out adjusted."""

import streamlit as st

from core.info_bar import InfoBar
from dashboard import pictures
from dashboard.errors import escape
from dashboard.evaluations import Job, Source

_GIVEN = "evaluate_info_bars"  # job at no scale -> rows given by hand; no widget's key


def forget() -> None:
    """Forget what was adjusted, for other files."""
    st.session_state.pop(_GIVEN, None)


def chosen(job: Job, source: Source) -> InfoBar:
    """Return what is left out: as adjusted, else as found."""
    given: dict[Job, InfoBar] = st.session_state.get(_GIVEN, {})
    return given.get(job.at(None), source.found)


def show(place: int, job: Job, source: Source) -> None:
    """Show what is left out of a micrograph and let the user change it."""
    bar, height = chosen(job, source), len(source.micrograph.pixels)
    how = "as found" if bar == source.found else "as you gave it"
    label = f"Information bar: {bar.in_words()} left out, {how}" if bar else "No information bar"
    shaded = pictures.with_rows_shaded(
        source.micrograph.pixels, bar.top, bar.bottom, source.micrograph.um_per_px
    )
    with st.expander(label, expanded=bool(bar), icon=":material/crop:"):
        st.image(
            pictures.png(shaded),
            caption="Tinted rows are left out of everything below.",
            alt=f"{job.name} with the rows that are left out tinted",
        )
        with st.form(f"evaluate_bar_form_{place}", border=False):
            columns = st.columns(2)
            rows = [
                int(
                    column.number_input(
                        f"Rows to leave out at the {edge} (px)",
                        min_value=0,
                        max_value=height - 1,
                        value=getattr(bar, edge),
                        key=f"evaluate_bar_{edge}_{place}_{bar.top}_{bar.bottom}",
                    )
                )
                for column, edge in zip(columns, ("top", "bottom"), strict=True)
            ]
            if st.form_submit_button("Crop and evaluate anew", key=f"evaluate_bar_{place}"):
                st.session_state.setdefault(_GIVEN, {})[job.at(None)] = InfoBar(*rows)
                st.rerun()
        st.caption(f"{escape(job.name)} has {height} rows.")
