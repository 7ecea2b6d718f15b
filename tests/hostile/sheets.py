"""Tables as people and attackers make them: encodings, separators, formulas, bombs."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from core.import_data.cells import ScaleRule
from core.import_data.fields import guess_fields
from core.import_data.matching import guess_rule
from core.import_data.naming import check_name, specimen_of, unique
from core.import_data.sheet import Sheet, read_sheet
from tests.core.import_data.pictures import workbook
from tests.hostile.case import Case, anything, equal
from tests.hostile.made import packed, png

CSV, EXCEL, NAMES = "tables", "Excel files", "names and patterns"
TABLE = "file;Härte;uts\na.png;180,5;430,25\n"


def _case(name: str, make: Callable[[], bytes], category: str = CSV, **more: object) -> Case:
    file = str(more.pop("file", "t.csv"))
    return Case(
        name=name,
        category=category,
        make=lambda folder: make(),
        read=lambda data: read_sheet(data, file),
        **more,
    )  # type: ignore[arg-type]


def reads(**columns: list[str]) -> Callable[[Sheet], None]:
    """Return a check of the cells."""

    def right(found: Sheet) -> None:
        assert found.columns == columns, f"{found.columns!r:.200}"

    return right


def _number(column: str, wanted: float) -> Callable[[Sheet], None]:
    def right(found: Sheet) -> None:
        value = found.number(found.columns[column][0])
        assert value == wanted or (np.isnan(value) and np.isnan(wanted)), f"{value}, not {wanted}"

    return right


def _encodings() -> Iterator[Case]:
    good = reads(file=["a.png"], Härte=["180,5"], uts=["430,25"])
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"):
        yield _case(f"written in {encoding}", lambda e=encoding: TABLE.encode(e), right=good)
    yield _case(
        "UTF-16 without its mark", lambda: TABLE.encode("utf-16-le"), says="not a text file"
    )
    yield _case("UTF-32", lambda: TABLE.encode("utf-32"), says="not a text file")
    yield _case("UTF-16 cut in half a character", lambda: TABLE.encode("utf-16")[:-1])
    yield _case(
        "EBCDIC", lambda: TABLE.encode("cp500", errors="replace"), says="below its header|not a"
    )
    yield _case(
        "a gzip",
        lambda: b"\x1f\x8b" + zlib.compress(b"file\na")[:20],
        says="below its header|not a|columns",
    )
    yield _case("a picture", png, says="not a text file|below its header|not a table")
    yield _case(
        "old line ends", lambda: b"file;uts\ra.png;430\r", right=reads(file=["a.png"], uts=["430"])
    )


def _numbers() -> Iterator[Case]:
    cells = {
        "a decimal comma": ("430,5", 430.5),
        "a decimal point": ("430.5", 430.5),
        "thousands with a point": ("1.430,5", np.nan),
        "thousands with a space": ("1 430", np.nan),
        "not a number": ("nan", np.nan),
        "infinity": ("inf", np.nan),
        "more than there is": ("1e999", np.nan),
        "a formula": ("=1+1", np.nan),
        "hexadecimal": ("0x1F", np.nan),
        "underscores": ("1_000", np.nan),
        "a number with its unit": ("430 MPa", np.nan),
        "a minus that is a dash": ("\u2212430", np.nan),
        "10,000 digits": ("9" * 10_000, np.nan),
    }
    for what, (cell, value) in cells.items():
        yield _case(
            f"number: {what}",
            lambda c=cell: f"file;uts\na.png;{c}\n".encode(),
            right=_number("uts", value),
        )
    yield _case(
        "comma and point in one table", lambda: b"file;a;b\nx;1,5;1.5\n", right=_number("a", np.nan)
    )


def _shapes() -> Iterator[Case]:
    few = "no row below its header"
    yield _case("zero bytes", lambda: b"", says=few)
    yield _case("a header alone", lambda: b"file,uts\n", says=few)
    yield _case("nothing but separators", lambda: b",,,\n,,,\n", says=few)
    yield _case("nothing but blank lines", lambda: b"\n" * 10**6, says=few)
    yield _case(
        "two columns of one name", lambda: b"file,uts,uts\na,1,2\n", says="two columns named"
    )
    yield _case(
        "two columns that look the same",
        lambda: "file,uts,uts\u200b\na,1,2\n".encode(),
        says="two columns named",
    )
    yield _case(
        "more cells than headings",
        lambda: b"file,uts\na,430,5\n",
        says="3 cells under 2 headings; put cells",
    )
    yield _case(
        "fewer cells than headings",
        lambda: b"file,uts,ys\na\n",
        right=reads(file=["a"], uts=[""], ys=[""]),
    )
    yield _case(
        "a quote that is never closed", lambda: b'file,uts\n"a,1\nb,2\n', says="not a table"
    )
    yield _case("a cell of a MiB", lambda: b"file,uts\na," + b"1" * 2**20, says="not a table")
    yield _case("NUL in a cell", lambda: b"file,uts\na\0,1\n", says="not a text file")
    yield _case(
        "a script in a heading",
        lambda: b"file,<script>alert(1)</script>\na,1\n",
        right=reads(**{"file": ["a"], "<script>alert(1)</script>": ["1"]}),
    )
    yield _case(
        "colours of a terminal in a cell",
        lambda: b"file,uts\n\x1b[31ma,1\n",
        right=reads(file=["[31ma"], uts=["1"]),
    )
    yield _case(
        "100,000 rows",
        lambda: b"file,uts\n" + b"a.png,1\n" * 100_000,
        says="more than 50000 rows; split",
    )
    yield _case(
        "50,000 rows",
        lambda: b"file,uts\n" + b"a.png,1\n" * 50_000,
        right=lambda s: equal(50_000)(len(s)),
    )
    yield _case(
        "1000 columns",
        lambda: b"a," * 1000 + b"b\n" + b"1," * 1000 + b"1\n",
        says="1001 columns; at most 200",
    )
    yield _case(
        "a header of ten million separators",
        lambda: b"," * 10**7 + b"\n1\n",
        says="no row below|columns|headings",
    )
    yield _case(
        "16,384 empty columns, as Excel saves them",
        lambda: b"file,uts" + b"," * 16_382 + b"\n" + (b"a,1" + b"," * 16_382 + b"\n") * 200,
        right=lambda s: equal(["file", "uts"])(list(s.columns)),
    )
    yield _case(
        "two million cells", lambda: (b"1," * 99 + b"1\n") * 20_001, says="more than 1000000 cells"
    )
    yield _case(
        "30 MiB of foreign letters",
        lambda: b"file,uts\n" + "é".encode() * (15 * 2**20),
        says="not a table",
    )
    yield _case("33 MiB", lambda: b"file,uts\n" + b"a,1\n" * (33 * 2**18), says="more than 32 MiB")


def _excel() -> Iterator[Case]:
    good = workbook([["file", "uts"], ["a.png", 430.5]])
    bad = "not an Excel file that can be read"
    yield _case("as it should be", lambda: good, EXCEL, right=reads(file=["a.png"], uts=["430.5"]))
    yield _case(
        "named .csv", lambda: good, EXCEL, file="t.csv", right=reads(file=["a.png"], uts=["430.5"])
    )
    yield _case("cut in its middle", lambda: good[: len(good) // 2], EXCEL, says=bad)
    yield _case("a zip of something else", lambda: packed({"a.png": png()}), EXCEL, says=bad)
    yield _case(
        "an old .xls",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        EXCEL,
        says="old Excel file",
    )
    yield _case(
        "an Open Document", lambda: packed({"mimetype": b"application/vnd.oasis"}), EXCEL, says=bad
    )
    yield _case("a sheet without a row", lambda: workbook([]), EXCEL, says="no row below")
    sheet = "xl/s1.xml"
    yield _case(
        "a sheet of zeros that unpacks to 60 MiB",
        lambda: _with(sheet, bytes(60 * 2**20)),
        EXCEL,
        says="200 times|unpacks",
    )
    yield _case("a billion laughs", lambda: _with(sheet, _laughs()), EXCEL, says="unusual kind")
    yield _case(
        "a file of the server as an entity",
        lambda: _with(
            sheet,
            b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><worksheet>&b;</worksheet>",
        ),
        EXCEL,
        says="unusual kind",
    )
    yield _case(
        "an entity hidden in UTF-16",
        lambda: _with(sheet, _laughs().decode().encode("utf-16")),
        EXCEL,
        says="unusual kind",
    )
    yield _case(
        "a million cells", lambda: _with(sheet, _cells(_noisy(600_000))), EXCEL, says="300000 cells"
    )
    yield _case(
        "a million shared texts",
        lambda: _with(
            "xl/sharedStrings.xml", b"<sst>" + _noisy(700_000, b"<si><t>%d</t></si>") + b"</sst>"
        ),
        EXCEL,
        says="300000 cells",
    )
    yield _case(
        "a row beyond all rows",
        lambda: _with(sheet, _cells(b"", tail=b'<row r="999999999999"><c><v>1</v></c></row>')),
        EXCEL,
        says="below row|not an Excel",
    )
    yield _case(
        "a column beyond all columns",
        lambda: _with(sheet, _cells(b"", tail=b'<row r="2"><c r="XFD2"><v>1</v></c></row>')),
        EXCEL,
        says="columns; at most 200",
    )
    yield _case(
        "20,000 rows as wide as Excel allows",
        lambda: _with(
            sheet,
            _cells(
                b"",
                tail=b"".join(
                    b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n)
                    for n in range(2, 20_000)
                ),
            ),
        ),
        EXCEL,
        says="columns; at most 200",
    )
    yield _case(
        "dimensions that are not so",
        lambda: _with(
            sheet, _cells(b"<row><c><v>1</v></c></row>", head=b'<dimension ref="A1:XFD1048576"/>')
        ),
        EXCEL,
        right=reads(file=["1"]),
    )
    yield _case(
        "a formula with what it gave",
        lambda: _with(sheet, _cells(b"<row><c><f>cmd|' /C calc'!A0</f><v>7</v></c></row>")),
        EXCEL,
        right=reads(file=["7"]),
    )
    yield _case(
        "#N/A",
        lambda: _with(
            sheet, _cells(b'<row><c><v>1</v></c></row><row><c t="e"><v>#N/A</v></c></row>')
        ),
        EXCEL,
        right=reads(file=["1"]),
    )
    yield _case(
        "a number that is none",
        lambda: _with(sheet, _cells(b"<row><c><v>1e999</v></c></row>")),
        EXCEL,
    )
    yield _case(
        "a shared text that is not there",
        lambda: _with(sheet, _cells(b'<row><c t="s"><v>99</v></c></row>')),
        EXCEL,
        says=bad,
    )
    yield _case("XML that is cut off", lambda: _with(sheet, _cells(b"")[:-30]), EXCEL, says=bad)
    yield _case(
        "XML nested 100,000 deep",
        lambda: _with(sheet, _cells(b"<a>" * 100_000 + b"</a>" * 100_000)),
        EXCEL,
        right=anything,
        says="no row below|not an Excel",
    )


def _with(part: str, content: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(workbook([["file"], ["a.png"]]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return packed(parts | {part: content})


def _cells(rows: bytes, head: bytes = b"", tail: bytes = b"") -> bytes:
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    first = b'<row r="1"><c t="inlineStr"><is><t>file</t></is></c></row>'
    data = b"<sheetData>" + first + rows + tail + b"</sheetData>"
    return b'<worksheet xmlns="' + main + b'">' + head + data + b"</worksheet>"


def _noisy(count: int, form: bytes = b"<row><c><v>%d</v></c></row>") -> bytes:
    """So many rows of different numbers, which do not pack well enough to give them away."""
    numbers = np.random.default_rng(0).integers(10**9, size=count)
    return b"".join(form % number for number in numbers)


def _laughs() -> bytes:
    names = ["a"] + [f"a{i}" for i in range(9)]
    lines = ["<!ENTITY a 'lol'>"]
    lines += [f"<!ENTITY {n} '{('&' + b + ';') * 10}'>" for b, n in pairwise(names)]
    return f"<?xml version='1.0'?><!DOCTYPE x [{''.join(lines)}]><x>&a8;</x>".encode()


def _names() -> Iterator[Case]:
    def case(name: str, read: Callable[[object], object], **more: object) -> Case:
        return Case(name=name, category=NAMES, read=read, **more)  # type: ignore[arg-type]

    for bad in (
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        ".hidden",
        "-rf",
        "a\0",
        "a\n",
        "ä",
        "x" * 61,
        "CON ",
        "<script>",
    ):
        yield case(
            f"a folder named {bad[:12]!r}",
            lambda _, b=bad: check_name(b),
            says="cannot be used: letters, digits",
        )
    stem = "a" * 290 + ".png"
    yield case(
        "a pattern that tries all ways to fit",
        lambda _: specimen_of(stem, "*a*a*a*a{specimen}b"),
        right=equal(None),
    )
    yield case(
        "a pattern with the signs of expressions",
        lambda _: specimen_of("(a+)+b.png", "(a+)+{specimen}"),
        right=equal("b"),
    )
    for pattern in ("", "*", "{specimen}{specimen}", "*****{specimen}", "x" * 10**6):
        yield case(
            f"the pattern {pattern[:22]!r}",
            lambda _, p=pattern: specimen_of("a.png", p),
            says="needs {specimen} once",
        )
    for scale in (0.0, -1.0, float("nan"), float("inf"), None):
        yield case(
            f"a scale of {scale}",
            lambda _, s=scale: ScaleRule(by="value", value=s),
            says="must be above 0",
        )
    yield case(
        "a thousand files of one name",
        lambda _: len({unique("A.png", t) for t in [set()] for _ in range(1000)}),
        right=equal(1000),
    )
    yield case(
        "headings of attackers become plain names",
        lambda _: [
            f.column.name
            for f in guess_fields(
                read_sheet(
                    b"file,../../etc (MPa),=cmd|calc,<b>x</b>,__class__\na,1,2,3,4\n", "t.csv"
                ),
                guess_rule(["a"], read_sheet(b"file\na\n", "t.csv")),
            )
            if f.column
        ],
        right=equal(["etc_mpa", "cmd_calc", "b_x_b", "class"]),
    )


CASES = (*_encodings(), *_numbers(), *_shapes(), *_excel(), *_names())
