"""Every picture and every chart has a text for those who do not see it."""

import ast

import pytest

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
