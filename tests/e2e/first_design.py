"""Measure how long a first design takes to be on the screen: ``python -m tests.e2e.first_design``.

Writes ``docs/results/first_design.json``. Run it on an idle machine.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.checkpoint import load_model
from core.results import RESULTS, record, write_result
from tests.e2e.server import ROOT, browser_page, chromium, dashboard

FIELD = ".st-key-design_field img"


def seconds_to_design(address: str, executable: str) -> float:
    """Return the seconds from opening the page in a fresh browser until the picture is there."""
    with browser_page(executable) as page:
        start = time.perf_counter()
        page.goto(address)
        page.locator(FIELD).wait_for()
        return time.perf_counter() - start


def measure(executable: str, rounds: int) -> dict[str, Any]:
    """Measure the first visit after a server's start, and a later visit with another target."""
    first, later = [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log.txt"
            with dashboard(ROOT, log, MICRODESIGN_WORKSPACE=folder) as address:
                first.append(seconds_to_design(address, executable))
                another = f"{address}/?uts_mpa={400 + number}&ys_mpa=270"
                later.append(seconds_to_design(another, executable))
    return {
        "what": "from opening the page in a fresh browser until the 512 px design is on the screen",
        "unit": "s",
        "first_visit_after_start": _summary(first),
        "later_visit_with_another_target": _summary(later),
    }


def _summary(seconds: list[float]) -> dict[str, float | int]:
    median, p95 = np.quantile(seconds, (0.5, 0.95))
    return {"median": float(median), "p95": float(p95), "n": len(seconds)}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.first_design", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    executable = chromium()
    if executable is None:
        parser.exit(2, "no Chromium found; see tests/e2e/install_browser.sh\n")
    loaded = load_model(ROOT / "assets" / "reference")
    content = record(
        "tests.e2e.first_design",
        ["--rounds", str(arguments.rounds)],
        model_sha256=loaded.hash,
        denoiser_sha256=loaded.denoiser_hash,
        data_hash=str(loaded.manifest["data_hash"]),
    )
    content["first_design"] = measure(executable, arguments.rounds)
    print(write_result("first_design", content, arguments.out), file=sys.stderr)


if __name__ == "__main__":
    main()
