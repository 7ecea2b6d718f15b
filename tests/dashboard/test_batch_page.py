"""The page Batch evaluation: rows, bad files, zips, stopping, and the table to take away."""

import io
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from core.batch.rows import Row
from core.files import write_json
from core.regressor import Prediction
from dashboard.batches import MOST_PROBLEMS, Batch, problems, screen_table, summary
from tests.dashboard.conftest import sound, texts


@pytest.fixture(autouse=True)
def few_patches(monkeypatch):
    monkeypatch.setattr("core.evaluate.READ_PATCHES", 1)


def picture(seed: int = 0) -> bytes:
    grey = np.random.default_rng(seed).integers(0, 255, (140, 140), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("inside.png", picture(1))
        packed.writestr("notes.txt", b"no picture")
    return buffer.getvalue()


def test_nothing_is_evaluated_before_files_are_chosen(with_model, open_page):
    app = sound(open_page("batch"))
    assert "Nothing is evaluated yet" in texts(app)
    assert "core.evaluate_batch" in texts(app)
    sound(app.button(key="batch_submit").click().run())
    assert "No file was chosen" in texts(app)


def test_without_a_model_it_is_said_what_to_do(open_page):
    assert "There is no model yet" in texts(sound(open_page("batch")))


def test_without_a_reference_it_is_said_how_to_measure_one(tiny_model, tmp_path, open_page):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    (tmp_path / "assets" / "reference" / "reference.json").unlink()
    app = sound(open_page("batch"))
    assert "not known yet" in texts(app)
    assert "--training DIR" in app.code[0].value


def test_without_a_reference_a_batch_is_evaluated_and_nothing_judged(
    tiny_model, tmp_path, open_page
):
    shutil.copytree(tiny_model, tmp_path / "assets" / "reference")
    (tmp_path / "assets" / "reference" / "reference.json").unlink()
    app = sound(open_page("batch"))
    app.file_uploader(key="batch_files").set_value([("good.png", picture(), "image/png")])
    app.selectbox(key="batch_measured_reference").set_value("nothing")
    sound(app.button(key="batch_submit").click().run())
    table = app.dataframe[0].value
    assert list(table["For this model"]) == ["not judged"]
    assert "MPa" in table["Ultimate tensile strength (90 % interval)"][0]
    assert "1 of 1 files evaluated." in texts(app)


def test_a_reference_of_an_older_version_is_said_to_be_one(tiny_model, tmp_path, open_page):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    write_json(folder / "reference.json", {"model_hash": "1" * 64, "images": 3})
    app = sound(open_page("batch"))
    assert "another version of MicroDesign" in texts(app)
    assert "--training DIR" in app.code[0].value


def test_files_and_zips_get_a_row_each_and_bad_ones_their_reason(with_model, open_page):
    app = sound(open_page("batch"))
    app.file_uploader(key="batch_files").set_value(
        [
            ("bad.png", b"not an image", "image/png"),
            ("good.png", picture(), "image/png"),
            ("more.zip", archive(), "application/zip"),
        ]
    )
    app.selectbox(key="batch_measured_reference").set_value("nothing")
    app.number_input(key="batch_um_per_px").set_value(1.0)
    sound(app.button(key="batch_submit").click().run())
    table = app.dataframe[0].value
    assert list(table["Image"]) == [
        "bad.png",
        "good.png",
        "more.zip: inside.png",
        "more.zip: notes.txt",
    ]
    assert list(table["For this model"].isin(["usual", "unusual"])) == [False, True, True, False]
    assert "bad.png" in table["Remarks"][0] and "not an image" in table["Remarks"][3]
    assert table["Picture"][1].startswith("data:image/jpeg;base64,")
    assert table["Ultimate tensile strength (90 % interval)"][1].count("MPa") >= 1
    assert "2 of 4 files evaluated" in texts(app)
    listed = [line for line in texts(app).splitlines() if line.startswith("- ")]
    assert len(listed) == 2 and "bad.png" in listed[0] and "notes.txt" in listed[1]
    assert "not an image" in listed[1]
    assert "4 files, scale 1 µm per px" in texts(app)
    sound(app.run())  # nothing is done twice, nothing is lost
    assert "2 of 4 files evaluated" in texts(app)


def test_the_rest_is_left_when_stopped():
    batch = Batch("m", [None, None], None, None, rows=[Row(name="a")])
    assert len(batch.pending) == 1
    batch.stopped = True
    assert batch.pending == []


def test_a_row_on_the_screen_has_units_and_intervals():
    column = type("R", (), {"column": "uts_mpa", "label": "Strength", "unit": "MPa"})
    rows = [
        Row(name="a", predictions={"uts_mpa": Prediction(430.0, 400.0, 460.0)}, unusual=False),
        Row(name="b", problem="damaged"),
    ]
    table = screen_table(rows, [column])
    assert table["Strength (90 % interval)"][0] == "430 MPa (400 to 460 MPa)"
    assert table["Remarks"][1] == "damaged" and table["For this model"][1] == "not read"
    assert list(table.columns[:4]) == ["Picture", "Image", "For this model", "Remarks"]


def test_bad_files_are_listed_up_to_a_limit_and_the_rest_counted():
    rows = [Row(name=f"{n}.png", problem="it is empty") for n in range(MOST_PROBLEMS + 3)]
    told = problems([Row(name="good.png"), *rows])
    assert told[0] == "0.png: it is empty" and len(told) == MOST_PROBLEMS + 1
    assert told[-1] == "3 more: see Remarks"
    assert problems([Row(name="a.png", problem="a.png is empty")]) == ["a.png is empty"]


def test_graphite_is_on_the_screen_where_it_was_asked_for():
    rows = [Row(name="a", unusual=False)]
    assert "Graphite area (%)" in screen_table(rows, [])
    assert not any("Graphite" in name for name in screen_table(rows, [], None))
    assert "Mean spacing (µm)" in screen_table(rows, [], "phases")


def test_graphite_is_not_measured_by_itself_for_another_material(other_material, open_page):
    app = sound(open_page("batch"))
    assert app.selectbox(key="batch_measured_reference").value == "phases"


def test_the_summary_counts():
    rows = [Row(name="a", unusual=False), Row(name="b", unusual=True)]
    assert summary(rows) == "2 of 2 files evaluated, 1 of them unusual for this model."
