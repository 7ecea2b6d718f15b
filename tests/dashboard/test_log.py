"""What visitors do is logged with sizes and timings; their names, tables and pictures are not."""

import io
import json
import logging
import re
from pathlib import Path

import numpy as np
import pytest

from core import logs
from core.images import encode_png
from dashboard import evaluations, sessions
from tests.dashboard.conftest import texts

NAME = "Kunde Huber GmbH Pumpe 7.png"
TABLE = "Probe;Ofenreise;UTS (MPa)\nGeheimguss17;4711,5;431,25\n"


@pytest.fixture
def log():
    """All that reaches the server's log."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    logs.set_up(sessions.context, stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def events(log: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def picture() -> bytes:
    return encode_png(np.random.default_rng(0).random((160, 160)).astype(np.float32))


def test_an_upload_is_logged_by_its_size_alone(with_model, open_page, log):
    app = open_page("evaluate")
    app.file_uploader[0].upload(NAME, picture(), "image/png")
    app.button(key="evaluate_submit").click().run()
    found = {line["event"]: line for line in events(log)}
    assert found["upload"]["bytes"] == len(picture()) and found["upload"]["width_px"] == 160
    assert found["evaluation"]["outcome"] == "done" and found["evaluation"]["ms"] > 0
    assert found["page"]["page"] == "evaluate"
    assert "Huber" not in log.getvalue() and "Pumpe" not in log.getvalue()


def test_a_file_that_cannot_be_read_is_logged_without_its_name(with_model, open_page, log):
    app = open_page("evaluate")
    app.file_uploader[0].upload(NAME, b"no picture: Geheimguss17", "image/png")
    app.button(key="evaluate_submit").click().run()
    assert "Huber" in texts(app)
    refused = [line for line in events(log) if line["event"] == "refused"]
    assert refused and refused[0]["error"] == "InputError" and "core/" in refused[0]["where"]
    assert "Huber" not in log.getvalue() and "Geheimguss" not in log.getvalue()


def test_tables_leave_their_number_of_rows_only(open_page, log, monkeypatch):
    monkeypatch.setenv("MICRODESIGN_TRAINING", "on")
    app = open_page("data")
    app.file_uploader(key="data_files_0").upload(NAME, picture(), "image/png")
    app.file_uploader(key="data_table_0").upload("Ofenbuch.csv", TABLE.encode(), "text/csv")
    app.run()
    (line,) = [line for line in events(log) if line["event"] == "upload"]
    assert (line["pictures"], line["rows"]) == (1, 1)
    assert line["bytes"] == len(picture()) + len(TABLE.encode())
    for word in ("Huber", "Ofenbuch", "Ofenreise", "Geheimguss", "4711", "431"):
        assert word not in log.getvalue(), word


def test_a_defect_has_the_id_that_the_page_shows(with_model, open_page, log, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError(NAME)

    monkeypatch.setattr(evaluations, "find_info_bar", broken)
    app = open_page("evaluate")
    app.file_uploader[0].upload(NAME, picture(), "image/png")
    app.button(key="evaluate_submit").click().run()
    (line,) = [line for line in events(log) if line["event"] == "error"]
    assert re.search(r"error ([0-9a-f]{8})", app.error[0].value).group(1) == line["id"]
    assert line["exception"] == "ZeroDivisionError" and line["level"] == "error"
    assert any(Path(frame.split(":")[0]).name == "evaluations.py" for frame in line["frames"])
    assert "Huber" not in log.getvalue()
