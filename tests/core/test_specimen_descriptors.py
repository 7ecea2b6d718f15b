"""Descriptors of the training specimens: pooled, kept beside the latents, and checked when read."""

import json

import pytest

from core.dataset import load_dataset
from core.descriptors import SCALARS, describe_fields
from core.errors import CheckpointError
from core.specimen_descriptors import (
    FILE,
    load_descriptors,
    main,
    measure_into,
    measure_specimens,
    save_descriptors,
)
from tests.core.textures import make_textures


@pytest.fixture(scope="module")
def measured(tiny_castings):
    return measure_specimens(tiny_castings)


def test_every_specimen_has_what_its_own_micrographs_measure(measured, tiny_castings):
    assert measured is not None and measured.data_hash == tiny_castings.hash
    assert set(measured.values) == {s.name for s in SCALARS}
    specimen = str(tiny_castings.specimens.index[3])
    row = int((tiny_castings.table["specimen"] == specimen).to_numpy().nonzero()[0][0])
    alone = describe_fields([tiny_castings.read(row).pixels], 1.0).pooled.scalars()
    for name, of in measured.values.items():
        assert set(of) == {str(s) for s in tiny_castings.specimens.index}
        assert of[specimen] == (None if alone[name] is None else pytest.approx(alone[name]))


def test_they_survive_the_disk(measured, tmp_path):
    save_descriptors(tmp_path, measured)
    assert load_descriptors(tmp_path) == measured
    assert load_descriptors(tmp_path / "none") is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"values": {"unknown": {}}},
        {"values": {"graphite_pct": {"a": "x"}}},
        {"values": {"graphite_pct": {"a": True}}},
        {"values": []},
        {"data_hash": None, "values": None},
    ],
)
def test_a_damaged_file_is_refused(change, measured, tmp_path):
    save_descriptors(tmp_path, measured)
    content = json.loads((tmp_path / FILE).read_text()) | change
    (tmp_path / FILE).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="is damaged"):
        load_descriptors(tmp_path)


def test_other_materials_and_unknown_scales_have_none(tmp_path):
    data = make_textures(tmp_path / "d", specimens=3, height=160, width=160)
    save = tmp_path / "latents"
    save.mkdir()
    (save / FILE).write_text("old")
    assert measure_into(save, data) is False
    assert not (save / FILE).exists()


def test_the_command_writes_the_file(tiny_castings, tmp_path):
    main(["--data", str(tiny_castings.root), "--out", str(tmp_path)])
    found = load_descriptors(tmp_path)
    assert found is not None and found.data_hash == load_dataset(tiny_castings.root).hash
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path / "gone"), "--out", str(tmp_path)])
