"""How the server's answers go out: at once."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

OPEN_FILES = Path("/proc/self/fd")  # Linux


def answer_at_once() -> int:
    """Let connections to this process's listening sockets send what they have without waiting.

    By default the second of two small packets waits until the first has been acknowledged, which
    browsers do up to 40 ms later (Nagle's algorithm against delayed acknowledgement, RFC 1122
    section 4.2.3.4). An answer is two packets, head and body: a page of eighty pictures waits half
    a second. asyncio switches this off (TCP_NODELAY) for sockets that name their protocol, which
    Streamlit's do not. Connections inherit it from the socket that takes them.

    Returns:
        How many sockets it was set for; 0 where a system does not tell its open files.
    """
    count = 0
    for one in _listening():
        with one, contextlib.suppress(OSError):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            count += 1
    return count


def _listening() -> Iterator[socket.socket]:
    """Yield this process's listening TCP sockets, each to be closed: they are copies."""
    names = os.listdir(OPEN_FILES) if OPEN_FILES.is_dir() else []
    for name in names:
        try:
            copy = os.dup(int(name))
        except OSError:  # closed meanwhile
            continue
        try:
            one = socket.socket(fileno=copy)
        except OSError:  # no socket
            os.close(copy)
            continue
        if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        ):
            yield one
        else:
            one.close()
