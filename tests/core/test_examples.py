"""Examples of any data set: different specimens, read back with the settings that are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.columns import Column
from core.dataset import DataSet, load_dataset, write_manifest
from core.errors import CheckpointError, InputError
from core.examples import load_examples, main, save_examples, spread_looks
from core.images import encode_png
from tests.core.textures import texture

TEMPERATURE = Column("temp_c", "°C", "Temperature", "process", "numeric")
HARDNESS = Column("hardness_hv", "HV", "Hardness", "property", "numeric")


def data_set(folder: Path, temperatures: list[float], columns: tuple[Column, ...]) -> DataSet:
    rows = []
    for place, temperature in enumerate(temperatures):
        file = f"p{place}.png"
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(encode_png(texture(40, 60, 2.0, place), 0.5))
        row = {"file": file, "specimen": f"S{place}", "temp_c": temperature, "hardness_hv": 200.0}
        rows.append(row)
    write_manifest(folder, pd.DataFrame(rows), columns, "x", False)
    return load_dataset(folder)


def test_the_middle_comes_first_and_then_what_is_farthest(tmp_path: Path):
    data = data_set(tmp_path / "d", [0, 1, 5, 9, 10], (TEMPERATURE,))
    assert list(spread_looks(data, 3)) == ["S2", "S0", "S4"]
    assert len(spread_looks(data, 9)) == 5


def test_without_settings_in_numbers_specimens_are_taken_evenly(tmp_path: Path):
    data = data_set(tmp_path / "d", [1] * 9, (HARDNESS,))
    assert list(spread_looks(data, 3)) == ["S0", "S4", "S8"]


def test_examples_are_read_back_with_scale_and_known_settings(tmp_path: Path):
    data = data_set(tmp_path / "d", [700, np.nan, 900], (TEMPERATURE, HARDNESS))
    arguments = ["--model", str(tmp_path / "m"), "--data", str(data.root)]
    main([*arguments, "--spread"])
    found = {example.specimen: example for example in load_examples(tmp_path / "m")}
    assert {name: example.settings for name, example in found.items()} == {
        "S0": {"temp_c": 700.0},
        "S1": {},
        "S2": {"temp_c": 900.0},
    }
    assert found["S0"].micrograph.um_per_px == pytest.approx(0.5)
    np.testing.assert_array_equal(found["S2"].micrograph.pixels, data.read(2).pixels)


def test_the_castings_looks_need_the_castings_columns(tmp_path: Path, capsys):
    data = data_set(tmp_path / "d", [1, 2], (TEMPERATURE,))
    with pytest.raises(InputError, match="no process column 'mg_wt'"):
        save_examples(tmp_path / "m", data)
    with pytest.raises(SystemExit):
        main(["--model", str(tmp_path / "m"), "--data", str(data.root)])
    assert "--spread" in capsys.readouterr().err
    assert load_examples(tmp_path / "m") == ()


def test_of_those_that_fit_a_look_the_first_usual_one_is_shown(tmp_path: Path, caplog):
    """Distances by the mean grey of the picture: only S1 is usual."""
    data = data_set(tmp_path / "d", [0, 4, 9], (TEMPERATURE,))
    usual = data.read(1).pixels

    def distance(micrograph):
        return 0.9 if np.array_equal(micrograph.pixels, usual) else 1.05

    looks = {"cold": {"temp_c": 0.0}}
    save_examples(tmp_path / "m", data, looks, distance)
    (found,) = load_examples(tmp_path / "m")
    assert (found.specimen, found.settings) == ("S1", {"temp_c": 4.0}) and not caplog.records
    save_examples(tmp_path / "m", data, looks)
    assert load_examples(tmp_path / "m")[0].specimen == "S0"
    save_examples(tmp_path / "m", data, looks, lambda m: 1.2 + float(m.pixels[0, 0]))
    least = min(range(3), key=lambda row: data.read(row).pixels[0, 0])
    assert load_examples(tmp_path / "m")[0].specimen == f"S{least}"
    assert "none of 3 pictures is usual" in caplog.text


def test_a_damaged_list_is_refused(tmp_path: Path):
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "examples.json").write_text('[{"file": "x"}]')
    with pytest.raises(CheckpointError, match="is damaged"):
        load_examples(tmp_path)
