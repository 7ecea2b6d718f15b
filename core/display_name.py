"""Names of strangers' files, made safe to show."""

import unicodedata
from pathlib import PurePosixPath

MAX_NAME = 80


def display_name(name: str) -> str:
    """Return a name safe to show: no folders, no control characters, at most 80 characters."""
    last = printable(name.replace("\\", "/")).rstrip("/ ").rsplit("/", 1)[-1].strip()
    if last in ("", ".", ".."):
        return "image"
    if len(last) <= MAX_NAME:
        return last
    suffix = PurePosixPath(last).suffix[:10]
    return last[: MAX_NAME - len(suffix) - 1] + "…" + suffix


def printable(text: str) -> str:
    """Drop control, format, private, unassigned and line-breaking characters; plain spaces only."""
    if text.isprintable():  # tables are long, and nearly all of this kind
        return text
    plain = (" " if unicodedata.category(c) == "Zs" else c for c in text)
    return "".join(c for c in plain if c.isprintable())
