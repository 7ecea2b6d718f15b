"""The measuring tools measure: growth of memory, a process's memory, a visitor's page, bytes."""

import asyncio
import os

import numpy as np
import pytest

from core.images import encode_png
from tests.e2e.dashboard_measure import watched
from tests.e2e.server import browser_page, drawn, open_page
from tests.e2e.server_watch import Watch, growth_pct, resident_mb
from tests.e2e.visitor import VisitError, Visitor

pytestmark = pytest.mark.e2e


def test_growth_is_counted_after_the_warm_up_only():
    times = list(range(20))
    flat = [10.0] * 4 + [100.0] * 16
    assert growth_pct(times, flat, 4) == 0.0
    assert growth_pct(times, [100.0 + t for t in times], 4) == pytest.approx(
        100 * (117.5 / 105.5 - 1)
    )
    assert growth_pct(times, flat, 15) is None


def test_memory_is_that_of_the_process():
    before = resident_mb(os.getpid())
    kept = np.ones(20_000_000)  # 160 MB
    assert resident_mb(os.getpid()) - before == pytest.approx(kept.nbytes / 1e6, rel=0.2)
    with pytest.raises(OSError):
        resident_mb(2**22 + 1)


def test_a_server_that_is_gone_is_missed():
    with Watch("http://127.0.0.1:9", os.getpid(), every_s=0.01) as watch:
        while watch.missed < 3:
            pass
    assert watch.answers_s == []


def test_a_visitor_sees_pages_fills_forms_and_uploads(served):
    async def visit():
        one = Visitor(served)
        await one.arrive()
        library = await one.open("library")
        assert any("Library" in text for text in library.texts)
        assert {"", "evaluate", "training"} <= set(one.pages)
        design = await one.open("", "uts_mpa=372&ys_mpa=237&size=256")
        assert design.pictures >= 1 and design.bytes > 20_000
        form = next(label for label in design.elements if "tensile" in label)
        again = await one.press("Design", design, **{form: 380.0})
        assert any("380 MPa" in text for text in again.texts)
        page = await one.open("evaluate")
        picture = encode_png(np.random.default_rng(0).random((200, 200)).astype(np.float32))
        field = "Micrographs (PNG, JPEG, TIFF or BMP)"
        told = await one.upload(field, "Evaluate", page, "noise.png", picture)
        assert any("for this model" in text for text in told.alerts)
        page = await one.open("evaluate")
        with pytest.raises(VisitError, match="noise"):
            await one.upload(field, "Evaluate", page, "noise.png", b"no picture")
        await one.leave()

    asyncio.run(visit())


def test_bytes_of_a_page_are_counted_apart_from_streamlits(executable, served):
    with browser_page(executable) as page:
        with watched(page) as traffic:
            open_page(page, f"{served}/reconstructions")
            drawn(page)
        assert traffic.hosts == {"127.0.0.1"}
        assert traffic.page_bytes > 50_000, "sixteen pictures and the messages"
        assert traffic.streamlit_bytes > 500_000
