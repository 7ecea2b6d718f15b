"""Claims about training: it learns, resumes bit for bit, stops cleanly, refuses what differs."""

import json
import math
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core import training_state
from core.checkpoint import load_model
from core.critic import WARM_UP
from core.dataset import DataSet
from core.errors import CheckpointError, ConfigError, InputError, TrainingError
from core.files import sha256_file
from core.model import ModelConfig
from core.patch_pool import PatchPool
from core.train import main
from core.train_config import PRESETS, TrainConfig, presets
from core.trainer import Trainer
from core.vgg import STYLE_LAYERS
from tests.core.textures import make_textures

MODEL = ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=8, patch_px=32)
TINY = TrainConfig(
    model=MODEL,
    steps=6,
    batch=2,
    warm_up=2,
    kl_warm_up=3,
    ema_decay=0.9,
    stride=32,
    validation_fraction=0.0,
    validation_patches=2,
    evaluate_every=2,
    log_every=1,
    checkpoint_minutes=1e5,
    precision="float32",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    return make_textures(tmp_path_factory.mktemp("textures") / "data", 2, 1, 64, 128)


@pytest.fixture
def start(vgg_weights, one_thread, data: DataSet, tmp_path: Path, monkeypatch) -> Callable:
    """A function that builds a trainer on the CPU from changes of the tiny settings."""
    monkeypatch.setattr("core.trainer.STANDARDISE_PATCHES", 4)

    def build(name: str = "run", data: DataSet = data, **changes) -> Trainer:
        out = tmp_path / name
        out.mkdir(exist_ok=True)
        return Trainer(replace(TINY, **changes), data, out, "cpu")

    return build


def stop_after(trainer: Trainer, steps: int) -> None:
    """Have the trainer asked to stop in the course of a step, as by a signal."""
    plain = trainer.train_step

    def step() -> dict[str, float]:
        if trainer.step + 1 == steps:
            trainer.stop(signal.SIGTERM)
        return plain()

    trainer.train_step = step  # type: ignore[method-assign]


def records(out: Path) -> list[dict]:
    """The log without what a clock decides."""
    found = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    clock = ("seconds", "patches_per_s", "seconds_left")
    return [{k: v for k, v in entry.items() if k not in clock} for entry in found]


def unlike(a: torch.nn.Module, b: torch.nn.Module) -> list[str]:
    """Names of the tensors that are not equal bit for bit."""
    other = b.state_dict()
    return [name for name, tensor in a.state_dict().items() if not torch.equal(tensor, other[name])]


# --- learning ---


def test_eight_patches_are_learned_by_heart(start: Callable, tmp_path: Path) -> None:
    """All eight in every batch, no augmentation: the style loss must fall to a third."""
    data = make_textures(tmp_path / "eight", 2, 1, 64, 256)
    trainer = start(
        data=data,
        model=replace(MODEL, latents=8, channels=(32, 32, 24, 16, 12), hidden=32, patch_px=64),
        steps=40,
        batch=8,
        repeats=64,
        stride=64,
        learning_rate=1e-3,
        warm_up=3,
        kl_warm_up=500,
        augment=False,
        style_layers=STYLE_LAYERS[:4],
        loss="mixture",
        grey_weight=0.0,
    )
    assert len(trainer.pool) == 8
    images = trainer.pool.batch(0, 8, False)
    assert len({image.numpy().tobytes() for image in images}) == 8
    style = [trainer.train_step()["style"] for _ in range(40)]
    before, after = style[0], float(np.mean(style[-3:]))
    assert after < before / 3, f"style loss {before:.3f} fell to {after:.3f} only"


@pytest.mark.parametrize("loss", ["norm", "mixture", "relative", "centred", "eq2"])
def test_each_loss_makes_finite_steps_that_move_every_weight(start: Callable, loss: str) -> None:
    trainer = start(loss=loss, warm_up=0, model=replace(MODEL, pooling="max"))
    before = {name: p.detach().clone() for name, p in trainer.vae.named_parameters()}
    terms = trainer.train_step()
    assert all(map(math.isfinite, terms.values())), terms
    still = [n for n, p in trainer.vae.named_parameters() if torch.equal(p, before[n])]
    assert not still, still


def test_papers_preset_trains_on_its_own_decoder_and_head(start: Callable) -> None:
    paper = ModelConfig(
        latents=4, decoder="paper", head="pool5", channels=(8, 8, 8, 8, 8), patch_px=32
    )
    trainer = start(model=paper, loss="eq2", style_weight=1.0, steps=2, evaluate_every=10)
    assert trainer.run() == "finished"
    assert load_model(trainer.out).config.head == "pool5"


def test_loss_is_the_weighted_sum_of_its_terms_with_a_warm_kl(start: Callable) -> None:
    trainer = start(
        style_weight=100.0,
        grey_weight=0.3,
        relative_weight=0.7,
        wasserstein_weight=0.4,
        critic_weight=0.5,
        diversity_weight=0.2,
        kl_weight=2.0,
        kl_warm_up=4,
    )
    for step in range(2):
        terms = trainer.train_step()
        style = terms["style"] + 0.3 * terms["grey"] + 0.7 * terms["relative"]
        style += 0.4 * terms["wasserstein"] + 0.5 * (step + 1) / WARM_UP * terms["critic"]
        style -= 0.2 * terms["diversity"]
        expected = 100 * style + 2 * (step + 1) / 4 * terms["kl_nats"]
        assert terms["loss"] == pytest.approx(expected, rel=1e-5)


def test_free_nats_of_each_latent_do_not_count(start: Callable) -> None:
    given = {"style_weight": 0.0, "grey_weight": 0.0, "kl_warm_up": 0}
    terms = start(free_bits=1000.0, **given).train_step()
    assert terms["loss"] == pytest.approx(1000.0 * MODEL.latents) and terms["kl_nats"] > 0
    terms = start(free_bits=1e-9, **given).train_step()
    assert terms["loss"] == pytest.approx(terms["kl_nats"], rel=1e-5)


def test_pictures_of_the_same_latents_are_driven_apart(start: Callable) -> None:
    given = {"grey_weight": 0.0, "kl_weight": 0.0, "style_weight": 1.0, "repeats": 64}
    trainer = start(diversity_weight=100.0, learning_rate=3e-3, warm_up=0, **given)
    apart = [trainer.train_step()["diversity"] for _ in range(12)]
    assert 0 < apart[0] < 1.1 * apart[-1], apart
    assert np.mean(apart[-3:]) > 1.2 * np.mean(apart[:3]), apart


def test_style_can_be_compared_at_convolution_layers(start: Callable) -> None:
    layers = ("conv1_1", "conv2_1", "conv4_1")
    trainer = start(style_layers=layers, warm_up=0)
    terms = trainer.train_step()
    assert {n for n in terms if n.startswith("relative_")} == {f"relative_{n}" for n in layers}
    assert all(map(math.isfinite, terms.values()))
    assert trainer._visited[1].inputs.shape[1] == 3072, "the encoder reads what it did"


def test_layers_with_many_inputs_learn_slower(start: Callable) -> None:
    trainer = start(learning_rate=1e-3, warm_up=0)
    rates = {}
    trainer.train_step()
    for group in trainer.optimiser.param_groups:
        rates |= {id(p): group["lr"] for p in group["params"]}
    assert len(rates) == len(list(trainer.vae.parameters()))
    decoder = trainer.vae.decoder
    found = [
        rates[id(p)]
        for p in (
            decoder.layers[0].weight,
            decoder.layers[0].affine.weight,
            decoder.mapping[0].weight,
            trainer.vae.head.mu.weight,
        )
    ]
    assert found == pytest.approx([1e-3, 3e-4, 1e-4, 1e-4])


def test_average_follows_the_weights_slowly(start: Callable) -> None:
    trainer = start(ema_decay=0.9)
    weight = trainer.vae.head.mu.weight
    before = weight.detach().clone()
    trainer.train_step()
    decay = 1 / 10  # min(0.9, (1 + 0) / (10 + 0))
    expected = decay * before + (1 - decay) * weight.detach()
    torch.testing.assert_close(trainer.ema.head.mu.weight, expected)


def test_steps_on_the_same_patches_see_other_noise(start: Callable) -> None:
    trainer = start(repeats=2, learning_rate=1e-8)
    styles = [trainer.train_step()["style"] for _ in range(2)]
    assert trainer._visited[0] == 0 and styles[0] != styles[1], styles


def test_regions_take_turns_with_patches_and_have_a_latent_a_cell(start: Callable) -> None:
    trainer = start(batch=4, region_every=2, repeats=2)
    seen = []
    for _ in range(8):
        assert all(map(math.isfinite, trainer.train_step().values()))
        originals = trainer._visited[1]
        seen.append((tuple(originals.images.shape), len(originals.inputs), originals.cells))
    patches, region = ((4, 1, 32, 32), 4, 1), ((1, 1, 64, 64), 4, 2)
    assert seen == [patches, patches, region, region] * 2, seen


def test_turns_of_regions_skip_no_patch(start: Callable) -> None:
    trainer, plain = start("mixed", region_every=3), start("plain")
    visits = [0, 1, 3, 4, 6]  # those that are not regions
    for nth, visit in enumerate(visits):
        expected = plain.pool.batch(nth, 2, True)
        assert torch.equal(trainer._batch(visit), expected), visit


def test_validation_of_regions_is_reported_where_they_are_trained_on(start: Callable) -> None:
    trainer, plain = start("mixed", region_every=2), start("plain")
    for run in (trainer, plain):
        run.evaluate()
    assert trainer.latest["relative_regions"] > 0
    assert "relative_regions" not in plain.latest
    assert trainer.latest["relative"] == plain.latest["relative"]


# --- finishing ---


def test_finished_run_is_a_model_with_its_record(start: Callable, tmp_path: Path) -> None:
    data = make_textures(tmp_path / "three", 3, 1, 64, 64)
    trainer = start(data=data, steps=2, validation_fraction=0.34)
    assert trainer.run() == "finished"
    loaded = load_model(trainer.out)
    manifest = loaded.manifest
    assert (manifest["finished"], manifest["steps"], manifest["patches_seen"]) == (True, 2, 4)
    assert manifest["data_hash"] == data.hash and manifest["um_per_px"] == 1.0
    assert manifest["validated_on"] == "held-out specimens"
    assert len(manifest["training_specimens"]) == 2
    assert TrainConfig.from_dict(manifest["training"]) == trainer.config
    assert loaded.config.backbone_sha256 == trainer.vgg.sha256
    assert manifest["metrics"] == trainer.validation.measure(loaded.vae), "of the exported weights"
    wanted = {"relative", "kl_nats", "active_latents", *(f"relative_{n}" for n in STYLE_LAYERS)}
    assert set(manifest["metrics"]) == wanted
    progress = json.loads((trainer.out / "progress.json").read_text())
    assert (progress["state"], progress["step"], progress["progress"]) == ("finished", 2, 1.0)


def test_clock_ends_a_run_with_minutes() -> None:
    run = SimpleNamespace(config=TrainConfig(steps=100, minutes=2.0), step=10, seconds=60.0)
    progress = Trainer.progress.fget  # type: ignore[attr-defined]
    assert progress(run) == pytest.approx(0.5)
    assert progress(SimpleNamespace(config=TrainConfig(steps=100), step=10, seconds=60.0)) == 0.1
    run.seconds = 500.0
    assert progress(run) == 1.0


# --- resuming ---


@pytest.mark.parametrize(
    ("repeats", "stop", "regions", "critic"), [(1, 3, 0, 0.0), (2, 3, 0, 0.0), (2, 3, 2, 0.2)]
)
def test_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    start: Callable, repeats: int, stop: int, regions: int, critic: float
) -> None:
    """Also when it stopped between two steps on the same patches or regions (step 3)."""
    start = partial(start, repeats=repeats, region_every=regions, critic_weight=critic)
    whole = start("whole")
    assert whole.run() == "finished"
    first = start("parts")
    stop_after(first, stop)
    assert first.run() == "stopped" and first.step == stop
    assert unlike(first.vae, whole.vae), "nothing was learned after the stop"
    second = start("parts")
    second.resume()
    assert second.step == stop and not unlike(second.vae, first.vae)
    assert not unlike(second.ema, first.ema)
    assert second.run() == "finished"
    assert not unlike(second.vae, whole.vae)
    for parameter, other in zip(second.vae.parameters(), whole.vae.parameters(), strict=True):
        for name, moment in whole.optimiser.state[other].items():
            assert torch.equal(second.optimiser.state[parameter][name], moment), name
    weights = [(run.out / "model.safetensors").read_bytes() for run in (second, whole)]
    assert weights[0] == weights[1]
    assert records(second.out) == records(whole.out)


def test_the_critic_learns_beside_the_model_and_is_not_exported(start: Callable) -> None:
    run = start(critic_weight=0.1)
    before = {name: p.detach().clone() for name, p in run.critic.named_parameters()}
    terms = run.train_step()
    assert math.isfinite(terms["critic"]) and 0.5 < terms["critic_loss"] < 1.5
    still = [n for n, p in run.critic.named_parameters() if torch.equal(p, before[n])]
    # While all opinions are within the hinge, both sides pull a head's last bias equally.
    assert not [name for name in still if not name.endswith("judge.bias")], still
    run.export()
    assert not [name for name in load_file(run.out / "model.safetensors") if "critic" in name]
    run.save()
    with pytest.raises(ConfigError, match=r"critic_weight was 0\.1, is 0\.0"):
        start().resume()


def test_run_begins_from_the_weights_of_a_trained_model(start: Callable, tmp_path: Path) -> None:
    first = start("first")
    assert first.run() == "finished"
    trained = load_model(tmp_path / "first")
    then = start("then", style_weight=7.0, relative_weight=1.0)
    then.begin_from(tmp_path / "first")
    for vae in (then.vae, then.ema):
        for name, tensor in trained.vae.state_dict().items():
            torch.testing.assert_close(vae.state_dict()[name], tensor, rtol=0, atol=0)
    assert then.run() == "finished"
    record = load_model(tmp_path / "then").manifest["began_from"]
    assert record["weights_sha256"] == trained.hash
    assert (record["steps"], record["training"]["style_weight"]) == (6, 600.0)


def test_a_model_without_grain_begins_one_that_learns_it(start: Callable, tmp_path: Path) -> None:
    start("first").run()
    grainy = start("then", model=replace(MODEL, grain=True))
    grainy.begin_from(tmp_path / "first")
    before = grainy.vae.decoder.grain.strength.bias.item()
    assert grainy.run() == "finished"
    assert load_model(tmp_path / "then").vae.decoder.grain.strength.bias.item() != before
    with pytest.raises(ConfigError, match="grain was True, is False"):
        start("back").begin_from(tmp_path / "then")


def test_interrupted_run_remembers_what_it_began_from(start: Callable, tmp_path: Path) -> None:
    start("first").run()
    then = start("then")
    then.begin_from(tmp_path / "first")
    stop_after(then, 3)
    assert then.run() == "stopped"
    again = start("then")
    again.resume()
    assert again.began_from == then.began_from != {}


def test_model_of_another_shape_is_no_beginning(start: Callable, tmp_path: Path) -> None:
    start("first").run()
    other = start("other", model=replace(MODEL, latents=3))
    with pytest.raises(ConfigError, match="latents was 4, is 3"):
        other.begin_from(tmp_path / "first")


def test_another_seed_is_another_run(start: Callable) -> None:
    a, b = start("a", seed=0), start("b", seed=1)
    assert unlike(a.vae, b.vae)
    assert not torch.equal(a.pool.batch(0, 2, True), b.pool.batch(0, 2, True))


def test_log_holds_nothing_of_steps_done_again(start: Callable) -> None:
    run = start()
    stop_after(run, 3)
    run.run()
    with open(run.out / "metrics.jsonl", "a", encoding="utf-8") as stream:
        stream.write(json.dumps({"kind": "train", "step": 4, "loss": -1.0}) + "\n")
        stream.write('{"kind": "train", "st')  # cut short by a kill
    again = start()
    again.resume()
    again.run()
    found = records(again.out)
    steps = [entry["step"] for entry in found if entry["kind"] == "train"]
    assert steps == [1, 2, 3, 4, 5, 6], steps
    assert all(entry.get("loss", 0) >= 0 for entry in found)
    assert [e["step"] for e in found if e["kind"] == "validation"] == [2, 4, 6]


def test_a_run_killed_while_it_finished_is_measured_once(start: Callable) -> None:
    """After the last step and its checkpoint: what was measured then is measured again."""
    whole = start("whole")
    assert whole.run() == "finished"
    again = start("whole")
    again.resume()
    before = records(whole.out)
    assert again.step == 6 and again.run() == "finished"
    assert records(again.out) == before
    assert [e["step"] for e in before if e["kind"] == "validation"] == [2, 4, 6]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 2e-3}, r"config\.learning_rate was 0\.001, is 0\.002"),
        ({"model": replace(MODEL, latents=5)}, r"config\.model\.latents was 4, is 5"),
        ({"steps": 7, "batch": 3}, r"config\.steps was 6, is 7; config\.batch was 2, is 3"),
        ({"style_layers": ("pool1",)}, r"config\.style_layers was \['conv1_1', .*is \['pool1'\]"),
    ],
)
def test_resume_with_other_settings_is_refused_and_says_which(
    start: Callable, changes: dict, message: str
) -> None:
    start().save()
    with pytest.raises(ConfigError, match=f"started differently: {message}"):
        start(**changes).resume()


def test_resume_on_other_data_is_refused(start: Callable, tmp_path: Path) -> None:
    start().save()
    other = make_textures(tmp_path / "other", 2, 1, 64, 96)
    with pytest.raises(ConfigError, match="started differently: data_hash was '"):
        start(data=other).resume()


def test_resume_without_a_checkpoint_is_refused(start: Callable) -> None:
    with pytest.raises(CheckpointError, match=r"cannot read .*state\.json: No such file"):
        start().resume()


# --- the decoder alone ---


def test_the_decoder_alone_learns_and_resumes_bit_for_bit(start: Callable) -> None:
    """Encoder and grain's filter stay; shifts and latents read back follow from seed and step."""
    model = replace(MODEL, grain=True, finest_noise=False)
    changes = {"model": model, "shift_px": 8, "latent_weight": 0.5, "frozen_encoder": True}
    start = partial(start, **changes, measured_grain=True)
    whole = start("whole")
    before = {name: tensor.clone() for name, tensor in whole.vae.state_dict().items()}
    assert whole.run() == "finished"
    after = whole.vae.state_dict()
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed and not any(name.startswith("head.") for name in changed)
    assert "decoder.grain.kernel" not in changed
    assert 0 < before["decoder.grain.strength.bias"].item() < 0.5
    first = start("parts")
    stop_after(first, 3)
    first.run()
    second = start("parts")
    second.resume()
    assert second.run() == "finished"
    assert not unlike(second.vae, whole.vae) and records(second.out) == records(whole.out)
    terms = [r for r in records(whole.out) if r["kind"] == "train"]
    assert all(0 < r["latents"] < 100 for r in terms)


def test_shifts_matter_and_wrap_around(start: Callable) -> None:
    plain, shifted = start("plain"), start("shifted", shift_px=16)
    assert plain.train_step()["relative"] != shifted.train_step()["relative"]


def test_terms_that_some_steps_lack_are_means_of_the_steps_that_have_them(start: Callable) -> None:
    trainer = start(region_every=2, latent_weight=1.0, log_every=6, batch=4)
    steps = []
    plain = trainer.train_step

    def step() -> dict[str, float]:
        steps.append(plain())
        return steps[-1]

    trainer.train_step = step  # type: ignore[method-assign]
    trainer.run()
    found = [s["latents"] for s in steps if "latents" in s]
    assert 0 < len(found) < len(steps)
    logged = next(r for r in records(trainer.out) if r["kind"] == "train")
    assert logged["latents"] == pytest.approx(sum(found) / len(found), rel=1e-4)


# --- the state on disk ---


@pytest.fixture(scope="module")
def saved(vgg_weights, data: DataSet, tmp_path_factory) -> Trainer:
    """A trainer with a checkpoint at step 1; tests damage copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.trainer.STANDARDISE_PATCHES", 4)
        trainer = Trainer(TINY, data, tmp_path_factory.mktemp("saved"), "cpu")
        trainer.train_step()
        trainer.save()
    return trainer


def _tensors(folder: Path) -> Path:
    return next(folder.glob("step-*.safetensors"))


def _rewrite(change: Callable) -> Callable:
    """Change the tensors and record the new hash."""

    def damage(folder: Path) -> None:
        tensors = load_file(_tensors(folder))
        change(tensors)
        save_file(tensors, _tensors(folder))
        _declare(lambda s: s.update(sha256=sha256_file(_tensors(folder))))(folder)

    return damage


def _declare(change: Callable) -> Callable:
    def damage(folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text())
        change(state)
        (folder / "state.json").write_text(json.dumps(state))

    return damage


def _flip(folder: Path) -> None:
    data = bytearray(_tensors(folder).read_bytes())
    data[-3] ^= 1
    _tensors(folder).write_bytes(data)


BIAS = "model.head.mu.bias"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "state.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "state.json").write_text("[]"), "does not describe a training state"),
        (_declare(lambda s: s.pop("file")), "does not describe a training state"),
        (_declare(lambda s: s.pop("step")), "does not describe a training state"),
        (_declare(lambda s: s.update(seconds="long")), "does not describe a training state"),
        (_declare(lambda s: s.pop("latest")), "does not describe a training state"),
        (lambda f: _tensors(f).unlink(), r"cannot read .*step-00000001\.safetensors"),
        (lambda f: os.truncate(_tensors(f), 5000), "is damaged"),
        (_flip, "its sha256 is not the recorded one"),
        (_rewrite(lambda t: t.pop(BIAS)), rf"disagree on the tensors \['{BIAS}'\]"),
        (_rewrite(lambda t: t.pop("adam.head.mu.bias.exp_avg")), r"\['adam\.head\.mu\.bias\.exp_a"),
        (_rewrite(lambda t: t.update(x=torch.zeros(1))), r"disagree on the tensors \['x'\]"),
        (_rewrite(lambda t: t.update({BIAS: torch.zeros(5)})), rf"{BIAS} is \(5,\) .*not \(4,\)"),
        (_rewrite(lambda t: t[BIAS].fill_(math.nan)), rf"{BIAS} has values that are not finite"),
    ],
)
def test_damaged_state_is_refused_and_nothing_of_it_loaded(
    saved: Trainer, tmp_path: Path, damage: Callable, message: str
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(saved.out / "checkpoint", folder)
    damage(folder)
    before = {name: t.clone() for name, t in saved.vae.state_dict().items()}
    models = (saved.vae, saved.ema, saved.optimiser)
    with pytest.raises(CheckpointError, match=message):
        training_state.load_state(folder, *models, expected={"data_hash": saved.data.hash})
    assert all(torch.equal(t, before[name]) for name, t in saved.vae.state_dict().items())


def test_kill_while_saving_leaves_the_state_before(
    start: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    run.train_step()
    run.save()
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(training_state, "write_json", killed)
        run.train_step()
        with pytest.raises(KeyboardInterrupt):
            run.save()
    again = start()
    again.resume()
    assert again.step == 1
    again.train_step()
    assert not unlike(again.vae, run.vae)
    again.save()
    left = [path.name for path in (run.out / "checkpoint").iterdir()]
    assert sorted(left) == ["state.json", "step-00000002.safetensors"], left


# --- stopping ---


@pytest.fixture
def handlers():
    """Put the signal handlers back that a run replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def command(start: Callable, data: DataSet, tmp_path: Path, handlers) -> list[str]:
    """The command line of a tiny run."""
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(TINY.to_dict()))
    return ["--data", str(data.root), "--out", str(tmp_path / "cli"), "--config", str(settings)]


def test_sigterm_saves_and_the_run_goes_on_later(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, plain = tmp_path / "cli", Trainer.train_step

    def step(trainer: Trainer) -> dict[str, float]:
        if trainer.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", step)
        assert main([*command, "--device", "cpu"]) == 128 + signal.SIGTERM
    state = json.loads((out / "checkpoint" / "state.json").read_text())
    assert state["step"] == 2
    assert json.loads((out / "progress.json").read_text())["state"] == "stopped"
    assert main([*command, "--device", "cpu"]) == 1, "a run is not overwritten"
    assert json.loads((out / "checkpoint" / "state.json").read_text()) == state
    assert main([*command, "--device", "cpu", "--resume"]) == 0
    assert load_model(out).manifest["steps"] == 6


def test_loss_that_is_not_finite_keeps_the_last_good_checkpoint(
    start: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(checkpoint_minutes=0.0)  # a checkpoint after every step
    plain = run.pool.batch

    def batch(visit: int, count: int, augment: bool) -> torch.Tensor:
        return plain(visit, count, augment) * (math.nan if visit == 2 else 1.0)

    monkeypatch.setattr(run.pool, "batch", batch)
    with pytest.raises(TrainingError, match=r"step 2: loss nan.*lower learning_rate or grad_clip"):
        run.run()
    again = start(checkpoint_minutes=0.0)
    again.resume()
    assert again.step == 2 and not unlike(again.vae, run.vae), "the step must not touch the weights"
    assert all(torch.isfinite(p).all() for p in run.vae.parameters())
    assert again.run() == "finished"


def test_failed_run_says_so_in_its_progress(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(trainer: Trainer) -> dict[str, float]:
        raise TrainingError("step 0: loss nan")

    monkeypatch.setattr(Trainer, "train_step", step)
    assert main([*command, "--device", "cpu"]) == 1
    progress = json.loads((tmp_path / "cli" / "progress.json").read_text())
    assert (progress["state"], progress["message"]) == ("failed", "step 0: loss nan")


@pytest.mark.parametrize(
    "change",
    [
        ["--data", "/nowhere"],
        ["--config", "/nowhere.json"],
        ["--steps", "0"],
        ["--device", "abacus"],
        ["--resume"],
    ],
)
def test_command_line_that_cannot_run_leaves_with_one(
    command: list[str], change: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main([*command, *change]) == 1
    assert "error: " in caplog.text


# --- data ---


def test_image_smaller_than_a_patch_is_named(start: Callable, tmp_path: Path) -> None:
    small = make_textures(tmp_path / "small", 1, 1, 24, 64)
    with pytest.raises(InputError, match=r"s0_0\.png: the image is 64 x 24 px"):
        start(data=small)


def test_every_specimen_has_the_same_share_and_no_patch_comes_twice_too_soon(
    data: DataSet,
) -> None:
    pool = PatchPool(data, ("s0", "s1"), 32, 32, seed=0)
    assert len(pool) == 2 * 2 * 4
    patches = torch.cat([pool.batch(step, 4, False) for step in range(4)])
    assert len({p.numpy().tobytes() for p in patches}) == 16, "all once before any twice"
    owners = {
        window.tobytes(): name
        for name, windows in zip(
            pool.specimens, [[pool._cut(w) for w in c] for c in pool.corners], strict=True
        )
        for window in windows
    }
    bytes_of = [(p[0] * 255).round().to(torch.uint8).numpy().tobytes() for p in patches]
    for step in range(4):
        owned = [owners[b] for b in bytes_of[4 * step : 4 * step + 4]]
        assert sorted(owned) == ["s0", "s0", "s1", "s1"], owned


def test_augmented_patches_are_turned_or_flipped_originals(data: DataSet) -> None:
    pool = PatchPool(data, ("s0", "s1"), 32, 32, seed=0)
    plain, turned = pool.batch(0, 8, False), pool.batch(0, 8, True)
    assert not torch.equal(plain, turned)
    for a, b in zip(plain[:, 0], turned[:, 0], strict=True):
        ways = [r for flip in (a, a.flip(1)) for r in (torch.rot90(flip, k) for k in range(4))]
        assert any(torch.equal(b, way) for way in ways)


def test_a_pool_without_specimens_is_refused(data: DataSet) -> None:
    with pytest.raises(InputError, match="no specimen"):
        PatchPool(data, (), 32, 32, seed=0)


# --- settings ---


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": 5}, "unknown settings ['step'] of TrainConfig"),
        ({"model": {"latent": 8}}, "unknown settings ['latent'] of ModelConfig"),
        ({"model": 8}, "ModelConfig needs a mapping of settings, not 8"),
        ({"steps": 0}, "steps must be an integer from 1 to 100000000, not 0"),
        ({"steps": 1.5}, "steps must be an integer from 1 to 100000000, not 1.5"),
        ({"batch": 0}, "batch must be an integer from 1 to 4096, not 0"),
        ({"repeats": 65}, "repeats must be an integer from 1 to 64, not 65"),
        ({"warm_up": -1}, "warm_up must be an integer from 0 to 1000000, not -1"),
        ({"kl_warm_up": -1}, "kl_warm_up must be an integer"),
        ({"region_every": -1}, "region_every must be an integer from 0 to 1000000, not -1"),
        ({"shift_px": 8, "model": {"decoder": "paper"}}, "shift_px needs the decoder 'texture'"),
        (
            {"diversity_weight": 1, "model": {"decoder": "paper"}},
            "diversity_weight needs",
        ),
        ({"free_bits": -1}, "free_bits must be a number from 0 to 1000, not -1"),
        ({"measured_grain": True}, "measured_grain needs a model with grain"),
        ({"frozen_encoder": 1}, "frozen_encoder must be true or false, not 1"),
        ({"region_every": 2, "model": {"decoder": "paper"}}, "needs the decoder 'texture'"),
        ({"wasserstein_weight": 1, "style_layers": ["conv1_1"]}, "needs style_layers with some"),
        ({"seed": -1}, "seed must be an integer from 0 to 2147483647, not -1"),
        ({"stride": 0}, "stride must be an integer from 1 to 4096, not 0"),
        ({"validation_patches": 0}, "validation_patches must be an integer from 1 to 4096"),
        ({"evaluate_every": 0}, "evaluate_every must be an integer from 1"),
        ({"log_every": "5"}, "log_every must be an integer from 1 to 10000000, not '5'"),
        ({"learning_rate": 0}, "learning_rate must be a number from 1e-08 to 1, not 0"),
        ({"learning_rate": math.nan}, "learning_rate must be a number from 1e-08 to 1, not nan"),
        ({"final_fraction": 1.5}, "final_fraction must be a number from 0 to 1, not 1.5"),
        ({"style_weight": -1}, "style_weight must be a number from 0 to 1e+12, not -1"),
        ({"kl_weight": True}, "kl_weight must be a number from 0 to 1e+06, not True"),
        ({"ema_decay": 1.0}, "ema_decay must be a number from 0 to 0.999999, not 1.0"),
        ({"grad_clip": 0}, "grad_clip must be a number from 1e-06 to 1e+12, not 0"),
        ({"validation_fraction": 1}, "validation_fraction must be a number from 0 to 0.9, not 1"),
        ({"checkpoint_minutes": -1}, "checkpoint_minutes must be a number from 0 to 100000"),
        ({"minutes": 0}, "minutes must be a number from 0.01 to 1e+06, not 0"),
        ({"loss": "mse"}, "loss 'mse' is unknown; choose from ('norm', 'mixture', 'centred'"),
        ({"precision": "float16"}, "precision 'float16' is unknown"),
        ({"augment": 1}, "augment must be true or false, not 1"),
        ({"style_layers": []}, "style_layers must be some of ('conv1_1', 'pool1'"),
        ({"style_layers": ["pool5"]}, "style_layers must be some of ('conv1_1', 'pool1'"),
        ({"style_layers": "pool1"}, "style_layers must be some of ('conv1_1', 'pool1'"),
        ({"style_layers": 3}, "style_layers must be some of ('conv1_1', 'pool1'"),
        ({"style_layers": [["pool1"]]}, "style_layers must be some of ('conv1_1', 'pool1'"),
    ],
)
def test_bad_settings_are_refused_with_name_value_and_range(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        TrainConfig.from_dict(settings)
    assert message in str(refused.value)


def test_a_model_that_is_not_settings_is_refused() -> None:
    with pytest.raises(ConfigError, match="model must be a ModelConfig, not 'vae'"):
        TrainConfig(model="vae")  # type: ignore[arg-type]


def test_style_layers_are_kept_in_the_networks_order() -> None:
    """The last one says how far VGG19 must go."""
    config = TrainConfig(style_layers=("pool2", "conv1_1", "pool2"))
    assert config.style_layers == ("conv1_1", "pool2")
    config = TrainConfig(style_layers=("conv5_1", "pool3", "conv2_1"))
    assert config.style_layers == ("conv2_1", "pool3", "conv5_1")


@pytest.mark.parametrize("name", presets())
def test_presets_are_valid_and_survive_json(name: str) -> None:
    config = TrainConfig.from_file(name)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert TrainConfig.from_file(str(PRESETS / f"{name}.json")) == config


def test_papers_preset_is_the_papers_model() -> None:
    config = TrainConfig.from_file("paper")
    model = config.model
    assert (model.decoder, model.head, model.pooling, model.latents) == (
        "paper",
        "pool5",
        "max",
        64,
    )
    assert config.loss == "eq2" and config.style_layers == STYLE_LAYERS and config.stride == 50


def test_unreadable_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot read .*absent\.json"):
        TrainConfig.from_file(str(tmp_path / "absent.json"))
    (tmp_path / "broken.json").write_text("{steps: 5}")
    with pytest.raises(CheckpointError, match=r"broken\.json is not valid JSON"):
        TrainConfig.from_file(str(tmp_path / "broken.json"))


def test_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    config = TrainConfig(learning_rate=1e-2, warm_up=10, final_fraction=0.1)
    assert config.rate(0.0, 0) == pytest.approx(1e-3)
    assert config.rate(0.0, 9) == config.rate(0.0, 500) == pytest.approx(1e-2)
    assert config.rate(0.5, 500) == pytest.approx(0.55e-2)
    assert config.rate(1.0, 500) == config.rate(7.0, 500) == pytest.approx(1e-3)
