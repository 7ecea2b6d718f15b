"""How much of uploads the server holds: counted by what is there, refused before it is read."""

import asyncio
import types

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core import hardware
from core.errors import ConfigError
from dashboard import uploads
from dashboard.upload_room import NO_ROOM, UPLOAD, UploadRoom
from tests.dashboard.conftest import sound, texts
from tests.dashboard.test_isolation import PICTURE

MIB = 2**20


def file(name: str, size: int) -> UploadedFileRec:
    return UploadedFileRec(file_id=name, name=name, type="image/png", data=bytes(size))


@pytest.fixture
def manager(monkeypatch) -> MemoryUploadedFileManager:
    """Where a running server would keep uploads; 4 MiB are allowed."""
    found = MemoryUploadedFileManager("/upload")
    monkeypatch.setattr(Runtime, "_instance", types.SimpleNamespace(uploaded_file_mgr=found))
    monkeypatch.setenv(uploads.VARIABLE, "4")
    return found


async def taken(request):
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/{path:path}", taken, methods=["GET", "POST", "PUT", "DELETE"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(UploadRoom)]))


def test_what_is_held_is_counted_over_all_sessions_and_let_go_with_them(manager):
    manager.add_file("one", file("a", MIB))
    manager.add_file("another", file("b", 2 * MIB))
    assert uploads.held_bytes() == 3 * MIB
    manager.remove_file("one", "a")
    assert uploads.held_bytes() == 2 * MIB
    manager.remove_session_files("another")
    assert uploads.held_bytes() == 0


def test_an_upload_without_room_is_refused_until_a_session_ends(manager, client):
    manager.add_file("one", file("a", 3 * MIB))
    assert client.put(f"{UPLOAD}two/b", content=bytes(MIB)).text == str(MIB)
    refused = client.put(f"{UPLOAD}two/b", content=bytes(MIB + 1))
    assert refused.status_code == NO_ROOM and "memory for uploads is full" in refused.text
    assert client.put(f"/lab{UPLOAD}two/b", content=bytes(MIB + 1)).status_code == NO_ROOM
    assert client.get("/").status_code == 200 and client.delete(f"{UPLOAD}one/a").is_success
    manager.remove_session_files("one")
    assert client.put(f"{UPLOAD}two/b", content=bytes(MIB + 1)).is_success


def test_an_upload_that_does_not_say_how_large_it_is_counts_as_the_largest(manager, client):
    def parts():
        yield b"x"

    assert uploads.largest_bytes() > 4 * MIB
    assert client.put(f"{UPLOAD}two/b", content=parts()).status_code == NO_ROOM


def test_uploads_on_their_way_count_and_no_longer_when_they_break_off(manager):
    """Three of 2 MiB at once, where 4 are allowed: the third has no room."""
    answers, waiting = [], []

    async def slow(scope, receive, send):
        waiting.append(asyncio.Event())
        await waiting[-1].wait()
        raise ConnectionError("broken off")

    room = UploadRoom(slow)
    scope = {
        "type": "http", "method": "PUT", "path": f"{UPLOAD}s/f",
        "headers": [(b"content-length", str(2 * MIB).encode())],
    }  # fmt: skip

    async def send(message):
        answers.append(message.get("status"))

    async def run():
        first = [asyncio.create_task(room(scope, None, send)) for _ in range(2)]
        await asyncio.sleep(0)
        assert room.coming == 4 * MIB
        await room(scope, None, send)
        assert answers[0] == NO_ROOM and len(waiting) == 2
        for one in waiting:
            one.set()
        await asyncio.gather(*first, return_exceptions=True)

    asyncio.run(run())
    assert room.coming == 0


def test_streamlit_keeps_uploads_where_they_are_counted(monkeypatch, tmp_path):
    """The real server: its own store is the one that the room asks."""
    monkeypatch.setattr(Runtime, "_instance", None)
    monkeypatch.setenv(uploads.VARIABLE, "1")
    (tmp_path / "page.py").write_text("")
    app = st.App(tmp_path / "page.py", middleware=[Middleware(UploadRoom)])
    with TestClient(app) as client:
        store = Runtime.instance().uploaded_file_mgr
        assert isinstance(store, MemoryUploadedFileManager)
        store.add_file("s", file("a", MIB))
        assert uploads.held_bytes() == MIB
        assert client.put(f"{UPLOAD}s/b", content=b"x").status_code == NO_ROOM
        store.remove_session_files("s")
        assert client.put(f"{UPLOAD}s/b", content=b"x").status_code != NO_ROOM


@pytest.mark.parametrize(
    ("memory", "given", "expected"),
    [
        (2**40, "", 4096 * MIB),
        (2**33, "", 2**31),
        (None, "", 4096 * MIB),
        (2**33, " 100 ", 100 * MIB),
    ],
)
def test_the_room_is_what_is_set_else_4_gib_or_a_quarter_of_the_memory(
    memory, given, expected, monkeypatch
):
    monkeypatch.setattr(uploads, "memory_bytes", lambda: memory)
    monkeypatch.setenv(uploads.VARIABLE, given)
    assert uploads.most_bytes() == expected


@pytest.mark.parametrize("given", ["0", "-1", "4 GiB", "1.5", "1e3", "9" * 13, "²"])
def test_a_setting_that_is_no_number_of_mib_stops_the_start(given, monkeypatch):
    monkeypatch.setenv(uploads.VARIABLE, given)
    with pytest.raises(ConfigError, match="whole number of MiB"):
        UploadRoom(taken)


def test_a_container_has_the_memory_that_it_may_use(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(hardware, "CONTAINER_LIMIT", limit)
    whole = hardware.memory_bytes()
    assert whole > 2**28
    for text, expected in (("max\n", whole), (f"{2**28}\n", 2**28), (f"{2**60}\n", whole)):
        limit.write_text(text)
        assert hardware.memory_bytes() == expected


@pytest.mark.parametrize("page", ["evaluate", "batch", "traversals", "data"])
def test_pages_with_a_field_for_files_say_when_there_is_hardly_room(
    page, with_model, open_page, monkeypatch
):
    monkeypatch.setenv(uploads.VARIABLE, "4")
    assert "memory for uploads" not in texts(sound(open_page(page)))
    monkeypatch.setattr(uploads, "held_bytes", lambda: 4 * MIB - 1)
    said = texts(open_page(page))
    assert "4 of 4 MiB are taken" in said and "Remove files that you no longer need" in said


def test_what_is_let_go_is_no_longer_held(open_page, monkeypatch):
    """The files of a data set that is made are shown by no field; they go before the session."""
    released = []
    plain = MemoryUploadedFileManager.remove_file
    monkeypatch.setattr(
        MemoryUploadedFileManager,
        "remove_file",
        lambda self, session_id, file_id: (
            released.append(file_id) or plain(self, session_id, file_id)
        ),
    )

    def page():
        import streamlit as st

        from dashboard import data_session

        st.file_uploader("x", key="data_files_0", accept_multiple_files=True)
        st.file_uploader("y", key="data_table_0")
        st.button("made", key="made", on_click=data_session.begin_anew)

    app = st.testing.v1.AppTest.from_function(page).run()
    app.file_uploader(key="data_files_0").upload("a.png", PICTURE, "image/png")
    app.file_uploader(key="data_table_0").upload("t.csv", b"x", "text/csv")
    app.run()
    assert released == []
    sound(app.button(key="made").click().run())
    assert len(set(released)) == 2
