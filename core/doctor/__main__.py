"""Look whether everything is in order here: ``python -m core.doctor [--json] [--tidy]``."""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from core.doctor.finding import Finding, failed
from core.doctor.install import check_install
from core.doctor.machine import check_machine
from core.doctor.models import check_models
from core.doctor.stores import check_workspace
from core.folders import remove_leftovers
from core.workspace import workspace

CHECKS: tuple[Callable[[], Iterable[Finding]], ...] = (
    check_install,
    check_machine,
    check_models,
    check_workspace,
)
SIGNS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


def main(argv: Sequence[str] | None = None) -> int:
    """Check install, weights, device, models and workspace, and say what to do.

    The exit status is 1 where there is an error, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m core.doctor", description=main.__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--tidy", action="store_true", help="remove what killed programs have left")
    arguments = parser.parse_args(argv)
    removed = remove_leftovers(workspace()) if arguments.tidy else 0
    found = [finding for check in CHECKS for finding in check()]
    if arguments.json:
        content = {"ok": not failed(found), "removed": removed, "checks": list(map(asdict, found))}
        print(json.dumps(content, indent=2))
    else:
        if arguments.tidy:
            print(f"{removed} leftovers removed")
        for one in found:
            print(f"{SIGNS[one.level]}  {one.check}: {one.message}")
            if one.remedy:
                print(f"         -> {one.remedy}")
        print("something does not work" if failed(found) else "everything works")
    return int(failed(found))


if __name__ == "__main__":
    raise SystemExit(main())
