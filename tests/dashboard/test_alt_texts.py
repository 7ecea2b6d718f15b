"""Every picture and every chart has a text for those who do not see it."""

import ast
from xml.etree import ElementTree

import pytest
from PIL import Image

from dashboard import components
from tests.conftest import ROOT

SHOWN = {"image": "alt", "plotly_chart": "alt"}
FILES = sorted((ROOT / "dashboard").rglob("*.py"))


def calls(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_pictures_and_charts_have_alternative_texts(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node, name in calls(tree):
        if name in SHOWN:
            given = {keyword.arg for keyword in node.keywords}
            assert SHOWN[name] in given, f"{path.name}:{node.lineno} shows something without alt"


def test_there_are_pictures_and_charts_to_look_at():
    found = [n for p in FILES for _, n in calls(ast.parse(p.read_text("utf-8"))) if n in SHOWN]
    assert found.count("image") > 5 and found.count("plotly_chart") > 5


def test_pictures_of_galleries_have_them_too_and_nothing_in_them_is_markup(monkeypatch):
    shown = []
    monkeypatch.setattr(components.st, "html", shown.append)
    texts = ["<b>a</b> & \"b\" 'c'", "d"]
    components.gallery([Image.new("L", (40, 30))] * 2, texts, texts, 20, "small")
    root = ElementTree.fromstring(shown[0])
    assert {e.tag for e in root.iter()} == {"div", "figure", "img", "figcaption"}
    assert [e.get("alt") for e in root.iter("img")] == texts
    assert [e.text for e in root.iter("figcaption")] == texts
    assert all(e.get("src").startswith("data:image/png;base64,") for e in root.iter("img"))
