"""The password of a server: compared in constant time, guessed slowly, remembered as a visit.

Without MICRODESIGN_PASSWORD every visitor is let in. A visit is a cookie that says until when it
counts, signed with a key made from the password: it outlasts a restart of the server, and another
password ends all visits. Neither password nor visit is ever logged, put into an address or into a
session's state.
"""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from core.errors import ConfigError

VARIABLE = "MICRODESIGN_PASSWORD"
SHORTEST = 12  # characters
COOKIE = "microdesign_visit"
VISIT_S = 12 * 3600
FASTEST_S, SLOWEST_S = 0.25, 8.0  # between two attempts: the first, and after some wrong ones
PATIENCE_S = 16.0  # an attempt that would have to wait longer is turned away
_PER_PROCESS = secrets.token_bytes(32)


def password() -> str | None:
    """Return the password that visitors have to give, None where none is asked for.

    Raises:
        ConfigError: it is set and too short; an empty one does not open a server by mistake.
    """
    given = os.environ.get(VARIABLE)
    if given is not None and len(given) < SHORTEST:
        raise ConfigError(
            f"{VARIABLE} is set to {len(given)} characters; use {SHORTEST} or more, or unset it "
            "to let everybody in"
        )
    return given


def matches(given: str, expected: str) -> bool:
    """Tell whether a password is right, in a time that depends on neither of them."""
    one, other = (hmac.digest(_PER_PROCESS, text.encode(), "sha256") for text in (given, expected))
    return hmac.compare_digest(one, other)


def visit(expected: str, now: float | None = None) -> str:
    """Return the cookie of a visit that begins now."""
    until = int((time.time() if now is None else now) + VISIT_S)
    return f"{until}.{_signed(str(until), expected)}"


def is_visit(cookie: str | None, expected: str, now: float | None = None) -> bool:
    """Tell whether a cookie is of a visit that was let in and still counts."""
    until, _, signature = (cookie or "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 13):
        return False
    if not hmac.compare_digest(signature.encode(), _signed(until, expected).encode()):
        return False
    left = int(until) - (time.time() if now is None else now)
    return 0 < left <= VISIT_S


def let_in(cookies: Mapping[str, str]) -> bool:
    """Tell whether a visitor with these cookies is let in.

    Raises:
        ConfigError: as `password`.
    """
    expected = password()
    return expected is None or is_visit(cookies.get(COOKIE), expected)


def _signed(text: str, expected: str) -> str:
    return hmac.new(_key(expected), text.encode(), "sha256").hexdigest()


@lru_cache(maxsize=2)
def _key(expected: str) -> bytes:
    """Make the key of all visits; slow to make, so that a stolen cookie tells no password."""
    return hashlib.scrypt(expected.encode(), salt=b"microdesign visit", n=2**14, r=8, p=1, dklen=32)


@dataclass
class Turnstile:
    """Lets attempts through one after the other, the slower the more have been wrong.

    Attributes:
        clock: seconds that only go forward.
    """

    clock: Callable[[], float] = time.monotonic
    _free_at: float = field(default=0.0, init=False)
    _wrong: int = field(default=0, init=False)

    def wait_s(self) -> float | None:
        """Return how long an attempt has to wait for its turn; None where too many wait already."""
        now = self.clock()
        start = max(now, self._free_at)
        if start - now > PATIENCE_S:
            return None
        self._free_at = start + self._pause_s()
        return start - now

    def judged(self, right: bool) -> None:
        """Take note of whether an attempt was right."""
        if right:
            self._wrong = 0
        else:
            self._wrong += 1
            self._free_at = max(self._free_at, self.clock() + self._pause_s())

    def _pause_s(self) -> float:
        return float(min(FASTEST_S * 2.0 ** min(self._wrong, 10), SLOWEST_S))
