"""Start the real dashboard as a user does, and a browser that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ERROR_BOXES = '[data-testid="stException"], [data-testid="stAlertContentError"]'
DEFECTS = ("Traceback", '"level": "error"', '"level": "critical"')  # see `core.logs`
LOG_SHOWN = 4000  # characters of a server's log beside a failed test
PATIENCE_S = float(os.environ.get("MICRODESIGN_E2E_TIMEOUT_S", "180"))


def chromium() -> str | None:
    """Return where Chromium is, None where there is none."""
    given = os.environ.get("MICRODESIGN_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    return given or next(filter(None, map(shutil.which, names)), None)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A dashboard that runs: its address and its process's number."""

    address: str
    pid: int


@contextmanager
def dashboard(cwd: Path, log: Path, **environment: str) -> Iterator[str]:
    """Run `streamlit run dashboard/app.py` from a working directory; yield its address.

    A test that fails meanwhile prints the end of the server's log.
    """
    with running(cwd, log, **environment) as server:
        yield server.address


@contextmanager
def running(cwd: Path, log: Path, **environment: str) -> Iterator[Running]:
    """Run the dashboard as `dashboard` does; yield its address and its process's number."""
    port = free_port()
    script = ROOT / "dashboard" / "app.py"
    shown = script.relative_to(cwd) if script.is_relative_to(cwd) else script
    command = [str(Path(sys.executable).with_name("streamlit")), "run", str(shown)]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command, cwd=cwd, env=clean | environment, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, server, log)
        yield Running(address, server.pid)
    except BaseException:
        print("the server's log ends with:", _end(log, LOG_SHOWN))
        raise
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_healthy(address: str, server: subprocess.Popen, log: Path) -> None:
    """Wait for the health page's body: every unknown path answers 200 with HTML."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {_end(log, 2000)}")
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer,
        ):
            if answer.read() == b"ok":
                return
        time.sleep(0.2)
    raise RuntimeError(f"no health within {PATIENCE_S} s: {_end(log, 2000)}")


def _end(log: Path, length: int) -> str:
    return log.read_text(errors="replace")[-length:]


def defects(log: Path) -> list[str]:
    """Return the lines of a server's log that tell of a defect.

    What users are told of an error of theirs is none: it is logged as information.
    """
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if any(mark in line for mark in DEFECTS)]


@contextmanager
def browser_page(executable: str, width: int = 1440, height: int = 900, **options) -> Iterator:
    """Yield a page of a headless Chromium of this size; a test that fails prints what it showed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        try:
            yield page
        except BaseException:
            for one in context.pages:
                print(f"{one.url} showed: {_shown(one)}")
            raise
        finally:
            browser.close()


def _shown(page) -> str:
    """Return what a failed test's page shows, and whether its script runs."""
    from playwright.sync_api import Error

    try:
        page.set_default_timeout(5000)
        state = page.get_by_test_id("stApp").get_attribute("data-test-script-state")
        return f"(script {state}) {page.get_by_test_id('stMain').inner_text()}"
    except Error as error:
        return f"nothing that can be read ({error})"


def settle(page) -> None:
    """Wait until the script has run: connected, something drawn, nothing running."""
    page.wait_for_selector('[data-testid="stApp"][data-test-connection-state="CONNECTED"]')
    page.wait_for_selector('[data-testid="stMain"] h1')
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def drawn(page) -> None:
    """Wait until charts, tables and pictures are there, too: nothing is a placeholder any more."""
    settle(page)
    page.wait_for_function(
        "() => document.querySelectorAll('[data-testid=stSkeleton]').length === 0"
        " && [...document.images].every(i => i.complete)"
    )


def error_boxes(page) -> list[str]:
    """Return what a page says in error boxes; a page's own defect is told in one of them, too."""
    return page.locator(ERROR_BOXES).all_inner_texts()


def open_page(page, address: str) -> None:
    """Go to an address of the dashboard and wait until it is drawn."""
    page.goto(address)
    settle(page)


def follow(page, name: str) -> None:
    """Follow a link of the sidebar; where a narrow window keeps that closed, open and close it."""
    opener = page.get_by_test_id("stExpandSidebarButton")
    closed = opener.is_visible()
    if closed:
        opener.click()
    page.get_by_role("link", name=name).click()
    if closed:  # a press beside it closes it
        size = page.viewport_size
        page.mouse.click(size["width"] - 4, size["height"] / 2)
        opener.wait_for()
    settle(page)
