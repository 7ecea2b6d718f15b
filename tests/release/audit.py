"""Known weaknesses of the pinned packages: `python -m tests.release.audit`.

pip-audit asks the package index and then OSV. Where neither can be reached it ends well and reports
"No known vulnerabilities", having skipped every package; here that is said to be what it is. Ends
with 1 where a weakness is known for which there is a release that mends it, else with 0.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pypi", "osv")


@dataclass(frozen=True)
class Weakness:
    """A known weakness.

    Attributes:
        package: with its version.
        id: of the advisory.
        mended_in: releases without it.
    """

    package: str
    id: str
    mended_in: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What a source of advisories answered.

    Attributes:
        audited: how many packages it knows.
        skipped: how many it was not asked about or does not know.
        weaknesses: what it knows against them.
    """

    audited: int
    skipped: int
    weaknesses: tuple[Weakness, ...]


def read(report: dict[str, Any]) -> Audit:
    """Read pip-audit's JSON."""
    found = report.get("dependencies", [])
    audited = [one for one in found if "skip_reason" not in one]
    weak = tuple(
        Weakness(f"{one['name']} {one['version']}", v["id"], tuple(v.get("fix_versions", ())))
        for one in audited
        for v in one.get("vulns", [])
    )
    return Audit(len(audited), len(found) - len(audited), weak)


def ask(source: str) -> Audit | None:
    """Audit the lock by a source; None where it cannot be reached or knows no package at all."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "requirements.lock")]
    command += ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--timeout=15"]
    command += ["--format=json", f"--vulnerability-service={source}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    try:
        found = read(json.loads(done.stdout))
    except json.JSONDecodeError:
        return None
    return found if found.audited else None


def told(audit: Audit | None) -> tuple[int, str]:
    """Return the command's status and what it says."""
    if audit is None:
        return 0, "NOT AUDITED: no source of advisories could be reached from here."
    lines = [f"{audit.audited} packages audited, {audit.skipped} not known to the source."]
    for one in audit.weaknesses:
        mended = f"mended in {', '.join(one.mended_in)}" if one.mended_in else "not mended yet"
        lines.append(f"{one.package}: {one.id}, {mended}")
    if not audit.weaknesses:
        lines.append("No weakness is known.")
    return int(any(one.mended_in for one in audit.weaknesses)), "\n".join(lines)


def main() -> int:
    """Audit by the first source that answers."""
    answers = (ask(source) for source in SOURCES)
    status, said = told(next((audit for audit in answers if audit is not None), None))
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
