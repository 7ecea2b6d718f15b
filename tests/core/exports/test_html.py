"""Reports: everything is escaped, nothing is fetched, pictures are inside."""

import base64
from html.parser import HTMLParser

import pytest

from core.exports.html import Picture, Row, Said, Section, Table, Text, page

ATTACK = """"><script>alert(1)</script><img src=x onerror='a()'>&amp;"""


class Reader(HTMLParser):
    """Collects tags, their attributes and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = [], [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def read() -> Reader:
    picture = Picture(b"\x89PNG", ATTACK, ATTACK, 200)
    blocks = [
        Text(ATTACK),
        Text(ATTACK, small=True),
        Said(ATTACK, ATTACK, "bad"),
        Section(ATTACK, [Table([ATTACK], [[ATTACK]]), Row([picture])]),
    ]
    return Reader(page(ATTACK, blocks))


def test_no_text_becomes_markup(read):
    assert "script" not in read.tags and read.tags.count("img") == 1
    assert not [a for a in read.attributes if a[1].startswith("on")]
    # title, h1, two paragraphs, box twice, heading, header, cell, caption; the alt text is apart
    assert read.text.count(ATTACK) == 10
    assert [v for _, name, v in read.attributes if name == "alt"] == [ATTACK]
    assert not read.open


def test_nothing_outside_is_asked_for(read):
    sources = [v for _, name, v in read.attributes if name in ("src", "href", "srcset", "data")]
    assert sources == ["data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()]
    policy = next(v for _, name, v in read.attributes if v and "default-src" in v)
    assert policy.startswith("default-src 'none'")
    assert "link" not in read.tags


def test_the_style_neither_imports_nor_refers():
    text = page("t", [])
    assert "@import" not in text and "url(" not in text and "http://" not in text
    assert "@media print" in text
