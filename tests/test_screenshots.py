"""The pictures in docs/screenshots are complete and small, and those of the README are there."""

import re
from datetime import date

from PIL import Image

from core.files import read_json, write_json
from tests.conftest import ROOT
from tests.e2e.screenshots import MOST_BYTES, OUT, PAGES, SOURCES, files_of, note_sources


def test_every_page_has_a_picture_and_all_are_small():
    found = {path.name: path.stat().st_size for path in OUT.glob("*.webp")}
    assert set(found) == files_of(PAGES)
    assert {path.name for path in OUT.iterdir()} == {*found, SOURCES}
    assert sum(found.values()) <= MOST_BYTES
    for name in found:
        with Image.open(OUT / name) as image:
            assert image.width >= 390 and image.height > 400, name


def test_every_picture_says_when_it_was_taken_and_of_which_commit():
    known = read_json(OUT / SOURCES)
    assert set(known) == files_of(PAGES)
    for name, about in known.items():
        assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?", about["commit"]), name
        assert date.fromisoformat(about["date"]) >= date(2026, 11, 1), name


def test_pictures_taken_anew_leave_what_is_known_of_the_others(tmp_path):
    write_json(tmp_path / SOURCES, {"data.webp": {"commit": "0" * 12, "date": "2026-11-26"}})
    note_sources(tmp_path, ["evaluate"])
    known = read_json(tmp_path / SOURCES)
    assert set(known) == {"data.webp", "evaluate.webp", "evaluate_phone.webp"}
    assert known["data.webp"]["commit"] == "0" * 12


def test_pictures_that_the_readme_shows_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(shown) >= 4
    assert [path for path in shown if not (ROOT / path).is_file()] == []
