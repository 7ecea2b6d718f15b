"""What people do on the pages beside design and evaluation, on a desk and on a phone."""

from urllib.parse import parse_qs, urlsplit

import pytest

from core.castings import ProcessSettings, make_casting
from core.images import encode_png
from tests.e2e.accessibility import sound
from tests.e2e.screenshots import PHONE_PX, WIDE_PX, compare, save_designs
from tests.e2e.server import browser_page, open_page, settle

pytestmark = pytest.mark.e2e


@pytest.fixture(params=[(WIDE_PX, 900), (PHONE_PX, 844)], ids=["desk", "phone"])
def page(request, executable):
    """A browser window, wide or as a phone's."""
    with browser_page(executable, *request.param) as opened:
        yield opened


def of_address(page, name: str) -> str | None:
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def test_saved_designs_are_compared_noted_and_opened(page, served):
    open_page(page, f"{served}/library")
    if not page.locator(".st-key-library_compare").count():  # else from the other width's journey
        save_designs(page, served)
        open_page(page, f"{served}/library")
    compare(page)
    comparison = page.locator(".st-key-library_comparison")
    assert comparison.locator("img").count() == 2
    sound(page)
    note = page.locator('[class*="st-key-library_note_"] textarea').first
    note.fill("for the spring campaign")
    note.press("Tab")
    page.locator('[class*="st-key-library_keep_"] button').first.click()
    page.get_by_text("The note is kept.").wait_for()
    settle(page)
    page.reload()
    comparison.locator("img").nth(1).wait_for()  # the address keeps the comparison
    settle(page)
    kept = page.locator('[class*="st-key-library_note_"] textarea').first
    assert kept.input_value() == "for the spring campaign"
    page.locator('[class*="st-key-library_open_"] button:visible').first.click()
    page.locator(".st-key-design_field img").wait_for()
    settle(page)
    assert of_address(page, "uts_mpa") in ("430", "250")


def test_a_batch_has_a_row_for_every_file(page, served, tmp_path):
    settings = ProcessSettings(mg_wt=0.04, radius_mm=20.0)
    casting = make_casting(settings, 900_700, n_fields=2, height_px=256, width_px=256)
    files = []
    for place, field in enumerate(casting.fields):
        files.append(tmp_path / f"field_{place}.png")
        files[-1].write_bytes(encode_png(field.pixels / 255.0, 1.0))
    files.append(tmp_path / "letter.png")
    files[-1].write_bytes(b"not a picture")
    open_page(page, f"{served}/batch")
    page.locator(".st-key-batch_files input[type=file]").set_input_files(files)
    settle(page)
    page.locator(".st-key-batch_submit button").click()
    page.get_by_text("2 of 3 files evaluated").wait_for()
    settle(page)
    assert page.get_by_text("1 could not be read").count()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(rows) == 4 and "letter.png" in rows[-1]
    sound(page)


def test_evidence_in_the_network_moves_the_others_and_is_taken_back(page, served):
    open_page(page, f"{served}/network")
    assert of_address(page, "known") is None
    open_page(page, f"{served}/network?known=mg_wt:0.045,radius_mm:20")
    page.locator(".st-key-belief_chart .js-plotly-plot").wait_for()
    settle(page)
    sound(page)
    page.locator(".st-key-belief_reset button").click()
    # Not `settle` alone: it may look before the click has reached the server.
    page.wait_for_function("() => !new URLSearchParams(location.search).has('known')")
    settle(page)
    assert of_address(page, "known") is None


def test_a_click_on_the_latent_map_moves_a_point(page, served):
    open_page(page, f"{served}/latent_map?a=40&b=3000")
    chart = page.locator(".st-key-map_chart .js-plotly-plot")
    chart.wait_for()
    settle(page)
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first.bounding_box()
    for share in (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65):
        place = (area["x"] + share * area["width"], area["y"] + 0.5 * area["height"])
        page.mouse.move(*place)
        page.wait_for_timeout(150)
        page.mouse.click(*place)
        settle(page)
        if of_address(page, "a") != "40":
            break
    assert of_address(page, "a") not in ("40", None) and of_address(page, "b") == "3000"
    sound(page)


def test_the_card_of_a_model_says_what_it_is(page, served):
    open_page(page, f"{served}/models")
    said = page.locator('[data-testid="stMain"]').inner_text()
    for word in ("synthetic", "specimens", "process settings", "limits"):
        assert word.lower() in said.lower(), word
    sound(page)
