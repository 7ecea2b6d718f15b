"""A bounded load run on loopback: ``python -m tests.e2e.load [--sessions 50] [--minutes 5]``.

Writes ``docs/results/load.json``. Run it on an idle machine.

Most sessions are `tests.e2e.visitor.Visitor`s: they speak Streamlit's websocket protocol, run the
pages, fetch their pictures, fill forms and upload files, without drawing anything. A few are tabs
of a real Chromium. Each browses, designs and evaluates in turn, with pauses as people make them.
Targets, uploads and order follow from the seed. Three of four designs are of targets that others
ask for too, which the server's cache answers after the first; the fourth is new each time.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.castings import ProcessSettings, make_casting
from core.checkpoint import load_model
from core.encode import load_latents
from core.images import encode_png
from core.results import RESULTS, record, write_result
from tests.e2e.server import ROOT, browser_page, chromium, defects, error_boxes, open_page, running
from tests.e2e.server_watch import Watch, growth_pct
from tests.e2e.visitor import VisitError, Visitor

BROWSED = ("library", "models", "network", "structure_property", "latent_map", "reconstructions")
SHARES = {"browse": 6, "design": 2, "evaluate": 2}  # of ten actions
PAUSE_S = (2.0, 8.0)  # between two actions of one session
SHARED_TARGETS, UPLOADS = 8, 6
UPLOAD_PX, LARGE_PX = (384, 384), (1532, 2048)  # height and width; one more upload is large
NEW_DESIGNS = 0.25
FIELD_PX = 256
WARM_UP = 0.4  # of the run
UPLOAD_FIELD = "Micrographs (PNG, JPEG, TIFF or BMP)"


@dataclass
class Log:
    """What the sessions did.

    Attributes:
        seconds: kind of action -> how long each took.
        errors: what went wrong, one a failure.
        bytes: received by the visitors.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    bytes: int = 0

    def did(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)


@dataclass(frozen=True)
class Material:
    """What is asked for and uploaded.

    Attributes:
        targets: (label, value) pairs of a design, in the properties' units.
        uploads: PNG files.
    """

    targets: list[dict[str, float]]
    uploads: list[bytes]


def material(model: Path, seed: int) -> Material:
    """Choose feasible targets (specimens' own properties) and make castings to upload."""
    table, rng = load_latents(model / "latents"), np.random.default_rng(seed)
    named = {c.name: f"{c.label} ({c.unit})" for c in table.columns if c.role == "property"}
    known = table.specimens[list(named)].dropna()
    targets = [
        {named[n]: float(f"{known.iloc[row][n]:.4g}") for n in named}
        for row in rng.permutation(len(known))
    ]
    uploads = []
    for place, (height, width) in enumerate([*[UPLOAD_PX] * UPLOADS, LARGE_PX]):
        settings = ProcessSettings(mg_wt=0.01 + 0.008 * place, radius_mm=12.0 + 5 * place)
        seed = 970_000 + place
        casting = make_casting(settings, seed, n_fields=1, height_px=height, width_px=width)
        uploads.append(encode_png(casting.fields[0].pixels / 255.0, 1.0))
    return Material(targets, uploads)


async def session(address: str, number: int, until: float, given: Material, log: Log) -> None:
    """Be one visitor until the time is over; an error ends the action, not the session."""
    chance, fresh = random.Random(number), number
    await asyncio.sleep(chance.uniform(0, PAUSE_S[1]))
    visitor = Visitor(address)
    try:
        await visitor.arrive()
        while time.monotonic() < until:
            kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
            begun = time.perf_counter()
            try:
                if kind == "browse":
                    seen = await visitor.open(chance.choice(BROWSED))
                elif kind == "design":
                    new = chance.random() < NEW_DESIGNS
                    fresh += new
                    place = fresh if new else chance.randrange(SHARED_TARGETS)
                    target = given.targets[place % len(given.targets)]
                    seen = await visitor.open("", f"size={FIELD_PX}")
                    seen = await visitor.press("Design", seen, **target)
                else:
                    seen = await visitor.open("evaluate")
                    data = chance.choice(given.uploads)
                    seen = await visitor.upload(UPLOAD_FIELD, "Evaluate", seen, "field.png", data)
                    if not any("for this model" in text for text in seen.texts + seen.alerts):
                        raise VisitError("the upload was not evaluated")
            except (VisitError, OSError, KeyError) as error:
                log.errors.append(f"{kind}: {type(error).__name__}: {error}"[:300])
                await visitor.leave()
                visitor = Visitor(address)
                await visitor.arrive()
            else:
                log.did(kind, time.perf_counter() - begun)
                log.bytes += seen.bytes
            await asyncio.sleep(chance.uniform(*PAUSE_S))
    except Exception as error:  # of the client itself: counted, so that it cannot hide
        log.errors.append(f"session {number}: {type(error).__name__}: {error}"[:300])
    finally:
        await visitor.leave()


def tab(address: str, executable: str, number: int, until: float, log: Log) -> None:
    """Be a tab of a real browser that goes from page to page."""
    chance = random.Random(1000 + number)
    try:
        with browser_page(executable) as page:
            while time.monotonic() < until:
                begun = time.perf_counter()
                open_page(page, f"{address}/{chance.choice(BROWSED)}")
                log.errors += [f"tab {number}: {page.url}: {e}"[:300] for e in error_boxes(page)]
                log.did("tab", time.perf_counter() - begun)
                time.sleep(chance.uniform(*PAUSE_S))
    except Exception as error:  # whatever a browser may raise is an error of the run
        log.errors.append(f"tab {number}: {type(error).__name__}: {error}"[:300])


async def visitors(address: str, count: int, until: float, given: Material, log: Log) -> None:
    """Run all sessions without a browser."""
    threads = ThreadPoolExecutor(2 * max(count, 1))  # for pictures and uploads
    asyncio.get_running_loop().set_default_executor(threads)
    await asyncio.gather(*(session(address, n, until, given, log) for n in range(count)))


def run(sessions: int, minutes: float, tabs: int, folder: Path) -> dict[str, Any]:
    """Do the load run on a server of its own; return the figures."""
    executable, log = chromium(), Log()
    tabs = tabs if executable else 0
    given = material(ROOT / "assets" / "reference", seed=0)
    told = folder / "server.log"
    with running(ROOT, told, MICRODESIGN_WORKSPACE=str(folder / "workspace")) as server:
        until = time.monotonic() + 60 * minutes
        threads = [
            threading.Thread(target=tab, args=(server.address, executable, n, until, log))
            for n in range(tabs)
        ]
        with Watch(server.address, server.pid) as watch:
            for thread in threads:
                thread.start()
            asyncio.run(visitors(server.address, sessions - tabs, until, given, log))
            for thread in threads:
                thread.join()
    log.errors += [f"log: {line}"[:300] for line in defects(told)]
    return {
        "what": "sessions at once on loopback, server and sessions on the same machine; most speak "
        "Streamlit's protocol without drawing, the tabs are of a real Chromium; 60 % of actions "
        f"browse, 20 % design a field of {FIELD_PX} x {FIELD_PX} px, 20 % upload a micrograph and "
        f"have it evaluated: {UPLOADS} of {UPLOADS + 1} of {_size(UPLOAD_PX)}, the other of "
        f"{_size(LARGE_PX)}",
        "sessions": sessions,
        "of_them_browser_tabs": tabs,
        "minutes": minutes,
        "pause_between_actions_s": list(PAUSE_S),
        "errors": len(log.errors),
        "first_errors": log.errors[:10],
        "actions": {kind: _summary(seconds) for kind, seconds in sorted(log.seconds.items())},
        "received_by_visitors_mb": log.bytes / 1e6,
        "health": {
            "asked": len(watch.answers_s) + watch.missed,
            "without_answer": watch.missed,
            "slowest_s": max(watch.answers_s, default=None),
        },
        "memory": {
            "unit": "MB resident, of the server's process",
            "at_start": watch.memory_mb[0] if watch.memory_mb else None,
            "most": max(watch.memory_mb, default=None),
            "at_end": watch.memory_mb[-1] if watch.memory_mb else None,
            "warm_up_s": 60 * minutes * WARM_UP,
            "growth_after_warm_up_pct": growth_pct(
                watch.times_s, watch.memory_mb, 60 * minutes * WARM_UP
            ),
        },
    }


def _size(px: tuple[int, int]) -> str:
    """Return height and width as people say them."""
    return f"{px[1]} x {px[0]} px"


def _summary(seconds: list[float]) -> dict[str, float | int]:
    median, p95 = np.quantile(seconds, (0.5, 0.95))
    most = {"median_s": float(median), "p95_s": float(p95), "longest_s": max(seconds)}
    return {"n": len(seconds), **most}


def main() -> int:
    """Do the load run and write the result; 1 where there was an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.load", description=main.__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--tabs", type=int, default=2, help="of the sessions, in a real browser")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if not 0 <= asked.tabs <= asked.sessions or not 0 < asked.minutes <= 60:
        parser.error("give 0 to SESSIONS tabs and up to 60 minutes")
    loaded = load_model(ROOT / "assets" / "reference", backbone=False)
    flags = [f"--{name}={getattr(asked, name)}" for name in ("sessions", "minutes", "tabs")]
    content = record(
        "tests.e2e.load",
        flags,
        model_sha256=loaded.hash,
        denoiser_sha256=loaded.denoiser_hash,
        data_hash=str(loaded.manifest["data_hash"]),
    )
    with tempfile.TemporaryDirectory() as folder:
        content["load"] = run(asked.sessions, asked.minutes, asked.tabs, Path(folder))
    print(write_result("load", content, asked.out), file=sys.stderr)
    return 1 if content["load"]["errors"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
