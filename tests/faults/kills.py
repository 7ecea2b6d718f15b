"""Trainings killed at random moments (SIGKILL) and resumed, against the run that nobody disturbed.

Real command lines (`tests.faults.shops` says which) run in forks of this process, which have
imported everything already.
"""

import logging
import os
import random
import signal
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from core.errors import CheckpointError

MOST_STARTS = 200


class Shop(Protocol):
    """A kind of training, with what its runs share: data and settings."""

    @property
    def folder(self) -> Path:
        """Where the runs are."""

    def train(self, out: Path) -> int:
        """Run the command into ``out``, resumed where there is a checkpoint; return its status.

        In a fork of its own: it replaces parts of the code under test.
        """

    def look(self, out: Path) -> int:
        """Load what a run has left; return its checkpoint's step, 0 where there is none yet.

        Raises:
            CheckpointError: it is damaged.
        """

    def compare(self, whole: Path, other: Path) -> str:
        """Return what differs between two runs' folders, "" where they came to the same."""


def start(shop: Shop, out: Path) -> int:
    """Start a training in a fork, resumed where there is a checkpoint; return the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 70
    try:
        torch.set_num_threads(1)
        logging.disable()
        code = shop.train(out)
    finally:
        os._exit(code)


def wait(child: int, seconds: float | None) -> int | None:
    """Wait for a process's end and return its status; kill it after ``seconds``, then None."""
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        done, status = os.waitpid(child, 0 if end is None else os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if code == -signal.SIGKILL else code


def undisturbed(shop: Shop) -> tuple[Path, float]:
    """Do the run that nobody disturbs; return its folder and its seconds."""
    begun, out = time.monotonic(), shop.folder / "whole"
    code = wait(start(shop, out), None)
    assert code == 0, f"the undisturbed run ended with status {code}"
    return out, time.monotonic() - begun


@dataclass(slots=True)
class Kills:
    """What killed runs came to.

    Attributes:
        kills: done.
        runs: brought to their end.
        same: of those, equal to the undisturbed one bit for bit.
        before_first: kills before the first checkpoint: the run began anew.
        steps: at which the checkpoint was found after each kill.
        lost: what was lost, in words.
    """

    kills: int = 0
    runs: int = 0
    same: int = 0
    before_first: int = 0
    steps: list[int] | None = None
    lost: list[str] | None = None


def kill_often(shop: Shop, count: int, seed: int = 0) -> Kills:
    """Kill trainings at random moments until there were ``count`` kills; finish each of them."""
    whole, seconds = undisturbed(shop)
    chance, found = random.Random(seed), Kills(steps=[], lost=[])
    while found.kills < count:
        out = shop.folder / f"run{found.runs}"
        _one_run(shop, out, chance, seconds, found, count)
        found.runs += 1
        difference = shop.compare(whole, out)
        found.same += not difference
        found.lost += [f"run {found.runs}: {difference}"] if difference else []
    return found


def _one_run(
    shop: Shop, out: Path, chance: random.Random, seconds: float, found: Kills, count: int
) -> None:
    """Start and kill a run again and again until it ends."""
    reached = 0
    for _ in range(MOST_STARTS):
        spare = found.kills < count
        code = wait(start(shop, out), chance.uniform(0.0, seconds) if spare else None)
        if code == 0:
            return
        if code is not None:
            found.lost.append(f"{out.name} ended with status {code}")
            return
        found.kills += 1
        try:
            step = shop.look(out)
        except CheckpointError as error:
            found.lost.append(f"kill {found.kills}: {error}")
            return
        if step < reached:
            found.lost.append(f"kill {found.kills}: back from step {reached} to {step}")
        reached = max(reached, step)
        found.before_first += step == 0
        found.steps.append(step)
    found.lost.append(f"{out.name} did not end in {MOST_STARTS} starts")
