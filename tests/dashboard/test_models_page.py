"""The page Models: facts, a comparison, a card that calls nobody, damaged parts."""

import json
import shutil

from dashboard import state
from tests.dashboard.conftest import sound, texts


def tables(app) -> str:
    return "\n".join(table.value.to_string() for table in app.table)


def test_the_chosen_models_facts_are_shown(with_model, open_page):
    app = sound(open_page("models"))
    assert "16 specimens, 16 micrographs" in tables(app)
    assert "There is no second model" in texts(app)
    assert "Nothing was measured on fresh specimens" in texts(app)


def test_without_a_model_it_is_said_what_to_do(open_page):
    assert "There is no model yet" in texts(sound(open_page("models")))


def test_two_models_stand_side_by_side_and_in_the_address(with_model, open_page):
    other = state.workspace() / "models" / "mine"
    shutil.copytree(with_model, other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest |= {"data_name": "My own *castings*", "synthetic": False}
    (other / "manifest.json").write_text(json.dumps(manifest))
    app = sound(open_page("models"))
    sound(app.selectbox(key="models_other").set_value("mine").run())
    assert len(app.table[0].value.columns) == 3
    assert "My own \\*castings\\*" in tables(app)
    again = sound(open_page("models", other="mine"))
    assert len(again.table[0].value.columns) == 3
    sound(again.selectbox(key="models_other").set_value("no other").run())
    assert len(again.table[0].value.columns) == 2


def test_a_card_is_shown_without_its_pictures(with_model, tmp_path, monkeypatch, open_page):
    shutil.copytree(with_model, tmp_path / "assets" / "reference")
    monkeypatch.setattr(state, "ASSETS", tmp_path / "assets")
    card = tmp_path / "assets" / "reference" / "card.md"
    pictures = "![spy](http://example.org/x.png) ![![spy](http://b.org) ![spy][c]"
    card.write_text(f"# Model card\n\n{pictures} 0.133")
    app = sound(open_page("models"))
    assert "0.133" in texts(app)
    assert "![" not in texts(app) and "(Figure, not shown here: spy.)" in texts(app)


def test_a_damaged_part_is_said_and_the_rest_shown(with_model, tmp_path, monkeypatch, open_page):
    shutil.copytree(with_model, tmp_path / "assets" / "reference")
    monkeypatch.setattr(state, "ASSETS", tmp_path / "assets")
    (tmp_path / "assets" / "reference" / "network.json").write_text("{}")
    app = sound(open_page("models"))
    assert any("not a network" in w.value for w in app.warning)
    assert "not fitted" in tables(app)


def test_parity_of_every_property_is_drawn_with_its_coverage(with_model, open_page):
    page = open_page("models")
    charts = [c for c in page.get("plotly_chart") if "models_parity" in str(c.proto.id)]
    assert len(charts) == 2, "UTS and yield strength"
    said = [c.value for c in page.caption if "lie in their 90 % interval" in c.value]
    assert len(said) == 2 and all("% lie" in line for line in said)
