"""One self-contained HTML page: text, tables and pictures inside it, and nothing fetched.

Every text is escaped here, in one place: whatever a file name or a note holds is shown, never run.
A content policy in the page forbids scripts and any request, in case something slipped through.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, Protocol

Tone = Literal["good", "caution", "bad", "plain"]
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:60rem;
margin:0 auto;padding:1.5rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem}h2{font-size:1.2rem;margin:1.6rem 0 .5rem}
p{margin:.4rem 0}.small{font-size:.85rem;color:#555}
.said{border-left:.4rem solid #5F6B73;background:#f4f4f4;padding:.6rem 1rem;margin:.8rem 0}
.good{border-color:#009E73}.caution{border-color:#E69F00}.bad{border-color:#D55E00}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0}
th,td{border-bottom:1px solid #ccc;padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;
overflow-wrap:anywhere}th{font-weight:600}
.row{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:.5rem 0;max-width:100%;break-inside:avoid}
img{display:block;max-width:100%;height:auto;image-rendering:auto}
figcaption{font-size:.85rem;color:#555;max-width:32rem;overflow-wrap:anywhere}
@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}
tr,.said{break-inside:avoid}.said,th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


class Block(Protocol):
    """A piece of a report that turns itself into HTML, its texts escaped."""

    def html(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``small`` for what is said in passing."""

    text: str
    small: bool = False

    def html(self) -> str:
        """Return the paragraph."""
        kind = ' class="small"' if self.small else ""
        return f"<p{kind}>{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict or a warning, set apart; the words say it, the colour only repeats it."""

    heading: str
    text: str
    tone: Tone = "plain"

    def html(self) -> str:
        """Return the box."""
        return (
            f'<div class="said {self.tone}"><strong>{escape(self.heading)}</strong> '
            f"{escape(self.text)}</div>"
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table; numbers come as text, with their units."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self) -> str:
        """Return the table."""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return (
            f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, its caption, and what it shows for those who do not see it."""

    png: bytes
    caption: str
    alt: str
    width_px: int | None = None

    def html(self) -> str:
        """Return the figure with the picture inside."""
        data = base64.b64encode(self.png).decode("ascii")
        width = f' width="{self.width_px}"' if self.width_px else ""
        room = f' style="width:{self.width_px}px"' if self.width_px else ""
        source = f"data:image/png;base64,{data}"
        return (
            f'<figure{room}><img src="{source}" alt="{escape(self.alt)}"{width}>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures beside each other; they wrap where there is no room."""

    pictures: Sequence[Picture]

    def html(self) -> str:
        """Return the pictures."""
        return f'<div class="row">{"".join(picture.html() for picture in self.pictures)}</div>'


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: Sequence[Block]

    def html(self) -> str:
        """Return the section."""
        return (
            f"<section><h2>{escape(self.heading)}</h2>"
            f"{''.join(block.html() for block in self.blocks)}</section>"
        )


def page(title: str, blocks: Sequence[Block]) -> str:
    """Return a whole page in HTML, UTF-8, that needs no other file and asks for none.

    Args:
        title: heading and window title.
        blocks: what follows, in order.
    """
    body = "\n".join(block.html() for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )
