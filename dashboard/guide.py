"""The guide of a first visit: from a target to a design, to the library, to an own micrograph.

It opens by itself once, on the first page with nothing in its address, and never again in a session
where it was closed. The address keeps the step, so that it can be linked: ``?guide=1``.
"""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard import address, state

_STEP = "guide_step"  # no widget's key; None: closed
PARAMETER = "guide"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the guide.

    Attributes:
        page: where it is done.
        title: what it is called.
        text: what to do there, and what to look at.
    """

    page: str
    title: str
    text: str


STEPS = (
    Step(
        "inverse_design",
        "Say what you need",
        "Enter a tensile strength and a yield strength in MPa, say 430 and 280, and press "
        "**Design**. Either may be left empty, or be a range, a limit, or as high as possible.",
    ),
    Step(
        "inverse_design",
        "Read the answer",
        "The **verdict** says whether the data support the target. The picture is the most "
        "probable microstructure; beside it stand the strengths read back from it, how far they "
        "are from the target, and the settings that would make it, each with its 90 % interval.",
    ),
    Step(
        "inverse_design",
        "Keep it",
        "Press **Save design** under the picture and give it a note. **More files** has a report, "
        "a 16-bit TIFF with its scale, and a recipe that makes the same picture again.",
    ),
    Step(
        "library",
        "Compare",
        "Saved designs are here. Choose two or three to see them **side by side**: what was asked, "
        "what was found, and what is recommended.",
    ),
    Step(
        "evaluate",
        "Evaluate a micrograph",
        "Drop one of yours into the field, or press **Try an example**. You get the strengths that "
        "it suggests with their intervals, and whether it is like anything the model has learned "
        "from.",
    ),
    Step(
        "data",
        "Bring your own alloy",
        "The shipped model knows **synthetic cast irons** only. Your pictures and a table of "
        "settings and properties become a data set here, and a model under **Training**.",
    ),
)


def show(page: str) -> None:
    """Show the current step on top of a page, or the button that brings the guide back.

    Args:
        page: the page's name; "" for the first.
    """
    step = _current(page)
    address.keep("guide", {PARAMETER: None if step is None else str(step + 1)})
    if step is None:
        st.sidebar.button(
            "Guide",
            key="guide_open",
            icon=":material/explore:",
            on_click=_go,
            args=(0,),
            help="From a target to a design, the library and your own micrographs, in six steps.",
        )
        return
    one = STEPS[step]
    with st.container(border=True, key="guide"):
        st.markdown(f"**Guide, step {step + 1} of {len(STEPS)}: {one.title}**")
        st.write(one.text)
        here = page == one.page
        with st.container(horizontal=True):
            last = step == len(STEPS) - 1
            if not here:
                _move(page, f"Go to {_title(one.page)}", "guide_here", step, "primary")
            elif not last:
                _move(page, "Next", "guide_next", step + 1, "primary")
            if step > 0:
                _move(page, "Back", "guide_back", step - 1)
            st.button(
                "Close the guide",
                key="guide_close",
                on_click=_go,
                args=(None,),
                help="Closed for this visit; *Guide* at the side brings it back. A new visit, or "
                "the page loaded anew, may open it again.",
            )


def _current(page: str) -> int | None:
    """Return the step to show: as left in this session, else the address's, else on arrival 1."""
    if _STEP not in st.session_state:
        asked = address.restored("guide", [PARAMETER]).get(PARAMETER)
        arrived = page == STEPS[0].page and not st.query_params and bool(state.models())
        step = 0 if arrived else None
        if asked is not None:
            step = address.whole(asked, 1, 1, len(STEPS)) - 1
        st.session_state[_STEP] = step
    step: int | None = st.session_state[_STEP]
    return step


def _go(step: int | None) -> None:
    st.session_state[_STEP] = step


def _move(
    page: str, label: str, key: str, step: int, kind: Literal["primary", "secondary"] = "secondary"
) -> None:
    """Show a button that goes to a step, on its own page."""
    pressed = st.button(label, key=key, type=kind, on_click=_go, args=(step,))
    if pressed and STEPS[step].page != page:
        st.switch_page(f"views/{STEPS[step].page}.py")


def _title(page: str) -> str:
    return {"library": "Library", "evaluate": "Evaluate patches", "data": "Own data"}.get(
        page, "Inverse design"
    )
