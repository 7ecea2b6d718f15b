"""Claims about what the bench counts; times themselves are no test's business."""

from pathlib import Path

import pytest
import torch

from core.bench import necessary_flops, peak_flops, peak_memory_gib, seconds
from core.model import ModelConfig
from core.train_config import TrainConfig
from core.trainer import Trainer
from tests.core.textures import make_textures


def trainer(folder: Path, **settings) -> Trainer:
    model = ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=16, patch_px=32)
    config = TrainConfig(
        model=model, batch=2, steps=50, stride=32, validation_patches=1, precision="float32",
        **settings,
    )  # fmt: skip
    return Trainer(config, make_textures(folder / "data", 2, 1, 64, 128), folder / "run")


def vgg_flops(last: str, side: int, backward: bool) -> float:
    """Products of VGG19's convolutions on one picture, by hand: 2 K K I O H W each."""
    total = 0.0
    plan = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
    before = 3
    for number, block in enumerate(plan[: int(last[-1])]):
        for width in block:
            total += 2 * 9 * before * width * (side >> number) ** 2
            before = width
    return total * (2 if backward else 1)  # frozen: the backward pass goes to the picture alone


def test_necessary_arithmetic_is_dominated_by_vgg_counted_by_hand(vgg_weights, tmp_path: Path):
    made = trainer(tmp_path, repeats=2)
    found = necessary_flops(made)
    by_hand = 2 * (vgg_flops("pool5", 32, False) / 2 + vgg_flops("pool4", 32, True))
    assert by_hand < found < 1.5 * by_hand, (found, by_hand)


def test_counting_leaves_the_trainer_able_to_go_on(vgg_weights, tmp_path: Path):
    made = trainer(tmp_path)
    network = made.vgg
    necessary_flops(made)
    assert made.vgg is network
    made.train_step()


def test_peak_is_that_of_matrix_products(monkeypatch):
    monkeypatch.setattr("core.bench.PEAK_SIDES", (64,))
    assert peak_flops("float32") > 1e6
    assert peak_flops("bfloat16") > 1e5


def test_warming_up_is_not_counted():
    calls = []
    found = seconds(lambda: calls.append(1), rounds=3)
    assert len(found) == 3 and len(calls) == 4 and min(found) >= 0


def test_memory_is_at_least_what_is_held():
    held = torch.ones(64, 2**20)  # 256 MiB
    assert peak_memory_gib() > held.nbytes / 2**30


@pytest.mark.parametrize("name", ["--model", "--data"])
def test_command_line_needs_model_and_data(name: str, capsys):
    from core.bench import main

    with pytest.raises(SystemExit):
        main([name, "nowhere"])
    assert "required" in capsys.readouterr().err


def test_no_rounds_are_refused(capsys):
    from core.bench import main

    with pytest.raises(SystemExit):
        main(["--model", "a", "--data", "b", "--rounds", "0"])
    assert "one or more is needed" in capsys.readouterr().err
