"""The page *Own data*: from uploads to a data set, by clicks."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.columns import Column
from core.dataset import load_dataset
from core.errors import InputError
from core.images import encode_png
from core.import_data import examine, measuring
from core.import_data.examine import Crop
from core.import_data.fields import FieldChoice
from core.import_data.sheet import read_sheet
from core.workspace import data_folder
from dashboard import data_report, permission, state
from dashboard.data_form import ROLES, read_fields
from dashboard.data_pictures import apply, changed, merged, read_pictures
from dashboard.data_report import with_crop
from tests.core.import_data.pictures import png, zipped
from tests.core.import_data.test_preflight import barred
from tests.core.stereology.drawn import lamellae
from tests.core.textures import make_textures
from tests.dashboard.conftest import sound
from tests.dashboard.conftest import texts as raw_texts

SPECIMENS = 6
TABLE = "Sample;Temp (°C);Hardness (HV)\n" + "".join(
    f"K{i};{800 + 10 * i};{200 + i},5\n" for i in range(SPECIMENS)
)
PICTURES = {f"K{i}_{j}.png": png(10 * i + j, 160, 0.5) for i in range(SPECIMENS) for j in range(2)}


@pytest.fixture(autouse=True)
def _allowed(monkeypatch):
    monkeypatch.setenv(permission.VARIABLE, "on")


def texts(app) -> str:
    """What the page says, without the marks that keep Markdown from reading it."""
    return raw_texts(app).replace("\\", "")


def upload(app, pictures=PICTURES, table: str | None = TABLE):
    """Drop pictures and a table, and run."""
    files = app.file_uploader(key="data_files_0")
    for name, data in pictures.items():
        files.upload(name, data, "image/png")
    if table is not None:
        app.file_uploader(key="data_table_0").upload("t.csv", table.encode("cp1252"), "text/csv")
    return app.run()


def test_data_sets_say_whether_they_are_synthetic(open_page):
    make_textures(data_folder() / "drawn", 2, 1, 64, 128)
    (table,) = [t.value for t in sound(open_page("data")).dataframe if "Synthetic" in t.value]
    assert table["Synthetic"].tolist() == ["yes"]


def test_pictures_and_a_table_become_a_data_set(open_page, tmp_path: Path):
    app = sound(open_page("data"))
    assert "There is none yet" in texts(app)
    sound(upload(app))
    said = texts(app)
    assert "12 pictures · 6 rows in t.csv" in said and "decimal commas" in said
    assert "12 of 12 pictures have a row · 6 specimens: K0, K1" in said
    assert "only 6 specimens" in said  # a warning of the check
    assert app.selectbox(key="data_by_1").value == "specimen"
    app.text_input(key="data_name").set_value("Güsse 1")
    sound(app.button(key="data_make").click().run())
    assert "Güsse 1 is made: 12 pictures of 6 specimens." in texts(app)
    assert not app.file_uploader(key="data_files_1").value, "what was uploaded is let go"
    assert "data_make" not in [button.key for button in app.button]
    assert "Drop your pictures" in texts(app) and "Güsse 1" in str(app.dataframe[0].value)
    data = load_dataset(tmp_path / "workspace" / "data" / "Gusse_1")
    assert data.columns == (
        Column("temp_c", "°C", "Temp", "process", "numeric"),
        Column("hardness_hv", "HV", "Hardness", "property", "numeric"),
    )
    assert data.specimens.loc["K3"].tolist() == [830.0, 203.5]
    assert data.table["um_per_px"].tolist() == [0.5] * 12


def test_pictures_without_tests_are_measured_at_a_tick(open_page, tmp_path: Path):
    """Settings only: the check says that nothing can be designed for, until they are measured."""
    pictures = {
        f"K{i}_0.png": encode_png(lamellae(256, 4 + i, 10, 0.02, i), 0.5) for i in range(SPECIMENS)
    }
    table = "Sample;Temp (°C);Cooling\n" + "".join(
        f"K{i};{800 + 10 * i};{'AR' if i % 2 else 'Q'}\n" for i in range(SPECIMENS)
    )
    app = sound(upload(open_page("data"), pictures, table))
    assert "no column is a property" in texts(app) and "measure the pictures" in texts(app)
    sound(app.checkbox(key="data_measure_1").check().run())
    said = texts(app)
    assert "no column is a property" not in said
    assert "measured on 6 pictures at 0.5 µm per px, not tested" in said
    assert "Mean spacing (from the picture)" in said
    app.text_input(key="data_name").set_value("Steel")
    sound(app.button(key="data_make").click().run())
    data = load_dataset(tmp_path / "workspace" / "data" / "Steel")
    assert [c.name for c in data.properties] == [c.name for c in data.columns if c.derived]
    assert data.specimens["spacing_um"].is_monotonic_increasing


def test_pictures_are_looked_at_and_measured_one_after_the_other(open_page, monkeypatch):
    """Each in a turn at the gate that designs and evaluations wait at, too."""
    held = []

    def in_turn(module, name):
        plain = getattr(module, name)

        def noted(*given):
            turn = state.lock()._current
            held.append((name, turn is not None and turn[1] == threading.get_ident()))
            return plain(*given)

        monkeypatch.setattr(module, name, noted)

    in_turn(examine, "examine")
    in_turn(measuring, "measure_picture")
    app = sound(upload(open_page("data")))
    sound(app.checkbox(key="data_measure_1").check().run())
    count = len(PICTURES)
    assert held == count * [("examine", True)] + count * [("measure_picture", True)]
    assert state.lock()._current is None and state.lock().waiting == 0


def test_a_crop_and_one_scale_reach_the_data_set(open_page, tmp_path: Path, monkeypatch):
    app = upload(open_page("data"))
    app.selectbox(key="data_scale_1").set_value("value").run()
    app.number_input(key="data_um_per_px_1").set_value(2.0)
    cuts = []
    monkeypatch.setattr(
        data_report, "with_crop", lambda *given: cuts.append(given) or with_crop(*given)
    )
    app.number_input(key="data_crop_bottom_1").set_value(20).run()
    assert cuts[-1][1:] == (Crop(bottom=20), 2.0), "shown with the scale that was chosen"
    assert "160 × 140 px are used" in "".join(i.captions[0] for i in app.get("image"))
    app.text_input(key="data_name").set_value("x")
    sound(app.button(key="data_make").click().run())
    data = load_dataset(tmp_path / "workspace" / "data" / "x")
    assert data.read(0).pixels.shape == (140, 160) and data.read(0).um_per_px == 2.0


def test_a_scale_of_one_picture_reaches_the_data_set_and_outlives_another_rule(
    open_page, tmp_path: Path
):
    app = upload(open_page("data"))
    app.session_state["data_edits"] = {"K0_1.png": {"µm per px": 4.0}}  # as an editor's cell
    app.selectbox(key="data_scale_1").set_value("value").run()
    app.number_input(key="data_um_per_px_1").set_value(2.0).run()
    (table,) = [one.value for one in app.dataframe if "µm per px" in one.value]
    assert table["µm per px"].tolist() == [2.0, 4.0, *[2.0] * 10]
    app.text_input(key="data_name").set_value("x")
    sound(app.button(key="data_make").click().run())
    data = load_dataset(tmp_path / "workspace" / "data" / "x")
    scales = dict(zip(data.table["specimen"], data.table["um_per_px"], strict=True))
    assert scales["K1"] == 2.0 and sorted(data.table["um_per_px"]) == [2.0] * 11 + [4.0]


def test_information_bars_are_cut_off_unless_that_is_unticked(open_page, tmp_path: Path):
    pictures = PICTURES | {"K0_0.png": barred(0)}
    app = sound(upload(open_page("data"), pictures))
    assert app.checkbox(key="data_bars_1").label.endswith("(1 of 12 pictures)")
    assert "256 × 256 px are used" in "".join(i.captions[0] for i in app.get("image"))
    app.checkbox(key="data_bars_1").uncheck().run()
    assert "Information bar." in texts(app) and "not cut off" in texts(app)
    app.checkbox(key="data_bars_1").check().run()
    assert "Information bar." not in texts(app)
    app.selectbox(key="data_scale_1").set_value("value").run()
    app.text_input(key="data_name").set_value("x")
    sound(app.button(key="data_make").click().run())
    data = load_dataset(tmp_path / "workspace" / "data" / "x")
    assert data.read(0).pixels.shape == (256, 256) and data.read(1).pixels.shape == (160, 160)


def test_errors_hold_it_back_until_what_they_name_is_left_out(open_page):
    pictures = PICTURES | {"K0_1.png": b"no picture", "K1_0.png": PICTURES["K2_0.png"]}
    app = upload(open_page("data"), pictures)
    assert any("2 errors" in box.value for box in app.error)
    assert "not an image" in texts(app) and "Leaking specimens" in texts(app)
    assert app.button(key="data_make").disabled
    sound(app.button(key="data_leave_out_1").click().run())
    assert not app.button(key="data_make").disabled
    assert "2 pictures left out" in texts(app)


def test_a_zip_with_its_table_needs_nothing_else(open_page):
    data = zipped({**PICTURES, "t.csv": TABLE.encode()})
    app = sound(upload(open_page("data"), {"all.zip": data}, None))
    assert "12 of 12 pictures have a row" in texts(app)


def test_without_a_table_specimens_come_from_names_and_an_own_pattern(open_page):
    app = sound(upload(open_page("data"), table=None))
    assert "no table" in texts(app) and "6 specimens: K0" in texts(app)
    assert "nothing to design for" in texts(app)
    app.selectbox(key="data_pattern_1").set_value("own pattern").run()
    app.text_input(key="data_own_pattern_1").set_value("*_{specimen}").run()
    assert "2 specimens: 0, 1" in texts(app)
    app.text_input(key="data_own_pattern_1").set_value("*").run()
    assert "needs {specimen} once" in texts(app)


def test_a_damaged_zip_and_a_missing_name_are_said(open_page):
    app = upload(open_page("data"), {"a.zip": b"nonsense"}, None)
    assert "is not a zip" in app.error[0].value
    app = upload(open_page("data"))
    app.button(key="data_make").click().run()
    assert any("Give the data set a name" in box.value for box in app.warning)


@pytest.mark.parametrize(("given", "address", "on"), [
    ("on", "0.0.0.0", True), ("off", "localhost", False), ("", "localhost", True),
    ("", "0.0.0.0", False), ("", None, False), ("no", "127.0.0.1", False),
])  # fmt: skip
def test_training_is_on_for_this_machine_alone_unless_set(given, address, on, monkeypatch):
    monkeypatch.setenv(permission.VARIABLE, given)
    monkeypatch.setattr("streamlit.get_option", lambda name: address)
    assert permission.trusted() is on


def test_turned_off_the_page_says_how_to_turn_it_on(open_page, monkeypatch):
    monkeypatch.setenv(permission.VARIABLE, "off")
    app = sound(open_page("data"))
    assert "turned off on this server" in texts(app) and not app.file_uploader


def test_the_edited_table_of_columns_is_what_counts():
    sheet = read_sheet(b"a,b,c\n1,x,2\n", "t.csv")
    edited = pd.DataFrame(
        [
            {"Column": "a", "Use as": ROLES["property"], "Name shown": " Rm ", "Unit": "MPa"},
            {"Column": "b", "Use as": ROLES["process"], "Name shown": None, "Unit": "K"},
            {"Column": "c", "Use as": ROLES["note"], "Name shown": "c", "Unit": ""},
        ]
    )
    assert read_fields(edited, sheet) == (
        FieldChoice("a", Column("a", "MPa", "Rm", "property", "numeric")),
        FieldChoice("b", Column("b", "", "b", "process", "categorical")),
        FieldChoice("c", None),
    )
    edited.loc[1, "Use as"] = ROLES["property"]
    with pytest.raises(InputError, match="a property must be numeric"):
        read_fields(edited, sheet)


def pictures_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Use": [True, True, True],
            "Picture": ["a", "b", "c"],
            "Specimen": ["S", "S", ""],
            "µm per px": [0.5, 0.5, None],
            "Cut off at the top": [0, 0, 0],
            "Cut off at the bottom": [9, 9, 9],
        }
    )


def test_the_edited_table_of_pictures_is_what_counts():
    edited = pictures_frame()
    edited.loc[0, "Use"] = False
    edited.loc[1, ["Specimen", "Cut off at the bottom"]] = ["", 30]
    edited.loc[2, ["Specimen", "µm per px"]] = [" T ", 2.0]
    edited.loc[1, "µm per px"] = None
    assert read_pictures(edited, {"a": "S", "b": "S"}, Crop(bottom=9)) == (
        {"b": "", "c": "T"},
        {"a": 0.5, "b": None, "c": 2.0},
        {"b": Crop(bottom=30)},
        frozenset("a"),
    )


def test_what_was_changed_by_hand_is_kept_in_another_table():
    begun = pictures_frame()
    edited = begun.copy()
    edited.loc[0, "Use"] = False
    edited.loc[1, "Cut off at the bottom"] = 30
    edited.loc[2, ["Specimen", "µm per px"]] = ["T", 2.0]
    edits = changed(begun, edited)
    assert edits == {
        "a": {"Use": False},
        "b": {"Cut off at the bottom": 30},
        "c": {"Specimen": "T", "µm per px": 2.0},
    }
    other = begun.assign(**{"Cut off at the bottom": 50, "Specimen": "X"})
    kept = apply(other, edits)
    assert kept["Cut off at the bottom"].tolist() == [50, 30, 50]
    assert kept["Specimen"].tolist() == ["X", "X", "T"]
    assert kept["µm per px"].tolist() == [0.5, 0.5, 2.0]
    assert kept["Use"].tolist() == [False, True, True]
    assert merged(edits, {"b": {"Use": False}, "c": {"Specimen": "U"}}) == {
        "a": {"Use": False},
        "b": {"Cut off at the bottom": 30, "Use": False},
        "c": {"Specimen": "U", "µm per px": 2.0},
    }
    assert changed(begun, begun) == {} and other["Specimen"].tolist() == ["X"] * 3


def test_what_is_cut_off_is_tinted_and_the_rest_is_not():
    picture = np.asarray(with_crop(np.full((100, 80), 0.5), Crop(top=10, bottom=30)), float)
    assert picture.shape == (100, 80, 3)
    tinted = picture[..., 0] - picture[..., 2] > 20
    assert tinted[:10].all() and tinted[71:].all() and not tinted[12:69].any()
    untouched = np.asarray(with_crop(np.full((100, 80), 0.5), Crop()))
    assert (untouched == untouched[0, 0]).all()
