"""Journeys in headless Chromium through the real `streamlit run dashboard/app.py`."""

import http.client
import json
import os
import select
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from skimage.measure import perimeter

from core.castings import ProcessSettings, make_casting
from core.images import encode_png, read_image
from tests.conftest import ROOT, real_data
from tests.e2e.screenshots import PAGES, PHONE_PX, WIDE_PX
from tests.e2e.server import (
    browser_page,
    dashboard,
    defects,
    error_boxes,
    follow,
    open_page,
    settle,
)

pytestmark = pytest.mark.e2e
ALERT = '[data-testid="stAlert"]'


@pytest.fixture
def page(executable, request):
    """A browser window, wide or as wide as is asked for; it must not call any other host."""
    with browser_page(executable, getattr(request, "param", WIDE_PX)) as opened:
        hosts = set()
        opened.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        yield opened
        assert hosts <= {"127.0.0.1", None}


@pytest.fixture
def micrograph(tmp_path) -> Path:
    """Real iron where it is at hand, else a fresh casting."""
    real = real_data() / "castiron" / "ductile_sem.png"
    if real.is_file():
        return real
    settings = ProcessSettings(mg_wt=0.045, radius_mm=20.0)
    casting = make_casting(settings, 900_500, n_fields=1, height_px=400, width_px=400)
    path = tmp_path / "casting.png"
    path.write_bytes(encode_png(casting.fields[0].pixels / 255.0, 1.0))
    return path


def design(page, uts_mpa: float, ys_mpa: float) -> bytes:
    """Enter two strengths, press Design, and return the picture's bytes."""
    for name, value in (("uts_mpa", uts_mpa), ("ys_mpa", ys_mpa)):
        box = page.locator(f".st-key-design_in_{name} input")
        box.fill(f"{value:g}")
        box.press("Tab")
    page.get_by_role("button", name="Design", exact=True).click()
    page.get_by_text(f"strength {uts_mpa:g} MPa · Yield strength {ys_mpa:g} MPa").wait_for()
    settle(page)
    return picture(page)


def picture(page) -> bytes:
    image = page.locator(".st-key-design_field img")
    image.wait_for()
    return page.request.get(image.evaluate("e => e.src")).body()


def outline_for_area(png: bytes) -> float:
    """Return outline length over area of the dark phase, 1/px: flakes have more than nodules."""
    pixels = read_image(png, "picture.png").pixels
    dark = pixels < (pixels.min() + np.median(pixels)) / 2
    return float(perimeter(dark) / dark.sum())


@pytest.mark.parametrize("place", ["repository", "elsewhere"])
def test_the_real_command_serves_a_first_design_from_any_directory(
    place, executable, workspace, vgg_weights, tmp_path, record_property
):
    cwd = ROOT if place == "repository" else tmp_path
    log = tmp_path / "log.txt"
    with (
        dashboard(cwd, log, MICRODESIGN_WORKSPACE=str(workspace)) as address,
        browser_page(executable) as page,
    ):
        start = time.monotonic()
        page.goto(address)
        page.locator(".st-key-design_field img").wait_for()
        record_property("seconds_to_first_design", time.monotonic() - start)
        settle(page)
        assert not error_boxes(page)
        with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
            assert answer.read() == b"ok"
    assert not defects(log)


def test_a_defect_of_a_page_is_seen_in_the_log_and_on_the_page(executable, tmp_path):
    """Else the tests that find none here could not fail."""
    broken = "import bayesnet.library as library; library.design_names = lambda folder: {}['gone']"
    (tmp_path / "sitecustomize.py").write_text(broken)  # run by the server's interpreter first
    log = tmp_path / "log.txt"
    path = os.pathsep.join(map(str, (tmp_path, ROOT)))
    with (
        dashboard(ROOT, log, MICRODESIGN_WORKSPACE=str(tmp_path), PYTHONPATH=path) as address,
        browser_page(executable) as page,
    ):
        open_page(page, f"{address}/library")
        (shown,) = error_boxes(page)
    (line,) = defects(log)
    told = json.loads(line)
    assert told["exception"] == "KeyError" and told["id"] in shown


def test_an_upload_beyond_the_limit_is_refused_by_the_server(page, served, tmp_path):
    """The widget's own limit is the browser's only: this sends past it, as a stranger would."""
    open_page(page, f"{served}/evaluate")
    small = tmp_path / "small.png"
    small.write_bytes(b"small")
    with page.expect_request(lambda r: "upload_file" in r.url and r.method == "PUT") as sent:
        page.locator(".st-key-evaluate_files input[type=file]").set_input_files(small)
    upload = sent.value
    headers = {k: v for k, v in upload.headers.items() if k.startswith("x-")}
    headers["Cookie"] = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
    headers["Content-Type"] = "multipart/form-data; boundary=part"
    begin = b'--part\r\nContent-Disposition: form-data; name="file"; filename="big.png"\r\n\r\n'

    def put(size: int) -> int:
        body, address = begin + b"x" * size + b"\r\n--part--\r\n", urlsplit(upload.url)
        with closing(http.client.HTTPConnection(address.netloc, timeout=60)) as connection:
            connection.putrequest("PUT", address.path)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders()
            if not select.select([connection.sock], [], [], 1.0)[0]:  # not refused by its length
                connection.send(body)
            return connection.getresponse().status

    assert put(1000) in (200, 204)
    assert put(65 * 2**20) == 413


@pytest.mark.parametrize("page", [WIDE_PX, PHONE_PX], indirect=True, ids=["desk", "phone"])
def test_strengths_in_microstructure_out_and_an_iron_evaluated(page, served, micrograph, tmp_path):
    open_page(page, served)
    first = design(page, 430, 280)
    second = design(page, 250, 165)
    assert first.startswith(b"\x89PNG")
    nodules, flakes = outline_for_area(first), outline_for_area(second)
    assert flakes > 1.2 * nodules, (flakes, nodules)

    page.reload()  # F5 keeps only the address
    settle(page)
    assert picture(page) == second
    query = parse_qs(urlsplit(page.url).query)
    assert (query["uts_mpa"], query["ys_mpa"]) == (["250"], ["165"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Design (JSON)").click()
    content = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert content["targets"] == {"uts_mpa": 250.0, "ys_mpa": 165.0}
    assert len(content["samples"]) + content["samples_dropped"] == 3
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (PNG)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")

    follow(page, "Evaluate patches")
    page.locator(".st-key-evaluate_files").get_by_text("64MB per file").wait_for()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is no image")
    page.locator(".st-key-evaluate_files input[type=file]").set_input_files([bad, micrograph])
    page.locator(".st-key-evaluate_files").get_by_text(micrograph.name).wait_for()
    box = page.locator(".st-key-evaluate_um_per_px input")
    box.fill("1.16279")
    box.press("Tab")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    card = page.locator(".st-key-evaluation_1")
    card.get_by_text("Style error").first.wait_for()
    settle(page)
    said = card.inner_text()
    assert micrograph.name in said
    assert "MPa" in said
    assert "for this model" in said
    assert card.locator("img").count() >= 3
    assert "bad.png" in page.locator(ALERT).all_inner_texts()[0]
    page.locator(".st-key-evaluation_chart_1 .js-plotly-plot").wait_for()

    follow(page, "Inverse design")
    assert page.locator(".st-key-design_in_uts_mpa input").input_value() == "250"
    assert not error_boxes(page)


def test_an_infeasible_target_leads_to_the_nearest_feasible_one(page, served):
    open_page(page, f"{served}/?uts_mpa=1500&ys_mpa=100&size=256")
    verdict = page.locator(".st-key-design_verdict")
    assert "Not feasible." in verdict.inner_text()
    page.locator(".st-key-design_use_nearest button").click()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query)["uts_mpa"] != ["1500"])
    settle(page)
    assert "Not feasible." not in verdict.inner_text()


@pytest.mark.parametrize(
    "name", ["reconstructions", "traversals", "structure_property", "latent_map", "network"]
)
def test_the_other_pages_open_from_their_address(name, page, served):
    open_page(page, f"{served}/{name}")
    assert not error_boxes(page)
    page.locator("img, .js-plotly-plot").first.wait_for()
    settle(page)
    assert not error_boxes(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_does_not_scroll_sideways(name, executable, served):
    with browser_page(executable, PHONE_PX, 844) as phone:
        open_page(phone, f"{served}/{name}")
        wide, seen = phone.evaluate(
            "(() => { const m = document.querySelector('[data-testid=\"stMain\"]');"
            "return [m.scrollWidth, m.clientWidth]; })()"
        )
        assert wide <= seen + 1
