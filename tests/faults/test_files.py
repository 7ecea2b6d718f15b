"""Nothing that is written is ever lost or half there: killed, full disk, cut short, read-only.

Here at every sixth step on the disk; at every step in ``python -m tests.faults.report``.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checks import (
    Tally,
    ended_within_a_file,
    full_at_every_step,
    killed_at_every_step,
    read_only_folder,
)
from tests.faults.subjects import SUBJECTS

EVERY = 6


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize(
    "check", [killed_at_every_step, full_at_every_step, ended_within_a_file, read_only_folder]
)
def test_nothing_is_lost_or_half_there(check: Callable[..., Tally], name: str, tmp_path: Path):
    tally = check(SUBJECTS[name], tmp_path, every=EVERY)
    assert not tally.losses, "\n".join(tally.losses or [])
    if check is read_only_folder or name not in ("job removed", "design deleted"):
        assert tally.faults, "no fault was met: the check shows nothing"
