"""Every page: with a model, without, and with what users do wrong."""

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from dashboard import state
from tests.dashboard.conftest import sound, texts
from tests.dashboard.shown import images

PAGES = (
    "inverse_design",
    "evaluate",
    "reconstructions",
    "traversals",
    "structure_property",
    "network",
)


def picture(side: int = 160, seed: int = 0) -> bytes:
    grey = np.random.default_rng(seed).integers(0, 255, (side, side), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return buffer.getvalue()


def address(app, name: str) -> str:
    value = app.query_params[name]  # AppTest gives a list where the page has not written it
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize("name", PAGES)
def test_every_page_works_with_a_model(name, with_model, open_page):
    app = sound(open_page(name, size="256"))
    assert "Synthetic reference castings" in texts(app)
    assert "16 specimens, 16 micrographs" in texts(app)


def test_the_label_of_a_users_synthetic_model_names_no_reference_castings(
    with_model, tmp_path, open_page
):
    shutil.copytree(with_model, tmp_path / "workspace" / "models" / "mine")
    said = texts(sound(open_page("network", model="mine")))
    assert "Synthetic data" in said and "reference castings" not in said
    labels = {model.id: model.synthetic_label for model in state.models()}
    assert labels == {"reference": "synthetic reference castings", "mine": "synthetic data"}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_what_to_do_without_a_model(name, open_page):
    app = sound(open_page(name))
    assert "There is no model yet" in texts(app)
    links = [link.proto.page for link in app.get("page_link")]
    assert {"data", "training"} <= set(links), links
    assert "core.train" in texts(app)


@pytest.mark.parametrize("name", ["inverse_design", "network"])
def test_a_model_without_network_says_how_to_fit_one(name, tiny_model, tmp_path, open_page):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    (tmp_path / "assets" / "reference" / "network.json").unlink()
    app = sound(open_page(name))
    assert "no Bayesian network yet" in texts(app)
    assert "bayesnet.learn" in texts(app)


def test_a_damaged_model_is_an_error_in_words(tiny_model, tmp_path, open_page):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    (tmp_path / "assets" / "reference" / "network.json").write_text("{}")
    app = open_page()
    assert not app.exception
    assert "not a network" in app.error[0].value


# Inverse design


def test_a_design_is_shown_at_once_with_inputs_echoed(with_model, open_page):
    app = sound(open_page(size="256"))
    said = texts(app)
    assert "Accepted: Ultimate tensile strength" in said
    assert "Magnesium free" in said
    assert "field 256 × 256 px" in said
    assert app.success or app.warning
    assert "Residual" in said
    captions = [caption for image in images(app) for caption in image.captions]
    shown = [c for c in captions if c.startswith("Sample 1")]
    assert len(shown) == 1 or "read back too far" in said
    assert len(images(app)) == 2 + len(shown)  # the field, the nearest specimen, the sample
    assert address(app, "size") == "256"


def test_the_address_restores_a_design(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256", mg_wt="0.01..0.04"))
    said = texts(app)
    assert "strength 333 MPa" in said
    assert "Magnesium 0.01 to 0.04 wt%" in said
    assert "seed 5" in said
    assert app.number_input(key="design_in_uts_mpa").value == 333
    assert app.number_input(key="design_in_mg_wt_at_most").value == 0.04


def test_a_damaged_address_is_said_and_survived(with_model, open_page):
    app = sound(open_page(uts_mpa="strong", size="256"))
    assert any("cannot be read" in warning.value for warning in app.warning)


def test_another_target_gives_another_picture_and_address(with_model, open_page):
    app = sound(open_page(size="256"))
    before = images(app)[0].value
    app.number_input(key="design_in_uts_mpa").set_value(300)
    app.number_input(key="design_in_ys_mpa").set_value(200)
    sound(app.button(key="design_submit").click().run())
    assert images(app)[0].value != before
    assert address(app, "uts_mpa") == "300"
    assert "strength 300 MPa" in texts(app)


def test_one_property_alone_can_be_asked_for(with_model, open_page):
    app = sound(open_page(size="256"))
    app.number_input(key="design_in_ys_mpa").set_value(None)
    sound(app.button(key="design_submit").click().run())
    said = texts(app)
    assert "Yield strength free" in said and "must be positive" not in said
    assert "ys_mpa" not in app.query_params
    row = app.table[0].value.iloc[:, [0, 1, 3]].to_string()
    assert "none" in row, row
    again = sound(open_page(uts_mpa=address(app, "uts_mpa"), size="256"))
    assert again.number_input(key="design_in_ys_mpa").value is None


def test_limits_ranges_and_extremes_can_be_asked_for(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", size="256"))
    app.selectbox(key="design_in_uts_mpa_form").set_value("at least").run()
    app.selectbox(key="design_in_ys_mpa_form").set_value("between").run()
    app.number_input(key="design_in_uts_mpa").set_value(300.0)
    app.number_input(key="design_in_ys_mpa").set_value(200.0)
    app.number_input(key="design_in_ys_mpa_to").set_value(240.0)
    sound(app.button(key="design_submit").click().run())
    said = texts(app)
    assert "strength at least 300 MPa" in said and "Yield strength 200 to 240 MPa" in said
    assert (address(app, "uts_mpa"), address(app, "ys_mpa")) == ("300..", "200..240")
    again = sound(open_page(uts_mpa="highest", ys_mpa="..240", size="256"))
    assert again.selectbox(key="design_in_uts_mpa_form").value == "as high as possible"
    assert again.number_input(key="design_in_ys_mpa").value == 240
    assert "as high as possible" in texts(again)


def test_contradictory_ranges_are_an_error_in_words(with_model, open_page):
    app = open_page(uts_mpa="400..300", size="256")
    assert not app.exception
    assert "lower limit 400 is above upper limit 300" in app.error[0].value


def test_an_infeasible_pair_says_what_could_give_way(with_model, open_page):
    app = open_page(uts_mpa="2000", ys_mpa="200", size="256")
    assert "If one requirement gives way" in texts(app)
    assert "Ultimate tensile strength could be" in texts(app)


def test_a_design_is_refined_when_asked_for(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", size="256"))
    assert "Refining takes up to" in texts(app)
    sound(app.button(key="design_refine").click().run())
    assert "Refined design" in "".join(s.value for s in app.subheader)
    said = texts(app)
    assert ("Residual" in said and "refined, after" in said) or "first" in said
    app.number_input(key="design_in_uts_mpa").set_value(300.0)
    sound(app.button(key="design_submit").click().run())
    assert "Refined design" not in "".join(s.value for s in app.subheader), "another request"


def test_reasons_and_next_tests_stand_below_the_design(with_model, open_page):
    app = sound(open_page(size="256"))
    heads = "".join(s.value for s in app.subheader)
    assert "What changes from the nearest known specimen" in heads
    assert "What to test next" in heads
    said = texts(app)
    assert "Nearest specimen of the data: t" in said
    columns = [list(table.value.columns) for table in app.table]
    assert any("Descriptor" in c and "Change" in c for c in columns)
    proposed = [t.value for t in app.table if "Test" in t.value.columns]
    assert len(proposed) == 1 or "do not predict these properties" in said
    for table in proposed:
        assert len(table) == 5 and "→" in table.iloc[0, -1]


def test_no_property_at_all_is_said_and_the_last_design_stays(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", size="256"))
    for name in ("uts_mpa", "ys_mpa"):
        app.number_input(key=f"design_in_{name}").set_value(None)
    sound(app.button(key="design_submit").click().run())
    assert any("No target was given" in warning.value for warning in app.warning)
    assert "strength 333 MPa" in texts(app)
    assert address(app, "uts_mpa") == "333"


def test_what_was_found_stands_beside_its_difference_from_the_target(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", size="256"))
    found = app.table[0].value
    assert list(found.columns)[1:] == ["Target", "Found", "Difference", "90 % interval"]
    for text in found["Difference"]:
        assert text[0] in "+\u2212" and "MPa (" in text and text.endswith(" %)"), text


def test_an_infeasible_target_is_said_and_the_nearest_can_be_taken(with_model, open_page):
    app = open_page(uts_mpa="2000", ys_mpa="20", size="256")
    assert not app.exception
    assert "Not feasible" in app.error[0].value
    read_back = app.table[0].value
    assert "Nearest feasible" in read_back and "2000 MPa" not in read_back.to_string()
    app.button(key="design_use_nearest").click().run()
    sound(app)
    assert address(app, "uts_mpa") != "2000"
    assert "strength 2000 MPa" not in texts(app)


def test_a_target_in_gpa_gets_a_hint_at_the_unit(with_model, open_page):
    app = open_page(uts_mpa="0.333", ys_mpa="222", size="256")
    assert not app.exception
    (hint,) = [w.value for w in app.warning if "Another unit?" in w.value]
    assert "0.333 is about a thousandth of what the data hold" in hint
    assert "give Ultimate tensile strength in MPa" in hint
    sane = sound(open_page(uts_mpa="333", ys_mpa="222", size="256"))
    assert "Another unit?" not in texts(sane)


def test_limits_outside_the_data_are_an_error_in_words(with_model, open_page):
    app = open_page(mg_wt="5..6", size="256")
    assert not app.exception
    assert "outside the range" in app.error[0].value


def test_a_fixed_setting_is_kept(with_model, open_page):
    app = sound(open_page(size="256"))
    for end in ("at_least", "at_most"):
        app.number_input(key=f"design_in_radius_mm_{end}").set_value(30.0)
    sound(app.button(key="design_submit").click().run())
    assert "Casting radius fixed at 30 mm" in texts(app)
    assert address(app, "radius_mm") == "30"


def test_a_design_survives_a_visit_to_another_page(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256"))
    sound(app.switch_page("views/network.py").run())
    sound(app.switch_page("views/inverse_design.py").run())
    assert "strength 333 MPa" in texts(app)
    assert app.number_input(key="design_in_uts_mpa").value == 333


# Evaluate patches


def test_nothing_is_evaluated_before_a_file_is_chosen(with_model, open_page):
    app = sound(open_page("evaluate"))
    assert "Nothing is evaluated yet" in texts(app)
    app.button(key="evaluate_submit").click().run()
    assert "No file was chosen" in texts(app)


def test_a_visitor_without_images_can_try_an_example(with_model, open_page):
    app = sound(open_page("evaluate"))
    sound(app.button(key="evaluate_example").click().run())
    assert "Style error" in texts(app)
    assert "this model" in texts(app)
    assert "each left out in turn; for new ones the intervals may be too narrow" in texts(app)
    # the micrograph; 160 px hold one patch; rows left out; graphite outlined
    assert len(images(app)) == 1 + 1 + 1 + 1
    assert "Graphite, as measured on the whole micrograph" in texts(app)
    assert "1 µm per px, from the data set" in texts(app)


def test_a_bad_file_gets_its_message_and_the_others_go_on(with_model, open_page):
    app = sound(open_page("evaluate"))
    uploader = app.file_uploader(key="evaluate_files")
    uploader.set_value(
        [
            ("bad.png", b"not an image", "image/png"),
            ("small.png", picture(40), "image/png"),
            ("good.png", picture(), "image/png"),
        ]
    )
    app.number_input(key="evaluate_um_per_px").set_value(1.0)
    app.button(key="evaluate_submit").click().run()
    assert not app.exception
    assert len(app.error) == 2
    assert "bad.png" in app.error[0].value
    assert "small.png" in app.error[1].value
    assert "Style error" in texts(app)
    assert "1 micrograph, scale 1 µm per px" in texts(app)


def test_an_unknown_scale_and_another_scale_are_warned_of(with_model, open_page):
    app = sound(open_page("evaluate"))
    app.file_uploader(key="evaluate_files").set_value([("a.png", picture(), "image/png")])
    sound(app.button(key="evaluate_submit").click().run())
    assert "scale of this micrograph is not known" in texts(app)
    app.number_input(key="evaluate_um_per_px").set_value(1.3)
    sound(app.button(key="evaluate_submit").click().run())
    assert "it was scaled to the model's 1 µm per px" in texts(app)


@pytest.mark.parametrize("content", [None, '{"limits": [1, 1]}'])
def test_without_a_usable_reference_the_page_says_how_to_measure_it(
    content, tiny_model, tmp_path, open_page
):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    path = tmp_path / "assets" / "reference" / "reference.json"
    path.unlink() if content is None else path.write_text(content)
    app = sound(open_page("evaluate"))
    assert "core.reference --model" in texts(app) and "--training DIR" in texts(app)
    assert ("another version of MicroDesign" in texts(app)) == (content is not None)


# Reconstructions


def test_six_looks_and_ten_samples_are_shown(with_model, open_page):
    app = sound(open_page("reconstructions"))
    captions = [image.captions[0] for image in images(app)]
    assert len(captions) == 6 + 10
    assert captions[2].startswith("large spheres · ")
    assert captions[-1] == "sample 10"


def test_new_samples_have_a_new_seed_and_other_pictures(with_model, open_page):
    app = sound(open_page("reconstructions"))
    before = [image.value for image in images(app)[6:]]
    sound(app.button(key="prior_next").click().run())
    assert "Seed 1" in texts(app)
    assert [image.value for image in images(app)[6:]] != before


# Traversals


def test_ten_values_follow_the_original_in_both_blocks(with_model, open_page):
    app = sound(open_page("traversals"))
    said = texts(app)
    assert [s.value for s in app.subheader][:2] == [
        "Starting with large spheres",
        "Starting with fine flakes",
    ]
    captions = [image.captions[0] for image in images(app)]
    assert len(captions) == 2 * 4 * 11
    captions = captions[:11]
    assert (captions[0], captions[1], captions[-1]) == ("original", "−4.0", "+4.0")
    assert "noise seed" in said


def test_no_dimension_says_what_to_do(with_model, open_page):
    app = sound(open_page("traversals"))
    app.multiselect(key="traversal_dimensions").set_value([])
    sound(app.button(key="traversal_submit").click().run())
    assert "Choose at least one" in texts(app)
    assert not images(app)


# Network


def test_the_network_is_fitted_anew_into_the_workspace_and_reset(with_model, open_page):
    shipped = (with_model / "network.json").read_bytes()
    app = sound(open_page("network"))
    assert "As it came with the model" in texts(app)
    sound(app.button(key="network_fit").click().run())
    kept = state.workspace() / "networks" / "reference"
    assert {p.name for p in kept.iterdir()} == {"network.json", "properties.json"}
    assert (with_model / "network.json").read_bytes() == shipped
    assert "Left-out score before" in texts(app)
    assert "Fitted anew in this dashboard" in texts(app)
    sound(app.button(key="network_reset").click().run())
    assert not kept.exists()
    assert "As it came with the model" in texts(app)


def test_a_fit_to_another_models_latents_is_left_aside(with_model, open_page):
    """As after the shipped model was replaced by a newer one."""
    kept = state.workspace() / "networks" / "reference"
    kept.mkdir(parents=True)
    for name in ("network.json", "properties.json"):
        content = json.loads((with_model / name).read_text()) | {"model_hash": "0" * 64}
        (kept / name).write_text(json.dumps(content))
    assert "As it came with the model" in texts(sound(open_page("network")))
    sound(open_page("inverse_design", size="256"))


def test_the_slider_leaves_the_strongest_arcs(with_model, open_page):
    app = sound(open_page("network"))
    sound(app.slider(key="network_minimum").set_value(100).run())
    assert "2 of " in texts(app)  # the strongest of each tier


def test_evidence_moves_what_the_network_expects_and_reset_takes_it_back(with_model, open_page):
    app = sound(open_page("network"))
    assert "What follows from what" in "".join(s.value for s in app.subheader)

    def expected() -> dict:
        table = next(d.value for d in app.dataframe if "Expected" in d.value.columns)
        return dict(zip(table["Quantity"], table["Expected"], strict=True))

    before = expected()
    app.multiselect(key="belief_nodes").set_value(["mg_wt", "uts_mpa"]).run()
    assert expected() == before, "no number was given yet"
    sound(app.number_input(key="belief_mg_wt").set_value(0.045).run())
    rich = expected()
    assert (
        rich["Magnesium"].startswith("0.045") and rich["Yield strength"] != before["Yield strength"]
    )
    app.selectbox(key="belief_uts_mpa_form").set_value("at least").run()
    sound(app.number_input(key="belief_uts_mpa").set_value(300.0).run())
    assert expected() != rich
    sound(app.button(key="belief_reset").click().run())
    assert expected() == before
    assert app.multiselect(key="belief_nodes").value == []


def test_evidence_in_another_unit_gets_a_hint(with_model, open_page):
    app = sound(open_page("network"))
    app.multiselect(key="belief_nodes").set_value(["uts_mpa"]).run()
    app.number_input(key="belief_uts_mpa").set_value(300.0).run()
    assert "Another unit?" not in texts(app)
    app.number_input(key="belief_uts_mpa").set_value(45.0).run()
    assert "Another unit?" in texts(app) and "ksi" in texts(app)


def test_impossible_evidence_is_an_error_in_words(with_model, open_page):
    app = sound(open_page("network"))
    app.multiselect(key="belief_nodes").set_value(["uts_mpa"]).run()
    app.number_input(key="belief_uts_mpa").set_value(90000.0).run()
    assert not app.exception
    assert "impossible" in app.error[0].value


# The shipped model


@pytest.mark.parametrize("name", PAGES)
def test_every_page_works_with_the_shipped_model(name, reference_model, monkeypatch, open_page):
    monkeypatch.setattr(state, "ASSETS", reference_model.parent)
    app = sound(open_page(name))
    assert "Synthetic reference castings" in texts(app)


def test_the_shipped_models_default_target_is_feasible(reference_model, monkeypatch, open_page):
    monkeypatch.setattr(state, "ASSETS", reference_model.parent)
    assert "Feasible." in open_page().success[0].value


# Models


def test_models_of_the_workspace_can_be_chosen(with_model, tmp_path, open_page):
    shutil.copytree(with_model, tmp_path / "workspace" / "models" / "mine")
    app = sound(open_page("network"))
    assert app.sidebar.selectbox(key="sidebar_model").options[0] == "Reference model"
    sound(app.sidebar.selectbox(key="sidebar_model").set_value("mine").run())
    assert address(app, "model") == "mine"
    sound(app.switch_page("views/traversals.py").run())
    assert address(app, "model") == "mine"


def test_an_unknown_model_in_the_address_is_said(with_model, open_page):
    app = sound(open_page("network", model="gone"))
    assert "There is no model" in app.sidebar.warning[0].value
