"""In front of the server: the log-in page, where a password is set, and the security headers.

Both are ASGI middleware of `app.py`, so they come before Streamlit: without a visit nothing is
answered but the log-in page and the health check, no page, no picture, no upload, no connection.
`main.py` asks again, for whoever starts it without `app.py`.
"""

import asyncio
import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.login_page import login_page
from dashboard.password import COOKIE, VISIT_S, Turnstile, let_in, matches, password, visit

LOG_OUT = "log-out"
MAX_FORM_BYTES = 4096
# Nothing from other servers, in no frame of theirs. Streamlit writes styles and scripts into the
# page and Plotly makes functions and workers, hence the exceptions.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
logger = logging.getLogger(__name__)


class SecurityHeaders:
    """Puts the security headers on every answer that does not have them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class Gate:
    """Lets nobody past without a visit, where a password is set.

    Args:
        app: what is behind it.
        base_path: what the addresses of the server begin with (`server.baseUrlPath`).

    Raises:
        ConfigError: the password is too short; the server does not start.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self.app = app
        self.health = "/".join(["", *filter(None, base_path.split("/")), "_stcore", "health"])
        self.turnstile = Turnstile()
        password()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the log-in page."""
        if scope["type"] not in ("http", "websocket") or password() is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].endswith(f"/{LOG_OUT}"):
            await _logged_out(scope)(scope, receive, send)
        elif scope["path"] == self.health or let_in(cookies_of(scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            response = await self._refused(scope, receive)
            await response(scope, receive, send)

    async def _refused(self, scope: Scope, receive: Receive) -> Response:
        """Return the log-in page, or what comes of a password that was given."""
        if scope["method"] == "POST" and "/_stcore/" not in scope["path"]:
            return await self._attempt(scope, receive)
        if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
            return HTMLResponse(login_page(), 401, {"Cache-Control": "no-store"})
        return PlainTextResponse("Log in first.", 401, {"Cache-Control": "no-store"})

    async def _attempt(self, scope: Scope, receive: Receive) -> Response:
        form = await _form(receive)
        if form is None:
            return PlainTextResponse("That is no log-in form.", 413)
        wait_s = self.turnstile.wait_s()
        if wait_s is None:
            return HTMLResponse(
                login_page("Too many attempts at once. Wait half a minute, then try again."),
                429,
                {"Cache-Control": "no-store", "Retry-After": "30"},
            )
        await asyncio.sleep(wait_s)
        expected = password()
        right = expected is not None and matches(form, expected)
        self.turnstile.judged(right)
        logger.info("a visitor's password was %s", "right" if right else "wrong")
        if not right or expected is None:
            text = "That is not the password."
            return HTMLResponse(login_page(text), 401, {"Cache-Control": "no-store"})
        answer = _back(scope)
        answer.set_cookie(
            COOKIE,
            visit(expected),
            max_age=VISIT_S,
            path="/",
            httponly=True,
            samesite="lax",
            secure=_encrypted(scope),
        )
        return answer


def cookies_of(scope: Scope) -> dict[str, str]:
    """Return a request's cookies; none where they cannot be read."""
    found: SimpleCookie = SimpleCookie()
    try:
        found.load("; ".join(Headers(scope=scope).getlist("cookie")))
    except CookieError:
        return {}
    return {name: one.value for name, one in found.items()}


async def _form(receive: Receive) -> str | None:
    """Read the password of a form, None where it is too long or was broken off."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_FORM_BYTES:
            return None
        if not message.get("more_body", False):
            break
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _back(scope: Scope, last: str | None = None) -> RedirectResponse:
    """Lead to the address that was asked for, in words that cannot lead to another server."""
    if last is None:
        query = scope.get("query_string", b"").decode("latin-1")
        last = quote(scope["path"].rsplit("/", 1)[-1]) + (f"?{query}" if query else "")
    return RedirectResponse(f"./{last}", 303, {"Cache-Control": "no-store"})


def _logged_out(scope: Scope) -> Response:
    answer = _back(scope, "")
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def _encrypted(scope: Scope) -> bool:
    """Tell whether the visitor came by https, to this server or to the proxy before it."""
    return "https" in (scope.get("scheme"), Headers(scope=scope).get("x-forwarded-proto"))
