"""The library: saving from a design, notes, comparing, deleting, damaged and empty."""

import io
import json
import threading
from dataclasses import replace

import pytest
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager

from bayesnet import library
from bayesnet.fit_files import replace_fit
from bayesnet.library import list_designs, save_design
from bayesnet.recipe import PARTS, Recipe, RefinementRecord
from core.files import sha256_file
from core.images import encode_png, read_image
from dashboard import design_export, design_result, designs, saved_designs, state
from dashboard.design_request import DesignRequest
from tests.dashboard.conftest import sound, texts
from tests.recipes import grey_noise, make_recipe


def saved(**changes) -> str:
    return save_design(saved_designs.folder(), make_recipe(**changes), grey_noise(), "a note")[0]


def test_an_empty_library_says_how_to_fill_it(with_model, open_page):
    app = sound(open_page("library"))
    assert "No design is saved yet" in texts(app)


def test_the_library_works_without_a_model(open_page):
    name = saved()
    app = sound(open_page("library"))
    assert "Yield strength 280 MPa, seed 3" in texts(app)
    assert app.button(key=f"library_open_{name}").disabled


def test_a_design_is_saved_once_and_opened_again(with_model, open_page):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256", mg_wt="0.01..0.04"))
    app.text_area(key="design_note").set_value("for the pump")
    sound(app.button(key="design_save_submit").click().run())
    assert any("Saved as" in s.value for s in app.success)
    (one,), damaged = list_designs(saved_designs.folder())
    assert not damaged and one.note == "for the pump"
    assert one.recipe.targets == {"uts_mpa": 333.0, "ys_mpa": 222.0}
    assert (one.recipe.seed, one.recipe.samples, one.recipe.size_px) == (5, 1, 256)
    sound(app.button(key="design_save_submit").click().run())
    assert any("is in the library" in s.value for s in app.success)
    page = sound(open_page("library"))
    sound(page.button(key=f"library_open_{one.id}").click().run())
    assert "strength 333 MPa" in texts(page)
    assert "Magnesium 0.01 to 0.04 wt%" in texts(page)


def test_a_second_note_of_the_same_design_is_not_dropped_in_silence(with_model, open_page):
    app = sound(open_page(size="256"))
    app.text_area(key="design_note").set_value("for the pump")
    sound(app.button(key="design_save_submit").click().run())
    app.text_area(key="design_note").set_value("for the valve")
    sound(app.button(key="design_save_submit").click().run())
    ((one,), _) = list_designs(saved_designs.folder())
    assert one.note == "for the pump" and not app.success[1:]
    said = "\n".join(box.value for box in app.warning)
    assert f"in the library as {one.id}" in said and "left as it is" in said


@pytest.mark.parametrize("refined", [True, False])
def test_a_design_is_opened_as_it_was_saved_refined_or_not(refined, with_model, open_page):
    (model,) = state.models()
    recipe = make_recipe(
        size_px=256, seed=3, parts=dict.fromkeys(PARTS, "0" * 64) | {"model": model.weights}
    )
    better = RefinementRecord(
        steps=1, tried=1, aim=recipe.targets, before=1.0, after=0.5, picture=recipe.pictures[0]
    )
    name = save_design(
        saved_designs.folder(),
        replace(recipe, refinement=better if refined else None),
        grey_noise(),
    )[0]
    app = sound(open_page("library"))
    request = saved_designs.request_of(recipe)
    app.session_state["design_refined_request"] = None if refined else (model.id, request)
    app = sound(app.button(key=f"library_open_{name}").click().run())
    assert "Yield strength 280 MPa" in texts(app)
    assert ("Refined design" in [h.value for h in app.subheader]) is refined


@pytest.fixture
def made(monkeypatch) -> dict:
    """What download buttons of the page give: label -> function."""
    found = {}

    def keep(label, data, name, *_, **__):
        found[label] = data
        return False

    monkeypatch.setattr("dashboard.design_export.st.download_button", keep)
    return found


def test_designs_of_another_material_are_measured_as_such(other_material, open_page, made):
    app = sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256"))
    assert not any("Graphite" in str(table.value) for table in app.table)
    assert any("Anisotropy" in str(table.value) for table in app.table)
    header, *rows = made["Descriptors (CSV)"]().decode("utf-8-sig").splitlines()
    assert "Anisotropy" in header and "raphite" not in header
    assert [row.split(",")[0] for row in rows] == ["design", "sample 1"]


def test_every_file_of_a_design_can_be_had(with_model, open_page, made):
    sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256"))
    found = read_image(made["Picture (16-bit TIFF)"](), "x.tif")
    assert found.um_per_px == pytest.approx(1.0) and found.pixels.shape == (256, 256)
    assert made["Report (HTML)"]().count("data:image/png") == 2
    recipe = Recipe.from_json(json.loads(made["Recipe (JSON)"]()))
    assert recipe.targets == {"uts_mpa": 333.0, "ys_mpa": 222.0} and recipe.samples == 1
    for label in ("Latents (CSV)", "Descriptors (CSV)"):
        lines = made[label]().decode("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in lines] == ["Picture", "design", "sample 1"]


@pytest.mark.parametrize("iron", [True, False])
def test_pictures_are_measured_for_the_table_each_in_its_turn(
    iron, request, open_page, made, monkeypatch
):
    request.getfixturevalue("with_model" if iron else "other_material")
    sound(open_page(uts_mpa="333", ys_mpa="222", seed="5", size="256"))
    name, turns = "describe" if iron else "measure_structure", []
    plain = getattr(design_export, name)

    def noted(*given, **settings):
        turn = state.lock()._current
        turns.append(turn is not None and turn[1] == threading.get_ident())
        return plain(*given, **settings)

    monkeypatch.setattr(design_export, name, noted)
    assert made["Descriptors (CSV)"]()
    assert turns == [True, True] and state.lock()._current is None


def test_a_recipe_names_the_network_of_the_design_on_the_screen(with_model, open_page, monkeypatch):
    made = {}
    monkeypatch.setattr(
        "dashboard.design_export.st.download_button",
        lambda label, data, *_, **__: made.update({label: data}),
    )
    sound(open_page(size="256"))
    used = sha256_file(with_model / "network.json")
    (model,) = state.models()
    network, properties = state.network(model), state.properties(model)
    replace_fit(model.fitted_folder, replace(network, notes=("another",)), properties)
    assert Recipe.from_json(json.loads(made["Recipe (JSON)"]())).parts["network"] == used


def test_a_design_that_a_fit_overtook_is_made_again(with_model, open_page, monkeypatch):
    """Another visitor's fit has its turn while this page waits for its own."""
    (model,) = state.models()
    network, properties = state.network(model), state.properties(model)
    propose, field, shown = designs.propose, design_result.field, []

    def overtaken(*asked):
        found = propose(*asked)
        if not model.refitted:
            replace_fit(model.fitted_folder, replace(network, notes=("another",)), properties)
        return found

    def seen(proposal, model, network):
        shown.append(network.notes)
        field(proposal, model, network)

    monkeypatch.setattr(designs, "propose", overtaken)
    monkeypatch.setattr(design_result, "field", seen)
    sound(open_page(size="256"))
    assert shown == [network.notes, ("another",)]


def test_a_note_is_kept(with_model, open_page):
    name = saved()
    app = sound(open_page("library"))
    app.text_area(key=f"library_note_{name}").set_value("another")
    sound(app.button(key=f"library_keep_{name}").click().run())
    assert list_designs(saved_designs.folder())[0][0].note == "another"


def test_deleting_asks_first(with_model, open_page):
    name = saved()
    app = sound(open_page("library"))
    app.button(key=f"library_delete_{name}").click().run()
    app.button(key=f"library_leave_{name}").click().run()
    assert len(list_designs(saved_designs.folder())[0]) == 1
    app.button(key=f"library_delete_{name}").click().run()
    sound(app.button(key=f"library_really_{name}").click().run())
    assert list_designs(saved_designs.folder()) == ((), ())
    assert "No design is saved yet" in texts(app)


def test_two_designs_stand_side_by_side_and_in_the_address(with_model, open_page):
    names = [saved(), saved(seed=4, targets={"uts_mpa": 400.0})]
    app = sound(open_page("library"))
    app.multiselect(key="library_compare").set_value(names[:1]).run()
    assert "Choose one more" in texts(app)
    sound(app.multiselect(key="library_compare").set_value(names).run())
    table = app.table[0].value
    assert list(table.columns) == ["What", "Design 1", "Design 2"]
    assert "430 MPa" in table.to_string() and "400 MPa" in table.to_string()
    again = sound(open_page("library", compare=",".join(names)))
    assert list(again.table[0].value.columns) == ["What", "Design 1", "Design 2"]


@pytest.fixture
def sent(monkeypatch) -> dict[str, bytes]:
    """Pictures that pages send: address -> bytes, each once."""
    found = {}
    add = MediaFileManager.add

    def added(manager, data, mimetype, *args, **settings):
        url = add(manager, data, mimetype, *args, **settings)
        found[url] = data
        return url

    monkeypatch.setattr(MediaFileManager, "add", added)
    return found


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Ids of the designs whose recipes are read."""
    found = []
    load = library.load_recipe
    monkeypatch.setattr(
        library, "load_recipe", lambda path: found.append(path.parent.name) or load(path)
    )
    return found


def test_ten_large_designs_are_less_than_a_megabyte(open_page, sent):
    """Noise, of which no picture is larger; each is there in full in what is taken away."""
    for seed in range(10):
        large = grey_noise(seed, 1024)
        save_design(saved_designs.folder(), make_recipe(large, seed=seed, size_px=1024), large)
    app = sound(open_page("library"))
    pictures = [Image.open(io.BytesIO(data)) for data in sent.values()]
    widths = [picture.width for picture in pictures if picture.width > 64]  # not the page's icon
    assert len(app.get("image")) == 10 and widths == 10 * [saved_designs.THUMBNAIL_PX]
    assert sum(map(len, sent.values())) < 10**6
    assert all(one.pixels.shape == (1024, 1024) for one in list_designs(saved_designs.folder())[0])


def test_a_thumbnail_is_made_once_for_a_picture(open_page, monkeypatch):
    saved()
    made = []
    small = saved_designs.pictures.thumbnail
    monkeypatch.setattr(
        saved_designs.pictures, "thumbnail", lambda *given: made.append(given) or small(*given)
    )
    sound(open_page("library").run())
    sound(open_page("library"))
    assert len(made) == 1
    (one,), _ = list_designs(saved_designs.folder())
    (one.folder / "picture.png").write_bytes(encode_png(grey_noise(1)))
    sound(open_page("library"))
    assert len(made) == 2, "another picture, another thumbnail"


def test_only_the_designs_that_are_shown_are_read(open_page, read):
    for seed in range(23):
        saved(seed=seed)
    names = library.design_names(saved_designs.folder())
    app = sound(open_page("library"))
    assert sorted(read, reverse=True) == list(names[:10])
    assert "23 saved designs" in [h.value for h in app.subheader]
    assert "1 to 10 of 23, the newest first" in texts(app)
    assert app.button(key="library_newer").disabled
    app.multiselect(key="library_compare").set_value([names[3]]).run()
    read.clear()
    sound(app.button(key="library_older").click().run())
    assert sorted(read, reverse=True) == [names[3], *names[10:20]]
    app.multiselect(key="library_compare").set_value([names[3], names[12]]).run()
    assert list(sound(app).table[0].value.columns) == ["What", "Design 1", "Design 2"]
    sound(app.button(key="library_older").click().run())
    assert "21 to 23 of 23" in texts(app) and app.button(key="library_older").disabled
    assert app.multiselect(key="library_compare").value == [names[3], names[12]]
    assert app.button(key=f"library_delete_{names[22]}")


def test_the_page_of_ten_is_in_the_address_and_survives_another_page(open_page):
    for seed in range(12):
        saved(seed=seed)
    app = sound(open_page("library", page="2"))
    assert "11 to 12 of 12" in texts(app)
    sound(app.button(key="library_newer").click().run())
    assert "1 to 10 of 12" in texts(app) and "page" not in app.query_params
    sound(app.button(key="library_older").click().run())
    assert "2" in app.query_params["page"]
    assert "11 to 12 of 12" in texts(sound(open_page("library", page="99")))


def test_a_design_that_is_compared_can_be_deleted(open_page):
    names = [saved(), saved(seed=4), saved(seed=5)]
    app = open_page("library")
    app.multiselect(key="library_compare").set_value(names[:2]).run()
    app.button(key=f"library_delete_{names[0]}").click().run()
    sound(app.button(key=f"library_really_{names[0]}").click().run())
    assert app.multiselect(key="library_compare").value == names[1:2]


def test_the_comparison_is_still_there_after_another_page(with_model, open_page):
    names = [saved(), saved(seed=4)]
    app = open_page("library")
    app.multiselect(key="library_compare").set_value(names).run()
    app.switch_page("views/models.py").run()
    app.query_params.clear()  # as a browser does when the page changes
    sound(app.switch_page("views/library.py").run())
    assert app.multiselect(key="library_compare").value == names
    assert ",".join(names) in app.query_params["compare"]
    app.multiselect(key="library_compare").set_value([]).run()
    assert "compare" not in app.query_params and "Choose one more" not in texts(app)


def test_a_design_in_the_address_that_is_gone_is_said(with_model, open_page):
    saved()
    app = sound(open_page("library", compare="20200101-000000-00000000"))
    assert any("Not in the library" in w.value for w in app.warning)


def test_a_damaged_entry_is_said_and_can_be_deleted(with_model, open_page):
    name, good = saved(), saved(seed=4)
    (saved_designs.folder() / name / "recipe.json").write_text("{")
    app = sound(open_page("library"))
    assert any("is damaged" in w.value for w in app.warning)
    assert app.button(key=f"library_delete_{good}")
    app.button(key=f"library_delete_{name}").click().run()
    sound(app.button(key=f"library_really_{name}").click().run())
    assert not (saved_designs.folder() / name).exists()


def test_a_title_or_note_is_no_markup(with_model, open_page):
    saved(model={**make_recipe().model, "name": "**bold** <b>"})
    app = sound(open_page("library"))
    assert "\\*\\*bold\\*\\*" in texts(app)


@pytest.mark.parametrize("limit", [0.03, (None, 0.04)])
def test_a_recipe_turns_into_the_request_that_made_it(limit):
    request = saved_designs.request_of(make_recipe(process={"mg_wt": limit}))
    assert request.limits() == {"mg_wt": limit}
    assert request == DesignRequest(
        (("uts_mpa", 430.0), ("ys_mpa", 280.0)), request.process, 3, 256, 0
    )
    usual = saved_designs.request_of(make_recipe(samples=designs.N_SAMPLES))
    assert usual.samples is None


def test_a_model_is_found_by_its_weights(with_model):
    weights = json.loads((with_model / "manifest.json").read_text())["weights_sha256"]
    own = make_recipe(parts={**make_recipe().parts, "model": weights})
    assert saved_designs.model_of(own).id == state.REFERENCE
    assert saved_designs.model_of(make_recipe()) is None
