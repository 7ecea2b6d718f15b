"""Loaded by Python itself where this folder is on its path: no connection leaves the machine.

What was tried is written to the file that MICRODESIGN_OFFLINE_LOG names, since a library may take
the error for a network that is down and go on in silence.
"""

import os
import sys


def _refuse(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if not isinstance(address, tuple):
            return  # a socket of this machine's own
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in ("", "None", "localhost", "::1", "0.0.0.0", "::") or name.startswith("127."):
        return
    with open(os.environ["MICRODESIGN_OFFLINE_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{event} {name}\n")
    raise OSError(f"no network in this test: {name}")


sys.addaudithook(_refuse)
