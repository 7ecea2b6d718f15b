"""Training jobs whose files were edited while nobody looked."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, ConfigError
from core.jobs.progress import Progress, progress_of, read_log, seconds_run, steps_of
from core.jobs.queue import Job, find, jobs, waiting
from core.jobs.request import JobRequest, load_request, save_request
from core.jobs.status import Status, load_status, observed, save_status
from core.training_log import TrainingLog
from tests.hostile.case import Case, equal

REQUEST, STATUS, PROGRESS, QUEUE = "job requests", "job states", "job progress", "job queues"
NUMBER = "20260102-030405-00aa"
GOOD = JobRequest(name="m", data="/data", data_name="d", preset="quick", config={"steps": 10})


def _folder(folder: Path) -> Path:
    made = folder / "jobs" / NUMBER
    save_request(made, GOOD)
    save_status(made, Status(state="stopped", created=1.0, queued=2.0, started=3.0, ended=4.0))
    return made


def _edited(name: str, key: str, value: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = _folder(folder)
        content = json.loads((made / name).read_text())
        content[key] = value
        (made / name).write_text(json.dumps(content))
        return made

    return make


def _written(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = _folder(folder)
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(data)
        return made

    return make


def _files() -> Iterator[Case]:
    requests: dict[str, list[Any]] = {
        "name": ["../x", "", "reference", None, 5, "-x", "a\n", "x" * 61],
        "data": ["--out", None, 5, "a\0b"],
        "init": ["--resume", []],
        "device": ["cpu; rm -rf /", "--x", None],
        "config": [None, [], "x"],
        "skipped": [[], {"x": "y"}, {"learn": 5}, "x"],
        "encode_stride": [0, -1, 10**9, "160", 1.5, None],
        "estimate_s": ["x", -1, []],
        "data_name": [{}],
        "x": [1],
    }
    again = "request.json.*damaged.*submit it again"
    for key, values in requests.items():
        for value in values:
            yield Case(
                name=f"{key} is {str(value)[:20]!r}",
                category=REQUEST,
                make=_edited("request.json", key, value),
                read=load_request,
                says=again,
                kind=CheckpointError,
            )
    states: dict[str, list[Any]] = {
        "state": ["dead", None, [], 5],
        "runner": [
            5,
            "x",
            [1],
            {"pid": "1", "started": "x"},
            {"pid": -1, "started": "x"},
            {"pid": 1},
            {"pid": 10**30, "started": ""},
            {"pid": 1, "started": 5},
        ],
        "child": [{"pid": 1.5, "started": "x"}],
        "done": [[], "x", {"train": "x"}, {"train": -1}],
        "queued": ["x", None, []],
        "created": ["x"],
        "started": ["x", []],
        "ended": [{}],
        "message": [5],
        "step": [[]],
        "x": [1],
    }
    again = "status.json.*(damaged.*submit it again|not valid JSON)"
    for key, values in states.items():
        for value in values:
            yield Case(
                name=f"{key} is {str(value)[:30]!r}",
                category=STATUS,
                make=_edited("status.json", key, value),
                read=observed,
                says=again,
                kind=CheckpointError,
            )
    for name, read in {"request.json": load_request, "status.json": load_status}.items():
        category = REQUEST if name == "request.json" else STATUS
        for what, data in {
            "nothing": b"",
            "a list": b"[]",
            "null": b"null",
            "a text": b'"x"',
            "half a file": b'{"name": "m',
            "deep lists": b"[" * 10**5,
        }.items():
            yield Case(
                name=f"{what} for the file",
                category=category,
                make=_written(name, data),
                read=read,
                says=name.replace(".", r"\."),
                kind=CheckpointError,
            )

    def alive(status: Status) -> None:
        assert status.state == "failed", status

    yield Case(
        name="a process that never was",
        category=STATUS,
        make=lambda folder: _running(folder),
        read=observed,
        right=alive,
    )
    for name, value in {"model": "../x", "data": "-x"}.items():
        changes = {"name": value} if name == "model" else {"data": value}
        yield Case(
            name=f"asked for with the {name} {value}",
            category=REQUEST,
            read=lambda _, c=changes: JobRequest(**(asdict(GOOD) | c)),
            says="letters, digits|a folder",
            kind=ConfigError,
        )


def _running(folder: Path) -> Path:
    made = _folder(folder)
    content = json.loads((made / "status.json").read_text())
    content |= {"state": "running", "runner": {"pid": 2**22 + 5, "started": "never 1"}}
    (made / "status.json").write_text(json.dumps(content))
    return made


def _job(folder: Path) -> Job:
    return Job(NUMBER, folder, load_request(folder), load_status(folder))


def _all_of(folder: Path) -> Progress:
    job = _job(folder)
    assert read_log(job) is not None and steps_of(job) and seconds_run(job) is not None
    return progress_of(job)


def _progress() -> Iterator[Case]:
    def nothing(found: Progress) -> None:
        assert (found.step, found.share, found.seconds_left) == (0, 0.0, None), found

    contents = {
        "a list": b"[]",
        "a text": b'"x"',
        "nothing": b"",
        "noise": bytes(range(256)),
        "texts": b'{"step": "x", "steps": [], "progress": {}}',
        "null": b'{"step": null}',
        "NaN": b'{"step": NaN}',
        "deep lists": b"[" * 10**5,
        "a number of 400 digits": b'{"step": ' + b"9" * 400 + b"}",
    }
    for what, data in contents.items():
        yield Case(
            name=f"progress of {what}",
            category=PROGRESS,
            make=_written("model/progress.json", data),
            read=_all_of,
            right=nothing,
        )
    lines = {
        "noise": bytes(range(256)) * 100,
        "lists": b"[1]\n[]\nnull\n5\n",
        "steps that are texts": b'{"step": "1", "kind": "train"}\n',
        "figures that are texts": b'{"step": 1, "kind": "train", "loss": "x", "x": []}\n',
        "NaN": b'{"step": 1, "kind": "train", "loss": NaN}\n',
        "deep lists": b"[" * 10**5 + b"\n",
        "half a line": b'{"step": 1, "ki',
        "a number of 400 digits": b'{"step": 1, "kind": "train", "loss": ' + b"9" * 400 + b"}\n",
    }
    yield Case(
        name="metrics of 33 MiB",
        category=PROGRESS,
        make=lambda folder: _written("model/metrics.jsonl", b"x" * (33 * 2**20))(folder),
        read=_all_of,
        right=nothing,
    )
    for what, data in lines.items():
        yield Case(
            name=f"metrics of {what}",
            category=PROGRESS,
            make=_written("model/metrics.jsonl", data),
            read=_all_of,
            right=nothing,
        )
        yield Case(
            name=f"metrics of {what}, resumed from",
            category=PROGRESS,
            make=_written("metrics.jsonl", data),
            read=_cut,
        )
    yield Case(
        name="a log of noise",
        category=PROGRESS,
        make=_written("log.txt", bytes(range(256))),
        read=_all_of,
        right=nothing,
    )
    yield Case(
        name="previews with odd names",
        category=PROGRESS,
        make=_previews,
        read=_all_of,
        right=lambda found: equal([7])(list(found.previews)),
    )


def _cut(folder: Path) -> int:
    """Cut the metrics at a step, and put them back as they were."""
    before = (folder / "metrics.jsonl").read_bytes()
    stamp = os.stat(folder / "metrics.jsonl")
    log = TrainingLog(folder)
    log.cut(5)
    kept = (folder / "metrics.jsonl").read_bytes()
    (folder / "metrics.jsonl").write_bytes(before)
    os.utime(folder / "metrics.jsonl", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    return len(kept)


def _previews(folder: Path) -> Path:
    made = _folder(folder)
    where = made / "model" / "previews"
    where.mkdir(parents=True)
    for name in ("step-7.png", "step-.png", "step-x.png", "step--1.png", "step-²3.png"):
        (where / name).write_bytes(b"x")
    return made


def _queues() -> Iterator[Case]:
    def workspace(folder: Path) -> Path:
        os.environ["MICRODESIGN_WORKSPACE"] = str(folder)
        _folder(folder)
        for number, data in (("20260102-030405-00ab", b"[]"), ("20260102-030405-00ac", b"\xff")):
            made = folder / "jobs" / number
            save_request(made, GOOD)
            (made / "status.json").write_bytes(data)
        (folder / "jobs" / "20260102-030405-00ad").mkdir()
        (folder / "jobs" / "..x").mkdir()
        return folder

    yield Case(
        name="damaged jobs beside a good one",
        category=QUEUE,
        make=workspace,
        read=lambda _: ([job.id for job in jobs()], waiting()),
        right=equal(([NUMBER], [])),
    )
    for number in ("../x", "", "/etc", "20260102-030405-zzzz", "a\0", NUMBER + "\n"):
        yield Case(
            name=f"a job numbered {number!r}",
            category=QUEUE,
            make=workspace,
            read=lambda _, n=number: find(n),
            says="there is no job",
        )


CASES = (*_files(), *_progress(), *_queues())
