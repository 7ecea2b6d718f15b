"""Zips are held against one set of limits, whoever reads them."""

import io
import struct
import zipfile

import pytest

from core import zips
from core.errors import InputError
from core.image_limits import ImageLimits
from core.zips import read_entries


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_entries_come_in_order_with_their_sizes(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed({"in/a.png": b"abc", "b.txt": b"d"}))
    found = read_entries(tmp_path / "a.zip")
    assert [(e.name, e.size_bytes, e.problem) for e in found] == [
        ("in/a.png", 3, ""),
        ("b.txt", 1, ""),
    ]
    assert [e.load() for e in found] == [b"abc", b"d"]


def test_too_much_in_all_is_refused(monkeypatch):
    data = packed({"a.png": b"x" * 11, "b.png": b"x"})
    monkeypatch.setattr(zips, "MAX_UNPACKED_BYTES", 11)
    with pytest.raises(InputError, match="GiB; at most"):
        read_entries(io.BytesIO(data))


def test_many_entries_that_together_unpack_too_far_are_refused(monkeypatch):
    monkeypatch.setattr(zips, "RATIO_FREE_BYTES", 0)
    data = packed({f"{i}.png": bytes(190_000) for i in range(2)})
    monkeypatch.setattr(zips, "MAX_RATIO", 100)
    with pytest.raises(InputError, match="more than 100 times its own size"):
        read_entries(io.BytesIO(data))


def test_the_table_of_contents_is_read_no_further_than_allowed(monkeypatch):
    monkeypatch.setattr(zips, "MAX_CONTENTS_BYTES", 100)
    data = packed({f"{i}.png": b"" for i in range(9)})
    with pytest.raises(InputError, match="table of contents"):
        read_entries(io.BytesIO(data))


def test_an_entry_is_read_no_further_than_the_limit():
    (one,) = read_entries(io.BytesIO(packed({"a.png": b"x" * 2000})), ImageLimits(max_bytes=1000))
    with pytest.raises(InputError, match="more than"):
        one.load()


def test_other_methods_are_refused_before_they_ask_for_memory():
    data = packed({"a.png": b"x" * 100}, zipfile.ZIP_LZMA)
    (one,) = read_entries(io.BytesIO(data))
    assert "another method" in one.problem
    with pytest.raises(InputError, match="another method"):
        one.load()


def test_an_entry_beyond_all_files_is_refused():
    data = bytearray(packed({"a.png": b"x"}, zipfile.ZIP_STORED))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 42, 2**32 - 2)
    (one,) = read_entries(io.BytesIO(bytes(data)))
    with pytest.raises(InputError, match="cannot be unpacked"):
        one.load()
