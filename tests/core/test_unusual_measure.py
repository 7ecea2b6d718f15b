"""Claims about measuring how unusual pictures are told from usual ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import foreign_pictures
from core.checkpoint import LoadedModel
from core.errors import InputError
from core.images import Micrograph, encode_png
from core.reference_file import Reference
from core.unusual_measure import exceeding, fresh_fields, judge_all, main, told_apart
from tests.core.textures import make_textures, texture


def test_share_beyond_the_limit_has_its_exact_interval() -> None:
    found = exceeding(np.array([0.9] * 18 + [1.01] * 2))
    assert (found["share"], found["n"]) == (0.1, 20)
    assert found["low"] == pytest.approx(0.0123, abs=1e-3)  # Clopper and Pearson, 2 of 20
    assert found["high"] == pytest.approx(0.3170, abs=1e-3)


def test_area_under_the_curve_is_one_only_where_all_lie_farther() -> None:
    usual = np.array([0.2, 0.5, 0.9])
    assert told_apart(usual, np.array([1.0, 3.0])) == 1.0
    assert told_apart(usual, np.array([0.1, 3.0])) == 0.5
    assert told_apart(usual, usual) == 0.5


def test_photographs_and_noise_are_grey_pictures_of_a_patch_and_more() -> None:
    for picture in (*foreign_pictures.photographs(), *foreign_pictures.noise()):
        assert picture.pixels.ndim == 2 and min(picture.pixels.shape) >= 128, picture.name
        assert picture.pixels.dtype == np.float32
        assert 0 <= picture.pixels.min() < picture.pixels.max() <= 1


def test_folder_gives_scales_of_the_manifest_and_no_masks(tmp_path: Path) -> None:
    folder = tmp_path / "castiron"
    folder.mkdir()
    for name in ("a.png", "b.png", "b_mask.png"):
        (folder / name).write_bytes(encode_png(texture(64, 64)))
    (tmp_path / "manifest.csv").write_text("file,um_per_px\ncastiron/a.png,0.7\ncastiron/b.png,\n")
    found = [(picture.name, picture.um_per_px) for picture in foreign_pictures.folder(folder)]
    assert found == [("a.png", 0.7), ("b.png", None)]


def test_pictures_are_judged_at_the_models_scale(loaded: LoadedModel, reference: Reference) -> None:
    pixels = texture(160, 160)
    doubled = Micrograph(np.kron(pixels, np.ones((2, 2), np.float32)), "doubled", 0.5, ())
    found = judge_all(loaded, reference, [Micrograph(pixels, "as is", 1.0, ()), doubled])
    assert found.names == ["as is", "doubled"] and not found.graphite.any()
    assert found.fields[0] == pytest.approx(found.fields[1], rel=0.05)
    with pytest.raises(InputError, match="factor of 5"):
        judge_all(loaded, reference, [replace(doubled, um_per_px=10.0)])


def test_command_writes_figures_of_what_is_there_and_names_what_is_not(
    loaded: LoadedModel, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.unusual_measure.READ_PATCHES", 1)
    monkeypatch.setattr(foreign_pictures, "PHOTOGRAPHS", ("brick",))
    monkeypatch.setattr(foreign_pictures, "NOISE_GRAINS_PX", (0.0,))
    data = make_textures(tmp_path / "data", 3, 1, 128, 128)
    (tmp_path / "real" / "uhcs").mkdir(parents=True)
    (tmp_path / "real" / "uhcs" / "one.png").write_bytes(encode_png(texture(128, 128, 9.0)))
    arguments = ["--model", loaded.path, "--data", data.root, "--fields", 2, "--out", tmp_path]
    main([str(word) for word in [*arguments, "--real", tmp_path / "real"]])
    found = json.loads((tmp_path / "unusual.json").read_text())
    assert found["fresh"]["exceeding"]["n"] == 2
    assert set(found["foreign"]) == {"photographs", "noise", "uhcs"}
    assert set(found["not_available"]) == {"superalloy", "castiron"}
    near = judge_all(loaded, reference, fresh_fields(data, 2)).fields
    (far,) = judge_all(loaded, reference, foreign_pictures.noise()).fields
    assert found["foreign"]["noise"]["auc"] == np.mean(far > near), (near, far)
    assert found["foreign"]["noise"]["distance"]["least"] == pytest.approx(far)
    assert "core.unusual_measure" in found["command"]
