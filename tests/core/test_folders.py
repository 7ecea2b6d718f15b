"""Folders appear, change places and go as a whole; what a crash leaves is found and put right."""

import os
import time
from pathlib import Path

import pytest

from core import folders
from core.errors import InputError, StorageError
from core.files import NEXT, finish_together, read_json, settled, sha256_file, write_together
from core.folders import (
    leftovers,
    new_folder,
    recover_folder,
    remove_folder,
    remove_leftovers,
    replace_folder,
    settle_folder,
)


def filled(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "file").write_text(text)
    return folder


def test_a_new_folder_is_hidden_until_it_is_named_and_goes_where_it_fails(tmp_path: Path):
    with new_folder(tmp_path / "made") as made:
        (made / "file").write_text("x")
        assert made.name.startswith(".new-") and made.name.endswith(".tmp")
        assert settle_folder(made, tmp_path / "made" / "one")
    with pytest.raises(InputError), new_folder(tmp_path / "made"):
        raise InputError("no")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["one"]
    assert oct((tmp_path / "made" / "one").stat().st_mode)[-3:] == "755"


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path):
    taken, made = filled(tmp_path / "taken", "old"), filled(tmp_path / "made", "new")
    assert not settle_folder(made, taken)
    assert (taken / "file").read_text() == "old" and made.is_dir()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_takes_another_s_place(tmp_path: Path, monkeypatch, can_exchange: bool):
    if not can_exchange:
        monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)
    target, made = filled(tmp_path / "target", "old"), filled(tmp_path / "made", "new")
    replace_folder(made, target)
    assert (target / "file").read_text() == "new"
    assert not (tmp_path / ".target.old").exists()
    assert not made.exists() or (made / "file").read_text() == "old"


def test_a_folder_left_beside_its_place_comes_back_unless_there_is_one(tmp_path: Path):
    filled(tmp_path / ".target.old", "old")
    assert recover_folder(tmp_path / "target")
    assert (tmp_path / "target" / "file").read_text() == "old"
    assert not recover_folder(tmp_path / "target")
    filled(tmp_path / ".target.old", "older")
    assert not recover_folder(tmp_path / "target")
    assert (tmp_path / "target" / "file").read_text() == "old"
    assert not (tmp_path / ".target.old").exists()


def test_leftovers_are_hidden_and_old(tmp_path: Path):
    for name in (".a.json.x1.tmp", "a.tmp", ".hidden"):
        (tmp_path / name).write_text("x")
    inner = filled(tmp_path / "deep", "x") / ".new-abc.tmp"
    filled(inner, "x")
    assert leftovers(tmp_path) == [] and leftovers(tmp_path / "nowhere") == []
    assert leftovers(tmp_path, 0.0) == [tmp_path / ".a.json.x1.tmp", inner]
    for path in (inner, inner / "file", tmp_path / ".a.json.x1.tmp"):
        os.utime(path, (0, time.time() - 2 * folders.LEFT_AFTER_S))
    assert remove_leftovers(tmp_path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [".hidden", "a.tmp", "deep"]


def test_a_folder_in_which_something_is_written_is_no_leftover(tmp_path: Path):
    """The folder of an import is made at once, and hours of pictures go into one inside it."""
    made = tmp_path / ".new-abc.tmp"
    made.mkdir()
    filled(made / "images", "a picture")
    long_ago = (0, time.time() - 2 * folders.LEFT_AFTER_S)
    for path in (made / "images", made):
        os.utime(path, long_ago)
    assert leftovers(tmp_path) == [] and remove_leftovers(tmp_path) == 0
    os.utime(made / "images" / "file", long_ago)
    assert leftovers(tmp_path) == [made]


def test_a_leftover_that_cannot_be_removed_keeps_no_other(tmp_path: Path, monkeypatch):
    for name in (".a.tmp", ".b.tmp"):
        (tmp_path / name).write_text("x")
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path.name == ".a.tmp":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    assert remove_leftovers(tmp_path, 0.0) == 1
    assert [path.name for path in tmp_path.iterdir()] == [".a.tmp"]


def test_removing_what_is_gone_is_said(tmp_path: Path):
    remove_folder(filled(tmp_path / "one", "x"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match="one cannot be written: No such file"):
        remove_folder(tmp_path / "one")


def test_parts_that_wait_count_from_when_the_last_file_names_them(tmp_path: Path):
    def write(text: str) -> None:
        (tmp_path / f"a{NEXT}").write_bytes(text.encode())
        content = {"sha256": sha256_file(tmp_path / f"a{NEXT}")}
        (tmp_path / f"a{NEXT}").unlink()
        write_together(tmp_path, {"a": text.encode()}, "about.json", content)

    write("first")
    first = read_json(tmp_path / "about.json")["sha256"]
    assert settled(tmp_path / "a", first) == tmp_path / "a"
    (tmp_path / f"a{NEXT}").write_text("second")  # killed before about.json
    assert settled(tmp_path / "a", first) == tmp_path / "a"
    finish_together(tmp_path, ("a",), "about.json")
    assert (tmp_path / "a").read_text() == "first" and not (tmp_path / f"a{NEXT}").exists()
    write("second")
    second = read_json(tmp_path / "about.json")["sha256"]
    os.replace(tmp_path / "a", tmp_path / f"a{NEXT}")  # killed after about.json
    (tmp_path / "a").write_text("first")
    assert settled(tmp_path / "a", second) == tmp_path / f"a{NEXT}"
    write("third")
    assert (tmp_path / "a").read_text() == "third"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "about.json"]
