"""Evaluate patches: information bars, descriptors, fields of one specimen."""

import csv
import io
import shutil

import numpy as np
import pytest

from core.files import read_json, write_json
from core.images import encode_png
from core.workspace import models_folder
from tests.core.info_bars import with_bar
from tests.dashboard.conftest import sound, texts
from tests.dashboard.test_pages import picture

SIDE = 160


def iron(seed: int = 0, radius_px: float = 12.0) -> np.ndarray:
    """A drawn nodular iron: dark discs on a light, slightly noisy matrix."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    pixels = 0.6 + 0.01 * rng.standard_normal((SIDE, SIDE))
    for row, column in ((40, 40), (40, 110), (110, 75)):
        pixels[np.hypot(y - row, x - column) < radius_px] = 0.15
    return pixels.clip(0, 1)


def evaluated(open_page, *files: bytes, um_per_px: float | None = 1.0, **chosen: object):
    app = sound(open_page("evaluate"))
    named = [(f"f{i}.png", data, "image/png") for i, data in enumerate(files)]
    app.file_uploader(key="evaluate_files").set_value(named)
    app.number_input(key="evaluate_um_per_px").set_value(um_per_px)
    if "several" in chosen:
        app.radio(key="evaluate_several").set_value(chosen["several"])
    if "graphite" in chosen:
        app.toggle(key="evaluate_graphite_reference").set_value(chosen["graphite"])
    return app.button(key="evaluate_submit").click().run()


def cell(app, heading: str, row: str, column: str) -> str:
    """A cell of the table whose first column has this heading."""
    for table in app.table:
        frame = table.value.reset_index()
        if heading in frame.columns and column in frame.columns:
            return str(frame.set_index(heading)[column][row])
    raise AssertionError(f"no table with {heading} and {column}")


def test_descriptors_stand_beside_the_outlined_picture(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(iron())))
    said = texts(app)
    assert "nodules green" in str([image.captions for image in app.get("image")])
    assert "1 µm per px, as given in the form" in said
    area = float(cell(app, "Descriptor", "Graphite area", "Value").split("\xa0")[0])
    assert area == pytest.approx(100 * 3 * np.pi * 12**2 / SIDE**2, abs=0.3)
    assert cell(app, "Descriptor", "Particles not cut by a border", "Value") == "3"
    assert cell(app, "Descriptor", "Nodularity, ISO 945-4", "Value") == "100\xa0%"
    assert "does not look like a graphite iron" not in said


def test_without_a_scale_only_the_area_is_given_and_the_scale_asked_for(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(iron()), um_per_px=None))
    said = texts(app)
    assert "Graphite area **5." in said and "10 µm rule needs it" in said
    assert not any("Descriptor" in table.value.columns for table in app.table)


@pytest.mark.parametrize("given", [None, 2.0])
def test_the_scale_in_the_microscopes_text_file_is_used_as_in_a_batch(given, with_model, open_page):
    text = f"[SemImageFile]\nDataSize={SIDE}x{SIDE}\nPixelSize=1100\n".encode()
    app = sound(open_page("evaluate"))
    app.file_uploader(key="evaluate_files").set_value(
        [("F0.txt", text, "text/plain"), ("f0.png", encode_png(iron()), "image/png")]
    )
    app.number_input(key="evaluate_um_per_px").set_value(given)
    said = texts(sound(app.button(key="evaluate_submit").click().run()))
    assert "1 micrograph, scale" in said
    if given is None:
        assert "1.1 µm per px, from the text file beside it" in said
        assert "the text file that the microscope wrote beside it" in said
    else:
        assert "2 µm per px, as given in the form" in said


def test_a_text_without_its_picture_is_said_to_be_none_and_the_rest_is_evaluated(
    with_model, open_page
):
    app = sound(open_page("evaluate"))
    app.file_uploader(key="evaluate_files").set_value(
        [("other.txt", b"[SemImageFile]", "text/plain"), ("f0.png", picture(), "image/png")]
    )
    app.button(key="evaluate_submit").click().run()
    assert not app.exception and "other.txt" in app.error[0].value
    assert "Style error" in texts(app)


def test_without_a_reference_everything_but_the_verdict_is_shown(tiny_model, tmp_path, open_page):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    (folder / "reference.json").unlink()
    write_json(folder / "manifest.json", read_json(folder / "manifest.json") | {"specimens": 6})
    app = sound(evaluated(open_page, picture()))
    said = texts(app)
    assert "it cannot be told how unusual an image is" in said
    assert "at least three specimens that it was not trained on" in said and "of 6 in all" in said
    assert "Not judged" in said and "Style error" in said and "95 % of usual" not in said
    assert any("Predicted from the micrograph" in table.value.columns for table in app.table)
    assert list(app.table[-1].value.columns) == ["Metric", "Here"]


def test_the_forms_answers_are_in_the_address_and_come_back_from_it(with_model, open_page):
    app = sound(open_page("evaluate"))
    assert not {"scale", "graphite", "phases", "together"} & set(dict(app.query_params))
    app.number_input(key="evaluate_um_per_px").set_value(0.75)
    app.radio(key="evaluate_several").set_value("fields of one specimen")
    app.toggle(key="evaluate_graphite_reference").set_value(False)
    app.toggle(key="evaluate_structure_reference").set_value(True)
    app.button(key="evaluate_submit").click().run()
    wanted = {"scale": "0.75", "together": "1", "graphite": "0", "phases": "1"}
    assert {name: app.query_params[name] for name in wanted} in (
        wanted,
        {name: [value] for name, value in wanted.items()},
    )
    again = sound(open_page("evaluate", **wanted))
    assert again.number_input(key="evaluate_um_per_px").value == 0.75
    assert again.radio(key="evaluate_several").value == "fields of one specimen"
    assert again.toggle(key="evaluate_graphite_reference").value is False
    assert again.toggle(key="evaluate_structure_reference").value is True
    odd = sound(open_page("evaluate", scale="1e9", graphite="maybe"))
    assert odd.number_input(key="evaluate_um_per_px").value is None
    assert odd.toggle(key="evaluate_graphite_reference").value is True


def test_the_files_own_scale_is_used_and_said_so(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(iron(), um_per_px=1.0), um_per_px=None))
    assert "1 µm per px, from the file" in texts(app)


def test_a_picture_that_is_no_iron_is_said_to_be_none(with_model, open_page):
    app = sound(evaluated(open_page, picture()))
    assert "does not look like a graphite iron" in texts(app)


def test_graphite_is_not_measured_where_it_is_switched_off(with_model, open_page):
    app = sound(evaluated(open_page, picture(), graphite=False))
    assert "Graphite, as measured" not in texts(app)
    assert "Style error" in texts(app)


def test_evaluate_without_files_answers_anew_for_what_is_on_the_screen(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(iron()), graphite=False))
    app.switch_page("views/models.py").run()
    sound(app.switch_page("views/evaluate.py").run())
    assert app.number_input(key="evaluate_um_per_px").value == 1.0
    assert app.toggle(key="evaluate_graphite_reference").value is False
    assert not app.file_uploader(key="evaluate_files").value
    assert "1 micrograph, scale 1 µm per px" in texts(app)
    app.number_input(key="evaluate_um_per_px").set_value(2.0)
    app.toggle(key="evaluate_graphite_reference").set_value(True)
    sound(app.button(key="evaluate_submit").click().run())
    said = texts(app)
    assert "No file was chosen" not in said and "1 micrograph, scale 2 µm per px" in said
    assert "2 µm per px, as given in the form" in said


def test_evaluate_without_files_leaves_an_example_on_the_screen(with_model, open_page):
    app = sound(open_page("evaluate", example="large spheres"))
    app.toggle(key="evaluate_graphite_reference").set_value(False)
    sound(app.button(key="evaluate_submit").click().run())
    assert "Style error" in texts(app) and "No file was chosen" not in texts(app)
    assert "large spheres" in app.query_params["example"]


def test_the_answers_are_those_of_the_model_that_is_shown(with_model, tmp_path, open_page):
    """Another model is of another material: its own default counts."""
    shutil.copytree(with_model, models_folder() / "other")
    reference = models_folder() / "other" / "reference.json"
    write_json(reference, read_json(reference) | {"graphite": False})
    app = sound(open_page("evaluate"))
    app.number_input(key="evaluate_um_per_px").set_value(2.0)
    app.radio(key="evaluate_several").set_value("fields of one specimen")
    app.button(key="evaluate_submit").click().run()
    app.selectbox(key="sidebar_model").set_value("other").run()
    assert app.toggle(key="evaluate_graphite_other").value is False
    assert app.number_input(key="evaluate_um_per_px").value == 2.0
    assert app.radio(key="evaluate_several").value == "fields of one specimen"


def test_a_bar_is_left_out_and_can_be_adjusted(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(with_bar(iron(), 40))))
    labels = [expander.label for expander in app.expander]
    assert "Information bar: 40 rows at the bottom left out, as found" in labels
    whole = float(cell(app, "Descriptor", "Graphite area", "Value").split("\xa0")[0])
    assert whole == pytest.approx(5.3, abs=0.3), "the bar is no graphite"
    app.number_input(key="evaluate_bar_bottom_0_0_40").set_value(50)
    sound(app.button(key="evaluate_bar_0").click().run())
    labels = [expander.label for expander in app.expander]
    assert "Information bar: 50 rows at the bottom left out, as you gave it" in labels
    app.file_uploader(key="evaluate_files").set_value([])
    app.number_input(key="evaluate_um_per_px").set_value(0.9)
    sound(app.button(key="evaluate_submit").click().run())
    labels = [expander.label for expander in app.expander]
    assert "Information bar: 50 rows at the bottom left out, as you gave it" in labels
    cut = float(cell(app, "Descriptor", "Graphite area", "Value").split("\xa0")[0])
    assert cut == pytest.approx(100 * 3 * np.pi * 12**2 / (SIDE * (SIDE - 10)), abs=0.3)


def test_rows_that_leave_no_patch_are_refused_in_words_and_can_be_set_back(with_model, open_page):
    app = sound(evaluated(open_page, encode_png(iron())))
    app.number_input(key="evaluate_bar_top_0_0_0").set_value(100)
    app.button(key="evaluate_bar_0").click().run()
    assert not app.exception
    assert "at least 128 x 128 px are needed" in app.error[0].value
    app.number_input(key="evaluate_bar_top_0_100_0").set_value(0)
    sound(app.button(key="evaluate_bar_0").click().run())
    assert "Style error" in texts(app)


def test_fields_of_one_specimen_are_pooled_with_intervals(with_model, open_page):
    files = [encode_png(iron(0)), encode_png(iron(1, 14.0))]
    app = sound(evaluated(open_page, *files, several="fields of one specimen"))
    subheaders = [item.value for item in app.subheader]
    assert "One specimen, 2 fields together" in subheaders
    row = "Equivalent diameter, mean"
    diameter = float(cell(app, "Descriptor", row, "All fields").split("\xa0")[0])
    assert diameter == pytest.approx((24 + 28) / 2, abs=0.5)
    assert "(2 fields)" in cell(app, "Descriptor", row, "Mean of fields, 95 % interval")
    assert any("Predicted from 2 fields together" in t.value.columns for t in app.table)
    again = sound(evaluated(open_page, *files))
    assert "One specimen" not in str([item.value for item in again.subheader])


def test_fields_without_a_scale_cannot_be_pooled_and_are_shown_singly(with_model, open_page):
    files = [encode_png(iron(0)), encode_png(iron(1))]
    app = evaluated(open_page, *files, um_per_px=None, several="fields of one specimen")
    assert not app.exception
    assert "has no scale" in app.error[0].value
    assert texts(app).count("Graphite, as measured") == 2


def test_descriptors_as_csv_have_units_and_a_row_for_all_fields():
    from core.descriptors import measure_field, summarise_fields
    from dashboard.descriptor_results import descriptors_csv
    from dashboard.measurements import Measured

    fields = [measure_field(iron(seed), 1.0) for seed in (0, 1)]
    measured = [Measured(f"f{i}.png", f, 5.3, b"", True, ()) for i, f in enumerate(fields)]
    measured.append(Measured("=evil.png", None, 5.3, b"", True, ()))
    text = descriptors_csv(measured, summarise_fields(fields))
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert header[:3] == ["Image", "Scale (µm per px)", "Area (mm²)"]
    assert [row[0] for row in rows] == ["f0.png", "f1.png", "'=evil.png", "All fields"]
    column = header.index("Graphite area (%)")
    assert all(float(row[column]) == pytest.approx(5.3, abs=0.3) for row in rows)
    assert rows[2][column + 1] == "" and rows[2][-1] == "scale not known"
    assert rows[3][header.index("Particles not cut by a border")] == "6"


def test_what_any_material_has_is_measured_where_that_is_asked(with_model, open_page):
    app = sound(open_page("evaluate"))
    assert app.toggle(key="evaluate_structure_reference").value is False  # an iron's model
    app.toggle(key="evaluate_structure_reference").set_value(True)
    app.file_uploader(key="evaluate_files").set_value([("a.png", encode_png(iron()), "image/png")])
    app.number_input(key="evaluate_um_per_px").set_value(None)
    sound(app.button(key="evaluate_submit").click().run())
    area = cell(app, "Descriptor", "Dark phase area", "Value")
    assert float(area.split("\xa0")[0]) == pytest.approx(100 * 3 * np.pi * 12**2 / SIDE**2, abs=0.5)
    assert cell(app, "Descriptor", "Texture length", "Value") == "none: needs a scale"


def test_the_report_holds_descriptors_and_metrics(with_model, open_page, monkeypatch):
    offered = {}

    def keep(label, data, *args, **settings):
        offered[label] = data
        return False

    monkeypatch.setattr("streamlit.download_button", keep)
    monkeypatch.setattr("streamlit.delta_generator.DeltaGenerator.download_button", keep)
    sound(evaluated(open_page, encode_png(iron())))
    report = offered["Report (HTML)"]()
    for said in ("Nodularity, ISO 945-4", "Relative style error (lower is better)", "Outlined:"):
        assert said in report
    latents = offered["Latents (CSV)"]().decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(latents))
    assert header[:2] == ["Picture", "z[0]"] and row[0] == "f0.png"
