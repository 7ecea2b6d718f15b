"""Every view comes back from its address, and after a visit to another page."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesnet.learn import NetworkConfig, fit_network
from core.checkpoint import load_model
from core.columns import Column
from core.encode import load_latents
from core.labels import save_labels
from core.properties import fit_properties
from dashboard.address import parts, whole
from dashboard.evidence_address import FORMS, from_text, in_widgets, to_text
from tests.core.labels.made import made_labels
from tests.dashboard.conftest import sound, texts
from tests.tiny import LATENTS


def given(app, name: str) -> str | None:
    """Return a parameter of the address."""
    found = app.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def test_numbers_of_the_address_stay_in_their_limits():
    assert [whole(t, 5, 1, 9) for t in ("3", "0", "10", "-1", "1e3", "٣", "", None)] == [
        *(3, 1, 9, 5, 5, 5, 5, 5)
    ]
    assert parts("a,,b") == ["a", "b"]


@pytest.mark.parametrize(
    "wish", [0.03, (400.0, None), (None, 2.5), (1.0, 2.0), "highest", "lowest", None]
)
def test_evidence_survives_the_address(wish):
    assert from_text(to_text({"mg_wt": wish}), ["mg_wt"]) == {"mg_wt": wish}
    form, first, second = in_widgets(wish)
    assert form in FORMS
    assert [n for n in (first, second) if n is not None] == [
        n for n in (wish if isinstance(wish, tuple) else (wish,)) if isinstance(n, float)
    ]


def test_strange_evidence_is_left_out():
    assert from_text("gone:1,mg_wt:nan,,z:1..2..3", ["mg_wt", "z"]) == {"mg_wt": None, "z": None}
    assert from_text(None, ["mg_wt"]) == {} and to_text({}) is None


def test_reconstructions_come_back(with_model, open_page):
    app = sound(open_page("reconstructions", samples="7"))
    assert "Seed 7" in texts(app)
    sound(app.button(key="prior_next").click().run())
    assert given(app, "samples") == "8"
    sound(app.switch_page("views/library.py").run())
    sound(app.switch_page("views/reconstructions.py").run())
    assert "Seed 8" in texts(app) and given(app, "samples") == "8"


def test_traversals_come_back(with_model, open_page):
    app = sound(open_page("traversals", z="3,99,x,3", start2="large spheres", patch1="2"))
    assert app.multiselect(key="traversal_dimensions").value == [3]
    assert app.selectbox(key="traversal_start_1").value == "large spheres"
    assert app.number_input(key="traversal_patch_0").value == 2
    assert given(app, "z") == "3"
    app.multiselect(key="traversal_dimensions").set_value([2, 1])
    sound(app.button(key="traversal_submit").click().run())
    assert (given(app, "z"), given(app, "start2")) == ("2,1", "large spheres")
    sound(app.switch_page("views/library.py").run())
    sound(app.switch_page("views/traversals.py").run())
    assert app.multiselect(key="traversal_dimensions").value == [2, 1]


def test_structure_property_comes_back(with_model, open_page):
    app = sound(open_page("structure_property", property="ys_mpa", specimen="t05", basis="no"))
    assert app.selectbox(key="linkage_property").value == "ys_mpa"
    assert app.selectbox(key="linkage_specimen").value == "t05"
    assert given(app, "basis") is None
    sound(app.selectbox(key="linkage_property").set_value("uts_mpa").run())
    assert given(app, "property") is None and given(app, "specimen") == "t05"


def test_the_network_comes_back_with_what_is_known(with_model, open_page):
    app = sound(open_page("network", arcs="100", known="mg_wt:0.045,uts_mpa:300..,gone:1"))
    assert app.slider(key="network_minimum").value == 100
    assert app.multiselect(key="belief_nodes").value == ["mg_wt", "uts_mpa"]
    assert app.number_input(key="belief_mg_wt").value == 0.045
    assert app.selectbox(key="belief_uts_mpa_form").value == "at least"
    assert given(app, "known") == "mg_wt:0.045,uts_mpa:300.."
    sound(app.button(key="belief_reset").click().run())
    assert given(app, "known") is None and given(app, "arcs") == "100"


def test_an_evaluated_example_comes_back(with_model, open_page):
    app = sound(open_page("evaluate", example="large spheres"))
    assert next(s.value for s in app.subheader) == "large spheres"
    assert given(app, "example") == "large spheres"
    assert not sound(open_page("evaluate", example="no such look")).subheader


def test_a_refined_design_comes_back_and_another_target_drops_it(with_model, open_page):
    query = {"uts_mpa": "300", "size": "256", "seed": "0"}
    app = sound(open_page(**query, refined="1"))
    assert "Refined design" in [s.value for s in app.subheader]
    assert given(app, "refined") == "1"
    box = app.number_input(key="design_in_uts_mpa")
    box.set_value(310.0)
    next(b for b in app.button if b.label == "Design").click()
    sound(app.run())
    assert given(app, "uts_mpa") == "310" and given(app, "refined") is None
    assert "Refined design" not in [s.value for s in app.subheader]


@pytest.fixture
def three_properties(tiny_model, tmp_path) -> Path:
    """The tiny model, fitted to a third property, hardness, as well."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    table = load_latents(folder / "latents")
    strength = table.specimens["uts_mpa"].astype(float)
    noise = np.random.default_rng(0).normal(scale=3.0, size=len(strength))
    hardness = Column("hardness_hv", "HV", "Hardness", "property", "numeric")
    known = table.specimens.assign(hardness_hv=strength / 3 + noise)
    table = replace(table, columns=(*table.columns, hardness), specimens=known)
    fit_network(table, NetworkConfig(regimes=(1,), factors=(2,))).save(folder / "network.json")
    fit_properties(table).save(folder / "properties.json")
    return folder


def test_the_axes_of_a_designs_map_come_back(three_properties, open_page):
    query = {"uts_mpa": "300", "size": "256", "seed": "0"}
    app = sound(open_page(**query, map_x="ys_mpa", map_y="no such property"))
    axes = [app.selectbox(key=f"design_map_{axis}").value for axis in "xy"]
    assert axes == ["ys_mpa", "hardness_hv"]
    assert [given(app, n) for n in ("uts_mpa", "map_x", "map_y")] == ["300", "ys_mpa", None]
    sound(app.selectbox(key="design_map_y").set_value("uts_mpa").run())
    app.number_input(key="design_in_uts_mpa").set_value(310.0)
    sound(next(b for b in app.button if b.label == "Design").click().run())
    shown = ["310", "ys_mpa", "uts_mpa"]
    assert [given(app, n) for n in ("uts_mpa", "map_x", "map_y")] == shown
    sound(app.switch_page("views/library.py").run())
    sound(app.switch_page("views/inverse_design.py").run())
    assert [given(app, n) for n in ("uts_mpa", "map_x", "map_y")] == shown
    assert app.selectbox(key="design_map_y").value == "uts_mpa"


def test_the_effect_of_a_latent_comes_back(tiny_model, tmp_path, open_page):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    save_labels(folder, made_labels(load_model(folder, backbone=False).hash, LATENTS))
    best, other = "particles_per_mm2", "nodularity_iso_pct"
    app = sound(open_page("traversals", z="1,0", effects="z0", curve=other))
    assert app.selectbox(key="traversal_effects_of").value == "z0"
    assert app.selectbox(key="traversal_curve_of_z0").value == other
    assert (given(app, "effects"), given(app, "curve")) == ("z0", other)
    sound(app.selectbox(key="traversal_curve_of_z0").set_value(best).run())
    assert (given(app, "effects"), given(app, "curve")) == ("z0", None), "the clearest needs none"
    sound(app.selectbox(key="traversal_effects_of").set_value("z1").run())
    assert given(app, "effects") is None, "the first needs none"
    plain = sound(open_page("traversals", z="1,0", effects="z99", curve="no"))
    assert plain.selectbox(key="traversal_effects_of").value == "z1"
    assert (given(plain, "effects"), given(plain, "curve")) == (None, None)
