"""Claims about descriptors of specimens: what is measured, at which scale, and its file."""

import json

import numpy as np
import pytest

from core.dataset import load_dataset
from core.descriptors import CHOSEN, describe_fields
from core.errors import CheckpointError
from core.images import encode_png
from core.specimen_descriptors import (
    AREA,
    FILE,
    load_descriptors,
    measure_specimens,
    save_descriptors,
)
from core.stereology import QUANTITIES, measure_structure
from tests.core.stereology.drawn import lamellae, one_phase


def discs(side, radius, seed):
    """Dark discs on a light matrix with a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    pixels = np.full((side, side), 0.75)
    for r, c in rng.uniform(radius, side - radius, size=(14, 2)):
        pixels[(rows - r) ** 2 + (columns - c) ** 2 <= radius**2] = 0.12
    return np.clip(pixels + 0.01 * rng.normal(size=pixels.shape), 0, 1).astype(np.float32)


def written(folder, pictures, scale):
    folder.mkdir()
    lines = ["file,specimen,um_per_px,uts_mpa"]
    for i, (specimen, pixels) in enumerate(pictures):
        (folder / f"{i}.png").write_bytes(encode_png(pixels))
        lines.append(f"{i}.png,{specimen},{scale},400")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return load_dataset(folder)


PICTURES = [("a", discs(256, 11, 0)), ("a", discs(256, 11, 1)), ("b", discs(256, 16, 2))]


def test_fields_of_a_specimen_are_pooled_at_the_scale_asked_for(tmp_path):
    data = written(tmp_path / "d", [*PICTURES[:2], ("a", PICTURES[2][1])], 1.0)
    found = measure_specimens(data, 1.0)
    assert tuple(s.name for s in found.scalars) == CHOSEN and found.note == ""
    assert found.kind == "graphite"
    pooled = describe_fields([data.read(i).pixels for i in range(3)], 1.0).pooled.scalars()
    for name in CHOSEN:
        value = found.values.loc["a", name]
        assert (pooled[name] is None and np.isnan(value)) or value == pooled[name], name


def test_discs_have_their_size_and_twice_the_scale_doubles_it(tmp_path):
    one = measure_specimens(written(tmp_path / "one", PICTURES, 1.0))
    two = measure_specimens(written(tmp_path / "two", PICTURES, 2.0))
    assert one.um_per_px == 1.0 and two.um_per_px == 2.0
    assert one.values.loc["a", "diameter_um"] == pytest.approx(22, rel=0.15)
    np.testing.assert_allclose(two.values["diameter_um"], 2 * one.values["diameter_um"], rtol=0.05)
    np.testing.assert_allclose(two.values["graphite_pct"], one.values["graphite_pct"])


def test_without_scale_only_the_share_is_measured(tmp_path):
    found = measure_specimens(written(tmp_path / "d", PICTURES, ""), None)
    assert [s.name for s in found.scalars] == ["graphite_pct"] and "scale" in found.note
    scaled = measure_specimens(written(tmp_path / "e", PICTURES, 1.0))
    np.testing.assert_allclose(found.values["graphite_pct"], scaled.values["graphite_pct"])


STRIPES = [
    ("a", lamellae(256, 6, 10, noise=0.02)),
    ("a", lamellae(192, 8, 8, noise=0.02, seed=1)),
    ("b", one_phase(192)),
]


def test_other_materials_have_phases_and_texture_as_evaluate_measures_them(tmp_path):
    found = measure_specimens(written(tmp_path / "d", STRIPES, 0.5))
    assert [s.name for s in found.scalars] == [q.name for q in QUANTITIES]
    assert found.kind == "phases" and "do not look like those of a graphite iron" in found.note
    assert found.values.loc["a", "dark_phase_pct"] == pytest.approx(40, abs=5)
    units = {s.name: s.unit for s in found.scalars}
    assert units["spacing_um"] == "µm" and units["dark_phase_pct"] == "%"


def test_fields_count_by_their_area_and_what_is_not_there_is_not_measured(tmp_path):
    data = written(tmp_path / "d", STRIPES, 0.5)
    found = measure_specimens(data)
    first, second, single = (measure_structure(data.read(i).pixels, 0.5).values for i in range(3))
    areas = [256**2, 192**2]
    for name in first:
        pooled = np.average([first[name], second[name]], weights=areas)
        assert found.values.loc["a", name] == pytest.approx(pooled), name
    assert "dark_phase_pct" not in single, "one phase"
    assert np.isnan(found.values.loc["b", "dark_phase_pct"])
    assert found.values.loc["b", "anisotropy"] == pytest.approx(single["anisotropy"])


def test_lengths_of_phases_need_a_scale(tmp_path):
    found = measure_specimens(written(tmp_path / "d", STRIPES, ""))
    assert [s.name for s in found.scalars] == ["dark_phase_pct", "anisotropy"]
    assert found.um_per_px is None and found.note.endswith("only what needs none")


def test_the_file_keeps_descriptors_of_other_materials(tmp_path):
    found = measure_specimens(written(tmp_path / "d", STRIPES, 0.5))
    save_descriptors(tmp_path, found)
    again = load_descriptors(tmp_path)
    np.testing.assert_array_equal(again.values.to_numpy(), found.values.to_numpy())
    assert (again.scalars, again.kind, again.note) == (found.scalars, "phases", found.note)


def test_file_round_trip_is_exact_and_damage_is_refused(tmp_path):
    found = measure_specimens(written(tmp_path / "d", PICTURES, 1.0))
    found.values.iloc[1, 4] = np.nan
    save_descriptors(tmp_path, found)
    again = load_descriptors(tmp_path)
    np.testing.assert_array_equal(again.values.to_numpy(), found.values.to_numpy())
    assert (again.scalars, again.data_hash, again.um_per_px) == (
        found.scalars,
        found.data_hash,
        1.0,
    )
    assert load_descriptors(tmp_path / "nowhere") is None
    content = json.loads((tmp_path / FILE).read_text())
    for damage in (
        {"format": 2},
        {"specimens": {"a": [1.0]}},
        {"columns": [{"name": "colour"}]},
        {"specimens": {"a": ["x"] * 6}},
    ):
        (tmp_path / FILE).write_text(json.dumps(content | damage))
        with pytest.raises(CheckpointError):
            load_descriptors(tmp_path)


def test_every_field_is_kept_alone_with_its_area(tmp_path):
    data = written(tmp_path / "d", PICTURES, 2.0)
    found = measure_specimens(data, 2.0)
    assert list(found.fields.index) == ["a", "a", "b"]
    assert found.fields[AREA].tolist() == pytest.approx([(2 * 256) ** 2 * 1e-6] * 3)
    for row in range(3):
        alone = describe_fields([data.read(row).pixels], 2.0).pooled.scalars()
        assert found.fields.iloc[row]["graphite_pct"] == alone["graphite_pct"]
    save_descriptors(tmp_path, found)
    again = load_descriptors(tmp_path).fields
    np.testing.assert_allclose(again.to_numpy(), found.fields.to_numpy(), rtol=1e-4)
    assert list(again.columns) == list(found.fields.columns)
    content = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({k: v for k, v in content.items() if k != "fields"}))
    assert load_descriptors(tmp_path).fields is None, "files of before"
    for damage in ([["a", 1.0]], [["a", *[1.0] * len(CHOSEN), 0.0]], [[]], 7):
        (tmp_path / FILE).write_text(json.dumps(content | {"fields": damage}))
        with pytest.raises(CheckpointError):
            load_descriptors(tmp_path)


def test_without_a_scale_no_field_is_kept_alone(tmp_path):
    assert measure_specimens(written(tmp_path / "d", PICTURES, ""), None).fields is None
