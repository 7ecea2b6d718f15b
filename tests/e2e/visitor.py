"""A visitor without a browser: speaks Streamlit's own protocol over its websocket.

It does what a browser does for the server: opens a session, runs pages, fetches their pictures,
fills forms, uploads files. It draws nothing, so fifty of them fit beside the server on two cores.
The messages are Streamlit's own protobufs (`streamlit.proto`).
"""

import asyncio
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

XSRF = "_streamlit_xsrf"
MEDIA_PARALLEL = 6  # pictures fetched at once, as browsers do


class VisitError(Exception):
    """The page showed an error, or the server did not answer."""


@dataclass
class Seen:
    """What one run of a page brought.

    Attributes:
        seconds: until the script had finished and the pictures were there.
        bytes: received over the websocket and as pictures.
        elements: label -> element, of widgets and buttons.
        texts: headings, captions and the like; alerts: boxes with a message.
        pictures: how many were fetched.
    """

    seconds: float = 0.0
    bytes: int = 0
    elements: dict[str, Element] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    pictures: int = 0


class Visitor:
    """One session.

    Args:
        address: of the dashboard, ``http://host:port``.
        patience_s: longest wait for one page.
    """

    def __init__(self, address: str, patience_s: float = 300.0) -> None:
        self.address, self.patience_s = address, patience_s
        self.pages: dict[str, str] = {}  # url path -> hash
        self.session_id = ""
        self.page, self.query = "", ""
        self._socket: ClientConnection | None = None
        self._cookie = ""
        self._media = asyncio.Semaphore(MEDIA_PARALLEL)
        self._fetched: set[str] = set()

    async def arrive(self) -> None:
        """Open the session, as a browser does after it has loaded the page's frame."""
        headers, _ = await self._get("/_stcore/health")
        cookie = SimpleCookie(headers.get("Set-Cookie", ""))
        self._cookie = cookie[XSRF].value if XSRF in cookie else ""
        host = urlsplit(self.address).netloc
        extra = {"Cookie": f"{XSRF}={self._cookie}"} if self._cookie else {}
        self._socket = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit"],
            additional_headers=extra,
            origin=self.address,
            max_size=None,
            ping_timeout=None,
        )

    async def leave(self) -> None:
        """Close the session, as when a tab is closed."""
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str, query: str = "") -> Seen:
        """Go to a page by its name in the address; "" is the first."""
        self.page, self.query = page, query
        return await self._run(ClientState())

    async def press(self, label: str, seen: Seen, **values: Any) -> Seen:
        """Press a button, after widgets were set.

        Args:
            label: of the button.
            seen: the page as it was.
            values: label of a number input -> number; spaces as in the page.
        """
        state = ClientState()
        for name, value in values.items():
            element = seen.elements[name]
            state.widget_states.widgets.append(
                WidgetState(id=element.number_input.id, double_value=value)
            )
        button = WidgetState(id=seen.elements[label].button.id, trigger_value=True)
        state.widget_states.widgets.append(button)
        return await self._run(state)

    async def upload(self, field_label: str, button: str, seen: Seen, name: str, data: bytes):
        """Upload a file into a field and press a button."""
        uploader = seen.elements[field_label].file_uploader
        asked = BackMsg()
        asked.file_urls_request.request_id = uuid.uuid4().hex
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self.session_id
        await self._send(asked)
        while True:
            message = await self._receive()
            if message.WhichOneof("type") == "file_urls_response":
                break
        urls = message.file_urls_response.file_urls[0]
        await asyncio.to_thread(self._put, urls.upload_url, name, data)
        state = ClientState()
        widget = WidgetState(id=uploader.id)
        info = UploadedFileInfo(name=name, size=len(data), file_id=urls.file_id, file_urls=urls)
        widget.file_uploader_state_value.uploaded_file_info.append(info)
        state.widget_states.widgets.append(widget)
        pressed = WidgetState(id=seen.elements[button].button.id, trigger_value=True)
        state.widget_states.widgets.append(pressed)
        return await self._run(state)

    async def _run(self, state: ClientState) -> Seen:
        """Ask for a run of the current page and take in what it brings."""
        begun, seen = time.perf_counter(), Seen()
        state.page_script_hash = self.pages.get(self.page, "")
        state.page_name = "" if state.page_script_hash else self.page
        state.query_string = self.query
        state.context_info.timezone = "UTC"
        message = BackMsg()
        message.rerun_script.CopyFrom(state)
        await self._send(message)
        fetching: list[asyncio.Task] = []
        while True:
            got = await self._receive(seen)
            kind = got.WhichOneof("type")
            if kind == "new_session":
                self.session_id = got.new_session.initialize.session_id or self.session_id
            elif kind == "navigation":
                for page in got.navigation.app_pages:
                    path = "" if page.is_default else page.url_pathname
                    self.pages[path] = page.page_script_hash
            elif kind == "page_info_changed":
                self.query = got.page_info_changed.query_string
            elif kind == "page_not_found":
                raise VisitError(f"there is no page {self.page!r}")
            elif kind == "delta" and got.delta.WhichOneof("type") == "new_element":
                self._look(got.delta.new_element, seen, fetching)
            elif kind == "script_finished":
                if got.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                break
        await asyncio.gather(*fetching)
        seen.seconds = time.perf_counter() - begun
        return seen

    def _look(self, element: Element, seen: Seen, fetching: list[asyncio.Task]) -> None:
        """Note an element; what says that something went wrong raises."""
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise VisitError(f"{self.page}: {element.exception.type}: {element.exception.message}")
        if kind == "alert" and element.alert.format == Alert.ERROR:
            raise VisitError(f"{self.page}: {element.alert.body[:300]}")
        if kind in ("number_input", "button", "file_uploader"):
            seen.elements[getattr(element, kind).label] = element
        elif kind == "alert":
            seen.alerts.append(element.alert.body)
        elif kind in ("heading", "markdown"):
            seen.texts.append(getattr(element, kind).body)
        elif kind == "imgs":
            for image in element.imgs.imgs:
                if image.url.startswith("/media") and image.url not in self._fetched:
                    self._fetched.add(image.url)
                    fetching.append(asyncio.create_task(self._picture(image.url, seen)))

    async def _picture(self, url: str, seen: Seen) -> None:
        async with self._media:
            _, body = await self._get(url)
        seen.bytes += len(body)
        seen.pictures += 1

    async def _send(self, message: BackMsg) -> None:
        assert self._socket is not None, "arrive first"
        await self._socket.send(message.SerializeToString())

    async def _receive(self, seen: Seen | None = None) -> ForwardMsg:
        assert self._socket is not None, "arrive first"
        try:
            data = await asyncio.wait_for(self._socket.recv(), self.patience_s)
        except TimeoutError:
            raise VisitError(f"{self.page}: nothing for {self.patience_s:g} s") from None
        if seen is not None:
            seen.bytes += len(data)
        message = ForwardMsg()
        message.ParseFromString(data)
        return message

    async def _get(self, path: str) -> tuple[Any, bytes]:
        def get() -> tuple[Any, bytes]:
            with urllib.request.urlopen(self.address + path, timeout=self.patience_s) as answer:
                return answer.headers, answer.read()

        return await asyncio.to_thread(get)

    def _put(self, path: str, name: str, data: bytes) -> None:
        """Upload as the browser does: multipart, with the token that XSRF protection asks for."""
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
        request = urllib.request.Request(
            self.address + path,
            data=body,
            method="PUT",
            headers={
                "Content-Type": f"multipart/form-data; boundary={edge}",
                "Cookie": f"{XSRF}={self._cookie}",
                "X-Xsrftoken": self._cookie,
            },
        )
        with urllib.request.urlopen(request, timeout=self.patience_s):
            pass
