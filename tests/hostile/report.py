"""Run every hostile case and write ``docs/results/hostile.json``: ``make hostile``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.results import RESULTS, record, write_result
from tests.hostile.case import CPU_CAP_S, MEMORY_CAP_MIB
from tests.hostile.groups import GROUPS
from tests.hostile.run import outcomes

logger = logging.getLogger(__name__)


def figures(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what came of cases: how many, how long the longest took, how much memory."""
    return {
        "tried": len(found),
        "passed": sum(not one["problem"] for one in found),
        "inputs": sum(one["examples"] for one in found),
        "longest_cpu_s": max(one["cpu_s"] for one in found),
        "peak_memory_mib": max(one["peak_mib"] for one in found),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases by group and write the figures by category; 1 where one did not pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.report", description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = [one for group in GROUPS for one in outcomes(group).values()]
    categories: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        categories.setdefault(one["category"], []).append(one)
        if one["problem"]:
            logger.error("%s: %s", one["id"], one["problem"])
    content = record("tests.hostile.report", [], model_sha256="", data_hash="")
    content = {name: value for name, value in content.items() if not name.endswith("_sha256")}
    content |= {
        "what": "hostile and broken input made by code: refused with reasons or read right, within "
        "the caps, with no file left and the process usable afterwards",
        "caps": {"memory_mib": MEMORY_CAP_MIB, "cpu_s": CPU_CAP_S},
        "units": {"longest_cpu_s": "s of one core", "peak_memory_mib": "MiB beyond before"},
        "total": figures(found),
        "categories": {name: figures(some) for name, some in sorted(categories.items())},
    }
    logger.info("%s", write_result("hostile", content, arguments.out))
    total = content["total"]
    logger.info(
        "%d of %d cases passed, %d inputs", total["passed"], total["tried"], total["inputs"]
    )
    return 0 if total["passed"] == total["tried"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
