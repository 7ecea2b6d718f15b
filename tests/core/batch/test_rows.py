"""A row for each file: bad ones with their reason, good ones with predictions and descriptors."""

import csv
import io
import json
import logging
import shutil

import numpy as np
import pytest
from PIL import Image

from core.batch.rows import Evaluator, evaluate_all, evaluate_source, thumbnail
from core.batch.sources import Source
from core.batch.table import DESCRIPTORS, batch_csv, batch_latents_csv
from core.descriptors import describe
from core.evaluate_batch import main
from core.images import encode_png, read_image
from core.logs import JsonLines
from core.properties import PropertyModel
from tests.core.info_bars import with_bar

ORIGIN = ("Mine", "synthetic")


@pytest.fixture(autouse=True)
def few_patches(monkeypatch):
    monkeypatch.setattr("core.evaluate.READ_PATCHES", 1)


@pytest.fixture(scope="module")
def properties(tiny_model) -> PropertyModel:
    return PropertyModel.load(tiny_model / "properties.json")


@pytest.fixture
def evaluator(loaded, properties, reference) -> Evaluator:
    return Evaluator(loaded=loaded, properties=properties, reference=reference)


@pytest.fixture(scope="module")
def casting(tiny_castings) -> np.ndarray:
    return tiny_castings.read(0).pixels


def source(name: str, data: bytes) -> Source:
    return Source(name, lambda: data)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_batch_has_a_row_for_each_file_and_bad_ones_say_why(evaluator, casting):
    files = [
        source("=bad.png", b"not an image"),
        source("small.png", encode_png(casting[:40, :40])),
        source("good.png", encode_png(casting, 1.0)),
    ]
    bad, small, good = evaluate_all(evaluator, files)
    assert "=bad.png" in bad.problem and bad.predictions is None
    assert "at least 128 x 128" in small.problem
    assert good.problem is None and good.size_px == casting.shape and good.um_per_px == 1.0
    assert set(good.predictions) == {"uts_mpa", "ys_mpa"}
    assert good.mean_latent.shape == (8,)
    table = rows_of(batch_csv([bad, small, good], evaluator.properties.regressors, ORIGIN))
    assert [r["Image"] for r in table] == ["'=bad.png", "small.png", "good.png"]
    assert table[0]["Unusual"] == "" and table[2]["Unusual"] in ("yes", "no")
    assert table[2]["Problem"] == ""
    value = good.predictions["uts_mpa"].value
    assert float(table[2]["Ultimate tensile strength (MPa)"]) == pytest.approx(value, rel=1e-5)
    count = describe(read_image(encode_png(casting), "a").pixels, 1.0).n_particles
    assert table[2]["Particles, all"] == str(count)
    assert batch_latents_csv([bad, good]).splitlines()[1].startswith("good.png,")


def test_without_a_scale_there_are_no_descriptors_and_it_is_said(evaluator, casting):
    row = evaluate_source(evaluator, source("a.png", encode_png(casting)))
    assert row.problem is None and row.descriptors == ()
    assert "descriptors need a scale" in row.remarks
    table = rows_of(batch_csv([row], evaluator.properties.regressors, ORIGIN))
    assert {table[0][name] for name in DESCRIPTORS} == {""}


def test_any_material_is_measured_where_that_is_asked(loaded, properties, reference, casting):
    given = Evaluator(loaded=loaded, properties=properties, reference=reference, measured="phases")
    known = evaluate_source(given, source("a.png", encode_png(casting, 1.0)))
    bare = evaluate_source(given, source("b.png", encode_png(casting)))
    table = rows_of(batch_csv([known, bare], properties.regressors, ORIGIN))
    assert float(table[0]["Texture length (µm)"]) > 0 and table[0]["Anisotropy"]
    assert (
        table[1]["Anisotropy"] == table[0]["Anisotropy"] and table[1]["Texture length (µm)"] == ""
    )
    assert "Texture length: needs a scale" in table[1]["Remarks"]
    assert table[0]["Particles, all"] == ""


def test_an_information_bar_is_left_out_as_on_the_page(loaded, properties, reference, casting):
    both = {"loaded": loaded, "properties": properties, "reference": reference}
    pixels = with_bar(casting, 40)
    row = evaluate_source(Evaluator(**both), source("sem.png", encode_png(pixels, 1.0)))
    bare = evaluate_source(Evaluator(**both), source("bare.png", encode_png(casting, 1.0)))
    assert row.size_px == casting.shape
    assert any("40 rows at the bottom left out" in remark for remark in row.remarks)
    assert row.predictions == bare.predictions and row.distance == bare.distance
    assert row.descriptors == bare.descriptors


def test_the_scale_given_goes_before_the_files(loaded, properties, reference, casting):
    given = Evaluator(
        loaded=loaded,
        properties=properties,
        reference=reference,
        um_per_px=1.1,
        measured=None,
    )
    row = evaluate_source(given, source("a.png", encode_png(casting, 1.0)))
    assert row.um_per_px == 1.1 and row.descriptors == ()


def test_a_model_without_properties_still_tells_unusual_from_usual(loaded, reference, casting):
    bare = Evaluator(loaded=loaded, properties=None, reference=reference, measured=None)
    row = evaluate_source(bare, source("a.png", encode_png(casting, 1.0)))
    assert row.predictions == {} and row.unusual in (True, False)


def test_without_a_reference_a_row_has_everything_but_the_verdict(loaded, properties, casting):
    given = Evaluator(loaded=loaded, properties=properties, reference=None, measured=None)
    row = evaluate_source(given, source("a.png", encode_png(casting, 1.0)))
    assert row.problem is None and row.predictions
    assert row.unusual is None and row.distance is None
    (cells,) = rows_of(batch_csv([row], properties.regressors, ORIGIN))
    assert cells["Unusual"] == "" and cells["Distance (1 = limit)"] == ""


def test_the_command_works_without_a_reference_and_says_that_nothing_is_judged(
    tiny_model, casting, tmp_path, caplog
):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "reference.json").unlink()
    (tmp_path / "good.png").write_bytes(encode_png(casting, 1.0))
    caplog.set_level(logging.INFO)
    options = ["--model", str(folder), "--out", str(tmp_path / "out.csv"), "--measure", "nothing"]
    assert main([str(tmp_path / "good.png"), *options]) == 0
    assert "none is judged" in caplog.text and "good.png: not judged" in caplog.text
    (folder / "reference.json").write_text("{")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "good.png"), *options])


def test_a_defect_costs_one_row_and_is_logged(evaluator, caplog):
    def broken() -> bytes:
        raise RuntimeError("secret detail")

    row = evaluate_source(evaluator, Source("a.png", broken))
    number = row.problem.rsplit(" ", 1)[-1]
    assert "secret" not in row.problem and number in caplog.text


@pytest.mark.parametrize("shape", [(64, 64), (300, 1000), (1000, 300), (40, 2000)])
def test_thumbnails_are_small_and_keep_the_grey(shape):
    data = thumbnail(np.full(shape, 0.5, np.float32), 1.0)
    with Image.open(io.BytesIO(data)) as image:
        assert max(image.size[0], 0) <= 128 and image.size[1] <= 128 + 30
        assert abs(np.asarray(image)[0, 0] - 128) <= 2
    assert len(data) < 10_000


def test_the_command_writes_the_table_and_goes_on_after_a_bad_file(
    tiny_model, casting, tmp_path, capsys
):
    (tmp_path / "good.png").write_bytes(encode_png(casting, 1.0))
    (tmp_path / "bad.png").write_bytes(b"no")
    out, latents = tmp_path / "out.csv", tmp_path / "latents.csv"
    files = [str(tmp_path / name) for name in ("good.png", "bad.png")]
    options = ["--model", str(tiny_model), "--out", str(out), "--latents", str(latents)]
    assert main([*files, *options, "--measure", "nothing"]) == 0
    table = rows_of(out.read_text("utf-8-sig"))
    assert [bool(r["Problem"]) for r in table] == [False, True]
    weights = json.loads((tiny_model / "manifest.json").read_text())["weights_sha256"]
    assert all(r["Model"].endswith(f" {weights[:12]}") for r in table)
    assert {r["Model's data"] for r in table} == {"synthetic"}
    assert len(latents.read_text("utf-8-sig").splitlines()) == 2
    assert main([files[1], *options]) == 1
    with pytest.raises(SystemExit) as ended:
        main([*files, *options, "--um-per-px", "-1"])
    assert ended.value.code == 2 and "a scale is above 0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*files, "--model", str(tmp_path / "none"), "--out", str(out)])


def test_thumbnails_read_back_as_the_micrograph(casting):
    small = read_image(thumbnail(casting, None), "t.jpg").pixels
    assert small.shape == (128, 128)
    assert small.mean() == pytest.approx(casting.mean(), abs=0.02)


def test_a_defect_is_in_the_log_under_the_number_that_its_row_shows(evaluator, monkeypatch):
    def defect(data, name):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("core.batch.rows.read_image", defect)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("core.batch.rows")
    logger.addHandler(handler)
    try:
        row = evaluate_source(evaluator, source("secret name.png", b"x"))
    finally:
        logger.removeHandler(handler)
    told = json.loads(stream.getvalue())
    assert told["event"] == "error" and row.problem.endswith(f"in the log as {told['id']}")
    assert "ZeroDivisionError" in stream.getvalue() and "secret" not in stream.getvalue()
