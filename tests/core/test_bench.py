"""Claims about what the bench counts; times themselves are no test's business."""

from pathlib import Path

import pytest
import torch

from core.bench import (
    SHOWN,
    necessary_flops,
    peak_flops,
    peak_memory_gib,
    profile,
    report,
    seconds,
)
from core.bench_sharing import DEFAULT_SPINS, sharing
from core.model import ModelConfig
from core.openmp import BRIEF, SPINS
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


def test_profile_names_what_takes_the_time():
    a = torch.randn(256, 256)

    def work() -> None:
        for _ in range(20):
            torch.relu(a @ a)

    found = profile(work)
    assert found[0]["operator"] == "aten::mm" and found[0]["share"] > 0.5, found
    assert found[0]["calls"] == 20 and len(found) <= SHOWN
    shares = [entry["share"] for entry in found]
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 1 + 1e-9


SHARED = ("times as long as alone: beside_job 2.94",)


def test_everything_measured_is_printed():
    decode = {"median_s": 0.0123, "p95_s": 0.0456, "n": 5}
    step = {
        "patches_per_s": 5.43, "seconds_per_step": 0.74, "patches_per_step": 4,
        "precision": "float32", "necessary_gflop_per_step": 87.6, "share_of_peak": 0.43,
        "peak_gflop_per_s": 210.9,
        "profile": [{"operator": "aten::mm", "share": 0.61, "calls": 7}],
    }  # fmt: skip
    encoded = {"seconds": 8.91, "patches": 165, "patches_per_s": 18.5}
    content = {
        "inference": {f"decode_{side}_px": decode for side in (128, 512, 1024)}
        | {"encode_micrograph_2048x1532": encoded},
        "training": step,
        "sharing": {"cases": {"beside_job": {"times_alone": [2.94, 1.8]}}},
        "peak_memory_inference_gib": 1.25,
        "peak_memory_all_gib": 2.75,
        "peak_device_memory_gib": None,
    }
    text = report(content)
    told = ("5.4 patches/s", "88 GFLOP", "43 % of the 211", "61.0 %  aten::mm (7 calls)", "8.91 s")
    for figure in (
        *told,
        "1024 px: median 12 ms, 95th percentile 46 ms",
        "1.25 GiB",
        "2.75 GiB",
        *SHARED,
    ):
        assert figure in text, figure
    assert "GPU" not in text
    assert "GPU: 3.50 GiB" in report(content | {"peak_device_memory_gib": 3.5})


def test_processes_at_once_are_measured_as_they_ship_and_with_openmp_s_default(tiny_model: Path):
    cases = sharing(tiny_model, 1)["cases"]
    assert {name: one["spins"] for name, one in cases.items()} == {
        "alone": [SPINS],
        "beside_job": [SPINS, BRIEF],
        "beside_own": [SPINS] * 2,
        "default_alone": [DEFAULT_SPINS],
        "default_beside": [DEFAULT_SPINS] * 2,
    }
    (alone,) = cases["alone"]["seconds"]
    assert alone > 0
    for one in cases.values():
        assert one["times_alone"] == [seconds / alone for seconds in one["seconds"]]


def test_a_process_that_cannot_begin_ends_the_measurement(tmp_path: Path):
    with pytest.raises(RuntimeError, match="could not begin"):
        sharing(tmp_path, 1)


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
