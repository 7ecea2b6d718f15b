"""The page *Structure-property*: what it shows of a model, and of results that are its own."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.calibrate import UNSEEN
from core.encode import load_latents, save_latents
from core.errors import CheckpointError
from core.properties import PropertyModel
from core.property_features import REPRESENTATIONS
from core.property_points import Point
from core.property_text import COLUMNS
from dashboard import linkage, state
from dashboard.property_figures import comparison, parity, patch_histogram
from tests.dashboard.conftest import sound, texts

POINTS = [Point("a", 100.0, 110.0, 90.0, 130.0), Point("b", 200.0, 190.0, 171.0, 209.0)]


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


@pytest.fixture
def results(with_model: Path, tmp_path: Path, monkeypatch) -> Path:
    """Results of the tables for the tiny model."""
    figures = {"n": 2, "r2": 0.87, "mape": 6.5, "median_error": 4.25, "p90_error": 9.0}
    rows = [
        dict(zip(("data", "split", "rows"), key, strict=True))
        | {"representation": representation, "regressor": "svr_rbf", "property": "uts_mpa"}
        | figures
        for key in COLUMNS
        for representation in REPRESENTATIONS
    ]
    casting = {"representation": "vae", "regressor": "svr_rbf", "property": "uts_mpa"}
    casting |= {"specimen": "r48", "true": 500.0, "mean": 520.0, "error": 4.0}
    points = [{"specimen": f"f{i}", "true": 400.0, "predicted": 410.0 + i} for i in range(3)]
    points = [p | {"low": 405.0, "high": 450.0} for p in points]
    about = {"name": "Fresh castings", "sha256": "f", "synthetic": True, "specimens": 3}
    content = {
        "model_sha256": json.loads((with_model / "manifest.json").read_text())["weights_sha256"],
        "vae": {"trained_on": "Tiny castings", "sha256": "abcdef0123"},
        "backbone": "VGG19, normalised, average pooling",
        "learned": about | {"name": "Tiny castings"},
        "fresh": about,
        "paper": about | {"name": "Paper castings"},
        "properties": [{"name": "uts_mpa", "label": "Ultimate tensile strength", "unit": "MPa"}],
        "rows": rows,
        "as_shipped": [],
        "points": {"uts_mpa": points},
        "left_out_casting": [casting | {"predictions": [510.0, 530.0]}],
    }
    path = tmp_path / "results" / "properties.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    monkeypatch.setattr(linkage, "RESULTS", path.parent)
    return path


@pytest.fixture(autouse=True)
def _no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(linkage, "RESULTS", tmp_path / "none")


def test_left_out_predictions_are_shown_with_their_figures(with_model, open_page):
    app = sound(open_page("structure_property"))
    regressor = PropertyModel.load(with_model / "properties.json").regressors[0]
    shown = metrics(app)
    assert shown["Specimens"] == "16"
    assert shown["R2"] == f"{regressor.r2:.2f}"
    assert shown["Mean error (MAPE)"] == f"{100 * regressor.mape:.1f} %"
    said = texts(app)
    assert "The encoder has learned most of their micrographs" in said
    assert "each left out in turn" in said and "Not measured for this model" in said
    assert "core.property_tables" in said
    assert app.selectbox(key="linkage_basis").options == ["Learned, label left out"]


def test_another_property_and_another_specimen_can_be_chosen(with_model, open_page):
    app = sound(open_page("structure_property"))
    first = metrics(app)
    sound(app.selectbox(key="linkage_property").set_value("ys_mpa").run())
    assert metrics(app) != first
    sound(app.selectbox(key="linkage_specimen").set_value("t05").run())
    model = PropertyModel.load(with_model / "properties.json")
    true = model.regressors[1].labels[5]
    assert f"measured {true:.0f} MPa" in texts(app)


def test_the_tables_of_this_model_are_shown_with_plain_vgg19(results, open_page):
    app = sound(open_page("structure_property"))
    said = texts(app)
    assert "Fresh castings: neither the encoder nor" in said.replace("\\", "")
    assert "TextureVAE trained on Tiny castings" in said
    assert "casting r48 left out" in said and "4.0 % off" in said
    assert "compression tests" in said
    tables = [frame.value.to_string() for frame in app.dataframe]
    assert len(tables) == len(REPRESENTATIONS) and "R2 0.87, MAPE 6.5 %, median 4.2 %" in tables[1]
    assert "leaking" in tables[0]
    assert metrics(app)["Inside the interval"] == "0 %", "400 lies below 405 to 450"
    sound(app.selectbox(key="linkage_property").set_value("ys_mpa").run())
    assert app.selectbox(key="linkage_basis").options == ["Learned, label left out"]


def test_representations_that_older_results_lack_are_left_out(results, open_page):
    content = json.loads(results.read_text())
    kept = [row for row in content["rows"] if row["representation"] != "vgg19_style"]
    results.write_text(json.dumps(content | {"rows": kept}))
    app = sound(open_page("structure_property"))
    assert len(app.dataframe) == len(REPRESENTATIONS) - 1


def test_results_of_another_model_are_not_shown_and_damaged_ones_are_said(results, open_page):
    content = json.loads(results.read_text())
    del content["rows"]
    results.write_text(json.dumps(content))
    app = open_page("structure_property")
    assert not app.exception and "lacks rows" in app.error[0].value
    results.write_text(json.dumps(content | {"model_sha256": "0" * 64}))
    app = sound(open_page("structure_property"))
    assert "Not measured for this model" in texts(app)


def test_tables_in_a_models_own_folder_are_its_own(results, with_model, open_page):
    content = json.loads(results.read_text())
    results.write_text(json.dumps(content | {"model_sha256": "0" * 64}))
    own = with_model / linkage.TABLES
    own.mkdir()
    (own / "properties.json").write_text(json.dumps(content))
    assert "casting r48 left out" in texts(sound(open_page("structure_property")))
    (own / "properties.json").unlink()
    app = sound(open_page("structure_property"))
    asked = [block.value for block in app.code]
    assert any(f"--out {own}" in said for said in asked), "not over the shipped model's figures"


def test_specimens_calibrated_on_are_shown_as_such(tiny_model, tmp_path, monkeypatch, open_page):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    monkeypatch.setattr(state, "ASSETS", folder.parent)
    save_latents(folder / UNSEEN, load_latents(folder / "latents"))
    path = folder / "properties.json"
    content = json.loads(path.read_text())
    for regressor in content["regressors"]:
        regressor["calibration"] |= {"method": "unseen", "data_name": "Other castings"}
    path.write_text(json.dumps(content))
    app = sound(open_page("structure_property"))
    assert app.selectbox(key="linkage_basis").value == "Calibrated on"
    assert "the width of the intervals comes from" in texts(app)
    assert "new to the model (Other castings)" in texts(app).replace("\\", "")


def test_models_of_the_first_versions_are_fitted_again_in_memory(
    tiny_model, tmp_path, monkeypatch, open_page
):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    monkeypatch.setattr(state, "ASSETS", folder.parent)
    path = folder / "properties.json"
    content = json.loads(path.read_text())
    for regressor in content["regressors"]:
        for name in ("calibration", "specimens", "labels", "left_out"):
            del regressor[name]
    path.write_text(json.dumps(content | {"version": 2}))
    before = path.read_bytes()
    assert metrics(sound(open_page("structure_property")))["Specimens"] == "16"
    assert path.read_bytes() == before


def test_csv_holds_every_property_with_units_and_bases() -> None:
    named = [
        type("Named", (), {"label": "Load", "unit": "N"}),
        type("Named", (), {"label": "=Hardness", "unit": "HV"}),
    ]
    found = [{"New": linkage.Basis("", tuple(POINTS))}, {"Old": linkage.Basis("", (POINTS[0],))}]
    rows = list(csv.reader(io.StringIO(linkage.as_csv(named, found, ("Mine", "measured")))))
    assert rows[0][-2:] == ["Model", "Model's data"]
    first = ["a", "Load (N)", "New", "100", "110", "90", "130", "Mine", "measured"]
    assert len(rows) == 4 and rows[1] == first
    assert rows[3][1] == "'=Hardness (HV)", "no formula"


def test_parity_shows_intervals_and_the_line_of_equality() -> None:
    figure = parity(POINTS, "Load (N)")
    line, points = figure.data
    assert list(line.x) == list(line.y) == [100.0, 200.0]
    assert list(points.error_y.array) == [20.0, 19.0]
    assert list(points.error_y.arrayminus) == [20.0, 19.0]
    assert "Load (N)" in figure.layout.xaxis.title.text
    without = parity([Point("a", 1.0, 2.0, None, None)], "Load (N)")
    assert without.data[1].error_y.array is None and without.data[1].name == "specimen"


def test_histogram_counts_all_patches_and_marks_measured_and_mean() -> None:
    values = list(np.linspace(90, 120, 31))
    figure = patch_histogram({"latents": values, "VGG19": [100.0]}, 130.0, "Load (N)")
    assert [len(trace.x) for trace in figure.data if trace.type == "histogram"] == [31, 1]
    assert [trace.name for trace in figure.data] == ["latents", "VGG19", "mean", "measured"]
    bins = figure.data[0].xbins
    assert bins.start == 90.0 and bins.end > 130.0 and bins.size > 0
    assert [line.x0 for line in figure.layout.shapes] == pytest.approx([105.0, 100.0, 130.0])
    same = patch_histogram({"latents": [5.0, 5.0]}, 5.0, "Load (N)")
    assert same.data[0].xbins.size > 0


def test_comparison_groups_regressors_by_features() -> None:
    figure = comparison({"latents": {"SVR": 4.0, "ridge": 5.0}, "VGG19": {"SVR": 3.0}})
    assert [list(bar.x) for bar in figure.data] == [[4.0, 5.0], [3.0]]
    assert "%" in figure.layout.xaxis.title.text and figure.layout.barmode == "group"


def test_damaged_points_are_an_error_of_ours(results, with_model) -> None:
    content = json.loads(results.read_text())
    content["points"] = {"uts_mpa": [{"specimen": "a"}]}
    results.write_text(json.dumps(content))
    model = state.models()[0]
    properties = PropertyModel.load(with_model / "properties.json")
    with pytest.raises(CheckpointError, match="damaged"):
        linkage.bases(model, properties, properties.regressors[0])
