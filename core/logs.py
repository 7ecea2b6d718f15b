"""Structured logs: one line of JSON a record, with ids, sizes and timings, and never contents.

What people give (file names, tables, pictures, notes, messages about them) does not reach a line:

- `event` takes numbers, truth values, and texts that can only be an id or a word of this program;
- of ordinary records of this program only the constant pattern is kept, without what was filled
  in; of other libraries' records the place in their code;
- of an exception its type and the places in the code, without its message.

    {"time": "2026-01-02T03:04:05.678Z", "level": "info", "logger": "dashboard.designs",
     "event": "design", "ms": 812, "outcome": "done", "size_px": 512}

``MICRODESIGN_LOG=plain`` gives plain text with everything in it, for a machine of one's own.
"""

import errno
import json
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from core.errors import ConfigError, MicroDesignError
from core.workspace import ROOT

VARIABLE, PLAIN = "MICRODESIGN_LOG", "plain"
WITHHELD = "withheld"
PACKAGES = ("core", "bayesnet", "dashboard", "__main__")
SERVER = ("streamlit", "uvicorn")  # they have handlers of their own
# Ids (hexadecimal or of a job) and single words in lower case; no dot, slash, space or capital, so
# that neither a file's name nor a cell's text gets through.
_WORD = re.compile(r"[a-z][a-z_]{0,39}|[0-9a-f]{8,64}|\d{8}-\d{6}-[0-9a-f]{4,8}")
_TYPE = re.compile(r"[A-Za-z_]{1,60}")  # of an exception

Context = Callable[[], Mapping[str, object]]


def no_context() -> Mapping[str, object]:
    """Return nothing to add to each record."""
    return {}


class JsonLines(logging.Formatter):
    """Format records as described above."""

    def __init__(self, context: Context = no_context) -> None:
        super().__init__()
        self.context = context

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        if fields is None and record.name.partition(".")[0] in PACKAGES:
            line["event"] = str(record.msg)
        elif fields is None:
            line["event"] = f"{record.module}:{record.lineno}"
        line |= {name: _safe(value) for name, value in self.context().items()}
        line |= fields or {}
        if record.exc_info and record.exc_info[0] is not None:
            line |= _described(record.exc_info[0], record.exc_info[2])
        return json.dumps(line, allow_nan=False)


def set_up(context: Context = no_context, stream: TextIO | None = None) -> None:
    """Send this program's records to ``stream``, the standard error by default.

    Args:
        context: asked at each record for what to add (a session's id).
        stream: where to.

    Raises:
        ConfigError: MICRODESIGN_LOG is something else than plain or json.
    """
    wanted = os.environ.get(VARIABLE) or "json"
    if wanted not in (PLAIN, "json"):
        raise ConfigError(f"{VARIABLE} is {wanted!r}; choose 'json' or '{PLAIN}'")
    handler = logging.StreamHandler(stream or sys.stderr)
    if wanted == PLAIN:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    else:
        handler.setFormatter(JsonLines(context))
    handler.set_name(__name__)
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == __name__]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in SERVER and isinstance(logger, logging.Logger):
            logger.handlers = [handler]
            logger.propagate = False
            logger.setLevel(max(logger.level, logging.WARNING))  # each request would be a line


def event(logger: logging.Logger, name: str, /, **fields: object) -> None:
    """Log that something happened.

    Args:
        logger: of the module.
        name: of the event, a word.
        fields: numbers, truth values, None, ids, single words; a text of another form is withheld.
    """
    safe = {"event": name} | {key: _safe(value) for key, value in fields.items()}
    told = " ".join(f"{key}={value}" for key, value in safe.items() if key != "event")
    logger.info("%s %s", name, told, extra={"fields": safe})


@contextmanager
def timed(logger: logging.Logger, name: str, /, **fields: object) -> Iterator[dict[str, object]]:
    """Log what is done inside when it ends: its milliseconds, and whether it was done.

    The outcome is "done", "refused" (an error meant for the user), "failed" (a defect), or "left"
    (a click or a closed tab ended it). Yields a dictionary for fields known only at the end.
    """
    begun, found, outcome = time.perf_counter(), dict[str, object](), "left"
    try:
        yield found
        outcome = "done"
    except MicroDesignError as error:
        outcome = "refused"
        found["error"] = _word_of(type(error))
        raise
    except Exception:
        outcome = "failed"
        raise
    finally:
        spent = round(1000 * (time.perf_counter() - begun), 1)
        event(logger, name, **(fields | found | {"ms": spent, "outcome": outcome}))


def refused(logger: logging.Logger, error: MicroDesignError) -> None:
    """Log that a user was told of an error of theirs: its kind and where, never its message."""
    frames = traceback.extract_tb(error.__traceback__)
    where = _place(frames[-1]) if frames else ""
    fields = {"event": "refused", "error": type(error).__name__, "where": where}
    if isinstance(error.__cause__, OSError):  # why, as ENOSPC for a full disk
        fields["errno"] = errno.errorcode.get(error.__cause__.errno or 0, WITHHELD)
    logger.info("refused %s at %s", type(error).__name__, where, extra={"fields": fields})


def short(identity: str | None) -> str | None:
    """Return the beginning of a hash: enough to tell models apart.

    >>> short("408c1eb1ac1671de32facf08")
    '408c1eb1ac16'
    """
    return identity[:12] if identity else None


def _safe(value: object) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    text = str(value)
    return text if _WORD.fullmatch(text) else WITHHELD


def _word_of(kind: type) -> str:
    """Return an error's name as a word: ``InputError`` is input_error."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _described(kind: type[BaseException], trace: Any) -> dict[str, object]:
    name = kind.__name__
    frames = [_place(frame) for frame in traceback.extract_tb(trace)]
    return {"exception": name if _TYPE.fullmatch(name) else WITHHELD, "frames": frames}


def _place(frame: traceback.FrameSummary) -> str:
    """Return where in the code: ``core/images.py:120 read_image``; of others their file's name."""
    path = Path(frame.filename)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(path.name)
    return f"{shown}:{frame.lineno} {frame.name}"
