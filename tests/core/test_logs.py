"""Lines of the log are JSON with ids, sizes and timings; what people give never reaches them."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core import logs
from core.errors import ConfigError, InputError, StorageError
from core.files import storing

SECRET = "Pump housing ACME, UTS 431 MPa.png"
logger = logging.getLogger("core.test")


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict]]]:
    """What was logged, as the server logs it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.PACKAGES}
    logs.set_up(lambda: {"session": "0123abcd"}, stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def test_an_event_is_a_line_with_its_fields(lines):
    logs.event(
        logger, "upload", bytes=12, share=0.5, new=True, id="20260102-030405-ab12", none=None
    )
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "core.test",
        "event": "upload",
        "session": "0123abcd",
        "bytes": 12,
        "share": 0.5,
        "new": True,
        "id": "20260102-030405-ab12",
        "none": None,
    }


@pytest.mark.parametrize("text", [SECRET, "../etc", "Härte", "a.png", "A", "x" * 50, "", "1 2"])
def test_a_text_that_is_no_id_and_no_word_is_withheld(lines, text):
    logs.event(logger, "upload", text=text, size=float("nan"))
    (line,) = lines()
    assert (line["text"], line["size"]) == (logs.WITHHELD, None)


@given(some.text(min_size=1, max_size=30).filter(lambda text: not text.isascii() or "." in text))
def test_no_file_name_gets_through(text):
    assert logs._safe(text) == logs.WITHHELD


def test_what_is_filled_into_ordinary_records_is_left_out(lines):
    logger.warning("%s is damaged and left out", SECRET)
    logging.getLogger("PIL.other").warning("cannot read " + SECRET)
    own, foreign = lines()
    assert own["event"] == "%s is damaged and left out"
    assert foreign["event"].startswith("test_logs:")
    assert SECRET not in json.dumps([own, foreign])


def test_of_an_exception_the_type_and_the_places_are_kept(lines):
    try:
        raise ZeroDivisionError(SECRET)
    except ZeroDivisionError:
        logger.exception("error %s", SECRET, extra={"fields": {"event": "error", "id": "0123abcd"}})
    (line,) = lines()
    assert (line["event"], line["id"], line["exception"]) == (
        "error",
        "0123abcd",
        "ZeroDivisionError",
    )
    assert line["frames"][-1].startswith("tests/core/test_logs.py:")
    assert line["frames"][-1].endswith("test_of_an_exception_the_type_and_the_places_are_kept")
    assert SECRET not in json.dumps(line)


def test_timings_say_how_it_ended(lines):
    with logs.timed(logger, "design", size_px=512) as told:
        told["samples"] = 3
    for error in (InputError(SECRET), ValueError(SECRET), KeyboardInterrupt()):
        with pytest.raises(type(error)), logs.timed(logger, "design"):
            raise error
    done, *others = lines()
    assert (done["outcome"], done["size_px"], done["samples"]) == ("done", 512, 3)
    assert 0 <= done["ms"] < 10_000
    assert [line["outcome"] for line in others] == ["refused", "failed", "left"]
    assert others[0]["error"] == "input_error"
    assert SECRET not in json.dumps(others)


def test_a_refusal_tells_kind_place_and_the_system_s_reason(lines, tmp_path):
    try:
        with storing(tmp_path / SECRET):
            raise OSError(28, "No space left on device")
    except StorageError as error:
        logs.refused(logger, error)
    (line,) = lines()
    assert (line["event"], line["error"], line["errno"]) == ("refused", "StorageError", "ENOSPC")
    assert line["where"].startswith("core/files.py:") and SECRET not in json.dumps(line)


def test_plain_text_is_for_a_machine_of_one_s_own(monkeypatch, lines):
    monkeypatch.setenv(logs.VARIABLE, "plain")
    stream = io.StringIO()
    logs.set_up(stream=stream)
    logger.warning("cannot read %s", SECRET)
    assert f"WARNING core.test cannot read {SECRET}" in stream.getvalue()
    monkeypatch.setenv(logs.VARIABLE, "xml")
    with pytest.raises(ConfigError, match="MICRODESIGN_LOG is 'xml'; choose"):
        logs.set_up()


def test_the_server_s_own_records_take_the_same_form_and_are_not_doubled(lines):
    server = logging.getLogger("streamlit.test_logs")
    server.handlers, stream = [logging.StreamHandler(io.StringIO())], io.StringIO()
    for _ in range(2):
        logs.set_up(stream=stream)
    server.error("Uncaught: %s", SECRET)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["logger"] == "streamlit.test_logs" and SECRET not in line
    server.handlers = []
