"""Claims about a denoiser's training: it learns, resumes bit for bit, refuses what differs."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.checkpoint import load_model
from core.dataset import DataSet
from core.denoiser import lessons
from core.denoiser.__main__ import main
from core.denoiser.network import DenoiserConfig
from core.denoiser.settings import DenoiserTraining
from core.denoiser.store import ABOUT, TRAINING, WEIGHTS
from core.denoiser.training import VALIDATION_NOISE, DenoiserTrainer
from core.errors import ConfigError, TrainingError
from core.files import sha256_file

TINY = DenoiserTraining(
    denoiser=DenoiserConfig(channels=(8, 8), width=8),
    steps=6,
    batch=2,
    crop_px=64,
    lesson_weight=0.0,
    warm_up=2,
    log_every=2,
    evaluate_every=3,
    checkpoint_minutes=1e5,
    precision="float32",
)


@pytest.fixture
def start(vgg_weights, one_thread, tiny_model: Path, tiny_castings: DataSet, tmp_path, monkeypatch):
    """A function that builds a trainer for a copy of the tiny model."""
    monkeypatch.setattr("core.denoiser.training.VALIDATION_CROPS", 4)
    monkeypatch.setattr("core.denoiser.training.MEASURED_CROPS", 8)
    monkeypatch.setattr("core.denoiser.training.VALIDATION_LESSONS", 2)

    def build(name: str = "model", **changes: object) -> DenoiserTrainer:
        folder = tmp_path / name
        if not folder.exists():
            shutil.copytree(tiny_model, folder)
        return DenoiserTrainer(
            load_model(folder, backbone=False), tiny_castings, replace(TINY, **changes)
        )

    return build


def test_it_learns_more_than_grey_levels(start: Callable[..., DenoiserTrainer]) -> None:
    trainer = start(steps=120, learning_rate=1e-2, evaluate_every=1000)
    trainer.evaluate()
    before = dict(trainer.latest)
    assert trainer.run() == "finished"
    after = trainer.latest
    assert set(after) == {f"noise_{v:g}" for v in VALIDATION_NOISE}
    assert after["noise_0.1"] < 0.7 * before["noise_0.1"], f"{before} then {after}"


def test_a_finished_run_leaves_a_denoiser_for_its_model(
    start: Callable[..., DenoiserTrainer],
) -> None:
    trainer = start()
    trainer.run()
    loaded = load_model(trainer.loaded.path, backbone=False)
    assert loaded.denoiser is not None
    about = loaded.denoiser.about
    assert about["steps"] == 6 and about["validated_on"] == "training specimens"
    assert about["model_hash"] == loaded.hash and about["config"]["latents"] == 8
    assert 0.3 < float(loaded.denoiser.network.centre) < 0.7
    kinds = [json.loads(line)["kind"] for line in trainer.log.metrics.read_text().splitlines()]
    assert kinds == ["train", "validation", "train", "train", "validation"]
    assert json.loads(trainer.log.progress.read_text())["state"] == "finished"


def test_resuming_ends_where_an_uninterrupted_run_does(
    start: Callable[..., DenoiserTrainer],
) -> None:
    whole, parts = start("whole"), start("parts")
    whole.run()
    plain = parts.train_step

    def step() -> float:
        if parts.step == 3:
            parts.stop(signal.SIGTERM)
        return plain()

    parts.train_step = step  # type: ignore[method-assign]
    assert parts.run() == "stopped" and parts.step == 4
    assert not (parts.loaded.path / WEIGHTS).exists(), "half a denoiser is none"
    rest = start("parts")
    rest.resume()
    assert rest.run() == "finished"
    hashes = [sha256_file(one.loaded.path / WEIGHTS) for one in (whole, rest)]
    assert hashes[0] == hashes[1]


def test_a_checkpoint_of_other_settings_is_refused(start: Callable[..., DenoiserTrainer]) -> None:
    start().run()
    with pytest.raises(ConfigError, match=r"settings\.learning_rate was 0\.001, is 0\.5"):
        start(learning_rate=0.5).resume()


def test_a_step_that_is_not_finite_ends_the_run(start: Callable[..., DenoiserTrainer]) -> None:
    trainer = start()
    with torch.no_grad():
        trainer.network.outlet.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="step 0"):
        trainer.run()


def test_a_model_trained_without_turning_gets_a_denoiser_without(
    start: Callable[..., DenoiserTrainer],
) -> None:
    trainer = start()
    assert trainer.pool.turned
    trainer.loaded.manifest["training"] = {"augment": False}
    again = DenoiserTrainer(trainer.loaded, trainer.data, trainer.settings)
    assert not again.pool.turned


def test_a_run_begins_from_another_denoiser(start: Callable[..., DenoiserTrainer]) -> None:
    first = start("first")
    first.run()
    known = load_model(first.loaded.path, backbone=False).denoiser
    assert known is not None
    second = start("second")
    second.network.centre.fill_(0.123)
    second.begin_from(known)
    assert float(second.network.centre) == pytest.approx(0.123), "grey levels are the data's"
    expected = known.network.state_dict()["inlet.weight"]
    assert torch.equal(second.network.state_dict()["inlet.weight"], expected)
    second.run()
    about = json.loads((second.loaded.path / ABOUT).read_text())
    assert about["earlier"]["weights_sha256"] == known.about["weights_sha256"]
    assert about["earlier"]["steps"] == 6
    other = start("third", denoiser=DenoiserConfig(channels=(16,), width=8))
    with pytest.raises(ConfigError, match=r"channels is \[8, 8\], not \[16\]"):
        other.begin_from(known)


def test_lessons_bring_finished_pictures_nearer(start: Callable[..., DenoiserTrainer]) -> None:
    settings = {"lesson_weight": 2.0, "learning_rate": 1e-2, "evaluate_every": 1000}
    settings["lessons_from"] = 0.0
    trainer = start(steps=10, **settings)
    trainer.evaluate()
    before = dict(trainer.latest)
    assert trainer.run() == "finished"
    for kind in ("patches", "regions"):
        name = f"relative_of_{kind}"
        assert trainer.latest[name] < 0.85 * before[name], f"{before} then {trainer.latest}"
    unheard = start("unheard", steps=10, **settings | {"lesson_weight": 1e-9})
    unheard.run()
    plain = start("plain", steps=1, **settings | {"lesson_weight": 0.0})
    plain.run()
    assert set(plain.latest) == {f"noise_{v:g}" for v in VALIDATION_NOISE}
    for kind in ("patches", "regions"):
        name = f"relative_of_{kind}"
        taught, untaught = trainer.latest[name], unheard.latest[name]
        assert taught < 0.9 * untaught, f"{name}: {taught}, without lessons {untaught}"


def test_lessons_begin_when_the_settings_say(start: Callable[..., DenoiserTrainer]) -> None:
    trainer, given = start(lesson_weight=1.0, lessons_from=0.5), []
    plain = trainer._lesson
    trainer._lesson = lambda: (given.append(trainer.step), plain())[1]  # type: ignore[method-assign]
    trainer.run()
    assert given == [3, 4, 5]


def test_the_shipped_settings_of_lessons_are_valid() -> None:
    path = Path(lessons.__file__).with_suffix(".json")
    settings = DenoiserTraining.from_file(path)
    assert settings.lesson_weight > 0 and settings.lessons_from == 0


def test_the_command_trains_and_refuses_to_begin_twice(
    vgg_weights, tiny_model: Path, tiny_castings: DataSet, tmp_path: Path, caplog, monkeypatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *arguments: None)
    folder, settings = tmp_path / "model", tmp_path / "settings.json"
    shutil.copytree(tiny_model, folder)
    settings.write_text(json.dumps(TINY.to_dict() | {"steps": 2}))
    words = ["--model", str(folder), "--data", str(tiny_castings.root), "--config", str(settings)]
    assert main(words) == 0
    assert load_model(folder, backbone=False).denoiser is not None
    assert main(words) == 1 and "holds a run already" in caplog.text
    assert main([*words, "--resume"]) == 0
    shutil.rmtree(folder / TRAINING)
    assert main([*words, "--init", str(tiny_model)]) == 1 and "no denoiser" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_px": 100}, "crop_px must be a multiple of 16"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"minutes": -1}, "minutes must be above 0"),
        ({"precision": "float16"}, "precision 'float16' is unknown"),
        ({"denoiser": {"steps": 0}}, "steps must be an integer"),
        ({"lesson_weight": -1}, "lesson_weight must be 0 or more"),
        ({"lessons_from": 1.5}, "lessons_from must be .* up to 1"),
        ({"odd": 1}, "unknown settings"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DenoiserTraining.from_dict(change)


def test_settings_come_back_from_json() -> None:
    assert DenoiserTraining.from_dict(TINY.to_dict()) == TINY
