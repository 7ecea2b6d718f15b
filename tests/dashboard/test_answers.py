"""Answers of the server do not wait for what the browser acknowledges."""

import asyncio
import os
import socket

import pytest

from dashboard import answers, warm_up


@pytest.fixture
def listener():
    """A socket as Streamlit makes its own: it does not name its protocol."""
    with socket.socket(socket.AF_INET) as found:
        found.bind(("127.0.0.1", 0))
        found.listen()
        yield found


def waits(one: socket.socket) -> bool:
    return not one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def taken(listener: socket.socket) -> bool:
    """Whether a connection that this socket takes would wait."""
    with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
        return waits(connection)


def test_connections_of_a_listening_socket_send_at_once(listener):
    assert taken(listener)
    assert answers.answer_at_once() >= 1
    assert not taken(listener)


def test_the_server_does_so_as_it_starts(listener, monkeypatch):
    monkeypatch.setattr(warm_up, "first_design", lambda: None)
    monkeypatch.setattr(warm_up, "tidy", lambda: None)

    async def start() -> None:
        async with warm_up.lifespan(None):
            pass

    asyncio.run(start())
    assert not taken(listener)


def test_other_files_and_sockets_are_left_alone(listener):
    with socket.socket() as idle:
        before = len(os.listdir(answers.OPEN_FILES))
        answers.answer_at_once()
        assert waits(idle)
        assert len(os.listdir(answers.OPEN_FILES)) == before


def test_where_open_files_are_not_told_nothing_is_set(listener, monkeypatch, tmp_path):
    monkeypatch.setattr(answers, "OPEN_FILES", tmp_path / "none")
    assert answers.answer_at_once() == 0
    assert taken(listener)
