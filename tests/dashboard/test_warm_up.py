"""Claims about what the server prepares before its first visitor."""

import logging
from pathlib import Path

from dashboard import designs, state, warm_up
from dashboard.design_request import default_request
from tests.dashboard.conftest import sound


def test_the_page_opens_with_the_design_that_was_prepared(with_model, open_page, monkeypatch):
    warm_up.first_design()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("designed again")

    monkeypatch.setattr(designs, "find_proposal", refuse)
    monkeypatch.setattr(designs, "find_design", refuse)
    app = sound(open_page())
    (model,) = state.models()
    targets = dict(default_request(state.network(model)).targets)
    shown = {widget.key: widget.value for widget in app.number_input}
    assert {f"design_in_{name}": value for name, value in targets.items()}.items() <= shown.items()


def test_without_a_model_nothing_is_prepared_and_nothing_fails(tmp_path: Path, caplog):
    with caplog.at_level(logging.ERROR):
        warm_up.first_design()
    assert not caplog.records


def test_a_damaged_model_is_logged_and_left_for_the_page_to_say(with_model, monkeypatch, caplog):
    def fail(*_: object, **__: object) -> None:
        raise ValueError("damaged")

    monkeypatch.setattr(designs, "find_proposal", fail)
    with caplog.at_level(logging.ERROR):
        warm_up.first_design()
    assert "the first design could not be prepared" in caplog.text
