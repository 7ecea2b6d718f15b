"""What must hold for every kind of file, whatever happens while it is written.

After a fault the old state is there, or the new one; doing it again gives the new one, and nothing
half-written stays. Each function tries its fault at every step on the disk, or every so many.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from core.folders import remove_leftovers
from tests.faults.harness import MOST_STEPS, as_nobody, copied, hurt, in_child, left, read_only
from tests.faults.subjects import Subject

CUTS = 6  # places in a file at which writing ends


@dataclass(slots=True)
class Tally:
    """Faults of one kind, and what became of them.

    Attributes:
        faults: tried.
        kept, done: how often the old and the new state was there afterwards.
        told: how often there was a clear error.
        losses: what was lost, half-written, or told unclearly; in words.
    """

    faults: int = 0
    kept: int = 0
    done: int = 0
    told: int = 0
    losses: list[str] | None = None

    def lost(self, what: str) -> None:
        """Note a loss."""
        self.losses = [*(self.losses or []), what]


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """Yield a folder that is the workspace; no queue is started."""
    root = folder / "root"
    root.mkdir(parents=True)
    with (
        patch.dict("os.environ", MICRODESIGN_WORKSPACE=str(root)),
        patch("core.jobs.queue.start_runner"),
    ):
        yield root


def killed_at_every_step(subject: Subject, folder: Path, every: int = 1) -> Tally:
    """Kill the writer at each of its steps on the disk, then look, and do it again."""
    tally = Tally()
    with workspace(folder) as root:
        start = _prepared(subject, root, folder)
        for number in range(0, MOST_STEPS, every):
            copied(start, root)
            outcome = hurt(lambda: subject.act(root), root, "kill", number)
            if not outcome.killed:
                break
            _judge(subject, root, tally, f"killed at step {number}")
        else:
            tally.lost(f"more than {MOST_STEPS} steps")
        if outcome.error:
            tally.lost(f"without a fault: {outcome.error}")
    return tally


def full_at_every_step(subject: Subject, folder: Path, every: int = 1) -> Tally:
    """Refuse whatever is new on the disk from each step on; then make room, and do it again."""
    tally = Tally()
    with workspace(folder) as root:
        start = _prepared(subject, root, folder)
        for number in range(0, MOST_STEPS, every):
            copied(start, root)
            outcome = hurt(lambda: subject.act(root), root, "full", number)
            if not outcome.error:
                break
            what = f"full at step {number}"
            tally.told += outcome.clear and "No space left on device" in outcome.error
            if not outcome.clear:
                tally.lost(f"{what}: {outcome.error}")
            if half := left(root):
                tally.lost(f"{what}: {half} stay")
            _judge(subject, root, tally, what)
        else:
            tally.lost(f"more than {MOST_STEPS} steps")
    return tally


def ended_within_a_file(subject: Subject, folder: Path, every: int = 1) -> Tally:
    """End a write in the middle of a file, by a kill and by the system's refusal."""
    tally = Tally()
    with workspace(folder) as root:
        start = _prepared(subject, root, folder)
        subject.act(root)
        largest = max((p.stat().st_size for p in root.rglob("*") if p.is_file()), default=0)
        for fault in ("cut", "short"):
            for share in range(0, CUTS, every):
                copied(start, root)
                size = largest * share // CUTS
                outcome = hurt(lambda: subject.act(root), root, fault, size)
                if not outcome.killed and not outcome.error:
                    continue  # nothing of this size was written
                what = f"{'killed' if fault == 'cut' else 'refused'} after {size} bytes"
                tally.told += bool(outcome.error) and outcome.clear
                if not outcome.clear:
                    tally.lost(f"{what}: {outcome.error}")
                if fault == "short" and (half := left(root)):
                    tally.lost(f"{what}: {half} stay")
                _judge(subject, root, tally, what)
    return tally


def read_only_folder(subject: Subject, folder: Path, every: int = 1) -> Tally:
    """Do it without the right to write: a clear error, all readable, nothing changed."""
    tally = Tally(faults=1)
    # Not in the test's folder: those above that one are closed to other users.
    with tempfile.TemporaryDirectory() as open_to_all, workspace(Path(open_to_all)) as root:
        Path(open_to_all).chmod(0o755)
        _prepared(subject, root, folder)
        before = _contents(root)
        read_only(root)
        outcome = as_nobody(lambda: subject.act(root))
        seen = as_nobody(lambda: _expect(subject, root, "old"))
        tally.told = int(outcome.clear and "Permission denied" in outcome.error)
        if not tally.told:
            tally.lost(f"said: {outcome.error or 'nothing'}")
        if seen.error:
            tally.lost(f"cannot be read: {seen.error}")
        if _contents(root) != before:
            tally.lost("it was changed")
        tally.kept = int(not seen.error)
        for path in (root, *root.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
    return tally


def _expect(subject: Subject, root: Path, state: str) -> None:
    assert subject.look(root) == state


def _prepared(subject: Subject, root: Path, folder: Path) -> Path:
    """Make the old state; return a copy of it."""
    subject.prepare(root)
    assert subject.look(root) == "old"
    return Path(shutil.copytree(root, folder / "start"))


def _judge(subject: Subject, root: Path, tally: Tally, what: str) -> None:
    """Look at what a fault has left, do it again, look again."""
    tally.faults += 1
    try:
        state = subject.look(root)
        tally.kept += state == "old"
        tally.done += state == "new"
    except Exception as error:
        tally.lost(f"{what}: {type(error).__name__}: {error}")
        return
    again = in_child(lambda: subject.act(root))
    if again.error or again.killed:
        tally.lost(f"{what}, then done again: {again.error}")
        return
    try:
        state = subject.look(root)
    except Exception as error:
        state = f"{type(error).__name__}: {error}"
    remove_leftovers(root, 0.0)
    if state != "new" or left(root):
        tally.lost(f"{what}, then done again: {state}, {left(root)}")


def _contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
