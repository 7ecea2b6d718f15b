"""Claims about how metrics are measured and summed up, with metrics that take no time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.checkpoint import LoadedModel
from core.metrics import catalogue
from core.metrics.catalogue import CATALOGUE, compare, load_metrics
from core.metrics.measure import field_metrics, main, patch_metrics, summarise
from tests.core.textures import make_textures


def grey_difference(x: Tensor, y: Tensor) -> Tensor:
    return (x.mean(dim=(1, 2, 3)) - y.mean(dim=(1, 2, 3))).abs()


def roughness_difference(x: Tensor, y: Tensor) -> Tensor:
    first, second = (images.diff(dim=3).abs().mean(dim=(1, 2, 3)) for images in (x, y))
    return (first - second).abs()


QUICK = {"style": roughness_difference, "stsim2": grey_difference}


def test_catalogue_holds_what_can_be_computed_and_what_cannot(loaded: LoadedModel):
    found, missing = load_metrics(loaded.vgg, 128)
    assert {*found, *missing} == {metric.name for metric in CATALOGUE}
    assert set(missing) - {"dists"} == {"two_point"}, "too small a sample in a patch"
    assert missing["two_point"] == "needs pictures of 512 px or more, not 128"
    assert "two_point" in load_metrics(loaded.vgg, 512)[0]
    x = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    for metric in CATALOGUE:
        if metric.name in found:
            values = found[metric.name](x, x)
            best = 1.0 if metric.higher_is_better else 0.0
            assert values.tolist() == pytest.approx([best, best], abs=1e-5), metric.name


def test_what_small_pictures_cannot_have_is_said(loaded: LoadedModel):
    found, missing = load_metrics(loaded.vgg, 64)
    assert {"style", "stsim2"} <= set(found)
    assert missing["portilla_simoncelli"] == "needs pictures of 128 px or more, not 64"


def test_pictures_are_compared_in_pairs_over_chunks(monkeypatch):
    monkeypatch.setattr(catalogue, "CHUNK", 2)
    first, second = (np.random.default_rng(s).random((5, 32, 32), np.float32) for s in (0, 1))
    found = compare(QUICK, first, second)
    expected = np.abs(first.mean(axis=(1, 2)) - second.mean(axis=(1, 2)))
    np.testing.assert_allclose(found["stsim2"], expected, atol=1e-6)
    assert found["style"].shape == (5,)


def test_patches_are_compared_with_reconstruction_sibling_and_stranger(
    loaded: LoadedModel, tmp_path: Path
):
    data = make_textures(tmp_path, 3, 1, 128, 384)
    found = patch_metrics(loaded, data, QUICK, seed=0)
    arms = found["style"]
    assert {arm: len(values) for arm, values in arms.items()} == {
        "reconstruction": 3,
        "same_specimen": 3,
        "other_specimen": 3,
    }
    assert max(arms["same_specimen"]) < min(arms["other_specimen"])


def test_every_field_has_a_stranger_the_first_one_too(
    loaded: LoadedModel, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("core.fields.FIELD_PX", 128)
    data = make_textures(tmp_path, 3, 2, 128, 140)
    names, found = field_metrics(loaded, data, QUICK, 3, seed=0)
    assert names == ["s0", "s1", "s2"]
    arms = found["style"]
    assert set(arms) == {"generated", "designed", "same_specimen", "other_specimen"}
    assert all(len(values) == 3 for values in arms.values())
    fields = {
        name: data.read(row).pixels[:128, :128] for name, row in zip(names, (1, 3, 5), strict=True)
    }
    expected = compare(QUICK, fields["s0"][None], fields["s2"][None])["style"][0]
    assert arms["other_specimen"][0] == pytest.approx(expected)


def test_summary_has_means_intervals_and_paired_differences():
    found = {
        "style": {
            "reconstruction": [1.0, 3.0, 2.0],
            "same_specimen": [2.0, 4.0, 3.0],
            "other_specimen": [5.0, 5.0, 5.0],
        }
    }
    result = summarise(found, ["a", "b", "c"])
    json.dumps(result, allow_nan=False)
    (one,) = result.values()
    assert one["reconstruction"]["mean"] == 2 and one["reconstruction"]["n"] == 3
    assert one["reconstruction"]["low"] < 2 < one["reconstruction"]["high"]
    assert one["reconstruction_minus_same_specimen"] == {"mean": -1, "low": -1, "high": -1}
    assert one["by_specimen"]["reconstruction"] == {"a": 1.0, "b": 3.0, "c": 2.0}
    assert "other_specimen_minus_same_specimen" not in one


def test_command_line_writes_patches_and_fields_and_how_they_were_obtained(
    tiny_model: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("core.fields.FIELD_PX", 128)
    fields_only = QUICK | {"two_point": grey_difference}

    def load(vgg, side_px: int):
        large, absent = side_px >= 512, {"dists": "no weights"}
        return (fields_only, absent) if large else (QUICK, absent | {"two_point": "too small"})

    monkeypatch.setattr("core.metrics.measure.load_metrics", load)
    make_textures(tmp_path / "data", 3, 2, 128, 384)
    given = ["--model", str(tiny_model), "--data", str(tmp_path / "data"), "--fields", "3"]
    main([*given, "--out", str(tmp_path)])
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["command"].startswith("python -m core.metrics --model")
    assert content["command"].endswith("--fields 3 --seed 0")
    assert content["data"]["specimens"] == 3 and content["data"]["images"] == 6
    assert content["not_available"] == {"dists": "no weights"}
    assert content["fields_only"] == {"two_point": "too small"}
    assert "two_point" not in content["patches"]
    assert content["fields"]["two_point"]["designed"]["n"] == 3
    assert content["patches"]["style"]["reconstruction"]["n"] == 3
    assert content["fields"]["stsim2"]["designed"]["n"] == 3


def test_command_line_refuses_the_data_trained_on(
    tiny_model: Path, tiny_castings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    given = ["--model", str(tiny_model), "--data", str(tiny_castings.root), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main(given)
    assert left.value.code == 2 and "data that the model was trained on" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
