"""Names of strangers' files are safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.display_name import display_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\a.png", "a.png"),
        ("a\x00b\n\u202e\u2028.png", "ab.png"),
        ("..", "image"),
        ("", "image"),
        ("folder/", "folder"),
        ("é µm.tif", "é µm.tif"),
    ],
)
def test_names_are_made_safe_to_show(name: str, shown: str) -> None:
    assert display_name(name) == shown


def test_long_names_are_cut_and_keep_their_ending() -> None:
    shown = display_name("x" * 300 + ".tiff")
    assert len(shown) == 80 and shown.endswith("….tiff")


@given(st.text(max_size=200))
def test_any_name_is_short_printable_and_without_folders(name: str) -> None:
    shown = display_name(name)
    assert 1 <= len(shown) <= 80 and "/" not in shown and "\\" not in shown
    assert shown.isprintable()
