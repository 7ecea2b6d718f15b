"""The pictures in docs/screenshots are complete and small, and those of the README are there."""

import re

from PIL import Image

from tests.conftest import ROOT
from tests.e2e.screenshots import DARK, MOST_BYTES, OUT, PAGES, PHONE


def test_every_page_has_a_picture_and_all_are_small():
    wanted = {f"{name or 'inverse_design'}.webp" for name in PAGES}
    wanted |= {f"{name or 'inverse_design'}_dark.webp" for name in DARK}
    wanted |= {f"{name or 'inverse_design'}_phone.webp" for name in PHONE}
    found = {path.name: path.stat().st_size for path in OUT.iterdir()}
    assert set(found) == wanted
    assert sum(found.values()) <= MOST_BYTES
    for name in found:
        with Image.open(OUT / name) as image:
            assert image.width >= 390 and image.height > 400, name


def test_pictures_that_the_readme_shows_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(shown) >= 4
    assert [path for path in shown if not (ROOT / path).is_file()] == []
