"""Claims about the measurements: statistics worked by hand, and figures beside references."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import core
from core.checkpoint import LoadedModel
from core.errors import InputError
from core.measure import (
    collapse_check,
    encode_fields,
    field_test,
    main,
    patch_reconstruction,
    property_errors,
)
from core.properties import PropertyModel
from core.results import record, write_result
from core.seen import seen_fields
from core.summaries import mean_interval, median_interval, paired_difference, summary
from core.vgg import STYLE_LAYERS
from tests.core.textures import make_textures


def test_summary_is_as_worked_by_hand() -> None:
    assert summary(np.arange(11.0)) == {"median": 5.0, "p90": 9.0, "mean": 5.0, "n": 11}


def test_paired_difference_of_a_constant_is_certain() -> None:
    a = np.array([3.0, 5.0, 9.0])
    assert paired_difference(a, a - 2) == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_paired_difference_is_as_worked_by_hand() -> None:
    """Differences 1 and 3: a bootstrap mean is 1, 2 or 3 with chances 1/4, 1/2, 1/4."""
    found = paired_difference(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    assert found == {"mean": 2.0, "low": 1.0, "high": 3.0}


def test_interval_of_paired_differences_has_the_width_of_the_standard_error() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 400))
    found = paired_difference(a, b)
    half, error = (found["high"] - found["low"]) / 2, (a - b).std() / 20
    assert half == pytest.approx(1.96 * error, rel=0.06), (half, error)
    swapped = paired_difference(b, a)
    assert swapped["mean"] == pytest.approx(-found["mean"])
    assert swapped["low"] == pytest.approx(-found["high"])


def test_mean_interval_is_as_worked_by_hand() -> None:
    found = mean_interval(np.array([1.0, 3.0]))
    assert found == {"mean": 2.0, "low": 1.0, "high": 3.0, "median": 2.0, "n": 2}


def test_median_interval_is_as_worked_by_hand() -> None:
    """Of 0, 0 and 9 a bootstrap median is 9 with chance 7/27, 0 with 20/27."""
    found = median_interval(np.array([0.0, 0.0, 9.0]))
    assert found == {"median": 0.0, "low": 0.0, "high": 9.0, "n": 3}


# --- signs of collapse ---


def test_collapse_figures_are_as_worked_by_hand() -> None:
    """Two active latents (variances 1 and 4, opposite signs) and a dead one at the prior."""
    sign = np.tile([1.0, -1.0], 8)
    mu = np.stack([sign, -2 * sign, np.zeros(16)], axis=1)
    logvar = np.log(np.array([0.25, 1.0, 1.0])) * np.ones((16, 1))
    found = collapse_check(mu, logvar)
    assert (found["active_latents"], found["latents"], found["patches"]) == (2, 3, 16)
    kl = 0.5 * ((1 + 0.25 - 1 - np.log(0.25)) + 4)
    assert found["kl_nats"] == pytest.approx(kl, rel=1e-6)
    assert found["aggregate_mean_abs"] == pytest.approx(0, abs=1e-7)
    assert found["aggregate_variance"]["median"] == pytest.approx(1.25)
    assert found["correlation_abs"]["median"] == pytest.approx(1.0)
    assert found["correlation_abs"]["n"] == 2
    assert found["correlation_abs"]["max"] == pytest.approx(1.0)
    assert found["correlation"] == {"latents": [0, 1], "matrix": [[1.0, -1.0], [-1.0, 1.0]]}


@pytest.mark.parametrize("active", [0, 1])
def test_a_collapsed_model_is_reported_not_a_crash(active: int) -> None:
    mu = np.zeros((16, 3))
    mu[:, :active] = np.tile([1.0, -1.0], 8)[:, None]
    found = collapse_check(mu, np.zeros((16, 3)))
    assert found["active_latents"] == active and found["correlation_abs"] is None
    json.dumps(found, allow_nan=False)


# --- reconstruction and fields ---


def test_reconstructions_stand_beside_their_references(loaded: LoadedModel, tmp_path: Path) -> None:
    data = make_textures(tmp_path, 3, 1, 128, 384)
    found = patch_reconstruction(loaded, data, seed=0)
    json.dumps(found, allow_nan=False)
    assert set(found["parts"]) == set(STYLE_LAYERS)
    assert found["reconstruction"]["n"] == found["same_specimen"]["n"] == 3
    assert found["same_specimen"]["median"] < found["other_specimen"]["median"]
    difference = found["reconstruction_minus_same_specimen"]
    expected = found["reconstruction"]["mean"] - found["same_specimen"]["mean"]
    assert difference["mean"] == pytest.approx(expected, rel=1e-6)
    parts = np.mean([part["mean"] for part in found["parts"].values()])
    assert found["reconstruction"]["mean"] == pytest.approx(float(parts), rel=1e-6)
    assert found == patch_reconstruction(loaded, data, seed=0), "the seed decides everything"


def test_fields_stand_beside_their_references(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.fields.FIELD_PX", 128)
    data = make_textures(tmp_path, 3, 2, 128, 140)
    found = field_test(loaded, data, count=2, seed=0)
    json.dumps(found, allow_nan=False)
    arms = ("generated", "designed", "same_specimen", "other_specimen")
    assert [found[name]["n"] for name in arms] == [2, 2, 2, 1]
    assert found["same_specimen"]["median"] < found["other_specimen"]["median"]
    for of in ("gradients", "particles"):
        ways = found["isotropy"][of]
        assert 0 <= ways["same_specimen"]["strength"]["median"] < 0.4
        assert {"strength_minus_real", "common"} <= set(ways["designed"])
    expected = found["designed"]["mean"] - found["same_specimen"]["mean"]
    assert found["designed_minus_same_specimen"]["mean"] == pytest.approx(expected)


def test_field_test_needs_two_specimens_with_two_large_micrographs(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    data = make_textures(tmp_path, 3, 2, 128, 128)
    with pytest.raises(InputError, match="two micrographs of 512 px each"):
        field_test(loaded, data, count=2, seed=0)
    with pytest.raises(InputError, match="0 specimens are asked for"):
        field_test(loaded, data, count=0, seed=0)


def test_papers_decoder_has_no_field_test(loaded: LoadedModel, tmp_path: Path) -> None:
    paper = replace(loaded, config=replace(loaded.config, decoder="paper", channels=()))
    assert field_test(paper, make_textures(tmp_path, 1, 1, 64, 64), count=2, seed=0) is None


# --- properties ---


def test_property_errors_stand_beside_the_median_and_the_coverage(
    tiny_model: Path, loaded: LoadedModel, tiny_castings
) -> None:
    mu, logvar = encode_fields(loaded, tiny_castings)
    assert len(mu) == len(tiny_castings.specimens)
    assert {m.shape for m in mu} == {v.shape for v in logvar} == {(1, 8)}, "room for one patch"
    properties = PropertyModel.load(tiny_model / "properties.json")
    seen = seen_fields(properties.structure, tiny_castings, 1.0)
    found = property_errors(properties, tiny_castings, mu, seen)
    json.dumps(found, allow_nan=False)
    true = tiny_castings.specimens["uts_mpa"].to_numpy()
    means = [properties.predict(z.mean(axis=0), 1)["uts_mpa"] for z in mu]
    error = 100 * np.abs(np.array([p.value for p in means]) / true - 1)
    assert found["uts_mpa"]["error"] == summary(error)
    inside = np.mean([p.low <= t <= p.high for p, t in zip(means, true, strict=True)])
    assert found["uts_mpa"]["coverage_of_90_percent_interval"] == pytest.approx(inside)
    assert found["ys_mpa"]["reference_always_the_median"]["median"] > 0


def test_command_line_refuses_the_data_trained_on(
    tiny_model: Path, tiny_castings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--model", str(tiny_model), "--data", str(tiny_castings.root), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main(given)
    assert left.value.code == 2 and "data that the model was trained on" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- how a result says where it is from ---


def test_result_says_how_it_was_obtained(tmp_path: Path) -> None:
    argv = ["--model", "a folder"]
    content = record("core.measure", argv, model_sha256="m" * 64, data_hash="d" * 64)
    assert content["command"] == "python -m core.measure --model 'a folder'"
    assert content["version"] == core.__version__
    assert content["model_sha256"] == "m" * 64 and content["data_sha256"] == "d" * 64
    assert all(content[name] for name in ("hardware", "python", "torch", "date"))
    path = write_result("speed", content, tmp_path / "results")
    assert path.name == "speed.json" and json.loads(path.read_text()) == content
