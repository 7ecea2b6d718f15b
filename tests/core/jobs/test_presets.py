"""Presets fit the data set, say what it does not allow, and estimates follow speed and size."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesnet.levels import MIN_SPECIMENS as NETWORK_SPECIMENS
from core.errors import ConfigError, InputError
from core.files import read_json, write_json
from core.hardware import describe, pick_device
from core.jobs import speed as speed_module
from core.jobs.estimate import estimate
from core.jobs.picture_sizes import count_patches, picture_sizes
from core.jobs.presets import (
    MIN_HELD_OUT,
    MIN_SPECIMENS,
    PRESETS,
    can_begin_from,
    held_out_count,
    holds_regions,
    job_request,
    preset_config,
    skipped_steps,
)
from core.jobs.request import (
    FEWEST_STARTS,
    MOST_STARTS,
    STEPS,
    TITLES,
    JobRequest,
    load_request,
    save_request,
)
from core.jobs.speed import Speed, known_speed, save_speed
from core.labels import Plan
from core.patch_pool import PatchPool
from core.patches import patch_corners
from core.split import split_dataset
from core.train_config import TrainConfig
from core.trainer import REGION_CELLS
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
    assert Plan(starts=FEWEST_STARTS).starts == 3 and Plan(starts=MOST_STARTS).starts == 1000
    for starts in (FEWEST_STARTS - 1, MOST_STARTS + 1):
        with pytest.raises(ConfigError):
            Plan(starts=starts)


@pytest.mark.parametrize("name", ["standard", "thorough"])
def test_going_on_from_a_model_has_the_terms_of_the_last_run_of_the_shipped_one(name):
    config, fields = preset_config(name, 12, True), TrainConfig.from_file("fields")
    terms = ("style_weight", "grey_weight", "relative_weight", "wasserstein_weight",
             "critic_weight", "region_every", "learning_rate", "warm_up", "repeats")  # fmt: skip
    assert {t: getattr(config, t) for t in terms} == {t: getattr(fields, t) for t in terms}
    small = preset_config(name, 12, True, regions=False)
    assert (small.region_every, small.critic_weight) == (0, 0.1)
    for plain in (preset_config(name, 12, False), preset_config("quick", 12, True)):
        assert (plain.wasserstein_weight, plain.critic_weight, plain.region_every) == (0, 0, 0)


def test_regions_are_learned_where_every_picture_holds_one(tmp_path: Path):
    small = make_textures(tmp_path / "small", specimens=4, height=255, width=400)
    large = make_textures(tmp_path / "large", specimens=4, height=256, width=256)
    assert not holds_regions(picture_sizes(small)) and holds_regions(picture_sizes(large))
    side = REGION_CELLS * preset_config("quick", 4, True).model.patch_px
    first = [large.specimens.index[0]]
    assert len(PatchPool(large, first, side, 50, 0)) == 1


def test_sizes_are_those_at_the_common_scale(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=3, height=300, width=500)
    mixed = replace(data, table=data.table.assign(um_per_px=[0.495, 0.5, 1.0]))
    assert picture_sizes(mixed) == ((300, 500), (300, 500), (600, 1000))
    (data.root / data.table["file"].iloc[0]).unlink()
    with pytest.raises(InputError, match="cannot be read any more"):
        picture_sizes(data)


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


def test_latents_are_named_from_as_many_patches_as_are_asked(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=8, height=32, width=32)
    quick, standard = (
        job_request(data, "mine", name, preset_config(name, 8, True), None)
        for name in ("quick", "standard")
    )
    assert quick.label_starts == 0 and "numbers only" in quick.skipped["labels"]
    assert standard.label_starts == 8 and "labels" not in standard.skipped
    asked = job_request(data, "m", "quick", preset_config("quick", 8, True), None, label_starts=5)
    assert asked.label_starts == 5 and "labels" not in asked.skipped
    save_request(tmp_path / "job", asked)
    assert load_request(tmp_path / "job") == asked
    config = preset_config("quick", 3, True)
    few = make_textures(tmp_path / "few", specimens=3, height=32, width=32)
    assert "names need 4 specimens" in skipped_steps(few, config, label_starts=5)["labels"]
    blind = replace(data, table=data.table.assign(um_per_px=np.nan))
    assert "no picture has a scale" in skipped_steps(blind, config, label_starts=5)["labels"]


def test_jobs_of_before_denoisers_do_without_one(tmp_path: Path):
    old = JobRequest(name="m", data="/d", data_name="D", preset="standard", config={})
    assert "denoise" in old.skipped and "labels" in old.skipped
    save_request(tmp_path / "job", old)
    content = read_json(tmp_path / "job" / "request.json")
    for name in ("denoise_minutes", "label_starts", "expected_s", "skipped"):
        del content[name]
    write_json(tmp_path / "job" / "request.json", content)
    assert load_request(tmp_path / "job") == old
    for wrong in (2, 1001):
        with pytest.raises(ConfigError, match=f"label_starts is {wrong}; 0 for no names"):
            replace(old, label_starts=wrong)
    with pytest.raises(ConfigError, match="no step 'sleep'"):
        replace(old, expected_s={"sleep": 1.0})
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
    assert set(found.seconds) == set(STEPS) and found.seconds["labels"] == 0
    # Two sets of 3 starts at 4 values along 64 latents and 6 directions.
    named = estimate(config, SPEED, 500, 12, 3, label_starts=3, skipped=("learn",))
    cores = os.cpu_count() or 1
    assert named.seconds["labels"] == pytest.approx(15 + 1680 * (1 / 10 + 0.07 / cores))
    assert named.seconds["learn"] == 0
    both = estimate(config, SPEED, 500, 12, 3, denoise_minutes=2.0, label_starts=3)
    assert both.seconds["labels"] == pytest.approx(15 + 1680 * (3 / 10 + 0.07 / cores))


def test_an_estimate_counts_what_more_terms_of_the_loss_take():
    plain = preset_config("standard", 12, False)
    fields = preset_config("standard", 12, True)
    steps = [estimate(config, SPEED, 0, 12, 3).steps for config in (plain, fields)]
    assert steps == [3000, round(3000 / 1.575)]
    ended = preset_config("standard", 12, True, minutes=None, steps=100, validation_patches=10,
                          evaluate_every=50)  # fmt: skip
    # 8 regions of 4 cells each are validated beside the patches.
    passes = 256 + 2 * 42 + 4 * 42 * 3
    found = estimate(ended, SPEED, 0, 12, 3).seconds["train"]
    assert found == pytest.approx(15 + 157.5 + passes / 10)


def test_a_budget_in_minutes_is_not_exceeded_and_fast_machines_end_sooner():
    config = preset_config("quick", 12, True)
    slow = estimate(config, replace(SPEED, train_patches_per_s=1.0), 0, 12, 3)
    fast = estimate(config, replace(SPEED, train_patches_per_s=4000.0), 0, 12, 3)
    assert slow.steps == 360 * 1.0 / config.batch
    assert fast.steps == config.steps and fast.total_s < slow.total_s


def test_patches_are_counted_as_they_are_cut(tmp_path: Path):
    data = make_textures(tmp_path / "d", specimens=3, height=300, width=500)
    each = len(patch_corners(300, 500, 128, 60))
    assert count_patches(picture_sizes(data), 128, 60) == 3 * each


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
