"""The real server as a stranger meets it: a password, headers, and no page that they break."""

import http.client
from urllib.parse import urlencode, urlsplit

import pytest

from dashboard.gate import HEADERS
from dashboard.places import VARIABLE as WORKSPACE
from tests.conftest import ROOT, missing
from tests.e2e.server import browser_page, chromium, dashboard, defects, settle

pytestmark = pytest.mark.e2e
RIGHT = "correct horse battery"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
CLOSED = (
    ("GET", "/", {}),
    ("GET", "/network?size=256", {}),
    ("GET", "/_stcore/host-config", {}),
    ("GET", "/_stcore/stream", UPGRADE),
    ("PUT", "/_stcore/upload_file/session/file", {}),
    ("GET", "/media/0123456789.png", {}),
    ("GET", "/static/js/index.js", {}),
)


@pytest.fixture(scope="module")
def served(vgg_weights, tmp_path_factory):
    """A read-only server with a password: its address and its log."""
    folder = tmp_path_factory.mktemp("public")
    settings = {
        WORKSPACE: str(folder / "workspace"),
        "MICRODESIGN_PASSWORD": RIGHT,
        "MICRODESIGN_READ_ONLY": "on",
    }
    with dashboard(ROOT, folder / "log.txt", **settings) as address:
        yield address, folder / "log.txt"
    assert not defects(folder / "log.txt")
    assert not (folder / "workspace").exists(), "a read-only server writes nothing"


def ask(address: str, method: str, path: str, headers: dict[str, str], body: str | None = None):
    """Return status, headers and text of an answer; redirects are not followed."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace") if answer.status != 101 else ""
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text


def test_nothing_is_answered_without_the_password(served):
    address, _ = served
    for method, path, headers in CLOSED:
        status, got, text = ask(address, method, path, headers | {"Accept": "text/html"})
        assert status in (401, 403), (method, path, status)
        assert 'id="root"' not in text and "streamlit" not in text.lower(), path
        if status == 401:  # a refused connection is answered by the server below
            assert {name: got[name.lower()] for name in HEADERS} == HEADERS
    status, got, text = ask(address, "GET", "/_stcore/health", {})
    assert (status, text) == (200, "ok") and got["x-content-type-options"] == "nosniff"


def test_the_password_opens_and_stands_in_no_log(served):
    address, log = served
    wrong = ask(address, "POST", "/", FORM, urlencode({"password": "a wrong secret"}))
    assert wrong[0] == 401 and "set-cookie" not in wrong[1]
    status, got, _ = ask(address, "POST", "/models?other=x", FORM, urlencode({"password": RIGHT}))
    assert (status, got["location"]) == (303, "./models?other=x")
    cookie = got["set-cookie"].split(";")[0]
    status, got, text = ask(address, "GET", "/models?other=x", {"Cookie": cookie})
    assert status == 200 and 'id="root"' in text
    assert {name: got[name.lower()] for name in HEADERS} == HEADERS
    status, got, _ = ask(address, "GET", "/_stcore/stream", UPGRADE | {"Cookie": cookie})
    assert status == 101
    said = log.read_text(errors="replace")
    assert [x for x in (RIGHT, "a wrong secret", cookie.split("=", 1)[1]) if x in said] == []


def test_the_headers_break_no_page_and_the_pages_say_what_is_off(served):
    executable = chromium() or missing("no Chromium found; see tests/e2e/install_browser.sh")
    with browser_page(str(executable)) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"page: {error}"))
        page.goto(f"{served[0]}/network")
        page.fill("#password", RIGHT)
        page.click("button")
        settle(page)
        page.locator(".st-key-network_graph .js-plotly-plot .main-svg").first.wait_for()
        assert page.get_by_text("Fitting the network anew is turned off").count() == 1
        page.goto(f"{served[0]}/reconstructions")
        settle(page)
        page.locator("figure img").first.wait_for()  # held in the page itself
        page.goto(f"{served[0]}/?size=256")
        settle(page)
        page.locator('[data-testid="stImage"] img').first.wait_for()  # from the server
        broken = page.evaluate(
            "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
        )
        page.get_by_role("link", name="Log out").wait_for()
        page.goto(f"{served[0]}/log-out")
        page.locator("#password").wait_for()
    blocked = [text for text in said if "Content Security Policy" in text or text[:6] == "page: "]
    assert broken == 0 and blocked == []
