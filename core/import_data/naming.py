"""Names: specimens told from file names by a pattern, safe file and column names."""

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import PurePosixPath

from core.errors import InputError

PATTERNS = {
    "{specimen}_*": "up to the last _ (C07_1, C07_2: specimen C07)",
    "{specimen}-*": "up to the last - (C07-1, C07-2: specimen C07)",
    "{specimen}/*": "the folder that the picture is in",
    "{specimen}": "the whole name: every picture is a specimen of its own",
}
MAX_STARS = 4


def specimen_of(path: str, pattern: str) -> str | None:
    """Return the specimen that a picture's name says, None where the pattern does not fit.

    Args:
        path: of the picture, with its folders.
        pattern: with one ``{specimen}`` and any ``*``, held against the name without its ending,
            and against the folders too where it holds a slash. The specimen's part is as long as
            it can be.

    Raises:
        InputError: there is not exactly one ``{specimen}`` in the pattern, or too many stars.

    >>> specimen_of("run 2/C07_top_1.tif", "{specimen}_*"), specimen_of("a/b.png", "{specimen}/*")
    ('C07_top', 'a')
    """
    if pattern.count("{specimen}") != 1 or pattern.count("*") > MAX_STARS:
        raise InputError(
            f"the pattern {pattern[:80]!r} needs {{specimen}} once, and at most {MAX_STARS} stars, "
            "as in {specimen}_*"
        )
    name = PurePosixPath(path)
    stem = str(name.with_suffix("")) if name.name else ""
    text = "/".join(stem.split("/")[-1 - pattern.count("/") :])
    if pattern.count("*") > 1:  # an expression would try all ways to share the signs between stars
        return _fitted(pattern, text)
    expression = re.escape(pattern).replace(r"\{specimen\}", "([^/]+)").replace(r"\*", "[^/]*")
    found = re.fullmatch(expression, text)
    return (found.group(1).strip() or None) if found else None


def _fitted(pattern: str, text: str) -> str | None:
    """Return what `specimen_of` does, each place in the text tried once for each part."""
    parts = [part for part in re.split(r"(\{specimen\}|\*)", pattern) if part]

    @cache
    def found(part: int, at: int) -> tuple[int, int] | None:
        if part == len(parts):
            return (at, at) if at == len(text) else None
        if (token := parts[part]) not in ("*", "{specimen}"):
            return found(part + 1, at + len(token)) if text.startswith(token, at) else None
        stop = text.find("/", at)
        for end in range(stop if stop >= 0 else len(text), at - (token == "*"), -1):
            if (rest := found(part + 1, end)) is not None:
                return (at, end) if token == "{specimen}" else rest
        return None

    place = found(0, 0)
    return (text[slice(*place)].strip() or None) if place else None


def best_pattern(paths: Collection[str]) -> str:
    """Return the first of `PATTERNS` that fits every name and gives fewer specimens than files."""
    for pattern in PATTERNS:
        found = {specimen_of(path, pattern) for path in paths}
        if None not in found and 1 < len(found) < len(paths):
            return pattern
    return "{specimen}"


def plain(text: str, other: str = "data") -> str:
    """Return letters of ASCII, digits, ``_ - .`` only: for names of files and folders.

    >>> plain("Unsere Güsse, Réihe 2"), plain("../..")
    ('Unsere_Gusse_Reihe_2', 'data')
    """
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", flat).strip("._-")[:60].rstrip("._-") or other


def check_name(name: str) -> str:
    """Return a name fit for a folder of the workspace.

    Raises:
        InputError: it holds other signs than letters, digits, ``_ - .`` or begins with one of them.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", name):
        raise InputError(
            f"the name {name[:80]!r} cannot be used: letters, digits, _ - and . (60 at most), "
            f"beginning with a letter or digit, such as {plain(name)!r}"
        )
    return name


def unique(name: str, taken: set[str]) -> str:
    """Return a name that is not taken (case aside), with a number where it is, and take it."""
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    found, number = name, 2
    while found.lower() in taken:
        found, number = f"{stem}_{number}{suffix}", number + 1
    taken.add(found.lower())
    return found
