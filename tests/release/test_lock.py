"""The lock for deployment: complete, hashed, the same set as requirements.txt, naming no host."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.release import audit, wheels
from tests.release.audit import Audit, Weakness

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lower())


def test_every_pin_has_hashes_and_nothing_else_is_in_the_lock():
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n?", "", LOCK, flags=re.MULTILINE).strip())
    assert len(blocks) == len(PIN.findall(LOCK)) > 80
    for block in blocks:
        first, *rest = block.split("\n")
        assert PIN.match(first), first
        assert rest and all(
            re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line) for line in rest
        ), first


def test_what_is_pinned_is_pinned_to_the_same_version_on_every_python():
    pins = [(name, version) for name, version, _ in PIN.findall(LOCK)]
    assert len({name for name, _ in pins}) == len(pins)
    wanted = re.findall(r"^([A-Za-z0-9._-]+)(==(\S+))?", requirements(), re.MULTILINE)
    locked = dict(pins)
    assert len(wanted) == len(requirements().splitlines())
    for name, _, version in wanted:
        assert locked[plain(name)] == version or not version


def test_no_pin_is_left_out_on_the_pythons_that_are_declared():
    for name, _, marker in PIN.findall(LOCK):
        older = re.findall(r"python_full_version ?([<>]=?) ?'(3\.\d+)'", marker)
        assert all(
            (sign, version) == (">=", "3.12") or int(version[2:]) > 13 for sign, version in older
        ), f"{name}: {marker}"


def test_the_lock_names_no_host_and_no_folder():
    for word in ("://", "index-url", "find-links", "file:", "@ ", "/tmp", "/home", "/root"):
        assert word not in LOCK


def requirements() -> str:
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def test_the_declared_pythons_are_those_that_the_wheels_are_checked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert wheels.PYTHONS == ("3.11", "3.12", "3.13")
    said = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if "Python :: 3." in c]
    assert tuple(said) == wheels.PYTHONS


def report(*vulns: dict) -> dict:
    return {
        "dependencies": [
            {"name": "torch", "version": "1.0", "vulns": list(vulns)},
            {"name": "other", "skip_reason": "Dependency not found on PyPI"},
        ]
    }


def test_an_audit_that_skipped_everything_is_no_audit(monkeypatch):
    class Done:
        stdout = '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'

    monkeypatch.setattr(audit.subprocess, "run", lambda *a, **k: Done)
    assert audit.ask("pypi") is None
    Done.stdout = "Traceback: no network"
    assert audit.ask("osv") is None
    status, said = audit.told(None)
    assert status == 0 and said.startswith("NOT AUDITED")


@pytest.mark.parametrize(("mended", "status"), [((), 0), (("1.1",), 1)])
def test_a_weakness_fails_the_build_where_a_release_mends_it(mended, status):
    found = audit.read(report({"id": "X-1", "fix_versions": list(mended)}))
    assert found == Audit(1, 1, (Weakness("torch 1.0", "X-1", mended),))
    ended, said = audit.told(found)
    assert ended == status and "torch 1.0: X-1" in said and "1 packages audited, 1 not" in said


def test_no_weakness_is_said_with_how_many_were_looked_at():
    assert audit.told(audit.read(report())) == (
        0,
        "1 packages audited, 1 not known to the source.\nNo weakness is known.",
    )


def test_a_missing_wheel_is_told_from_no_network(monkeypatch, tmp_path):
    class Done:
        returncode, stderr = 1, "error: no wheels with a matching platform tag"

    monkeypatch.setattr(wheels.subprocess, "run", lambda *a, **k: Done)
    assert wheels.resolve("3.13", tmp_path)[0] == 1
    Done.stderr = "error: Request failed: error sending request for url"
    assert wheels.resolve("3.13", tmp_path)[0] == 2
    Done.returncode, Done.stderr = 0, "Would install\n + a==1\n + b==2"
    assert wheels.resolve("3.13", tmp_path) == (0, "2 packages, all as wheels")
