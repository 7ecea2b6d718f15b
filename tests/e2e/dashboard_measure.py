"""Measure the dashboard in a real browser: ``python -m tests.e2e.dashboard_measure``.

Writes ``docs/results/dashboard.json``. Run it on an idle machine. ``--no-own-data`` leaves out the
path from castings on disk to a first design, which trains with the quick preset (a quarter of an
hour); ``--pages`` measures some pages only.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from core.checkpoint import load_model
from core.results import RESULTS, record, write_result
from tests.e2e import own_data
from tests.e2e.accessibility import STREAMLITS_OWN, findings
from tests.e2e.screenshots import PAGES, VIEWS
from tests.e2e.server import (
    ROOT,
    Running,
    browser_page,
    chromium,
    dashboard,
    drawn,
    open_page,
    running,
)
from tests.e2e.server_watch import Watch, resident_mb
from tests.e2e.visitor import VisitError, Visitor

LIGHT = ("library", "evaluate", "batch", "structure_property", "network", "models", "training")
AT_ONCE, WARM_VISITS = 20, 3
OWN_PATHS = ("/media", "/_stcore/upload_file")  # what our pages make Streamlit transfer
BAR_WARM_S, BAR_BYTES, BAR_AT_ONCE_S, BAR_OWN_DATA_S = 2.0, 2_000_000, 5.0, 900.0


@dataclass
class Traffic:
    """What a page made the browser transfer.

    Attributes:
        page_bytes: websocket messages and pictures: what our page brings.
        streamlit_bytes: scripts, styles and fonts of Streamlit's own.
        hosts: that were called.
    """

    page_bytes: int
    streamlit_bytes: int
    hosts: set[str]


@contextlib.contextmanager
def watched(page) -> Iterator[Traffic]:
    """Count what a page transfers, compressed as it was on the wire."""
    traffic, paths = Traffic(0, 0, set()), {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def sent(event: dict) -> None:
        address = urlsplit(event["request"]["url"])
        paths[event["requestId"]] = address.path
        if address.scheme in ("http", "https", "ws", "wss"):
            traffic.hosts.add(address.hostname or "")

    def loaded(event: dict) -> None:
        path = paths.get(event["requestId"], "")
        if path.startswith(OWN_PATHS):
            traffic.page_bytes += int(event["encodedDataLength"])
        else:
            traffic.streamlit_bytes += int(event["encodedDataLength"])

    def framed(event: dict) -> None:
        traffic.page_bytes += 3 * len(event["response"]["payloadData"]) // 4  # base64 of binary

    wire.on("Network.requestWillBeSent", sent)
    wire.on("Network.loadingFinished", loaded)
    wire.on("Network.webSocketFrameReceived", framed)
    wire.on("Network.webSocketCreated", lambda e: traffic.hosts.add(urlsplit(e["url"]).hostname))
    yield traffic
    wire.detach()


def measure_pages(server: Running, executable: str, pages: Sequence[str]) -> dict[str, Any]:
    """Measure each page: cold (its first opening on this server), warm, bytes, hosts, findings."""
    found, hosts = {}, set()
    for name in pages:
        with browser_page(executable) as page:
            with watched(page) as traffic:
                cold = _seconds_to_draw(page, f"{server.address}/{name}")
            with watched(page) as again:
                visits = [
                    _seconds_to_draw(page, f"{server.address}/{name}") for _ in range(WARM_VISITS)
                ]
            if name in VIEWS:  # where there is more to see
                open_page(page, f"{server.address}/{name}{VIEWS[name]}")
                drawn(page)
            serious = findings(page)
            hosts |= traffic.hosts | again.hosts
            found[name or "inverse_design"] = {
                "cold_s": cold,
                "warm_s": median(visits),
                "warm_each_s": visits,
                "page_bytes": traffic.page_bytes,
                "streamlit_bytes": traffic.streamlit_bytes,
                "accessibility_findings": sum(one.own is None for one in serious),
                "accessibility_streamlits_own": sum(one.own is not None for one in serious),
            }
            print(name or "inverse_design", found[name or "inverse_design"], file=sys.stderr)
    outside = sorted(hosts - {"127.0.0.1", ""})
    return {
        "what": "from opening a page in a fresh browser until it is drawn and can be used: cold at "
        "its first opening on this server, in this order; warm in the same browser again, the "
        f"median of {WARM_VISITS} visits. Bytes at the first opening, as on the wire: page_bytes "
        "are our messages and pictures, streamlit_bytes its scripts and fonts",
        "bars": {"warm_s": BAR_WARM_S, "page_bytes": BAR_BYTES},
        "pages": found,
        "slowest_warm_s": max(one["warm_s"] for one in found.values()),
        "most_page_bytes": max(one["page_bytes"] for one in found.values()),
        "requests_to_other_hosts": outside,
    }


def _seconds_to_draw(page, address: str) -> float:
    begun = time.perf_counter()
    open_page(page, address)
    drawn(page)
    return time.perf_counter() - begun


async def _at_once(address: str, name: str) -> tuple[list[float], list[str]]:
    """Open a page in `AT_ONCE` new sessions at the same moment."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(2 * AT_ONCE))
    sessions = [Visitor(address) for _ in range(AT_ONCE)]
    await asyncio.gather(*(one.arrive() for one in sessions))

    async def visit(one: Visitor) -> float:
        return (await one.open(name)).seconds

    got = await asyncio.gather(*(visit(one) for one in sessions), return_exceptions=True)
    await asyncio.gather(*(one.leave() for one in sessions))
    odd = [one for one in got if isinstance(one, BaseException)]
    if strange := [one for one in odd if not isinstance(one, (VisitError, OSError))]:
        raise strange[0]
    return [one for one in got if isinstance(one, float)], [str(one) for one in odd]


def measure_at_once(server: Running, pages: Sequence[str]) -> dict[str, Any]:
    """Measure light pages in twenty sessions at once, without a browser's own work."""
    before, slowest, errors = resident_mb(server.pid), {}, []
    with Watch(server.address, server.pid, every_s=0.2) as watch:
        for name in pages:
            seconds, odd = asyncio.run(_at_once(server.address, name))
            slowest[name] = max(seconds, default=None)
            errors += odd
    return {
        "what": f"{AT_ONCE} new sessions open a page at the same moment, over Streamlit's protocol "
        "without a browser: seconds until the last has all of it, pictures included",
        "bar_s": BAR_AT_ONCE_S,
        "sessions": AT_ONCE,
        "slowest_s": slowest,
        "errors": len(errors),
        "first_errors": errors[:5],
        "memory_mb": {"before": before, "most": max(watch.memory_mb, default=before)},
    }


def measure_own_data(executable: str, folder: Path, steps: int | None) -> dict[str, Any]:
    """Time the path from twelve castings on disk to a first design, by clicks."""
    files = own_data.write_files(folder / "user")
    workspace = str(folder / "own")
    seconds: dict[str, float] = {}
    with (
        dashboard(
            ROOT,
            folder / "own.txt",
            MICRODESIGN_WORKSPACE=workspace,
            MICRODESIGN_TRAINING="on",
        ) as address,
        browser_page(executable) as page,
    ):
        page.set_default_timeout(3_600_000)
        begun = time.perf_counter()
        for name, do in (
            ("dropped and checked", lambda: own_data.drop(page, address, files)),
            ("data set made", lambda: own_data.make_data_set(page, files)),
            ("training started", lambda: own_data.start_training(page, steps)),
            ("first design", lambda: own_data.first_design(page)),
        ):
            do()
            seconds[name] = time.perf_counter() - begun
    return {
        "what": "twelve castings and a spreadsheet on disk to a first design with the preset Quick "
        "look, by clicks in the browser; seconds since opening the page",
        "bar_s": BAR_OWN_DATA_S,
        "steps": "as the preset has them" if steps is None else steps,
        "seconds": seconds,
    }


def main() -> None:
    """Measure the dashboard and write the result."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.dashboard_measure", description=main.__doc__
    )
    parser.add_argument("--pages", nargs="*", default=PAGES, help="names; '' for the first")
    parser.add_argument("--no-own-data", action="store_true")
    parser.add_argument("--own-data-steps", type=int, help="a short training, to try this command")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    executable = chromium()
    if executable is None:
        parser.exit(2, "no Chromium found; see tests/e2e/install_browser.sh\n")
    loaded = load_model(ROOT / "assets" / "reference", backbone=False)
    content = record(
        "tests.e2e.dashboard_measure",
        sys.argv[1:],
        model_sha256=loaded.hash,
        denoiser_sha256=loaded.denoiser_hash,
        data_hash=str(loaded.manifest["data_hash"]),
    )
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), Path(name) / "log.txt"
        with running(ROOT, log, MICRODESIGN_WORKSPACE=str(folder / "workspace")) as server:
            content["first_views"] = measure_pages(server, executable, asked.pages)
            light = [page for page in LIGHT if page in asked.pages]
            content["at_once"] = measure_at_once(server, light)
        content["accessibility"] = {
            "what": "serious and critical findings of axe-core; those in what Streamlit itself "
            "draws are counted apart, by rule and selector",
            "streamlits_own": [
                {"rule": one.rule, "selector": one.selector, "reason": one.reason}
                for one in STREAMLITS_OWN
            ],
        }
        if not asked.no_own_data:
            content["own_data"] = measure_own_data(executable, folder, asked.own_data_steps)
    print(write_result("dashboard", content, asked.out), file=sys.stderr)


if __name__ == "__main__":
    main()
