"""Claims about the tables of what the dashboard takes and bears."""

from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.results import write_result
from core.service_tables import service_text

PAGE = {
    "cold_s": 4.21,
    "warm_s": 1.34,
    "page_bytes": 612_000,
    "accessibility_findings": 0,
    "accessibility_streamlits_own": 2,
}
VIEWS = {
    "bars": {"warm_s": 2.0, "page_bytes": 2_000_000},
    "pages": {"latent_map": PAGE},
    "requests_to_other_hosts": ["cdn.example"],
}


def dashboard(**more: object) -> dict:
    crowd = {"bar_s": 5.0, "sessions": 20, "slowest_s": {"latent_map": 3.16}, "errors": 1}
    about = {"command": "python -m tests.e2e.dashboard_measure", "hardware": "a machine"}
    return about | {"first_views": VIEWS, "at_once": crowd} | more


def load() -> dict:
    return {
        "command": "python -m tests.e2e.load",
        "hardware": "a machine",
        "load": {
            "sessions": 50,
            "of_them_browser_tabs": 2,
            "minutes": 5.0,
            "errors": 3,
            "actions": {"design": {"n": 41, "median_s": 2.3, "p95_s": 9.9, "longest_s": 12.4}},
            "health": {"asked": 290, "without_answer": 4, "slowest_s": 1.77},
            "memory": {"most": 2345.6, "warm_up_s": 120.0, "growth_after_warm_up_pct": -3.21},
        },
    }


def test_what_is_not_measured_is_not_shown(tmp_path: Path) -> None:
    assert service_text(tmp_path) == []
    write_result("dashboard", dashboard(), tmp_path)
    assert len(service_text(tmp_path)) == 2
    assert "twelve castings" not in service_text(tmp_path)[0]


def test_each_page_has_its_times_bytes_and_findings(tmp_path: Path) -> None:
    own = {"seconds": {"training started": 60.0, "first design": 522.0}, "bar_s": 900.0}
    write_result("dashboard", dashboard(own_data=own), tmp_path)
    text, rows = service_text(tmp_path)
    assert "| latent map | 4.2 | 1.3 | 3.2 | 0.61 | 0 + 2 |" in rows
    assert "hosts: cdn.example." in text and "at once: 1." in text
    assert "8.7 minutes (bar 15)" in text


def test_a_page_not_opened_at_once_has_no_such_time(tmp_path: Path) -> None:
    found = dashboard()
    found["at_once"]["slowest_s"] = {}
    write_result("dashboard", found, tmp_path)
    assert "| 1.3 | not measured | 0.61 |" in service_text(tmp_path)[1]


def test_load_tells_errors_health_memory_and_waiting(tmp_path: Path) -> None:
    found = load()
    write_result("load", found, tmp_path)
    text, rows = service_text(tmp_path)
    assert "50 sessions at once for 5 minutes, 2 of them browser tabs" in text
    assert "3 errors" in text and "286 times of 290, slowest 1.8 s" in text
    assert "at most 2346 MB" in text and "it grew by -3.2 %" in text
    assert "| design | 41 | 2.3 | 9.9 | 12.4 |" in rows
    found["load"]["memory"]["growth_after_warm_up_pct"] = None
    write_result("load", found, tmp_path)
    assert "looked at too seldom" in service_text(tmp_path)[0]


def test_a_damaged_result_names_its_command(tmp_path: Path) -> None:
    write_result("load", {"command": "", "hardware": ""}, tmp_path)
    with pytest.raises(CheckpointError, match=r"load\.json lacks 'load': run make load"):
        service_text(tmp_path)
