"""In front of the server: nothing is answered without the password; every answer has headers."""

import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.errors import ConfigError
from dashboard import access, gate
from dashboard.gate import HEADERS, Gate, SecurityHeaders
from dashboard.password import COOKIE, VARIABLE, visit
from tests.dashboard.conftest import sound, texts

RIGHT = "correct horse battery"
HTML = {"Accept": "text/html,*/*"}
PATHS = (
    "/",
    "/network?size=256",
    "/views/network.py",
    "/static/js/index.js",
    "/media/0123.png",
    "/_stcore/upload_file/s/f",
    "/_stcore/host-config",
    "/_stcore/health/",
    "/x/_stcore/health",
    "/_stcore/stream",
    "//other.example/",
)
PAGES = ("inverse_design", "library", "evaluate", "network", "models", "data", "training")


async def inside(request):
    return PlainTextResponse("inside " + str(request.url.path))


async def connected(websocket):
    await websocket.accept()
    await websocket.send_text("inside")
    await websocket.close()


@pytest.fixture
def client(monkeypatch):
    """A browser at a server whose password is set, that never really waits."""
    monkeypatch.setenv(VARIABLE, RIGHT)
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(gate.asyncio, "sleep", sleep)
    routes = [
        WebSocketRoute("/_stcore/stream", connected),
        Route("/{path:path}", inside, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders), Middleware(Gate)])
    browser = TestClient(app, follow_redirects=False)
    browser.waited = waited
    return browser


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_answered_without_a_visit(method, path, client):
    answer = client.request(method, "http://testserver" + path, headers=HTML)
    assert answer.status_code == 401 and "inside" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_no_connection_is_made_without_a_visit(client):
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/_stcore/stream"):
        pass
    assert caught.value.code == 1008


def test_the_health_check_needs_no_password(client):
    assert client.get("/_stcore/health").text == "inside /_stcore/health"


def test_the_password_leads_back_to_the_page_that_was_asked_for(client):
    asked = "/network?size=256&model=a%20b"
    assert 'type="password"' in client.get(asked, headers=HTML).text
    answer = client.post(asked, data={"password": RIGHT})
    assert answer.status_code == 303
    assert answer.headers["location"] == "./network?size=256&model=a%20b"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    assert RIGHT not in cookie
    assert client.get("/network").text == "inside /network"
    with client.websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_text() == "inside"


def test_by_https_the_cookie_is_sent_by_https_only(client):
    sent = client.post("/", data={"password": RIGHT}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in sent.headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/a/../b", "/x:y", "/%0d%0aA:1"]
)
def test_logging_in_never_leads_to_another_server(path, client):
    answer = client.post("http://testserver" + path, data={"password": RIGHT})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("./") and "\r" not in answer.headers["location"]


@pytest.mark.parametrize("given", ["", "wrong", RIGHT + " ", "<script>x</script>"])
def test_a_wrong_password_is_said_and_slows_the_next(given, client):
    for _ in range(3):
        answer = client.post("/", data={"password": given})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert "That is not the password" in answer.text and "<script" not in answer.text
    assert client.waited[0] == 0 and 0 < client.waited[1] < client.waited[2]
    assert client.get("/", headers=HTML).status_code == 401


def test_no_secret_is_logged(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post("/", data={"password": "a wrong secret"})
        cookie = client.post("/", data={"password": RIGHT}).cookies[COOKIE]
        client.get("/")
    assert "password was wrong" in caplog.text and "password was right" in caplog.text
    assert not [x for x in (RIGHT, "a wrong secret", cookie) if x in caplog.text]


def test_too_many_attempts_at_once_are_turned_away(client, monkeypatch):
    monkeypatch.setattr("dashboard.password.Turnstile.wait_s", lambda self: None)
    answer = client.post("/", data={"password": RIGHT})
    assert answer.status_code == 429 and answer.headers["retry-after"] == "30"


def test_a_form_that_is_too_long_is_not_read(client):
    assert client.post("/", data={"password": "x" * 5000}).status_code == 413


def test_another_password_ends_all_visits(client, monkeypatch):
    client.cookies.set(COOKIE, visit(RIGHT))
    assert client.get("/").status_code == 200
    monkeypatch.setenv(VARIABLE, "a new password, chosen later")
    assert client.get("/").status_code == 401


def test_logging_out_ends_the_visit(client):
    client.post("/", data={"password": RIGHT})
    answer = client.get("/log-out")
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert client.get("/").status_code == 401


def test_broken_cookies_let_nobody_in(client):
    for cookie in ("=;=", f"{COOKIE}", f'{COOKIE}="', "\x00", f"{COOKIE}=" + "9" * 9000):
        assert client.get("/", headers={"Cookie": cookie}).status_code == 401


def test_every_answer_has_the_security_headers(client):
    client.post("/", data={"password": "wrong"})
    for answer in (client.get("/"), client.get("/_stcore/health")):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_server_with_a_short_password_does_not_start(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(ConfigError, match="set to 0 characters"):
        Gate(inside)


def test_the_health_check_lies_under_the_base_path(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert Gate(inside, "/lab/iron/").health == "/lab/iron/_stcore/health"


def test_a_form_broken_off_is_no_attempt():
    async def receive():
        return {"type": "http.disconnect"}

    assert asyncio.run(gate._form(receive)) is None


# The pages themselves, for whoever starts `main.py` without `app.py`


@pytest.fixture
def unknown(monkeypatch):
    """A password is set and the browser sent no cookie."""
    monkeypatch.setenv(VARIABLE, RIGHT)
    monkeypatch.setattr(access, "cookies", dict)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_anything_without_a_visit(page, with_model, unknown, open_page):
    app = open_page(page, size="256", model="reference")
    said = sound(app)
    assert "Log in first" in texts(said)
    shown = (app.title, app.button, app.selectbox, app.file_uploader, app.get("image"), app.table)
    assert [len(kind) for kind in shown] == [0] * 6


def test_no_state_of_a_session_opens_the_pages(with_model, unknown, open_page):
    app = open_page("library")
    for name in ("authenticated", "logged_in", "visit", COOKIE, "password", VARIABLE):
        app.session_state[name] = RIGHT
    app.query_params[COOKIE] = visit(RIGHT)
    app.query_params["password"] = RIGHT
    app.run()
    assert "Log in first" in texts(app) and not app.title


def test_with_a_visit_the_pages_open_and_keep_no_secret(with_model, open_page, monkeypatch):
    monkeypatch.setenv(VARIABLE, RIGHT)
    cookie = visit(RIGHT)
    monkeypatch.setattr(access, "cookies", lambda: {COOKIE: cookie})
    app = sound(open_page("models"))
    assert app.title[0].value == "Models" and "[Log out](log-out)" in texts(app)
    kept = str(app.session_state) + str(dict(app.query_params))
    assert RIGHT not in kept + texts(app) and cookie not in kept + texts(app)


def test_a_password_that_is_too_short_is_said_and_nothing_shown(with_model, open_page, monkeypatch):
    monkeypatch.setenv(VARIABLE, "abc")
    app = open_page("models")
    assert "set to 3 characters" in app.error[0].value and not app.title
