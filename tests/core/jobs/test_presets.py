"""Presets fit the data set, say what it does not allow, and estimates follow speed and size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesnet.levels import MIN_SPECIMENS as NETWORK_SPECIMENS
from core.errors import ConfigError
from core.files import write_json
from core.hardware import describe, pick_device
from core.jobs import speed as speed_module
from core.jobs.estimate import count_patches, estimate
from core.jobs.presets import (
    MIN_HELD_OUT,
    MIN_SPECIMENS,
    PRESETS,
    can_begin_from,
    held_out_count,
    job_request,
    preset_config,
    skipped_steps,
)
from core.jobs.request import STEPS, TITLES, JobRequest, load_request, save_request
from core.jobs.speed import Speed, known_speed, save_speed
from core.patches import patch_corners
from core.split import split_dataset
from core.train_config import TrainConfig
from core.workspace import ROOT
from tests.core.textures import make_textures

SPEED = Speed(
    hardware=describe(pick_device("cpu")),
    train_patches_per_s=4.0,
    encode_patches_per_s=10.0,
    measured="2026-01-02",
    how="calibration",
)


@pytest.mark.parametrize("name", list(PRESETS))
@pytest.mark.parametrize("continued", [True, False])
def test_every_preset_is_a_valid_setting_with_a_budget(name, continued):
    config = preset_config(name, 12, continued)
    assert config.minutes and config.minutes > 0
    assert config == TrainConfig.from_dict(config.to_dict())
    assert (config.kl_warm_up == 0) == continued


def test_budgets_rise_and_changes_go_before_them():
    minutes = [preset_config(name, 12, True).minutes for name in PRESETS]
    assert minutes == sorted(minutes) and len(set(minutes)) == len(minutes)
    assert preset_config("quick", 12, True, minutes=1.0, seed=7).seed == 7
    with pytest.raises(ConfigError, match="no preset 'fast'"):
        preset_config("fast", 12, True)


@pytest.mark.parametrize("count", [2, 5, 7, 8, 9, 12, 29, 30, 47, 120])
def test_as_many_specimens_are_held_out_as_the_split_gives(count, tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=count, height=32, width=32)
    config = preset_config("quick", count, True)
    trained, held_out = split_dataset(data, config.validation_fraction, config.seed)
    assert len(held_out) == held_out_count(count) and trained
    skipped = skipped_steps(data, config)
    assert ("reference" in skipped) == (len(held_out) < MIN_HELD_OUT)
    assert ("learn" in skipped) == (count < NETWORK_SPECIMENS)
    assert set(skipped) <= set(STEPS)


def test_limits_are_those_of_the_steps():
    assert MIN_SPECIMENS == NETWORK_SPECIMENS
    assert set(TITLES) == set(STEPS)


def test_a_request_survives_the_disk_and_names_what_it_begins_from(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=8, height=32, width=32)
    config = preset_config("quick", 8, True)
    model = tmp_path / "model"
    write_json(model / "manifest.json", {"config": config.model.to_dict() | {
        "backbone_sha256": "0" * 64}})  # fmt: skip
    assert can_begin_from(model, config)
    asked = job_request(data, "mine", "quick", config, model, 99.5)
    assert (asked.init, asked.estimate_s, asked.encode_stride) == (str(model), 99.5, 256)
    save_request(tmp_path / "job", asked)
    assert load_request(tmp_path / "job") == asked
    assert TrainConfig.from_file(str(tmp_path / "job" / "config.json")) == config


def test_a_denoiser_is_trained_for_as_long_as_is_asked(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=8, height=32, width=32)
    quick, standard = (
        job_request(data, "mine", name, preset_config(name, 8, True), None)
        for name in ("quick", "standard")
    )
    assert quick.denoise_minutes == 0 and "as the decoder drafts" in quick.skipped["denoise"]
    assert standard.denoise_minutes == 25 and "denoise" not in standard.skipped
    words = standard.arguments("denoise", tmp_path / "job", resume=False)
    assert words[:2] == ["-m", "core.denoiser"] and words[words.index("--minutes") + 1] == "25"
    assert "--init" not in words
    assert "--resume" in standard.arguments("denoise", tmp_path / "job", resume=True)
    short = job_request(data, "m", "quick", preset_config("quick", 8, True), None, None, 1.5)
    assert short.denoise_minutes == 1.5 and "denoise" not in short.skipped
    save_request(tmp_path / "job", short)
    assert load_request(tmp_path / "job") == short


def test_a_denoiser_begins_from_that_of_the_model_begun_from(tmp_path: Path):
    known, plain = tmp_path / "known", tmp_path / "plain"
    write_json(known / "denoiser.json", {})
    plain.mkdir()
    for init, begins in ((known, True), (plain, False)):
        asked = JobRequest(
            name="m", data="/d", data_name="D", preset="standard", config={}, init=str(init),
            denoise_minutes=5.0,
        )  # fmt: skip
        words = asked.arguments("denoise", tmp_path / "job", resume=False)
        assert ("--init" in words) is begins


def test_jobs_of_before_denoisers_do_without_one():
    old = JobRequest(name="m", data="/d", data_name="D", preset="standard", config={})
    assert "denoise" in old.skipped
    with pytest.raises(ConfigError, match="denoise_minutes is -1"):
        replace(old, denoise_minutes=-1)


def test_a_model_of_another_make_is_not_begun_from(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=8, height=32, width=32)
    config = preset_config("quick", 8, True)
    other = replace(config, model=replace(config.model, latents=8))
    write_json(tmp_path / "model" / "manifest.json", {"config": config.model.to_dict()})
    with pytest.raises(ConfigError, match="other settings than this run's"):
        job_request(data, "mine", "quick", other, tmp_path / "model")
    for content in ({}, {"config": {"latents": -1}}, []):
        write_json(tmp_path / "bad" / "manifest.json", content)
        assert not can_begin_from(tmp_path / "bad", config)
    assert not can_begin_from(tmp_path / "gone", config)


@pytest.mark.parametrize("grain", [False, True])
def test_a_model_with_grain_goes_on_with_it(grain, tmp_path: Path):
    """As the preset `fields` makes them; the trainer would refuse to drop it."""
    data = make_textures(tmp_path / "d", specimens=8, height=32, width=32)
    config = preset_config("quick", 8, True)
    made = replace(config.model, grain=grain)
    write_json(tmp_path / "model" / "manifest.json", {"config": made.to_dict()})
    assert can_begin_from(tmp_path / "model", config)
    asked = job_request(data, "mine", "quick", config, tmp_path / "model")
    assert asked.config["model"]["grain"] is grain


def test_the_shipped_model_can_be_begun_from(reference_model):
    assert can_begin_from(reference_model, preset_config("quick", 12, True))
    assert reference_model == ROOT / "assets" / "reference"


def test_an_estimate_by_hand():
    config = preset_config(
        "quick", 12, True, minutes=None, steps=100, evaluate_every=50, validation_patches=10
    )
    found = estimate(config, SPEED, patches=500, specimens=12, held_out=3)
    assert found.steps == 100
    # 100 steps of 4 patches at 4 a second; 256 and twice 10 patches read, 4 evaluations of 10
    # patches at the cost of 3 each, at 10 a second; 15 s to start.
    assert found.seconds["train"] == pytest.approx(15 + 100 + (256 + 20 + 120) / 10)
    assert found.seconds["encode"] == pytest.approx(15 + 50)
    assert found.total_s == pytest.approx(sum(found.seconds.values()))
    more = estimate(config, SPEED, 500, 12, 3, denoise_minutes=2.0)
    assert found.seconds["denoise"] == 0
    assert more.seconds["denoise"] == pytest.approx(15 + 50 + 120)


def test_a_budget_in_minutes_is_not_exceeded_and_fast_machines_end_sooner():
    config = preset_config("quick", 12, True)
    slow = estimate(config, replace(SPEED, train_patches_per_s=1.0), 0, 12, 3)
    fast = estimate(config, replace(SPEED, train_patches_per_s=4000.0), 0, 12, 3)
    assert slow.steps == 360 * 1.0 / config.batch
    assert fast.steps == config.steps and fast.total_s < slow.total_s


def test_patches_are_counted_as_they_are_cut(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=3, height=300, width=500)
    each = len(patch_corners(300, 500, 128, 60))
    assert count_patches(data, 128, 60) == 3 * each


def test_a_speed_is_kept_for_its_own_machine(tmp_path: Path, monkeypatch):
    assert known_speed("cpu") is None
    save_speed(SPEED)
    assert known_speed("cpu") == SPEED
    save_speed(replace(SPEED, hardware="another"))
    assert known_speed("cpu") is None
    write_json(tmp_path / "ws" / "speed.json", {"hardware": "x"})
    assert known_speed("cpu") is None


def test_speed_is_measured_on_real_steps(vgg_weights, monkeypatch, caplog):
    """On a narrow decoder, so that it takes a second or two."""
    plain = preset_config

    def narrow(*arguments, **changes):
        config = plain(*arguments, **changes)
        model = replace(config.model, patch_px=32, channels=(8, 8, 8, 8, 8), hidden=8)
        return replace(config, model=model, batch=1)

    monkeypatch.setattr(speed_module, "preset_config", narrow)
    assert speed_module.main(["--device", "cpu"]) == 0
    speed = known_speed("cpu")
    assert speed is not None and speed.how == "calibration"
    rates = np.array([speed.train_patches_per_s, speed.encode_patches_per_s])
    assert (rates > 0.01).all() and np.isfinite(rates).all()
    assert speed_module.main(["--device", "nonsense"]) == 2
