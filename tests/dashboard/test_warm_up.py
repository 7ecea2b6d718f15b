"""Claims about what the server prepares before its first visitor."""

import asyncio
import gc
import logging
import os
import threading
import time
import weakref
from pathlib import Path

import pytest

from core.folders import LEFT_AFTER_S
from core.workspace import workspace
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


def test_what_is_loaded_is_not_searched_for_garbage_again_but_later_garbage_is(monkeypatch):
    """Streamlit has everything searched after each run of a page."""

    class Loop:
        def __init__(self) -> None:
            self.own = self

    monkeypatch.setattr(state, "models", lambda: ())
    loaded = {"a": []}
    gc.unfreeze()
    try:
        warm_up.first_design()
        assert gc.get_freeze_count() > 10_000
        assert not any(loaded is one for one in gc.get_objects())
        gone = weakref.ref(Loop())
        gc.collect()
        assert gone() is None
    finally:
        gc.unfreeze()


@pytest.fixture
def left(monkeypatch) -> dict[str, Path]:
    """What an import and a saving left that were killed, and one that may still be under way."""
    monkeypatch.setattr(warm_up, "first_design", lambda: None)
    found = {
        "import": workspace() / "data" / ".new-abc.tmp",
        "save": workspace() / "designs" / ".new-def.tmp",
        "now": workspace() / "data" / ".new-ghi.tmp",
    }
    for name, folder in found.items():
        (folder / "images").mkdir(parents=True)
        (folder / "images" / "a.png").write_bytes(b"x")
        for path in (folder / "images" / "a.png", folder / "images", folder):
            if name != "now":
                os.utime(path, (0, time.time() - 2 * LEFT_AFTER_S))
    (workspace() / "designs" / "recipe.json").write_text("{}")
    return found


def start() -> None:
    """Start and end a server, and wait for what it does meanwhile."""

    async def run() -> None:
        async with warm_up.lifespan(None):
            pass

    asyncio.run(run())
    for thread in threading.enumerate():
        if thread.name == "tidy":
            thread.join(60)


def test_the_server_removes_what_killed_programs_left_when_it_starts(left):
    start()
    assert [name for name, folder in left.items() if folder.exists()] == ["now"]
    assert (workspace() / "designs" / "recipe.json").exists()


def test_a_read_only_server_leaves_everything(left, monkeypatch):
    monkeypatch.setenv("MICRODESIGN_READ_ONLY", "on")
    start()
    assert all(folder.exists() for folder in left.values())


def test_a_workspace_that_cannot_be_tidied_stops_no_start(left, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(warm_up, "remove_leftovers", fail)
    with caplog.at_level(logging.ERROR):
        start()
    assert "the workspace could not be tidied" in caplog.text


def test_without_a_workspace_nothing_is_made(monkeypatch):
    warm_up.tidy()
    assert not workspace().exists()
