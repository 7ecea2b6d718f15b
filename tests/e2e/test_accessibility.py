"""No serious finding of axe on any page, and the main path works from the keyboard."""

import pytest

from tests.e2e.accessibility import STREAMLITS_OWN, Own, findings
from tests.e2e.screenshots import PAGES, open_view
from tests.e2e.server import browser_page, open_page, settle

pytestmark = pytest.mark.e2e
MOST_TABS = 60


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_finds_nothing_serious_on_any_page(scheme, width, executable, served):
    ours = []
    with browser_page(executable, width, 900, color_scheme=scheme) as page:
        hosts = set()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        for name in PAGES:
            open_view(page, served, name)
            ours += [f"{name or 'first page'}: {f}" for f in findings(page) if f.own is None]
    assert not ours, "\n".join(ours)
    assert len(hosts) == 1, f"axe or a page called {hosts}"


def test_what_is_streamlits_own_is_narrow():
    """An exception names one rule and a part of Streamlit's; it never covers a whole page."""
    for one in STREAMLITS_OWN:
        assert one.selector.startswith("[data-testid=st")
        assert "Main" not in one.selector and "App" not in one.selector
        assert len(one.reason) > 40


def test_a_finding_of_ours_is_found(page_with_a_fault):
    """The check can fail: a picture without a text counts, unless its own place is excepted."""
    found = findings(page_with_a_fault)
    assert [f.rule for f in found if f.own is None] == ["image-alt"]
    excepted = findings(page_with_a_fault, [Own("image-alt", "#box", "a test")])
    assert [f.own is not None for f in excepted if f.rule == "image-alt"] == [True]


@pytest.fixture
def page_with_a_fault(executable):
    with browser_page(executable, 400, 300) as page:
        page.set_content(
            "<html lang=en><title>t</title><main><h1>t</h1><div id=box>"
            '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></div></main></html>'
        )
        yield page


def test_a_design_is_asked_for_from_the_keyboard_alone(executable, served):
    with browser_page(executable) as page:
        open_page(page, f"{served}/?uts_mpa=372&ys_mpa=237&size=256")
        page.locator(".st-key-design_field img").wait_for()
        settle(page)
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            inside = "document.activeElement.closest('.st-key-design_in_uts_mpa') !== null"
            if page.evaluate(inside) and page.evaluate("document.activeElement.tagName") == "INPUT":
                break
        else:
            pytest.fail(f"the first target is not among the first {MOST_TABS} stops of Tab")
        page.keyboard.press("Control+a")
        page.keyboard.type("410")
        page.keyboard.press("Enter")
        page.get_by_text("Ultimate tensile strength 410 MPa").first.wait_for()
        settle(page)
        assert "uts_mpa=410" in page.url
