"""Training outlives kills, full disks and a second process; fifty kills are in the report."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.locks import RUN_LOCK, alone
from core.train import main
from tests.faults.harness import hurt, in_child
from tests.faults.kills import Shop, kill_often, start, undisturbed, wait
from tests.faults.shops import Foundry, finishing, foundry


@pytest.fixture
def shop(tmp_path: Path) -> Foundry:
    return foundry(tmp_path, steps=4)


@pytest.mark.parametrize("make", [foundry, finishing], ids=["model", "denoiser"])
def test_killed_runs_come_to_the_same_bit_for_bit(make: Callable[..., Shop], tmp_path: Path):
    found = kill_often(make(tmp_path, steps=4), count=3)
    assert not found.lost and found.same == found.runs >= 1, found
    assert found.kills == len(found.steps) == 3


def test_a_kill_within_the_first_checkpoint_lets_it_begin_anew(shop: Foundry):
    whole, _ = undisturbed(shop)
    out = shop.folder / "run"
    (out / "checkpoint").mkdir(parents=True)
    (out / "checkpoint" / ".step-00000001.safetensors.abcd.tmp").write_bytes(b"half")
    (out / "checkpoint" / "step-00000001.safetensors").write_bytes(b"not named yet")
    assert wait(start(shop, out), None) == 0
    assert shop.compare(whole, out) == ""


def test_a_full_disk_stops_it_with_words_and_it_goes_on_when_there_is_room(shop: Foundry, caplog):
    whole, _ = undisturbed(shop)
    out = shop.folder / "run"

    def train() -> None:
        code = wait(start(shop, out), None)
        assert code == 0, f"status {code}"

    def first() -> None:
        assert shop.train(out) == 1, "it told of no error"

    steps = []
    for number in (0, 9, 21, 33):
        outcome = hurt(first, out, "full", number)
        assert not outcome.error, outcome.error
        steps.append(shop.look(out))
        assert not list(out.rglob("*.tmp"))
    assert steps[0] == 0 and steps == sorted(steps) and steps[-1] >= 1, steps
    assert not in_child(train).error
    assert shop.compare(whole, out) == ""


def test_a_second_process_on_a_run_is_told_so_and_changes_nothing(shop: Foundry, capsys, caplog):
    out = shop.folder / "run"
    with alone(out):
        before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
        assert main(["--data", str(shop.data.root), "--out", str(out)]) == 1
        assert f"{out} is in use by process {os.getpid()}: wait until it ends" in caplog.text
        assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    child = start(shop, out)  # the lock is free again
    assert wait(child, None) == 0


def test_a_killed_run_frees_its_folder(shop: Foundry):
    out = shop.folder / "run"
    child = start(shop, out)
    while not (out / RUN_LOCK).exists() or not (out / RUN_LOCK).read_text():
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    with pytest.raises(ConfigError, match=f"in use by process {child}"), alone(out):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with alone(out):
        assert (out / RUN_LOCK).read_text() == f"process {os.getpid()}"
