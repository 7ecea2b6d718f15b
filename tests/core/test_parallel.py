"""Claims about training by several processes: it is the training of one, whatever their number."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Generator

from core import processes
from core.dataset import DataSet
from core.errors import ConfigError
from core.files import write_json
from core.joint_noise import JointGenerator, draw_normal
from core.model import ModelConfig
from core.parallel import ParallelTrainer, make_trainer
from core.patch_pool import PatchPool
from core.processes import joined, launched, place, shared
from core.train_config import TrainConfig
from core.trainer import Trainer
from tests.conftest import ROOT
from tests.core.textures import make_textures
from tests.core.train_in_double import in_double

STEPS = 6
CONFIG = TrainConfig(
    model=ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=8, patch_px=32),
    steps=STEPS,
    batch=4,
    repeats=2,
    warm_up=2,
    kl_warm_up=3,
    critic_weight=0.1,
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
def second_of_two(monkeypatch):
    """This process takes itself for the second of two."""
    monkeypatch.setattr(processes, "place", lambda: (1, 2))


def test_shares_of_noise_together_are_the_noise_of_the_whole_batch() -> None:
    whole = Generator().manual_seed(5)
    parts = [JointGenerator.of_share(place, 2, 5) for place in range(2)]
    for shape in ((4, 3), (4, 1, 5, 7), (4, 2, 2, 2)):  # in turn: the streams stay in step
        expected = draw_normal(shape, whole)
        found = torch.cat([draw_normal((2, *shape[1:]), part) for part in parts])
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_noise_of_a_plain_generator_is_torchs_own() -> None:
    made = draw_normal((3, 5), Generator().manual_seed(1))
    expected = torch.randn(3, 5, generator=Generator().manual_seed(1))
    torch.testing.assert_close(made, expected, rtol=0, atol=0)


def test_without_a_launcher_nothing_is_shared(monkeypatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert not launched() and place() == (0, 1)
    assert shared([1, 2, 3]) == [1, 2, 3]
    with joined("cpu") as device:
        assert device == "cpu" and place() == (0, 1)


def test_each_process_gets_its_own_part_of_a_batch(data: DataSet, second_of_two) -> None:
    pool = PatchPool(data, ["s0", "s1"], 32, 32, seed=0)
    mine = pool.batch(3, 4, augment=True)
    processes.place = lambda: (0, 1)  # the fixture puts the real one back
    whole = pool.batch(3, 4, augment=True)
    torch.testing.assert_close(mine, whole[2:], rtol=0, atol=0)


@pytest.mark.parametrize("batch", [1, 3])
def test_batch_that_cannot_be_shared_equally_is_refused(batch: int, second_of_two) -> None:
    with pytest.raises(ConfigError, match=rf"batch of {batch} cannot be shared by 2 processes"):
        shared(range(batch))


@pytest.fixture
def single(vgg_weights, one_thread, data: DataSet, tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A float64 run by one process: finished in `single`, its half-way checkpoint in `pair`."""
    monkeypatch.setattr("core.trainer.STANDARDISE_PATCHES", 4)
    try:
        in_double(monkeypatch.setattr)
        for name, steps in (("pair", STEPS // 2), ("single", STEPS)):
            out = tmp_path / name
            out.mkdir()
            trainer = make_trainer(CONFIG, data, out, "cpu")
            assert type(trainer) is Trainer and not isinstance(trainer, ParallelTrainer)
            while trainer.step < steps:
                trainer.train_step()
            trainer.save()
        yield tmp_path
    finally:  # also where a step fails: other tests compute in float32
        torch.set_default_dtype(torch.float32)


def weights(run: Path) -> dict[str, torch.Tensor]:
    about = json.loads((run / "checkpoint" / "state.json").read_text())
    assert about["step"] == STEPS
    return load_file(run / "checkpoint" / about["file"])


def test_two_processes_train_as_one_does_and_resume_its_checkpoint(single: Path, data: DataSet):
    start = load_file(next((single / "pair" / "checkpoint").glob("*.safetensors")))
    write_json(single / "config.json", CONFIG.to_dict())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "tests.core.train_in_double"]
    command += ["--resume", "--device", "cpu", "--data", str(data.root)]
    command += ["--out", str(single / "pair")]
    command += ["--config", str(single / "config.json"), "--threads", "1"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = weights(single / "single"), weights(single / "pair")
    assert one.keys() == two.keys()
    moved = apart = 0.0
    for name in one:
        if name.startswith(("model.", "ema.")):
            moved += (one[name] - start[name]).square().sum().item()
            apart += (one[name] - two[name]).square().sum().item()
    assert moved > 0 and (apart / moved) ** 0.5 < 1e-10, (apart / moved) ** 0.5
    # One log, by the first process: a line a step from the checkpoint on.
    lines = (single / "pair" / "metrics.jsonl").read_text().splitlines()
    steps = [r["step"] for r in map(json.loads, lines) if r["kind"] == "train"]
    assert steps == list(range(STEPS // 2 + 1, STEPS + 1))
    assert json.loads((single / "pair" / "manifest.json").read_text())["finished"]
    assert done.stderr.count("finished:") == 1, "the second process is silent"
