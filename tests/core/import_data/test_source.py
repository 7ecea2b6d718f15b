"""Nothing in a zip or a folder leads anywhere else, and nothing is unpacked without bounds."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from core import zips
from core.errors import InputError
from core.import_data.source import list_folder, list_source, list_uploads, list_zip
from tests.core.import_data.pictures import png, zipped


def paths(files) -> list[str]:
    return [file.path for file in files]


def test_pictures_and_tables_are_told_apart_and_the_rest_is_named():
    data = zipped(
        {
            "run/b.PNG": b"b",
            "run/a.tif": b"a",
            "t.csv": b"t",
            "notes.docx": b"n",
            "__MACOSX/run/._a.tif": b"",
            ".DS_Store": b"",
        }
    )
    found = list_zip(data, "x.zip")
    assert paths(found.pictures) == ["run/a.tif", "run/b.PNG"]
    assert paths(found.tables) == ["t.csv"]
    assert found.notes == ("neither pictures nor tables: 1 file: notes.docx",)
    assert found.pictures[0].load() == b"a"


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/a.png", "x/../../a.png", "C:/a.png", "..\\a.png", "\\\\h\\a.png"]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(name):
    with pytest.raises(InputError, match="leads out of the zip"):
        list_zip(zipped({name: b"x"}), "x.zip")


def test_a_link_in_a_zip_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("a.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        list_zip(buffer.getvalue(), "x.zip")


def test_a_password_is_said():
    data = bytearray(zipped({"a.png": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    with pytest.raises(InputError, match="has a password"):
        list_zip(bytes(data), "x.zip")


def test_a_bomb_is_refused_by_name():
    bomb = zipped({"a.png": b"\0" * (4 * 2**20)})
    with pytest.raises(InputError, match=r"x\.zip: 'a\.png': it unpacks to 4 MiB"):
        list_zip(bomb, "x.zip")


def test_a_damaged_entry_says_so_when_it_is_read():
    data = bytearray(zipped({"a.png": bytes(range(256)) * 8}))
    data[40] ^= 0xFF
    listing = list_zip(bytes(data), "x.zip")
    with pytest.raises(InputError, match="cannot be unpacked"):
        listing.pictures[0].load()


def test_what_is_no_zip_and_what_holds_too_much_is_refused(monkeypatch):
    with pytest.raises(InputError, match="not a zip"):
        list_zip(b"PK\x03\x04 nothing", "x.zip")
    monkeypatch.setattr(zips, "MAX_ENTRIES", 1)
    with pytest.raises(InputError, match="holds 2 files; at most 1"):
        list_zip(zipped({"a.png": b"", "b.png": b""}), "x.zip")


def test_a_name_that_is_there_twice_is_used_once():
    found = list_uploads([("a.png", b"1"), ("z.zip", zipped({"A.PNG": b"2"}))])
    assert paths(found.pictures) == ["a.png"] and found.pictures[0].load() == b"1"
    assert found.notes == ("A.PNG is there twice; the first is used",)


def test_uploads_keep_their_own_bytes():
    found = list_uploads([(f"{i}.png", bytes([i])) for i in range(3)])
    assert [file.load() for file in found.pictures] == [b"\0", b"\1", b"\2"]


def test_a_folder_is_listed_with_its_folders_and_without_links(tmp_path: Path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "a.png").write_bytes(png())
    (tmp_path / "table.csv").write_text("x")
    (tmp_path / "link.png").symlink_to(tmp_path / "s1" / "a.png")
    found = list_source(tmp_path)
    assert paths(found.pictures) == ["s1/a.png"] and paths(found.tables) == ["table.csv"]
    assert found.notes == ("1 link left out",)
    with pytest.raises(InputError, match="is not a folder"):
        list_folder(tmp_path / "gone")
    (tmp_path / "z.zip").write_bytes(zipped({"b.png": b"b"}))
    assert paths(list_source(tmp_path / "z.zip").pictures) == ["b.png"]
