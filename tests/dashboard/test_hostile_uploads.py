"""After a hostile upload the session goes on: each file gets a reason, and the next one works."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.dashboard.conftest import sound, texts
from tests.dashboard.test_evaluate_page import evaluated
from tests.dashboard.test_pages import picture


def bomb() -> bytes:
    """A PNG that says it is 60000 px wide and high, of a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 60001)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def not_finite() -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.full((160, 160), np.nan, np.float32))
    return stream.getvalue()


def tiny() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (3, 3)).save(stream, format="PNG")
    return stream.getvalue()


def outside() -> bytes:
    """A zip whose members would be written elsewhere."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("../../escaped.png", picture())
        packed.writestr("/etc/escaped.png", picture())
    return stream.getvalue()


HOSTILE = {
    "empty": b"",
    "text": b"<script>alert(1)</script>",
    "cut off": picture()[:200],
    "bomb": bomb(),
    "not finite": not_finite(),
    "tiny": tiny(),
    "a zip": outside(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_and_the_next_is_evaluated(with_model, open_page, name):
    app = evaluated(open_page, HOSTILE[name])
    assert not app.exception and len(app.error) == 1
    assert "Traceback" not in app.error[0].value and len(app.error[0].value) < 600
    app.file_uploader(key="evaluate_files").set_value([("good.png", picture(), "image/png")])
    sound(app.button(key="evaluate_submit").click().run())
    assert "good.png" in str([s.value for s in app.subheader])


def test_a_batch_of_hostile_files_has_a_row_each_and_ends(with_model, open_page, monkeypatch):
    monkeypatch.setattr("core.evaluate.READ_PATCHES", 1)
    app = sound(open_page("batch"))
    files = [(f"{name}.png", data, "image/png") for name, data in HOSTILE.items() if data]
    files += [("zip.zip", outside(), "application/zip"), ("good.png", picture(), "image/png")]
    app.file_uploader(key="batch_files").set_value(files)
    app.selectbox(key="batch_measured_reference").set_value("nothing")
    app = sound(app.button(key="batch_submit").click().run())
    said = texts(app) + app.dataframe[0].value.to_string()
    assert "good.png" in said
    for name, *_ in files[:-2]:
        assert name in said
    sound(app.run())
