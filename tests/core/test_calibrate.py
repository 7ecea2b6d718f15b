"""Claims about intervals calibrated on specimens that the model has not learned."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import calibrate as module
from core.calibrate import (
    UNSEEN,
    calibrate,
    describe,
    fit_calibrated,
    load_unseen,
    load_unseen_structure,
    main,
)
from core.columns import Column
from core.encode import LatentTable, load_latents, save_latents
from core.errors import CheckpointError, InputError, StorageError
from core.properties import PropertyModel, fit_properties
from core.seen import FILE as SEEN

LOAD = Column("load_n", "N", "Load", "property", "numeric")


def simulate(
    specimens: int, blur: float, seed: int, patches: int = 25, files: int = 1
) -> LatentTable:
    """Specimens whose load hangs on two latents; ``blur``: how wrongly the encoder reads them.

    An encoder that has learned a specimen's micrographs reads it without blur; leaving its label
    out does not bring the blur back.
    """
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(specimens, 4))
    load = (300 + 60 * np.tanh(z[:, 0]) + 20 * z[:, 1]) * (1 + 0.01 * rng.normal(size=specimens))
    names = np.array([f"{seed}s{i:03d}" for i in range(specimens)])
    owner = np.repeat(np.arange(specimens), files * patches)
    field = np.repeat(np.arange(specimens * files), patches)
    read = z + blur * rng.normal(size=z.shape)
    mu = read[owner] + 0.3 * rng.normal(size=(owner.size, 4))
    return LatentTable(
        mu=mu.astype(np.float32),
        logvar=np.zeros_like(mu, dtype=np.float32),
        specimen=names[owner],
        file=np.array([f"{seed}f{i}" for i in range(specimens * files)])[field],
        corner=np.zeros((owner.size, 2), np.int32),
        specimens=pd.DataFrame({"load_n": load}, index=names),
        columns=(LOAD,),
        data_name=f"castings {seed}",
        data_hash=f"d{seed}",
        model_hash="m",
        synthetic=True,
    )


def coverage(model: PropertyModel, table: LatentTable, count: int) -> float:
    """Return the share of a table's specimens whose interval, of so many patches, holds them."""
    inside = []
    for name, true in table.specimens["load_n"].items():
        rows = np.flatnonzero(table.specimen == name)[:count]
        found = model.predict(table.mu[rows].mean(axis=0), count)["load_n"]
        inside.append(found.low <= true <= found.high)
    return float(np.mean(inside))


@pytest.fixture(scope="module")
def fitted() -> PropertyModel:
    return fit_properties(simulate(60, 0.0, seed=1))


@pytest.fixture(scope="module")
def unseen() -> LatentTable:
    return simulate(200, 0.3, seed=2)


@pytest.mark.parametrize("count", [1, 4, 25])
def test_left_out_intervals_are_overconfident_and_unseen_ones_hold(
    fitted: PropertyModel, unseen: LatentTable, count: int
) -> None:
    fresh = simulate(400, 0.3, seed=3)
    before = coverage(fitted, fresh, count)
    after = coverage(calibrate(fitted, unseen), fresh, count)
    assert 0.85 <= after <= 0.95, after
    if count > 1:  # one patch scatters so much that blur hardly matters
        assert before < 0.8, before


def test_values_stay_and_widths_say_where_they_are_from(
    fitted: PropertyModel, unseen: LatentTable
) -> None:
    after = calibrate(fitted, unseen).regressors[0]
    before = fitted.regressors[0]
    assert before.calibration.method == "left_out" and before.calibration.specimens == 60
    assert (after.calibration.method, after.calibration.specimens) == ("unseen", 200)
    assert (after.calibration.data_name, after.calibration.data_hash) == ("castings 2", "d2")
    z = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_array_equal(after.values(z), before.values(z))
    assert [count for count, _ in after.half_widths] == [1, 4, 9, 16, 25]
    assert after.half_width == dict(after.half_widths)[25], "a micrograph has 25"
    assert "left out in turn" in describe(before) and "new to the model" in describe(after)


def test_all_micrographs_of_a_specimen_count_as_one(fitted: PropertyModel) -> None:
    twice = simulate(12, 0.3, seed=4, files=2)
    assert calibrate(fitted, twice).regressors[0].calibration.specimens == 12
    few = simulate(8, 0.3, seed=4, files=5)
    kept = calibrate(fitted, few).regressors[0]
    assert kept is fitted.regressors[0], "eight specimens are too few, however many micrographs"


def test_unlabelled_specimens_and_properties_do_not_count(
    fitted: PropertyModel, unseen: LatentTable
) -> None:
    frame = unseen.specimens.copy()
    frame.iloc[:150] = np.nan
    partly = calibrate(fitted, replace(unseen, specimens=frame)).regressors[0]
    assert partly.calibration.specimens == 50
    frame.iloc[:] = np.nan
    unlabelled = calibrate(fitted, replace(unseen, specimens=frame))
    assert unlabelled.regressors[0] is fitted.regressors[0]
    other = replace(unseen, specimens=frame.rename(columns={"load_n": "hardness_hv"}))
    assert calibrate(fitted, other).regressors[0] is fitted.regressors[0]


def test_small_micrographs_calibrate_small_counts_only(fitted: PropertyModel) -> None:
    small = calibrate(fitted, simulate(40, 0.3, seed=5, patches=4)).regressors[0]
    assert [count for count, _ in small.half_widths] == [1, 4]


def test_learned_specimens_and_another_models_latents_are_refused(
    fitted: PropertyModel, unseen: LatentTable
) -> None:
    with pytest.raises(InputError, match="fitted to these specimens"):
        calibrate(fitted, simulate(60, 0.0, seed=1))
    with pytest.raises(CheckpointError, match="another model's latents"):
        calibrate(fitted, replace(unseen, model_hash="other"))


def test_fitting_anew_calibrates_again_but_never_on_its_own_data(unseen: LatentTable) -> None:
    table = simulate(60, 0.0, seed=1)
    assert fit_calibrated(table, unseen).regressors[0].calibration.method == "unseen"
    assert fit_calibrated(table, None).regressors[0].calibration.method == "left_out"
    assert fit_calibrated(unseen, unseen).regressors[0].calibration.method == "left_out"


def test_file_keeps_the_calibration_and_old_files_are_left_out(
    fitted: PropertyModel, unseen: LatentTable, tmp_path: Path
) -> None:
    path = tmp_path / "properties.json"
    calibrated = calibrate(fitted, unseen)
    calibrated.save(path)
    assert PropertyModel.load(path).regressors[0].calibration == (
        calibrated.regressors[0].calibration
    )
    content = json.loads(path.read_text())
    content["regressors"][0]["calibration"]["method"] = "guessed"
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="damaged"):
        PropertyModel.load(path)
    for name in ("calibration", "specimens", "labels", "left_out"):
        del content["regressors"][0][name]
    path.write_text(json.dumps(content | {"version": 2}))
    assert PropertyModel.load(path).regressors[0].calibration.method == "left_out"


def test_latents_of_another_model_are_left_aside(
    unseen: LatentTable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_unseen(tmp_path) is None and not caplog.records
    save_latents(tmp_path / UNSEEN, unseen)
    (tmp_path / "manifest.json").write_text('{"weights_sha256": "m"}')
    found = load_unseen(tmp_path)
    assert found is not None and found.data_name == "castings 2"
    (tmp_path / "manifest.json").write_text('{"weights_sha256": "new"}')
    assert load_unseen(tmp_path) is None
    assert "run core.calibrate again" in caplog.text


def test_command_line_reads_micrographs_and_refuses_learned_ones(
    tiny_model: Path,
    tiny_castings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    before = (folder / "properties.json").read_bytes()
    with pytest.raises(SystemExit) as left:
        main(["--model", str(folder), "--data", str(tiny_castings.root)])
    assert left.value.code == 2 and "has learned these specimens" in capsys.readouterr().err
    assert (folder / "properties.json").read_bytes() == before and not (folder / UNSEEN).exists()

    other = tmp_path / "other"
    shutil.copytree(tiny_castings.root, other)
    with (other / "manifest.csv").open("a") as manifest:
        manifest.write("\n")
    main(["--model", str(folder), "--data", str(other)])
    table = load_latents(folder / UNSEEN)
    assert len(table.mu) == 16, "160 px have room for one patch"
    calibrations = [
        r.calibration for r in PropertyModel.load(folder / "properties.json").regressors
    ]
    assert {(c.method, c.specimens, c.data_hash) for c in calibrations} == {
        ("unseen", 16, table.data_hash)
    }

    (folder / UNSEEN / SEEN).write_text("of other specimens")

    def full(*_: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(module, "save_seen", full)
    with pytest.raises(SystemExit):
        main(["--model", str(folder), "--data", str(other)])
    assert load_unseen_structure(folder, load_unseen(folder)) == {}, "none, not another's"
