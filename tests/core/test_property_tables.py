"""Claims about Tables 2 and 3: features of one pass, rows that name their split, the texts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core.checkpoint import LoadedModel
from core.encode import LatentTable, load_latents
from core.errors import CheckpointError, InputError
from core.properties import PropertyModel
from core.property_features import (
    BOTH,
    FLAT,
    LABELS,
    POOLED,
    REPRESENTATIONS,
    VAE,
    VAE_OWN,
    Features,
    Represent,
    field_features,
    labels,
    learned_features,
    patch_features,
    read_patches,
)
from core.property_points import left_out_points, measured_points, points_figures, unseen_points
from core.property_splits import LEFT_OUT, RANDOM, RECOGNITION
from core.property_tables import _own_rows, main
from core.property_text import (
    COLUMNS,
    PAPER_NOTE,
    RECOGNISED,
    RECOGNISED_NOTE,
    find,
    summary_text,
    tables_text,
)
from core.summaries import specimen_means
from core.synthesis import encode_patches
from tests.core.textures import texture
from tests.tiny import make_castings

REGRESSORS = {"linear": "linear regression", "svr_rbf": "SVR-RBF"}


@pytest.fixture(scope="module")
def table(tiny_model: Path) -> LatentTable:
    return load_latents(tiny_model / "latents")


@pytest.fixture(scope="module")
def measured(tiny_model: Path, tiny_castings, tmp_path_factory) -> dict:
    """The tables of the tiny model, by the command, with the two regressors of the paper."""
    folder = tmp_path_factory.mktemp("tables")
    fresh = make_castings(folder / "fresh", 5)
    with pytest.MonkeyPatch.context() as patch:
        for place in ("core.property_rows", "core.property_text"):
            patch.setattr(f"{place}.CANDIDATES", REGRESSORS)
        patch.setattr("core.property_rows.FIGURE_7", "t03")
        patch.setattr("core.property_tables.FIGURE_7", "t03")
        patch.setattr("core.candidates.WIDTHS", (0.3,))  # what is chosen is claimed elsewhere
        patch.setattr("core.candidates.PENALTIES", (100.0,))
        patch.setattr("core.property_rows.RECOGNISABLE", 4)  # there are as many of each
        patch.setattr("core.property_tables.PAPER_STRIDE", 32)
        given = {"model": tiny_model, "data": tiny_castings.root, "fresh": fresh.root}
        given |= {"paper": fresh.root, "castings": "4", "out": folder}
        main([word for name, value in given.items() for word in (f"--{name}", str(value))])
    return json.loads((folder / "properties.json").read_text())


def test_one_pass_gives_the_encoders_latents_and_pool5(loaded: LoadedModel) -> None:
    patches = np.stack([texture(128, 128, grain) for grain in (1.0, 3.0)])
    found = read_patches(loaded, "a", patches)
    mu, pool5 = found.mu, found.pool5
    np.testing.assert_allclose(mu, encode_patches(loaded, patches)[0], rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        expected = loaded.vgg(torch.from_numpy(patches)[:, None])["pool5"].flatten(1).numpy()
    np.testing.assert_array_equal(pool5, expected)
    assert list(found.specimen) == ["a", "a"]
    np.testing.assert_allclose(found.pooled(), expected.reshape(2, 512, 16).mean(2), rtol=1e-5)


def test_learned_features_are_the_stored_latents_patch_by_patch(
    loaded: LoadedModel, tiny_castings, table: LatentTable
) -> None:
    found = learned_features(loaded, tiny_castings, table, each=1)
    assert len(found.specimen) == len(tiny_castings)
    mu = read_patches(
        loaded, "t00", np.stack([tiny_castings.read(0).pixels[y : y + 128, x : x + 128]
                          for y, x in table.corner[table.file == table.file[0]]])
    ).mu  # fmt: skip
    gap = np.abs(mu - found.mu[0]).max(axis=1).min()
    assert gap < 1e-3, f"the first row is none of the first micrograph's patches, off by {gap}"
    with pytest.raises(InputError, match="not of this data and model"):
        learned_features(loaded, make_other(tiny_castings), table, each=1)


def make_other(data):
    """The data set with another hash."""
    other = type(data)(data.root, data.name, True, data.columns, data.table, "0" * 64)
    return other


def test_a_micrograph_is_read_as_an_upload_and_labels_follow(
    loaded: LoadedModel, tiny_castings
) -> None:
    names = np.array(["t01", "t00"])
    found, counts = field_features(loaded, tiny_castings, names)
    assert counts == [1, 1] and found.mu.shape == (2, 8) and found.pool5.shape == (2, 8192)
    truth = labels(tiny_castings, "uts_mpa", names)
    np.testing.assert_array_equal(truth, tiny_castings.specimens.loc[names, "uts_mpa"])
    assert np.isnan(labels(tiny_castings, "hardness_hv", names)).all()
    patches = patch_features(loaded, tiny_castings, ["t00", "t01"], 32, window_px=140)
    assert list(patches.specimen) == ["t00", "t01"], "140 px have room for one patch"
    assert len(patch_features(loaded, tiny_castings, ["t00"], 32).mu) == 4


def test_plain_features_are_standardised_and_projected_without_labels() -> None:
    rng = np.random.default_rng(0)
    pool5 = (rng.random((30, 512 * 4)) * np.linspace(1, 100, 512 * 4)).astype(np.float32)
    style = rng.random((30, 40)).astype(np.float32)
    learned = Features(np.array(["s"] * 30), rng.random((30, 3)), pool5, style)
    represent = Represent.fitted(learned)
    found = represent(learned)
    assert set(found) == set(REPRESENTATIONS)
    assert found[VAE] is learned.mu and found[FLAT].shape == found[POOLED].shape == (30, 30)
    scaled = Features(learned.specimen, learned.mu, pool5 * 7, style)
    np.testing.assert_allclose(
        np.abs(Represent.fitted(scaled)(scaled)[FLAT]), np.abs(found[FLAT]), rtol=1e-2, atol=1e-2
    )
    still = np.hstack([learned.mu, 1e-3 * rng.random((30, 2))])  # latents that say nothing
    collapsed = Features(learned.specimen, still, pool5, style)
    np.testing.assert_array_equal(Represent.fitted(collapsed)(collapsed)[BOTH], found[BOTH])
    means, names = specimen_means(np.array([[1.0], [2.0], [6.0]]), np.array(["b", "a", "b"]))
    np.testing.assert_array_equal(means, [[2.0], [3.5]])
    assert list(names) == ["a", "b"]


def test_every_row_names_split_data_features_and_regressor(measured: dict) -> None:
    rows = measured["rows"]
    wanted = {
        (*key, representation, regressor, column)
        for key in COLUMNS
        for representation in REPRESENTATIONS
        for regressor in REGRESSORS
        for column in ("uts_mpa", "ys_mpa")
    } | {
        ("paper", RANDOM, "patches", representation, RECOGNITION, column)
        for representation in REPRESENTATIONS
        for column in ("uts_mpa", "ys_mpa")
    }
    keys = ("data", "split", "rows", "representation", "regressor", "property")
    assert {tuple(row[key] for key in keys) for row in rows} == wanted and len(rows) == len(wanted)
    assert find(rows, data="fresh", property="uts_mpa")["n"] == 4
    assert find(rows, data="learned", split=LEFT_OUT)["n"] == 16
    assert measured["vae"]["sha256"] == measured["model_sha256"]
    assert measured["learned"]["specimens"] == 16 and measured["paper"]["specimens"] == 5


def test_shipped_predictions_and_figure_7_are_kept(measured: dict, tiny_model: Path) -> None:
    model = PropertyModel.load(tiny_model / "properties.json")
    assert [row["property"] for row in measured["as_shipped"]] == ["uts_mpa", "ys_mpa"]
    points = measured_points(measured, "uts_mpa")
    assert [p.specimen for p in points] == ["t00", "t01", "t02", "t03"]
    assert points_figures(points)["mape"] == pytest.approx(measured["as_shipped"][0]["mape"])
    half = (points[0].high - points[0].low) / 2
    assert half == pytest.approx(model.regressors[0].interval(1) * abs(points[0].predicted))
    found = measured["left_out_casting"]
    assert {(f["representation"], f["property"]) for f in found} == {
        (r, c) for r in REPRESENTATIONS for c in ("uts_mpa", "ys_mpa")
    }
    for entry in found:
        assert entry["specimen"] == "t03" and len(entry["predictions"]) == 1
        error = 100 * abs(entry["mean"] / entry["true"] - 1)
        assert entry["error"] == pytest.approx(error)


def test_texts_show_both_tables_beside_the_papers(measured: dict) -> None:
    text = tables_text(measured)
    for said in (
        "Table 2.",
        "Table 3.",
        "leaking",
        "of a specimen left out",
        PAPER_NOTE,
        RECOGNISED,
        RECOGNISED_NOTE,
    ):
        assert said in text, said
    for figure in ("R2 0.97, MAPE 10 %", "8.02 %", "18.22 %"):  # the paper's
        assert figure in text, figure
    row = find(measured["rows"], data="fresh", representation=FLAT, regressor="svr_rbf")
    assert f"MAPE {row['mape']:.1f} %, median {row['median_error']:.1f} %" in text
    short = summary_text(measured)
    figures = f"{row['median_error']:.1f}, {row['mape']:.1f} ({row['r2']:.2f})"
    assert figures in short and "leaking" in short
    for label in (LABELS[VAE], LABELS[FLAT]):  # whichever wins
        assert short.count(label) > len(measured["properties"]), label
    assert measured["vae"]["sha256"][:8] in short and measured["command"] in short


def test_a_vae_that_has_learned_the_papers_castings_gets_rows_of_its_own(
    loaded: LoadedModel, tiny_castings, measured: dict, monkeypatch
) -> None:
    for name, wanted in ((VAE, "vae"), (FLAT, None)):
        row = find(measured["rows"], representation=name)
        assert row["vae"] == (measured[wanted] if wanted else None)
    monkeypatch.setattr("core.property_rows.CANDIDATES", {"linear": "linear regression"})
    rows, histograms = _own_rows(loaded, tiny_castings, 0)
    assert {row["representation"] for row in rows} == {VAE_OWN} and not histograms
    assert {row["split"] for row in rows} == {RANDOM, LEFT_OUT}
    vae = {"trained_on": "Paper castings", "sha256": "f" * 64}
    content = measured | {"rows": [*measured["rows"], *rows], "paper_vae": vae}
    for text in (tables_text(content), summary_text(content)):
        assert "Paper castings" in text
    assert LABELS[VAE_OWN] in tables_text(content)


def test_left_out_and_unseen_points_carry_intervals(tiny_model: Path, table: LatentTable) -> None:
    model = PropertyModel.load(tiny_model / "properties.json")
    regressor = model.regressors[0]
    points = left_out_points(regressor)
    assert len(points) == 16 and points_figures(points)["mape"] == pytest.approx(
        100 * (regressor.mape or 0)
    )
    assert all(p.low < p.predicted < p.high for p in points)
    unseen = unseen_points(model, regressor, table)
    assert [p.specimen for p in unseen] == [str(n) for n in table.specimens.index]
    own = table.mu[table.specimen == unseen[0].specimen].astype(float)
    expected = model.predict(own.mean(axis=0), len(own))[regressor.column]
    assert (unseen[0].predicted, unseen[0].low) == (expected.value, expected.low)


def test_damaged_points_are_refused() -> None:
    for damaged in ({}, {"points": []}, {"points": {"uts_mpa": [{"specimen": "a"}]}}):
        with pytest.raises(CheckpointError, match="damaged"):
            measured_points(damaged, "uts_mpa")


def test_command_line_refuses_learned_specimens_and_foreign_data(
    tiny_model: Path, tiny_castings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(tiny_castings.root)
    given = ["--model", str(tiny_model), "--data", root, "--fresh", root, "--out", str(tmp_path)]
    for arguments, message in (
        (given, "data that the model was trained on"),
        ([*given, "--castings", "1"], "two or more are needed"),
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2 and message in capsys.readouterr().err
    made = make_castings(tmp_path / "made", 2)
    foreign = [*given[:5], str(made.root), "--paper", str(made.root), *given[6:]]
    with pytest.raises(SystemExit):
        main([*foreign, "--paper-model", str(tiny_model)])
    assert "not on the castings of --paper" in capsys.readouterr().err
    other = tmp_path / "other"
    shutil.copytree(root, other)
    with (other / "manifest.csv").open("a") as manifest:
        manifest.write("\n")
    given[3], given[5] = str(other), str(made.root)
    with pytest.raises(SystemExit):
        main(given)
    assert "not of this data and model" in capsys.readouterr().err
    assert not (tmp_path / "properties.json").exists()
