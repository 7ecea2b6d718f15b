"""The guide of a first visit: opens once, goes through the pages, stays closed, can be linked."""

import pytest

from dashboard.guide import STEPS
from tests.conftest import ROOT
from tests.dashboard.conftest import sound, texts


def has(app, key: str) -> bool:
    return any(button.key == key for button in app.button)


def test_every_step_is_on_a_page_that_there_is():
    pages = {path.stem for path in (ROOT / "dashboard" / "views").glob("*.py")}
    assert {step.page for step in STEPS} <= pages
    assert STEPS[0].page == "inverse_design"
    assert {"library", "evaluate"} <= {step.page for step in STEPS}


def test_a_first_visit_is_guided_until_the_guide_is_closed(with_model, open_page):
    app = sound(open_page())
    assert "Guide, step 1 of 6: Say what you need" in texts(app)
    assert "1" in app.query_params["guide"]
    sound(app.button(key="guide_next").click().run())
    assert "step 2 of 6" in texts(app) and "2" in app.query_params["guide"]
    assert "Closed for this visit" in app.button(key="guide_close").help
    sound(app.button(key="guide_close").click().run())
    assert "Guide, step" not in texts(app) and "guide" not in app.query_params
    sound(app.run())
    assert "Guide, step" not in texts(app)
    sound(app.button(key="guide_open").click().run())
    assert "step 1 of 6" in texts(app)


def test_whoever_comes_with_a_link_is_not_guided(with_model, open_page):
    app = sound(open_page(uts_mpa="300", size="256"))
    assert "Guide, step" not in texts(app) and has(app, "guide_open")


def test_without_a_model_there_is_no_guide(open_page):
    assert "Guide, step" not in texts(open_page())


@pytest.mark.parametrize(("asked", "step"), [("4", 4), ("99", 6), ("x", 1)])
def test_a_step_can_be_linked(asked, step, open_page):
    app = open_page("library", guide=asked)
    assert not app.exception
    assert f"step {step} of 6: {STEPS[step - 1].title}" in texts(app)
    assert has(app, "guide_here") == (STEPS[step - 1].page != "library")
