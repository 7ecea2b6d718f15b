"""Faults injected and what was lost: ``python -m tests.faults.report [--kills 50] [--out DIR]``.

Writes ``faults.json``: trainings killed at random moments, every kind of file at every step on the
disk, the tests of clock, locks and full disks, and the server killed under open tabs (where
Chromium and VGG19's weights are there). Minutes.
"""

import argparse
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.results import RESULTS, ROOT, record, write_result
from core.weights import weights_path
from tests.e2e.server import chromium
from tests.faults.checks import (
    Tally,
    ended_within_a_file,
    full_at_every_step,
    killed_at_every_step,
    read_only_folder,
)
from tests.faults.kills import Shop, kill_often
from tests.faults.server import killed_under_sessions
from tests.faults.shops import finishing, foundry
from tests.faults.subjects import SUBJECTS

CHECKS: dict[str, tuple[str, Callable[..., Tally]]] = {
    "killed": ("SIGKILL at each step on the disk", killed_at_every_step),
    "full": ("no space left, from each step on", full_at_every_step),
    "cut": ("killed, or refused, in the middle of a file", ended_within_a_file),
    "read_only": (
        "no right to write (an unprivileged user where root runs it)",
        read_only_folder,
    ),
}
_TRAINING = "tests/faults/test_training.py"
TESTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "clock": ("the clock put back, by an hour and more", ("tests/faults/test_clock.py",)),
    "two_processes": (
        "a second process on one run, and one after a kill",
        (
            f"{_TRAINING}::test_a_second_process_on_a_run_is_told_so_and_changes_nothing",
            f"{_TRAINING}::test_a_killed_run_frees_its_folder",
        ),
    ),
    "training": (
        "training on a full disk, and with half a checkpoint",
        (
            f"{_TRAINING}::test_a_full_disk_stops_it_with_words_and_it_goes_on_when_there_is_room",
            f"{_TRAINING}::test_a_kill_within_the_first_checkpoint_lets_it_begin_anew",
        ),
    ),
}
logger = logging.getLogger(__name__)


def training(shop: Shop, command: str, kills: int, seed: int) -> dict[str, Any]:
    """Kill trainings; return what became of them."""
    begun = time.monotonic()
    found = kill_often(shop, kills, seed)
    steps = found.steps or [0]
    return {
        "what": f"{command} of a small model, killed (SIGKILL) at uniformly random moments of an "
        "undisturbed run's time, its last checkpoint loaded, and resumed, until it is finished",
        "kills": found.kills,
        "kills_before_first_checkpoint": found.before_first,
        "steps_found_after_kills": {"least": min(steps), "most": max(steps)},
        "runs_finished": found.runs,
        "runs_equal_to_the_undisturbed_bit_for_bit": found.same,
        "losses": found.lost,
        "seconds": round(time.monotonic() - begun, 1),
    }


def files(folder: Path) -> dict[str, Any]:
    """Hurt every kind of file in every way."""
    found: dict[str, Any] = {}
    for check, (what, run) in CHECKS.items():
        kinds = {}
        for number, (name, subject) in enumerate(SUBJECTS.items()):
            tally = run(subject, folder / f"{check}{number}")
            kinds[name] = {
                "faults": tally.faults,
                "old_state_kept": tally.kept,
                "new_state_there": tally.done,
                "told_clearly": tally.told,
                "losses": tally.losses or [],
            }
            logger.info("%s, %s: %d faults, %s", check, name, tally.faults, tally.losses or "sound")
        total = sum(kind["faults"] for kind in kinds.values())
        lost = sum(len(kind["losses"]) for kind in kinds.values())
        found[check] = {"what": what, "faults": total, "losses": lost, "kinds": kinds}
    return found


def tested() -> dict[str, Any]:
    """Run the tests of clock, locks and full disks; return what became of each kind."""
    found: dict[str, Any] = {}
    for kind, (what, chosen) in TESTS.items():
        command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", *chosen]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed)", done.stdout)}
        passed, failed = counts.get("passed", 0), counts.get("failed", 0)
        lost = failed or int(done.returncode != 0 or not passed)  # they did not run
        found[kind] = {"what": what, "tests": list(chosen)}
        found[kind] |= {"run": passed + failed, "passed": passed, "losses": lost}
        logger.info("%s: %d of %d tests pass", what, passed, passed + failed)
    return found


def server(folder: Path, sessions: int) -> dict[str, Any]:
    """Kill the server under tabs; say why where that cannot be done here."""
    executable = chromium()
    if executable is None or not weights_path().is_file():
        missing = "Chromium" if executable is None else "VGG19's weights"
        return {"not_run": f"{missing} is not here"}
    return killed_under_sessions(folder, executable, sessions)


def main(argv: list[str] | None = None) -> int:
    """Inject the faults and write the result; the exit status is 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--denoiser-kills", type=int, default=10)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("core").setLevel(logging.WARNING)
    given = ["--kills", str(arguments.kills), "--denoiser-kills", str(arguments.denoiser_kills)]
    given += ["--sessions", str(arguments.sessions)]
    content = record("tests.faults.report", given, model_sha256="", data_hash="")
    del (
        content["model_sha256"],
        content["denoiser_sha256"],
        content["data_sha256"],
    )  # it does not depend on them
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model, denoiser = foundry(place / "training"), finishing(place / "denoiser")
        seed = arguments.seed
        content["training"] = training(model, "core.train", arguments.kills, seed)
        logger.info("%s", content["training"])
        kills = arguments.denoiser_kills
        content["denoiser"] = training(denoiser, "core.denoiser", kills, seed)
        logger.info("%s", content["denoiser"])
        content["files"] = files(place / "files")
        content["tested"] = tested()
        before = os.environ.get("MICRODESIGN_WORKSPACE")
        (place / "server").mkdir()
        content["server"] = server(place / "server", arguments.sessions)
        if before is None:
            os.environ.pop("MICRODESIGN_WORKSPACE", None)
        else:
            os.environ["MICRODESIGN_WORKSPACE"] = before
    content["losses"] = losses(content)
    write_result("faults", content, arguments.out)
    logger.info("%d losses", content["losses"])
    return int(content["losses"] > 0)


def losses(content: dict[str, Any]) -> int:
    """Count everything that was lost, half-written, told unclearly, or did not come back."""
    tabs = content["server"]
    count = sum(len(content[kind]["losses"]) for kind in ("training", "denoiser"))
    for parts in (content["files"], content["tested"]):
        count += sum(part["losses"] for part in parts.values())
    if "not_run" not in tabs:
        count += tabs["sessions"] - tabs["back"] + tabs["errors"] + tabs["designs_lost"]
        steps = [tabs[f"job_step_at_{when}"] for when in ("kill", "restart", "end")]
        count += tabs["job_state"] != "stopped" or steps != sorted({*steps})
    return int(count)


if __name__ == "__main__":
    raise SystemExit(main())
