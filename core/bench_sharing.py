"""How processes that compute at once share the cores: with threads that wait briefly, and without.

``python -m core.bench_sharing MODEL ROUNDS`` is one of them, started by `sharing`.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.checkpoint import load_model
from core.openmp import SPINS
from core.synthesis import synthesise

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_SPINS = "300000"  # of GNU OpenMP, where nothing is set
SIDE_PX = 128
AT_ONCE = 2


def sharing(model: Path, rounds: int) -> dict[str, Any]:
    """Measure one process that decodes patches, and several at once.

    Args:
        model: its folder.
        rounds: patches that each process decodes.

    Returns:
        JSON content: "alone" and "together", as it ships, then "alone_default" and
        "together_default", with OpenMP's default; of each the seconds a patch, and beside "alone".
    """
    cases = {
        "alone": (1, SPINS),
        "together": (AT_ONCE, SPINS),
        "alone_default": (1, DEFAULT_SPINS),
        "together_default": (AT_ONCE, DEFAULT_SPINS),
    }
    found = {name: _seconds(model, rounds, *case) for name, case in cases.items()}
    return {
        "what": f"one process, or {AT_ONCE} at once, that decode and finish patches of {SIDE_PX} "
        "px, with all threads each: seconds a patch, mean over both; times_alone beside one alone, "
        "as it ships",
        "rounds": rounds,
        **{
            name: {
                "spins": cases[name][1],
                "seconds": seconds,
                "times_alone": seconds / found["alone"],
            }
            for name, seconds in found.items()
        },
    }


def _seconds(model: Path, rounds: int, processes: int, spins: str) -> float:
    """Return the mean seconds a patch of processes that begin together."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-m", "core.bench_sharing", str(model.resolve()), str(rounds)]
    with contextlib.ExitStack() as stack:
        running = []
        for _ in range(processes):
            one = subprocess.Popen(
                command, cwd=ROOT, env=kept | {"GOMP_SPINCOUNT": spins}, text=True,
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
        return float(np.mean([float(one.communicate()[0]) for one in running]))


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
