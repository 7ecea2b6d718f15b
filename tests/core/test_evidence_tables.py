"""Claims about the tables of results that need not be there."""

from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.evidence_tables import evidence_text
from core.results import write_result


def test_what_is_not_measured_is_not_shown(tmp_path: Path) -> None:
    assert evidence_text(tmp_path) == ()


def test_faults_are_counted_with_their_losses(tmp_path: Path) -> None:
    train = {"kills": 50, "runs_finished": 26, "losses": []}
    train["runs_equal_to_the_undisturbed_bit_for_bit"] = 26
    part = {"what": "no space left", "faults": 120, "losses": 1, "kinds": {"model": {}, "job": {}}}
    tabs = {"sessions": 10, "back": 9, "errors": 0, "designs_lost": 0}
    tabs |= {"job_step_at_kill": 7, "job_step_at_end": 31}
    found = {"command": "python -m tests.faults.report", "losses": 2, "training": train}
    write_result("faults", found | {"files": {"full": part}, "server": tabs}, tmp_path)
    text = "\n".join(evidence_text(tmp_path))
    assert "by `python -m tests.faults.report`: 2 losses." in text
    assert "| 50 | 26 of 26 runs end as the undisturbed one, bit for bit | 0 |" in text
    assert "| no space left | 120 | 2 kinds of files and folders | 1 |" in text
    assert "| 1 | 9 of 10 tabs came back; a training went on from step 7 to 31 | 1 |" in text
    again = {"denoiser": train | {"kills": 10, "losses": ["half a file"]}}
    again["tested"] = {"clock": {"what": "the clock put back", "run": 6, "passed": 5, "losses": 1}}
    write_result("faults", found | again | {"files": {}, "server": tabs}, tmp_path)
    text = "\n".join(evidence_text(tmp_path))
    assert "| a denoiser's training killed at a random moment, resumed | 10 | 26 of 26" in text
    assert "| the clock put back | 6 | 5 of 6 tests pass | 1 |" in text
    write_result("faults", found | {"files": {}, "server": {"not_run": "no browser"}}, tmp_path)
    assert "tabs" not in "\n".join(evidence_text(tmp_path))


def test_unusual_pictures_are_shown_with_what_is_missing(tmp_path: Path) -> None:
    share = {"share": 0.055, "low": 0.028, "high": 0.096, "n": 200}
    one = {
        "auc": 0.99876,
        "auc_one_patch": 0.98,
        "exceeding": share | {"share": 1.0, "n": 17},
        "distance": {"median": 4.24, "least": 2.9},
        "look_like_graphite_irons": 1,
    }
    found = {
        "command": "python -m core.unusual_measure",
        "fresh": {"exceeding": share, "exceeding_one_patch": share | {"share": 0.08}},
        "foreign": {"photographs": one},
        "not_available": {"uhcs": "no folder uhcs"},
    }
    write_result("unusual", found, tmp_path)
    text = "\n".join(evidence_text(tmp_path))
    assert "5.5 % of 200 fresh fields" in text and "2.8 to 9.6 %" in text and "8.0 % of" in text
    assert "| photographs | 17 | 0.9988 | 0.9800 | 100.0 % | 4.2 (2.9) | 1 |" in text
    assert "Not measured: no folder uhcs." in text
    write_result("unusual", {name: found[name] for name in ("command", "foreign")}, tmp_path)
    with pytest.raises(CheckpointError, match=r"unusual\.json lacks 'fresh': run make measure"):
        evidence_text(tmp_path)


def test_hostile_cases_are_counted_within_their_caps(tmp_path: Path) -> None:
    total = {"tried": 310, "passed": 309, "inputs": 777, "longest_cpu_s": 0.62}
    found = {
        "command": "python -m tests.hostile.report",
        "caps": {"memory_mib": 1024, "cpu_s": 6},
        "total": total | {"peak_memory_mib": 225.4},
        "categories": {"zips": {}, "tables": {}},
    }
    write_result("hostile", found, tmp_path)
    (text,) = evidence_text(tmp_path)
    assert "310 cases of 2 kinds (777 inputs), 309 passed" in text
    assert "0.6 s of one core (cap 6) and 225 MiB beyond before (cap 1024)" in text
