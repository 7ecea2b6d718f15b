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


KEEP_AND_FREE = """
import ctypes, sys
from core.allocator import Trim
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return int(open("/proc/self/statm").read().split()[1])
large, small = [], []
for _ in range(2000):  # below the size that is given back by itself, a small one above each
    large.append(libc.malloc(100_000))
    ctypes.memset(large[-1], 1, 100_000)
    small.append(libc.malloc(64))
for one in large:
    libc.free(one)
before, trim = resident(), Trim()
print(trim(), trim(), before - resident())
"""


def test_free_memory_between_small_things_is_given_back_now_and_then():
    if not sys.platform.startswith("linux"):
        pytest.skip("asks Linux for the resident memory")
    run = [sys.executable, "-c", KEEP_AND_FREE]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    first, second, pages = done.stdout.split()
    if first == "False":
        pytest.skip("the C library here is not glibc: it has no free memory to give back")
    assert second == "False", "not twice within seconds"
    assert int(pages) * 4096 > 100e6, "of 200 MB that were freed"


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
