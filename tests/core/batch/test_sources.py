"""Files of a batch are read when their turn comes, and no zip can hurt."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from core.batch import sources
from core.batch.sources import from_paths, from_uploads, from_zip
from core.errors import InputError
from core.image_limits import ImageLimits


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def reason(source) -> str:
    with pytest.raises(InputError) as error:
        source.load()
    return str(error.value)


def test_files_zips_and_folders_become_sources_in_order(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "z.zip").write_bytes(packed({"in/b.png": b"b", "c.txt": b"c"}))
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "d.tif").write_bytes(b"d")
    (folder / "notes.txt").write_bytes(b"left out")
    (folder / "link.png").symlink_to(tmp_path / "a.png")
    found = from_paths([tmp_path / "a.png", tmp_path / "z.zip", folder])
    assert [s.name for s in found] == ["a.png", "z.zip: in/b.png", "z.zip: c.txt", "deep/d.tif"]
    assert [s.load() for s in found] == [b"a", b"b", b"c", b"d"]


def test_a_missing_file_is_a_source_with_its_reason(tmp_path):
    (one,) = from_paths([tmp_path / "gone.png"])
    assert "no such file" in reason(one)


def test_uploads_can_be_read_twice():
    stream = io.BytesIO(b"abc")
    archive = io.BytesIO(packed({"b.png": b"b"}))
    found = from_uploads([("C:\\fakepath\\a.png", stream), ("z.ZIP", archive)])
    assert [s.name for s in found] == ["C:/fakepath/a.png", "z.ZIP: b.png"]
    for _ in range(2):
        assert [s.load() for s in found] == [b"abc", b"b"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs/x.png", "..\\..\\x.png"])
def test_names_in_a_zip_that_lead_out_of_it_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = from_zip(io.BytesIO(packed({name: b"data"})), "z.zip")
    assert "leads out of the zip" in reason(found[0])
    assert found[0].name.isprintable() and found[0].name.startswith("z.zip: ")
    assert list(tmp_path.iterdir()) == []


def test_odd_signs_in_a_name_are_not_shown():
    (one,) = from_zip(io.BytesIO(packed({"a\u202egnp.exe": b"data"})), "z.zip")
    assert (one.name, one.load()) == ("z.zip: agnp.exe", b"data")


def test_a_bomb_is_refused_by_its_ratio():
    bomb = packed({"bomb.png": bytes(30 * 2**20), "good.png": b"x" * 100})
    assert len(bomb) < 100_000
    first, second = from_zip(io.BytesIO(bomb), "z.zip")
    assert "200 times" in reason(first) and "30 MiB" in reason(first)
    assert second.load() == b"x" * 100


def test_an_entry_larger_than_the_limit_is_read_no_further():
    data = packed({"big.png": bytes(range(256)) * 40}, zipfile.ZIP_STORED)
    (one,) = from_zip(io.BytesIO(data), "z.zip", ImageLimits(max_bytes=1000))
    assert "more than" in reason(one)


def test_too_many_files_and_too_much_in_all_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "MAX_FILES", 2)
    many = packed({f"{i}.png": b"x" for i in range(3)})
    (one,) = from_zip(io.BytesIO(many), "z.zip")
    assert "3 files" in reason(one) and one.name == "z.zip"
    with pytest.raises(InputError, match="several batches"):
        from_paths([tmp_path / f"{i}.png" for i in range(3)])


def test_a_damaged_zip_is_one_source_with_its_reason():
    for data in (b"PK\x03\x04 nonsense", b"", packed({"a.png": b"x"})[:-30]):
        (one,) = from_zip(io.BytesIO(data), "z.zip")
        assert "pack it anew" in reason(one)
    assert "empty" in reason(from_zip(io.BytesIO(packed({})), "z.zip")[0])


def test_a_damaged_entry_costs_only_itself():
    data = bytearray(packed({"a.png": b"a" * 50, "b.png": b"b" * 50}, zipfile.ZIP_STORED))
    data[data.index(b"a" * 50)] ^= 0xFF
    first, second = from_zip(io.BytesIO(bytes(data)), "z.zip")
    assert "cannot be unpacked" in reason(first)
    assert second.load() == b"b" * 50


def test_a_password_is_said():
    data = bytearray(packed({"a.png": b"a" * 50}, zipfile.ZIP_STORED))
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, 1)  # the flag that says encrypted
    (one,) = from_zip(io.BytesIO(bytes(data)), "z.zip")
    assert "password" in reason(one)


def test_what_systems_add_is_left_out():
    data = packed({"__MACOSX/._a.png": b"", "._b.png": b"", "Thumbs.db": b"", "a.png": b"x"})
    assert [s.name for s in from_zip(io.BytesIO(data), "z.zip")] == ["z.zip: a.png"]


def test_a_path_to_a_zip_that_is_gone_is_said():
    (one,) = from_paths([Path("nowhere.zip")])
    assert "no such file" in reason(one)
