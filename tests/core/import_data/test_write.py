"""A data set is written whole or not at all, and holds what the user gave."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.dataset import load_dataset
from core.errors import InputError
from core.images import read_image
from core.import_data.__main__ import main
from core.import_data.examine import Crop
from core.import_data.findings import error
from core.import_data.preflight import preflight
from core.import_data.write import write_dataset
from tests.core.import_data.pictures import png, source, zipped
from tests.core.import_data.test_preflight import HEADER, PICTURES, N, barred, plan_of, rows


def folders(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


def test_what_is_written_is_what_was_planned(tmp_path: Path):
    plan = plan_of(crops={"p1.png": Crop(bottom=20)}, name="Güsse, 1", synthetic=True)
    done = []
    data = write_dataset(plan, preflight(plan), tmp_path, "mine", {"table": "t.csv"}, done.append)
    assert (data.name, data.synthetic, data.columns) == ("Güsse, 1", True, plan.columns)
    assert data.table["file"].tolist() == [f"images/p{i}.png" for i in range(N)]
    assert data.table["original_file"].tolist() == [f"p{i}.png" for i in range(N)]
    assert data.table["uts_mpa"].tolist() == [400.0 + i for i in range(N)]
    assert (tmp_path / "mine" / "images" / "p0.png").read_bytes() == PICTURES[0]
    whole = read_image(PICTURES[1]).pixels
    np.testing.assert_array_equal(data.read(1).pixels, whole[:-20])
    assert (data.read(1).um_per_px, done) == (1.0, list(range(1, N + 1)))
    record = json.loads((tmp_path / "mine" / "import.json").read_text())
    assert record["table"] == "t.csv"
    assert record["crops"] == {"p1.png": {"top": 0, "bottom": 20}}
    assert folders(tmp_path) == ["mine"]


def test_unknown_values_and_scales_stay_unknown(tmp_path: Path):
    lines = [f"p{i}.png,S{i},{'' if i == 0 else i / 7},{400 + i}" for i in range(N)]
    plan = plan_of(lines, {"p3.png": png(3, 256)})
    data = write_dataset(plan, preflight(plan), tmp_path, "mine")
    assert np.isnan(data.table["mg_wt"].iloc[0]) and data.table["mg_wt"].iloc[1] == 1 / 7
    assert np.isnan(data.table["um_per_px"].iloc[3])


def test_names_that_would_collide_or_lead_away_are_made_plain(tmp_path: Path):
    plan = plan_of()
    names = ["../../a b.png", "x/ä.png", "y/../ä.png", *(f"p{i}.png" for i in range(3, N))]
    files = tuple(source(n, f.load()) for n, f in zip(names, plan.files, strict=True))
    data = write_dataset(replace(plan, files=files), (), tmp_path, "mine")
    assert data.table["file"].tolist()[:3] == [
        "images/a_b.png",
        "images/x_a.png",
        "images/a.png",
    ]
    assert folders(tmp_path) == ["mine"]


def test_with_an_error_nothing_is_written(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be made: few: too few"):
        write_dataset(plan_of(), (error("few", "too few"),), tmp_path, "mine")
    assert folders(tmp_path) == []


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden"])
def test_a_folder_s_name_cannot_lead_away(name, tmp_path: Path):
    with pytest.raises(InputError, match="cannot be used"):
        write_dataset(plan_of(), (), tmp_path / "data", name)
    assert folders(tmp_path) == []


def test_a_failure_half_way_leaves_nothing(tmp_path: Path):
    plan = plan_of()

    def gone() -> bytes:
        raise InputError("it has gone")

    broken = replace(plan.files[5], load=gone)
    plan = replace(plan, files=(*plan.files[:5], broken, *plan.files[6:]))
    with pytest.raises(InputError, match="it has gone"):
        write_dataset(plan, (), tmp_path, "mine")
    assert folders(tmp_path) == []


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path):
    plan = plan_of()
    write_dataset(plan, (), tmp_path, "mine")
    before = (tmp_path / "mine" / "manifest.csv").read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_dataset(plan, (), tmp_path, "mine")
    assert (tmp_path / "mine" / "manifest.csv").read_bytes() == before


def test_a_slower_session_does_not_overwrite_a_faster_one(tmp_path: Path):
    plan = plan_of()

    def overtaken(done: int) -> None:
        if done == N:
            write_dataset(plan, (), tmp_path, "mine")

    with pytest.raises(InputError, match="is there already"):
        write_dataset(plan, (), tmp_path, "mine", told=overtaken)
    assert folders(tmp_path) == ["mine"]


def user_folder(tmp_path: Path, lines: list[str] | None = None) -> Path:
    """A zip of pictures with their table, as a user would send it."""
    files = {f"run/p{i}.png": data for i, data in enumerate(PICTURES)}
    table = "\n".join([HEADER, *(lines or rows())]).encode()
    path = tmp_path / "user.zip"
    path.write_bytes(zipped({**files, "run/table.csv": table}))
    return path


def test_the_command_line_imports_a_zip_with_its_table(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    out = tmp_path / "out"
    arguments = ["--images", str(user_folder(tmp_path)), "--name", "My set", "--out", str(out)]
    assert main(arguments) == 0
    assert "column uts_mpa: property, MPa" in caplog.text
    assert folders(out) == ["My_set"]
    assert main(arguments) == 2 and "is there already" in caplog.text


def test_the_command_line_declares_crops_and_only_checks(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    common = ["--images", str(user_folder(tmp_path)), "--out", str(tmp_path / "out")]
    assert main([*common, "--name", "x", "--check-only", "--property", "mg_wt:%:Mg"]) == 0
    assert not (tmp_path / "out").exists()
    assert main(
        [*common, "--name", "x", "--property", "mg_wt:%:Mg", "--crop-bottom", "30"]
    ) == 0  # fmt: skip
    record = json.loads((tmp_path / "out" / "x" / "dataset.json").read_text())
    assert record["columns"] == [
        {"name": "mg_wt", "unit": "%", "label": "Mg", "role": "property", "kind": "numeric"}
    ]
    assert read_image(tmp_path / "out" / "x" / "images" / "run_p0.png").pixels.shape[0] == 226


def test_the_command_line_cuts_off_bars_that_it_finds(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    files = {f"p{i}.png": barred(i) if i < 3 else data for i, data in enumerate(PICTURES)}
    path = tmp_path / "user.zip"
    path.write_bytes(zipped({**files, "t.csv": "\n".join([HEADER, *rows()]).encode()}))
    common = ["--images", str(path), "--name", "x", "--out", str(tmp_path / "out")]
    assert main([*common, "--check-only", "--keep-bars"]) == 0
    assert "3 pictures with an information" in caplog.text
    assert main(common) == 0
    assert read_image(tmp_path / "out" / "x" / "images" / "p0.png").pixels.shape == (256, 256)
    record = json.loads((tmp_path / "out" / "x" / "import.json").read_text())
    assert record["crops"] == {f"p{i}.png": {"top": 0, "bottom": 30} for i in range(3)}


def test_the_command_line_takes_scales_picture_by_picture(tmp_path: Path, caplog):
    out = tmp_path / "out"
    common = ["--images", str(user_folder(tmp_path)), "--name", "x", "--out", str(out)]
    for wrong, why in (("p.png=1", "no picture 'p.png'"), ("run/p0.png=x", "'x' is no number"),
                       ("run/p0.png=0", "must be above 0")):  # fmt: skip
        assert main([*common, "--scale", wrong]) == 2 and why in caplog.text
    given = ["--um-per-px", "0.5", "--scale", "run/p0.png=0.25", "--scale", "run/p1.png=2"]
    assert main([*common, *given]) == 0
    assert load_dataset(out / "x").table["um_per_px"].tolist() == [0.25, 2.0, *[0.5] * 10]


def test_the_command_line_crops_single_pictures(tmp_path: Path, caplog):
    out = tmp_path / "out"
    common = ["--images", str(user_folder(tmp_path)), "--name", "x", "--out", str(out)]
    for wrong, why in (("p.png=1,2", "no picture 'p.png'"), ("run/p0.png=1", "no pair of whole"),
                       ("run/p0.png=1,-2", "no pair of whole")):  # fmt: skip
        assert main([*common, "--crop", wrong]) == 2 and why in caplog.text
    assert main([*common, "--crop", "run/p0.png=2,10"]) == 0
    data = load_dataset(out / "x")
    heights = [read_image(data.root / name).pixels.shape[0] for name in data.table["file"]]
    assert heights[0] == heights[1] - 12 and len(set(heights[1:])) == 1


def test_the_command_line_leaves_failing_pictures_out_when_told(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    lines = rows()
    lines[0] = "p0.png,,1,400"
    path = user_folder(tmp_path, lines)
    common = ["--images", str(path), "--name", "x", "--out", str(tmp_path / "out")]
    assert main(common) == 1 and "no specimen: 1 picture" in caplog.text
    assert not (tmp_path / "out").exists()
    assert main([*common, "--leave-out-failing"]) == 0
    assert "11 pictures of 11 specimens" in caplog.text


def test_a_table_that_fits_nothing_is_not_ignored(tmp_path: Path, caplog):
    table = tmp_path / "other.csv"
    table.write_text("x\n1\n")
    common = ["--images", str(user_folder(tmp_path)), "--table", str(table), "--name", "x"]
    assert main([*common, "--out", str(tmp_path / "out")]) == 2
    assert "no column of other.csv fits" in caplog.text
