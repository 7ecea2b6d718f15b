"""JSON files that are none, or are meant to keep their reader busy."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.files import read_bytes, read_json
from tests.hostile.case import Case, equal, keep

KIND = "JSON files"


def _case(name: str, data: bytes, says: str = "", **more: Any) -> Case:
    return Case(
        name=name,
        category=KIND,
        make=keep("a.json", data),
        read=read_json,
        says=says,
        kind=CheckpointError,
        **more,
    )


def _contents() -> Iterator[Case]:
    bad = "not valid JSON"
    contents: dict[str, tuple[bytes, str]] = {
        "nothing": (b"", bad),
        "cut off": (b'{"a": [1, 2', bad),
        "two values": (b"{} {}", bad),
        "a comma too many": (b"[1,]", bad),
        "single quotes": (b"{'a': 1}", bad),
        "a Python object": (b"!!python/object/apply:os.system [ls]", bad),
        "a pickle": (b"\x80\x04\x95\x1a\0\0\0", bad),
        "a byte order mark": (b"\xef\xbb\xbf{}", bad),
        "UTF-16": ('{"a": 1}'.encode("utf-16"), bad),
        "Latin-1": ('{"a": "ä"}'.encode("latin-1"), bad),
        "NUL": (b'{"a": "\0"}', bad),
        "NaN": (b'{"a": NaN}', "NaN, which is not a finite number"),
        "infinity": (b'{"a": -Infinity}', "Infinity, which is not a finite number"),
        "a number beyond all": (b"[1e999]", "1e999, which is not a finite number"),
        "a number of 100,000 digits": (b"9" * 100_000, "100000 digits"),
        "a negative number of 30 digits": (b"-" + b"9" * 30, "31 digits"),
        "half a character": (b'"\\ud83d"', "surrogates not allowed"),
        "half a character in a key": (b'{"\\uD83D": 1}', "surrogates not allowed"),
        "lists nested a million deep": (b"[" * 10**6, "nested too deeply"),
        "objects nested 100,000 deep": (b'{"a":' * 10**5 + b"1" + b"}" * 10**5, "too deeply"),
    }
    large = {
        "ten million empty lists": (b"[]", 10**7, "values; at most 4000000"),
        "65 MiB": (b" ", 65 * 2**20, "at most 67108864 are read"),
    }
    for what, (part, count, says) in large.items():
        yield Case(
            name=what,
            category=KIND,
            make=lambda folder, p=part, n=count: keep("a.json", b"[" + p * n)(folder),
            read=read_json,
            says=says,
            kind=CheckpointError,
        )
    for what, (data, says) in contents.items():
        yield _case(what, data, says)
    yield _case("a whole character of two halves", b'"\\ud83d\\ude00"', right=equal("\U0001f600"))
    yield _case(
        "a key named __proto__",
        b'{"__proto__": {"admin": true}}',
        right=equal({"__proto__": {"admin": True}}),
    )
    yield _case("a key twice", b'{"a": 1, "a": 2}', right=equal({"a": 2}))


def _files() -> Iterator[Case]:
    def fifo(folder: Path) -> Path:
        os.mkfifo(folder / "a.json")
        return folder / "a.json"

    def link(folder: Path) -> Path:
        (folder / "a.json").symlink_to(folder / "a.json")
        return folder / "a.json"

    makes: dict[str, tuple[Callable[[Path], Path], str]] = {
        "a pipe that nobody writes to": (fifo, "not a file"),
        "a device without an end": (lambda folder: Path("/dev/zero"), "not a file"),
        "a folder": (lambda folder: folder, "directory|not a file"),
        "a file that is gone": (lambda folder: folder / "a.json", "No such file"),
        "a link to itself": (link, "symbolic link"),
        "a name of 5000 characters": (lambda folder: folder / ("a" * 5000), "cannot read"),
        "NUL in its name": (lambda folder: folder / "a\0", "null"),
    }
    for what, (make, says) in makes.items():
        yield Case(
            name=what, category=KIND, make=make, read=read_json, says=says, kind=CheckpointError
        )

    def sparse(folder: Path) -> Path:
        with open(folder / "a.json", "wb") as stream:
            stream.truncate(2**33)
        return folder / "a.json"

    yield Case(
        name="eight gigabytes of nothing",
        category=KIND,
        make=sparse,
        read=read_json,
        says="8589934592 bytes",
        kind=CheckpointError,
    )
    yield Case(
        name="bytes up to the limit",
        category=KIND,
        make=keep("a", b"x" * 10),
        read=lambda path: read_bytes(path, 10),
        right=equal(b"x" * 10),
    )


CASES = (*_contents(), *_files())
