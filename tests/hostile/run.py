"""Run a group's cases in child processes; one that dies costs the case it died of, no other."""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.hostile.case import CPU_CAP_S

ROOT = Path(__file__).resolve().parents[2]
GROUP_CAP_S = 3600  # of a whole group, on however busy a machine


def _child(group: str, folder: Path, skip: int) -> tuple[list[dict[str, Any]], str]:
    """Run the cases from number ``skip`` on; return the lines and what was said of the end."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.child", group, str(folder), str(skip)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=GROUP_CAP_S,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return lines, "" if done.returncode == 0 else f"{done.returncode}: {done.stderr[-600:]}"


@cache
def outcomes(group: str) -> dict[str, dict[str, Any]]:
    """Return the outcome of every case of a group, by its id.

    Raises:
        RuntimeError: the group could not begin.
    """
    found: dict[str, dict[str, Any]] = {}
    skip = 0
    while True:
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            lines, end = _child(group, Path(folder), skip)
        for line in lines:
            if "problem" in line:
                found[line["id"]] = line
        if not end:
            return found
        if not lines:
            raise RuntimeError(f"the group {group} did not begin: {end}")
        last = lines[-1]
        if "problem" in last:
            raise RuntimeError(f"the group {group} ended after {last['id']}: {end}")
        why = f"the process died ({end}); the cap is {CPU_CAP_S} s"
        about = {"category": last["id"].split(": ")[0], "problem": why, "cpu_s": 0.0}
        found[last["id"]] = last | about | {"peak_mib": 0.0, "examples": 0}
        skip = last["number"] + 1
