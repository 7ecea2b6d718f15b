"""Data sets whose manifest or declaration was edited by someone careless or hostile."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.columns import Column
from core.dataset import DataSet, load_dataset, write_manifest
from core.manifest_table import build_table
from tests.hostile.case import Case, equal
from tests.hostile.made import png

MANIFEST, DECLARED, TABLE = "manifests", "declarations", "manifest tables"
GOOD = "file,specimen,mg_wt,uts_mpa\na.png,s1,0.04,430\n"


def data_set(
    manifest: str | bytes | Callable[[], bytes], declared: Any = None
) -> Callable[[Path], Path]:
    """Return what makes a folder with one picture, a manifest and a declaration."""

    def make(folder: Path) -> Path:
        root = folder / "set"
        root.mkdir()
        (root / "a.png").write_bytes(png())
        given = manifest() if callable(manifest) else manifest
        text = given.encode() if isinstance(given, str) else given
        (root / "manifest.csv").write_bytes(text)
        if declared is not None:
            text = declared if isinstance(declared, str) else json.dumps(declared)
            (root / "dataset.json").write_text(text, encoding="utf-8")
        return root

    return make


def _read_all(root: Path) -> DataSet:
    data = load_dataset(root)
    for row in range(len(data)):
        data.read(row)
    assert len(data.hash) == 64
    return data


def _case(name: str, make: Callable[[Path], Any], category: str = MANIFEST, **more: Any) -> Case:
    return Case(name=name, category=category, make=make, read=_read_all, **more)


def _files() -> Iterator[Case]:
    leaves = "leaves the data set"
    names = {
        "an absolute path": ("/etc/passwd", leaves),
        "a path above": ("../a.png", leaves),
        "a path above from within": ("x/../../set/a.png", leaves),
        "a Windows path": ("C:/a.png", leaves),
        "backslashes": ("x\\a.png", "backslash or control"),
        "a network share": ("\\\\host\\a.png", "backslash or control"),
        "a line feed": ('"a\n.png"', "backslash or control|cells"),
        "text from right to left": ("a\u202e.png", "backslash or control"),
        "NUL": ("a\0.png", "control|not a table"),
        "5000 characters": ("a" * 5000, "cannot be followed|not a file"),
        "5000 folders": ("a/" * 5000 + "b", "cannot be followed|not a file"),
        "a folder": (".", "is not a file"),
        "a file that is not there": ("b.png", "is not a file"),
        "a file below a file": ("a.png/b.png", "not a file|cannot be followed"),
        "the manifest itself": ("manifest.csv", "save it as PNG"),
        "a home folder": ("~/a.png", "is not a file"),
        "a variable": ("$HOME/a.png", "is not a file"),
        "an address": ("http://e.example/a.png", "is not a file"),
    }
    for what, (name, says) in names.items():
        yield _case(f"file is {what}", data_set(f"file,specimen\n{name},s1\n"), says=says)
    yield _case("file is a link out of the folder", _linked("/etc/passwd"), says="a link out of")
    yield _case("file is a link to itself", _linked("b.png"), says="followed|not a file")
    yield _case("file is a device", _linked("/dev/zero"), says="a link out of|not a file")
    yield _case(
        "file is a link within the folder", _linked("a.png"), right=lambda d: equal(1)(len(d))
    )
    yield _case("file is a pipe", _piped, says="is not a file")
    yield _case(
        "one file twice", data_set(GOOD + "./a.png,s1,0.04,430\n"), says="same file as in row"
    )
    yield _case("file is empty", data_set("file,specimen\n,s1\n"), says="row 2: file is empty")
    yield _case("no manifest", lambda folder: folder, says="no manifest.csv")
    yield _case("the manifest is a folder", _folder, says="no manifest.csv")
    yield _case("the manifest is a pipe", _manifest_pipe, says="no manifest.csv")


def _linked(to: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        root = data_set("file,specimen\nb.png,s1\n")(folder)
        (root / "b.png").symlink_to(to)
        return root

    return make


def _piped(folder: Path) -> Path:
    root = data_set("file,specimen\nb.png,s1\n")(folder)
    os.mkfifo(root / "b.png")
    return root


def _folder(folder: Path) -> Path:
    (folder / "manifest.csv").mkdir()
    return folder


def _manifest_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "manifest.csv")
    return folder


def _cells() -> Iterator[Case]:
    def uts(wanted: float) -> Callable[[DataSet], None]:
        return lambda d: equal(wanted)(float(d.table["uts_mpa"][0]))

    yield _case("as it should be", data_set(GOOD), right=uts(430))
    yield _case(
        "semicolons and decimal commas",
        data_set("file;specimen;uts_mpa\na.png;s1;430,5\n"),
        right=uts(430.5),
    )
    yield _case("a byte order mark", data_set("\ufeff" + GOOD), right=uts(430))
    wrong = "not a finite number"
    for cell in (
        "nan",
        "inf",
        "-inf",
        "1e999",
        "=1+1",
        "430 MPa",
        "4_30",
        "0x1F",
        "430;5",
        "NaN(1)",
    ):
        yield _case(f"strength is {cell}", data_set(GOOD.replace("430", cell)), says=wrong)
    yield _case(
        "a decimal comma between commas",
        data_set("file,specimen,uts_mpa\na.png,s1,430,5\n"),
        says="5|cells",
    )
    yield _case(
        "Windows-1252",
        data_set(GOOD.replace("s1", "Güte").encode("cp1252")),
        says="not UTF-8 .*save it as 'CSV UTF-8'",
    )
    yield _case("UTF-16", data_set(GOOD.encode("utf-16")), says="not UTF-8")
    yield _case("zero bytes", data_set(b""), says="is empty")
    yield _case("nothing but blank lines", data_set(b"\n\r\n" * 10**4), says="is empty")
    yield _case("a header alone", data_set("file,specimen\n"), says="no rows")
    yield _case("no column of files", data_set("name,specimen\na.png,s1\n"), says="no column file")
    yield _case(
        "doubled columns",
        data_set("file,specimen,x,x\na.png,s1,1,2\n"),
        says="two columns named 'x'; rename",
    )
    yield _case(
        "cells without a heading",
        data_set("file,specimen,\na.png,s1,1\n"),
        says="has cells but no name",
    )
    yield _case("a row too long", data_set("file,specimen\na.png,s1,x\n"), says="row 2 has 3 cells")
    yield _case(
        "a row too short", data_set("file,specimen,x\na.png,s1\n"), says="row 2 has 2 cells"
    )
    yield _case(
        "an empty row between", data_set("file,specimen\n\na.png,s1\n"), says="row 2 is empty"
    )
    yield _case(
        "a quote that is never closed", data_set('file,specimen\n"a.png,s1\n'), says="not a table"
    )
    yield _case(
        "a quote that swallows a row",
        data_set('file,specimen\na.png,"s1\nb.png,s2\n'),
        says="not a table",
    )
    yield _case("a scale of 0", data_set("file,specimen,um_per_px\na.png,s1,0\n"), says="above 0")
    yield _case(
        "a scale below 0", data_set("file,specimen,um_per_px\na.png,s1,-1\n"), says="above 0"
    )
    yield _case("a scale of nan", data_set("file,specimen,um_per_px\na.png,s1,nan\n"), says=wrong)
    yield _case(
        "a heading of 10,000 characters",
        data_set(f"file,specimen,{'x' * 10_000}\na.png,s1,1\n"),
        says="at most 80",
    )
    yield _case(
        "a heading with a script",
        data_set("file,specimen,<script>x</script>\na.png,s1,1\n"),
        right=lambda d: equal(1)(len(d)),
    )
    yield _case(
        "a heading with a line break",
        data_set('file,specimen,"x\ny"\na.png,s1,1\n'),
        says="printable",
    )
    yield _case(
        "a specimen that is a formula",
        data_set("file,specimen\na.png,=cmd|calc\n"),
        right=lambda d: equal("=cmd|calc")(d.table["specimen"][0]),
    )
    yield _case(
        "200,000 rows",
        data_set("file,specimen\n" + "a.png,s1\n" * 200_000),
        says="more than 100000 rows; split",
    )
    yield _case(
        "5000 columns",
        data_set("file,specimen" + ",x" * 5000 + "\na.png,s1\n"),
        says="5002 cells; at most 256",
    )
    yield _case(
        "ten million columns", data_set(lambda: b"file,specimen" + b"," * 10**7), says="at most 256"
    )
    yield _case(
        "four million cells",
        data_set(b"file,specimen" + b"," * 200 + b"\n" + (b"a,s" + b"," * 200 + b"\n") * 20_000),
        says="more than 3000000 cells",
    )
    yield _case(
        "65 MiB",
        data_set(lambda: b"file,specimen\n" + b"a.png,s1\n" * (65 * 2**20 // 9)),
        says="bytes; split",
    )


def _tables() -> Iterator[Case]:
    rows = "".join(f"{i}.png,s{i},{i},{i}\n" for i in range(100_000))
    long = ("file,specimen,mg_wt,uts_mpa\n" + rows).encode()
    yield Case(
        name="100,000 rows",
        category=TABLE,
        make=lambda folder: long,
        read=lambda data: build_table(data, None),
        right=lambda found: equal(100_000)(len(found[1])),
    )
    wide = [f"c{i}" for i in range(250)]
    line = ",".join("1" for _ in wide)
    text = f"file,specimen,{','.join(wide)}\n" + "".join(f"{i},s{i},{line}\n" for i in range(500))
    yield Case(
        name="250 columns",
        category=TABLE,
        make=lambda folder: text.encode(),
        read=lambda data: build_table(data, None),
        right=lambda found: equal(250)(len(found[0])),
    )
    frame = pd.DataFrame({"file": ["a.png"], "specimen": ["s"], "x": [np.inf]})
    yield Case(
        name="infinity is not written",
        category=TABLE,
        make=lambda folder: folder,
        read=lambda folder: write_manifest(
            folder, frame, [Column("x", "", "x", "process", "numeric")], "n", True
        ),
        says="not a finite number",
    )
    good = frame.assign(x=1.0)
    for what, name in {
        "half a character": "\ud800",
        "a line break": "a\nb",
        "a MiB": "x" * 2**20,
    }.items():
        yield Case(
            name=f"a name of {what} is not written",
            category=TABLE,
            make=lambda folder: folder,
            read=lambda folder, n=name: write_manifest(folder, good, [], n, True),
            says="printable characters",
        )
    yield Case(
        name="a generator that is no JSON",
        category=TABLE,
        make=lambda folder: folder,
        read=lambda folder: write_manifest(folder, good, [], "n", True, {"a": {1, 2}}),
        says="not plain JSON",
    )


def _declared() -> Iterator[Case]:
    one = {"name": "mg_wt", "role": "process"}
    wrong: dict[str, tuple[Any, str]] = {
        "a list": ([], "must hold an object"),
        "nothing": ("", "not valid JSON"),
        "null": ("null", "must hold an object"),
        "cut off": ('{"name": "x', "not valid JSON"),
        "two objects": ("{}{}", "not valid JSON"),
        "a comment": ("// x\n{}", "not valid JSON"),
        "nested 100,000 deep": ("[" * 100_000, "nested too deeply"),
        "NaN": ('{"generator": {"a": NaN}}', "NaN"),
        "infinity": ('{"generator": {"a": -Infinity}}', "Infinity"),
        "a number beyond all": ('{"generator": {"a": 1e999}}', "1e999"),
        "a number of 4000 digits": ('{"generator": {"a": ' + "9" * 4000 + "}}", "4000 digits"),
        "half a character": ('{"name": "\\ud800"}', "surrogates|valid JSON|printable"),
        "an unknown key": ({"__class__": "x"}, "unknown key '__class__'"),
        "a name that is a number": ({"name": 3}, "name is 3"),
        "a name of a MiB": ({"name": "x" * 2**20}, "at most 200"),
        "a name with a line break": ({"name": "a\nb"}, "printable"),
        "a name that is a MiB of numbers": ({"name": [1] * 10**5}, "name is"),
        "synthetic that is a word": ({"synthetic": "no"}, "synthetic is 'no'"),
        "columns that are an object": ({"columns": {}}, "columns is"),
        "a column that is a word": ({"columns": ["x"]}, "an object is needed"),
        "a column without a role": ({"columns": [{"name": "mg_wt"}]}, "needs a text 'role'"),
        "a column of an unknown role": ({"columns": [one | {"role": "admin"}]}, "role is 'admin'"),
        "a column of an unknown kind": ({"columns": [one | {"kind": []}]}, "kind is"),
        "a column with an unknown key": ({"columns": [one | {"x": 1}]}, "unknown key 'x'"),
        "a column that is not there": ({"columns": [one | {"name": "zn"}]}, "does not have"),
        "a column declared twice": ({"columns": [one, one]}, "twice"),
        "a reserved column": ({"columns": [one | {"name": "file"}]}, "always means the same"),
        "a label of a MiB": ({"columns": [one | {"label": "x" * 2**20}]}, "at most 80"),
        "a unit that is a list": ({"columns": [one | {"unit": []}]}, "unit is"),
        "a property in words": (
            {"columns": [one | {"role": "property", "kind": "categorical"}]},
            "must be numeric",
        ),
        "a million columns": ({"columns": [one] * 30_000}, "twice"),
    }
    for what, (declared, says) in wrong.items():
        yield _case(f"declaration: {what}", data_set(GOOD, declared), DECLARED, says=says)
    labels = [one | {"label": "<script>alert(1)</script>"}]
    yield _case(
        "declaration: a script for a label is a text",
        data_set(GOOD, {"columns": labels}),
        DECLARED,
        right=lambda d: equal("<script>alert(1)</script>")(d.columns[0].label),
    )


CASES = (*_files(), *_cells(), *_tables(), *_declared())
