"""How processes that compute at once share the cores, as `core.openmp` lets threads wait.

``python -m core.bench_sharing MODEL ROUNDS`` is one of them, started by `sharing`.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.checkpoint import load_model
from core.openmp import BRIEF, SPINS
from core.synthesis import synthesise

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_SPINS = "300000"  # of GNU OpenMP, where nothing is set
SIDE_PX = 128


def sharing(model: Path, rounds: int) -> dict[str, Any]:
    """Measure a process that decodes patches, alone and beside another one.

    Args:
        model: its folder.
        rounds: patches that each process decodes.

    Returns:
        JSON content: "alone" (as it ships), "beside_job" (beside one that runs in the background),
        "beside_own" (beside one like itself), then "default_alone" and "default_beside" with
        OpenMP's default. Of each the seconds a patch, and beside those of "alone"; of the one
        beside it, too.
    """
    cases = {
        "alone": (SPINS,),
        "beside_job": (SPINS, BRIEF),
        "beside_own": (SPINS, SPINS),
        "default_alone": (DEFAULT_SPINS,),
        "default_beside": (DEFAULT_SPINS, DEFAULT_SPINS),
    }
    found = {name: _seconds(model, rounds, spins) for name, spins in cases.items()}
    alone = found["alone"][0]
    return {
        "what": f"a process that decodes and finishes patches of {SIDE_PX} px with all threads, "
        "alone and beside another that does the same: seconds a patch, and times those of alone",
        "rounds": rounds,
        "cases": {
            name: {
                "spins": list(cases[name]),
                "seconds": seconds,
                "times_alone": [one / alone for one in seconds],
            }
            for name, seconds in found.items()
        },
    }


def _seconds(model: Path, rounds: int, spins: Sequence[str]) -> list[float]:
    """Return the seconds a patch of processes that begin together, one for each of ``spins``."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-m", "core.bench_sharing", str(model.resolve()), str(rounds)]
    with contextlib.ExitStack() as stack:
        running = []
        for count in spins:
            one = subprocess.Popen(
                command, cwd=ROOT, env=kept | {"GOMP_SPINCOUNT": count}, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            stack.enter_context(one)  # closes its pipes
            stack.callback(one.kill)
            running.append(one)
        for one in running:
            if one.stdout is None or one.stdout.readline() != "ready\n":
                raise RuntimeError("a process of the bench could not begin; its message is above")
        for one in running:
            if one.stdin is not None:
                one.stdin.write("go\n")
                one.stdin.flush()
        return [float(one.communicate()[0]) for one in running]


def main() -> None:
    """Load the model, wait for a line, decode patches, and print the seconds of each."""
    loaded, rounds = load_model(Path(sys.argv[1]), backbone=False), int(sys.argv[2])
    z = np.zeros(loaded.config.latents, dtype=np.float32)
    synthesise(loaded, z, SIDE_PX, SIDE_PX, 0)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.perf_counter()
    for seed in range(rounds):
        synthesise(loaded, z, SIDE_PX, SIDE_PX, seed)
    print((time.perf_counter() - begun) / rounds, flush=True)


if __name__ == "__main__":
    main()
