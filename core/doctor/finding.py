"""What a check has found."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's answer.

    Attributes:
        check: what was looked at.
        level: "ok"; "warning", it works, but not as it should; "error", something does not work.
        message: what was found.
        remedy: what to do; "" where nothing is to be done.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def failed(findings: Iterable[Finding]) -> bool:
    """Tell whether there is an error among them."""
    return any(finding.level == "error" for finding in findings)
