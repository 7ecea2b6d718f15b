"""The latent map: points, colours, facts, the way between, and a design from a patch."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.descriptors import SCALARS
from core.encode import load_latents
from core.specimen_descriptors import FILE, SpecimenDescriptors, save_descriptors
from dashboard import latent_maps, map_figures, patch_card
from dashboard.map_figures import Colouring, latent_map
from tests.dashboard.conftest import sound, texts
from tests.dashboard.shown import images
from tests.dashboard.test_pages import address

POINTS = np.random.default_rng(0).standard_normal((6, 2)).astype(np.float32)
NAMES = list("aabbcc")


def test_two_patches_their_specimens_and_the_way_between_are_shown(with_model, open_page):
    app = sound(open_page("latent_map", a="1", b="40"))
    table = load_latents(with_model / "latents")
    said = texts(app)
    assert f"{len(table.mu)} points" in said
    assert f"Specimen {table.specimen[0]}" in said and f"Specimen {table.specimen[39]}" in said
    facts = app.table[0].value.to_string()
    assert "wt%" in facts and "MPa" in facts
    captions = [c for image in images(app) for c in image.captions]
    assert captions[-7:] == ["A", "17 %", "33 %", "50 %", "67 %", "83 %", "B"]
    assert "decoded from its latents" in captions


def test_the_address_keeps_points_colour_and_axes(with_model, open_page):
    app = sound(open_page("latent_map", a="3", b="5", colour="mg_wt", axes="patches"))
    assert app.number_input(key="map_a").value == 3
    assert app.selectbox(key="map_colour").value == "mg_wt"
    sound(app.number_input(key="map_b").set_value(7).run())
    assert address(app, "b") == "7" and address(app, "axes") == "patches"
    sound(app.switch_page("views/network.py").run())
    sound(app.switch_page("views/latent_map.py").run())
    assert app.number_input(key="map_b").value == 7
    assert app.selectbox(key="map_axes").value == "patches"


@pytest.mark.parametrize("query", [{"a": "x", "b": "-1"}, {"a": "99999999999"}, {"colour": "no"}])
def test_a_damaged_address_is_survived(with_model, open_page, query):
    sound(open_page("latent_map", **query))


def test_colours_that_the_map_does_not_have_are_told_once(with_model, open_page):
    app = sound(open_page("latent_map", colour="hardness<b>"))
    (warning,) = app.warning
    assert "colour = hardness" in warning.value and "<b>" not in warning.value
    assert not sound(app.run()).warning, "the page itself wrote the address by now"


def test_a_design_starts_with_the_specimens_properties(with_model, open_page, monkeypatch):
    monkeypatch.setattr("dashboard.design_request.DEFAULT_SIZE", 256)
    table = load_latents(with_model / "latents")
    app = sound(open_page("latent_map", a="1", b="40"))
    assert app.button(key="map_design_B").label == "Design with this specimen's properties"
    app.button(key="map_design_B").click().run()
    assert not app.exception
    wanted = float(table.specimens.loc[table.specimen[39], "uts_mpa"])
    assert float(address(app, "uts_mpa")) == pytest.approx(wanted)


def test_without_latents_it_is_said_how_to_make_them(tiny_model, tmp_path, open_page):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    shutil.rmtree(tmp_path / "assets" / "reference" / "latents")
    app = sound(open_page("latent_map"))
    assert "no latents to map" in texts(app) and "core.encode" in texts(app)


def test_without_a_model_it_is_said_what_to_do(open_page):
    assert "There is no model yet" in texts(sound(open_page("latent_map")))


# The chart


def test_every_patch_is_a_point_that_knows_its_row():
    figure = latent_map(POINTS, ("x", "y"), NAMES, None, [("A", 0), ("B", 5)])
    every, a, b = figure.data
    assert list(every.customdata) == list(range(6)) and list(every.x) == list(POINTS[:, 0])
    assert list(a.customdata) == [0] and list(b.customdata) == [5]
    assert every.hovertemplate.startswith("%{hovertext}<"), "the row, from 0, is for clicks alone"
    assert list(every.hovertext) == [f"{name}, patch {n}" for n, name in enumerate(NAMES, start=1)]
    assert a.hovertext[0] == "point A: a, patch 1" and b.hovertext[0] == "point B: c, patch 6"
    assert (a.text[0], b.text[0]) == ("A", "B") and a.marker.symbol != b.marker.symbol
    assert figure.layout.xaxis.title.text == "x"


def test_hover_texts_give_the_value_that_colours_a_point_with_its_unit():
    values = np.array([0.0346, np.nan, 1.0, 2.0, 3.0, 4.0])
    colours = Colouring("Magnesium", values, "wt%")
    known, unknown, a = latent_map(POINTS, ("x", "y"), NAMES, colours, [("A", 0)]).data
    assert known.hovertext[0] == "a, patch 1<br>Magnesium: 0.0346 wt%"
    assert known.hovertext[1] == "b, patch 3<br>Magnesium: 1 wt%", "its own number, not its place"
    assert list(unknown.hovertext) == ["a, patch 2<br>Magnesium: not known"]
    assert a.hovertext[0] == "point A: a, patch 1<br>Magnesium: 0.0346 wt%"
    cooling = Colouring("Cooling", np.array(["sand"] * 6))
    (sand,) = latent_map(POINTS, ("x", "y"), NAMES, cooling, []).data
    assert sand.hovertext[5] == "c, patch 6<br>Cooling: sand"
    table = SimpleNamespace(specimen=np.array(NAMES), columns=())
    for name in (latent_maps.SPECIMEN, latent_maps.SPECIMENS):
        own = latent_map(POINTS, ("x", "y"), NAMES, latent_maps.colouring(table, name, 0), [])
        told = {text for trace in own.data for text in trace.hovertext}
        assert told == {f"{s}, patch {n}" for n, s in enumerate(NAMES, start=1)}, "named once"


def test_many_points_are_drawn_by_the_graphics_card(monkeypatch):
    monkeypatch.setattr(map_figures, "WEBGL_FROM", 5)
    points, a = latent_map(POINTS, ("x", "y"), NAMES, None, [("A", 0)]).data
    assert isinstance(points, go.Scattergl)
    assert isinstance(a, go.Scattergl), "vectors would lie below the points"
    assert list(a.text) == ["A"]
    monkeypatch.setattr(map_figures, "WEBGL_FROM", 6)
    assert isinstance(latent_map(POINTS, ("x", "y"), NAMES, None, []).data[0], go.Scatter)


def test_numbers_get_a_scale_with_unit_and_gaps_stay_grey():
    values = np.array([1.0, 2.0, np.nan, 4.0, np.nan, 6.0])
    known, unknown = latent_map(POINTS, ("x", "y"), NAMES, Colouring("Mg (wt%)", values), []).data
    assert known.marker.colorbar.title.text == "Mg (wt%)"
    assert list(known.customdata) == [0, 1, 3, 5] and list(unknown.customdata) == [2, 4]
    assert "not known" in unknown.name
    nothing = np.full(6, np.nan)
    assert len(latent_map(POINTS, ("x", "y"), NAMES, Colouring("Mg", nothing), []).data) == 1


def test_categories_beyond_the_colours_are_others():
    values = np.array([f"c{i}" for i in range(9)])
    points, names = np.zeros((9, 2), np.float32), ["s"] * 9
    traces = latent_map(points, ("x", "y"), names, Colouring("Cooling", values), []).data
    assert len(traces) == len(map_figures.CATEGORIES) + 1
    assert traces[-1].name == "others" and len(traces[-1].x) == 2
    assert sorted(row for t in traces for row in t.customdata) == list(range(9))


def test_specimens_have_colours_of_their_own_and_the_legend_says_how_many_have_none():
    """Those of most patches; of equally many the first by name."""
    counts = {f"K{i:02}": 3 if i in (4, 20) else 2 for i in range(24)}
    specimens = np.array([name for name, count in counts.items() for _ in range(count)])
    table = SimpleNamespace(specimen=specimens, columns=())
    assert latent_maps.SPECIMENS in latent_maps.colour_choices(table)
    colours = latent_maps.colouring(table, latent_maps.SPECIMENS, 0)
    points = np.zeros((len(specimens), 2), np.float32)
    *told, rest = latent_map(points, ("x", "y"), specimens, colours, []).data
    assert [t.name for t in told] == ["K04", "K20", "K00", "K01", "K02", "K03", "K05"]
    assert len({t.marker.color for t in told}) == len(map_figures.CATEGORIES)
    assert rest.name == "other specimens (17), not told apart"
    assert rest.marker.color == map_figures.GREY and len(rest.x) == 34
    few = latent_maps.colouring(SimpleNamespace(specimen=specimens[:4]), "specimen", 0)
    names = [t.name for t in latent_map(points[:4], ("x", "y"), specimens[:4], few, []).data]
    assert names == ["K00", "K01"], "no legend for others where there are none"


def test_the_map_can_be_coloured_by_specimen(with_model, open_page):
    table = load_latents(with_model / "latents")
    app = sound(open_page("latent_map", colour="specimen"))
    assert app.selectbox(key="map_colour").value == "specimen"
    chart = app.get("plotly_chart")[0].proto.spec
    assert len(set(table.specimen)) == 16
    assert f'"{table.specimen[0]}"' in chart and "other specimens (9), not told apart" in chart


def test_colours_and_facts_follow_the_specimen(with_model):
    table = load_latents(with_model / "latents")
    mg = latent_maps.colouring(table, "mg_wt", 0)
    assert mg.title == "Magnesium (wt%)"
    assert np.array_equal(mg.values, table.specimens["mg_wt"].loc[table.specimen].to_numpy(float))
    own = latent_maps.colouring(table, latent_maps.SPECIMEN, 0)
    assert set(own.values) == {table.specimen[0], "others"}
    assert latent_maps.colouring(table, latent_maps.NOTHING, 0) is None
    table.specimens.loc[table.specimen[0], "mg_wt"] = np.nan
    assert latent_maps.facts(table, 0)[0] == {"What": "Magnesium", "Value": "not known"}


def test_a_specimen_without_properties_starts_no_design(with_model):
    table = load_latents(with_model / "latents")
    table.specimens[["uts_mpa", "ys_mpa"]] = np.nan
    network = SimpleNamespace(properties=[SimpleNamespace(column="uts_mpa")])
    assert latent_maps.design_for(table, 0, network) is None


def test_where_there_is_nothing_to_design_for_the_button_is_off_and_it_is_said_why(
    tiny_model, tmp_path, open_page
):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    table = load_latents(folder / "latents")
    own = str(table.specimen[0])
    frame = pd.read_csv(folder / "latents" / "specimens.csv", dtype=str)
    frame.loc[frame["specimen"] == own, ["uts_mpa", "ys_mpa"]] = ""
    frame.to_csv(folder / "latents" / "specimens.csv", index=False)
    app = sound(open_page("latent_map", a="1", b=str(len(table.mu))))
    assert app.button(key="map_design_A").disabled and not app.button(key="map_design_B").disabled
    assert texts(app).count(patch_card.NOT_MEASURED) == 1
    (folder / "network.json").unlink()
    app = sound(open_page("latent_map", a="1", b=str(len(table.mu))))
    assert all(app.button(key=f"map_design_{letter}").disabled for letter in "AB")
    assert texts(app).count(patch_card.NO_NETWORK) == 2


def test_points_are_coloured_by_what_was_measured_on_the_specimens(with_model, open_page):
    table = load_latents(with_model / "latents")
    names = [str(name) for name in table.specimens.index]
    areas = {name: float(place) for place, name in enumerate(names)}
    values = pd.DataFrame({"graphite_pct": areas | {names[0]: np.nan}})
    graphite = tuple(s for s in SCALARS if s.name == "graphite_pct")
    found = SpecimenDescriptors(
        scalars=graphite, values=values, um_per_px=1.0, data_hash=table.data_hash, note=""
    )
    save_descriptors(with_model / "latents", found)
    try:
        app = sound(open_page("latent_map", colour="measured.graphite_pct", a="40"))
        assert app.selectbox(key="map_colour").value == "measured.graphite_pct"
        assert "Graphite area (%)" in app.selectbox(key="map_colour").options
        facts = app.table[0].value.to_string()
        assert "Graphite area" in facts and f"{areas[str(table.specimen[39])]:g} %" in facts
        colours = latent_maps.colouring(table, "measured.graphite_pct", 0, found)
        assert colours.title == "Graphite area (%)"
        assert np.isnan(colours.values[table.specimen == names[0]]).all()
        assert (colours.values[table.specimen == names[2]] == 2.0).all()

        save_descriptors(with_model / "latents", replace(found, data_hash="other"))
        app = open_page("latent_map", colour="measured.graphite_pct")
        assert not app.exception and "is of other data" in app.error[0].value
        assert app.selectbox(key="map_colour").value != "measured.graphite_pct"
    finally:
        (with_model / "latents" / FILE).unlink()


@pytest.mark.parametrize(
    ("values", "legend"),
    [
        (None, False),
        (np.arange(6.0), False),
        (np.array([1, 2, 3, 4, 5, np.nan]), True),  # one is "not known"
        (np.array(NAMES), True),
    ],
)
def test_margins_leave_room_for_a_legend_and_are_fixed_without_one(values, legend):
    colouring = None if values is None else Colouring("Magnesium", values, "wt%")
    figure = latent_map(POINTS, ("a", "b"), NAMES, colouring, [("A", 0)])
    assert any(trace.showlegend for trace in figure.data) == legend
    assert (figure.layout.margin.autoexpand is None) == legend
    assert figure.layout.xaxis.automargin is (None if legend else False)
    if not legend:
        assert figure.layout.margin.b >= (60 if values is None else 150)
