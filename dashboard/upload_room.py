"""In front of the server: an upload for which there is no room is refused before it is read."""

import logging

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core import logs
from dashboard import uploads

UPLOAD = "/_stcore/upload_file/"  # in the addresses that Streamlit gives files
NO_ROOM = 507
logger = logging.getLogger(__name__)


class UploadRoom:
    """Lets an upload past where all sessions together have room for it (`uploads.most_bytes`).

    What is on its way counts as well: ten files that come at once get no more room than one after
    the other.

    Raises:
        ConfigError: the setting of the room cannot be read; the server does not start.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.coming = 0  # bytes on their way; changed by the server's one loop only
        uploads.most_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        upload = scope["type"] == "http" and scope["method"] == "PUT" and UPLOAD in scope["path"]
        if not upload:
            await self.app(scope, receive, send)
            return
        size = _size(scope)
        held, most = uploads.held_bytes(), uploads.most_bytes()
        if held + self.coming + size > most:
            logs.event(logger, "upload_refused", bytes=size, held=held, most=most)
            text = "The server's memory for uploads is full: remove files, or send them later."
            await PlainTextResponse(text, NO_ROOM)(scope, receive, send)
            return
        self.coming += size
        try:
            await self.app(scope, receive, send)
        finally:
            self.coming -= size


def _size(scope: Scope) -> int:
    """Return how much a request brings, bytes; where it does not say, as much as a file may."""
    given = Headers(scope=scope).get("content-length", "")
    return int(given) if given.isascii() and given.isdigit() else uploads.largest_bytes()
