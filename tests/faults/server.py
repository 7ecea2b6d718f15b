"""The server killed (SIGKILL) under open tabs: they come back by themselves, and jobs go on.

The process that becomes the server submits a training job first, so that the job has been started
by what is killed. Real Streamlit, real browser, real training (of a small model).
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bayesnet.library import list_designs, save_design
from core.jobs import queue
from core.jobs.progress import progress_of
from core.jobs.queue import Job, jobs
from core.jobs.request import JobRequest
from core.workspace import ROOT, workspace
from tests.core.textures import make_textures
from tests.e2e.server import browser_page, error_boxes, free_port, settle, wait_until_healthy
from tests.faults.shops import CONFIG
from tests.recipes import grey_noise, make_recipe

PAGES = ("library", "models", "training", "data", "network")
PATIENCE_S = 300.0
LONGEST_MIN = 30.0  # of the training, should this process be killed before it stops it
CONNECTED = '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
CUT_OFF = '[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"])'


@dataclass(slots=True)
class Killed:
    """What became of tabs, job and designs.

    Attributes:
        sessions: tabs open at the kill; ``back``: of them, those that came back by themselves.
        back_s: seconds from the new server's health until the last tab was back.
        job_step_at_kill, job_step_at_restart, job_step_at_end: of the training, which goes on until
            it is asked to stop, when the tabs are back.
        job_state: at the end.
        designs_lost: of those saved before.
        errors: error boxes shown in tabs.
    """

    sessions: int = 0
    back: int = 0
    back_s: float = 0.0
    job_step_at_kill: int = 0
    job_step_at_restart: int = 0
    job_step_at_end: int = 0
    job_state: str = ""
    designs_lost: int = 0
    errors: int = 0


def killed_under_sessions(folder: Path, executable: str, sessions: int = 10) -> dict[str, Any]:
    """Open tabs, kill the server and all its process group, start it again, and look."""
    os.environ["MICRODESIGN_WORKSPACE"] = str(folder / "workspace")
    for seed in range(3):
        save_design(workspace() / "designs", make_recipe(seed=seed), grey_noise(seed))
    make_textures(workspace() / "data" / "Textures", 2, 1, 64, 128)
    found, port = Killed(sessions=sessions), free_port()
    address = f"http://127.0.0.1:{port}"
    with browser_page(executable) as first:
        server = _serve(port, folder, "--submit")
        try:
            wait_until_healthy(address, server, folder / "log.txt")
            tabs = [first, *(first.context.new_page() for _ in range(sessions - 1))]
            for number, tab in enumerate(tabs):
                tab.set_default_timeout(PATIENCE_S * 1000)
                tab.goto(f"{address}/{PAGES[number % len(PAGES)]}")
                settle(tab)
            found.job_step_at_kill = progress_of(_trained_some()).step
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            for tab in tabs:
                tab.locator(CUT_OFF).wait_for()
            server = _serve(port, folder)
            wait_until_healthy(address, server, folder / "log.txt")
            found.job_step_at_restart = progress_of(jobs()[0]).step
            begun = time.monotonic()
            for number, tab in enumerate(tabs):
                settle(tab)
                found.back += tab.url.startswith(f"{address}/{PAGES[number % len(PAGES)]}")
                found.errors += len(error_boxes(tab))
            found.back_s = round(time.monotonic() - begun, 1)
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            for job in jobs():
                queue.stop(job.id)
    job = _ended()
    found.job_state, found.job_step_at_end = job.status.state, progress_of(job).step
    found.designs_lost = 3 - len(list_designs(workspace() / "designs")[0])
    return asdict(found)


def _serve(port: int, folder: Path, *more: str) -> subprocess.Popen:
    """Start the server as a group of processes of its own."""
    command = [sys.executable, "-m", "tests.faults.server", str(port), *more]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"MICRODESIGN_TRAINING": "on"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _trained_some() -> Job:
    """Wait until the job's training has done steps."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if jobs() and progress_of(jobs()[0]).step > 0:
            return jobs()[0]
        time.sleep(0.2)
    raise RuntimeError(f"no step of training within {PATIENCE_S} s: {jobs()}")


def _ended() -> Job:
    """Wait until the job has come to its end."""
    end = time.monotonic() + PATIENCE_S
    while jobs()[0].status.active and time.monotonic() < end:
        time.sleep(0.5)
    return jobs()[0]


def _submit() -> None:
    """Put a long training into the queue; the steps that need more data are left out."""
    config = replace(
        CONFIG, steps=10**6, minutes=LONGEST_MIN, evaluate_every=10**6, checkpoint_minutes=0.2
    )
    why = "two specimens are too few"
    request = JobRequest(
        name="mine",
        data=str(workspace() / "data" / "Textures"),
        data_name="Textures",
        preset="quick",
        config=config.to_dict(),
        encode_stride=32,
        device="cpu",
        skipped={"encode": why, "learn": why, "reference": why, "examples": why},
    )
    queue.submit(request)


def main() -> None:
    """Submit the job where that is asked for, then become the server."""
    if "--submit" in sys.argv:
        _submit()
    streamlit = str(Path(sys.executable).with_name("streamlit"))
    place = [f"--server.port={sys.argv[1]}", "--server.address=127.0.0.1"]
    os.execv(streamlit, [streamlit, "run", "dashboard/app.py", *place, "--server.headless=true"])


if __name__ == "__main__":
    main()
