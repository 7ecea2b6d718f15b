"""Licences of the pinned packages, as each says of itself: `python -m tests.release.licences`.

Writes the table in ``docs/licences.md`` between its marks, from the packages installed here.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
BEGIN, END = "<!-- packages: begin -->", "<!-- packages: end -->"
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)
ELSEWHERE = "not installed on Linux"


def pins() -> list[tuple[str, str]]:
    """Return the packages of the lock and their versions."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return [(name, version) for name, version, _ in PIN.findall(text)]


def licence(name: str) -> str:
    """Return what a package says of its licence."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ELSEWHERE
    if given := about.get("License-Expression"):
        return given
    classed = [
        c.rsplit(" :: ", 1)[1] for c in about.get_all("Classifier") or () if "License ::" in c
    ]
    text = (about.get("License") or "").strip().split("\n")[0][:60]
    return "; ".join(classed) or text or "does not say"


def table() -> str:
    """Return the table as Markdown, packages with the same licence in one row."""
    rows: dict[str, list[str]] = {}
    for name, version in pins():
        rows.setdefault(licence(name), []).append(f"{name} {version}")
    lines = ["| what the package says | packages |", "|---|---|"]
    lines += [f"| {said} | {', '.join(names)} |" for said, names in sorted(rows.items())]
    return "\n".join(lines)


def main() -> int:
    """Put today's table into the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
