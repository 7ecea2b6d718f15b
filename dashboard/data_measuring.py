"""The page *Own data*: properties measured on the pictures, where nothing was tested."""

import streamlit as st

from core.import_data.measuring import measure_plan
from core.import_data.plan import ImportPlan
from core.measured_columns import KINDS
from dashboard import state, waiting
from dashboard.data_session import MEASURED, Uploaded

CHOICES = {"auto": "whichever fits the pictures", **KINDS}


def measured(plan: ImportPlan, found: Uploaded) -> ImportPlan:
    """Ask whether the pictures are to be measured; return the plan with what was measured.

    Every picture is measured once, as long as its crop and scale stay, and in a turn of its own:
    a large set does not keep other visitors waiting.

    Raises:
        InputError: a column of the table has the name of a descriptor.
    """
    tested = any(column.role == "property" for column in plan.columns)
    left, right = st.columns(2, vertical_alignment="bottom")
    wanted = left.checkbox(
        "Measure the pictures: descriptors become properties",
        key=f"data_measure_{found.id}",
        help="For data without tests, or beside them: areas, sizes and spacings measured on your "
        "pictures become properties to design for. They are marked as measured, not tested.",
    )
    if not wanted:
        if not tested:
            st.caption(
                "There is no property in your table: measure the pictures, and you can design for "
                "a spacing or a phase area."
            )
        return plan
    kind = right.selectbox(
        "What is measured", list(CHOICES), format_func=CHOICES.get, key=f"data_kind_{found.id}"
    )
    known = st.session_state.setdefault(MEASURED, {})
    count = max(len(plan.files), 1)
    with waiting.working("Measuring the pictures…"):
        bar = st.progress(0.0)
        result = measure_plan(
            plan,
            kind,
            known,
            lambda done: bar.progress(done / count, f"Measured {done} of {count}"),
            state.lock().for_long(),
        )
    bar.empty()
    return result.plan
