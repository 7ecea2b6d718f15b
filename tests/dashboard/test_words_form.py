"""Settings in words on the form of a design: one choice each, kept in the request."""

from types import SimpleNamespace

from streamlit.testing.v1 import AppTest

from bayesnet.nodes import Node
from dashboard.design_form import accepted
from dashboard.design_request import DesignRequest, from_query
from tests.dashboard.conftest import sound


def node(column: str, role: str, low: float, high: float, unit: str = "", **more: str) -> Node:
    label = more.pop("label", column)
    middle = {"mean": (low + high) / 2, "scale": 1.0, "low": low, "high": high}
    return Node(node=column, column=column, role=role, unit=unit, label=label, **middle, **more)


def word(level: str) -> Node:
    names = {"label": f"Cooling is {level}", "group": "cooling", "level": level}
    return node(f"cooling = {level}", "process", 0.0, 100.0, "% likely", **names)


PROCESS = (word("air"), word("water"), node("hours", "process", 1.0, 24.0, "h"))
NETWORK = SimpleNamespace(
    properties=(node("hardness_hv", "property", 100.0, 400.0, "HV"),),
    descriptors=(),
    outcomes=(node("hardness_hv", "property", 100.0, 400.0, "HV"),),
    process=PROCESS,
    notes=(),
)
REQUEST = DesignRequest((("hardness_hv", 250.0),))


def page() -> None:
    import streamlit as st

    from dashboard import design_form
    from tests.dashboard.test_words_form import NETWORK

    found = design_form.ask(NETWORK, st.session_state["request"], 1.0)
    if found is not None:
        st.session_state["found"] = found


def opened(request: DesignRequest) -> AppTest:
    app = AppTest.from_function(page)
    app.session_state["request"] = request
    return sound(app.run())


def test_a_word_is_chosen_and_kept_as_a_limit():
    app = opened(REQUEST)
    choice = app.selectbox(key="design_in_cooling_word")
    assert (choice.label, choice.options, choice.value) == (
        "Cooling",
        ["any", "air", "water"],
        "any",
    )
    assert not [n for n in app.number_input if "Cooling" in n.label]
    choice.set_value("water")
    sound(app.button(key="design_submit").click().run())
    found = app.session_state["found"]
    assert found.process == (("cooling = water", (100.0, 100.0)),)
    assert found.limits() == {"cooling = water": 100.0}
    again = opened(found)
    assert again.selectbox(key="design_in_cooling_word").value == "water"


def test_what_was_accepted_is_said_with_the_word():
    assert "hours free · Cooling free" in accepted(NETWORK, REQUEST)
    limited = DesignRequest(REQUEST.targets, (("cooling = air", (100.0, 100.0)),))
    assert "Cooling air" in accepted(NETWORK, limited)


def test_the_address_keeps_the_word(monkeypatch):
    monkeypatch.setattr("dashboard.design_request.default_request", lambda network: REQUEST)
    limited = DesignRequest(REQUEST.targets, (("cooling = air", (100.0, 100.0)),))
    assert from_query(limited.to_query(), NETWORK) == (limited, [])
