"""The server's threads share the C library's arenas."""

import os
import subprocess
import sys

import pytest

COUNT_ARENAS = """
import ctypes, sys, threading
from core.allocator import few_arenas
if sys.argv[1] == "few" and not few_arenas():
    print("not glibc")
    raise SystemExit
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(12)
def work():
    together.wait()  # at once: each finds the other arenas taken
    for _ in range(2000):
        libc.malloc(64)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[t.start() for t in threads]
[t.join() for t in threads]
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


def arenas(setting: str) -> int:
    settings = ("MALLOC_", "GLIBC_TUNABLES")  # the machine's own limits would hide ours
    env = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ARENAS, setting],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    if "not glibc" in done.stdout:
        pytest.skip("the C library here is not glibc: it has no arenas to limit")
    return done.stdout.count("<heap nr=")


def test_many_threads_share_a_few_arenas():
    limited = arenas("few")
    assert 1 <= limited <= 2
    assert arenas("as it is") > limited
