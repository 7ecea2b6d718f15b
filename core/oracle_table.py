"""The closed loop against the generator as Markdown, from ``closed_loop_oracle.json``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files import read_json
from core.markdown import table

RESULT = "closed_loop_oracle"
ARMS = {
    "picture_measured": "design's picture, measured",
    "refined_picture_measured": "refined picture, measured",
    "recommended_settings_cast": "recommended settings, cast",
    "reference_always_the_median": "always the median",
}


def oracle_text(results: Path) -> list[str]:
    """Return paragraphs and tables of the closed loop; none where it was not measured.

    Raises:
        CheckpointError: the result is damaged; KeyError, TypeError: it lacks something.
    """
    path = results / f"{RESULT}.json"
    if not path.is_file():
        return []
    found = read_json(path)
    feasible, beyond, own = found["feasible"], found["infeasible"], found["instrument"]
    names = list(feasible["picture_measured"])
    rows = [[title, *(_error(feasible[a][name]) for name in names)] for a, title in ARMS.items()]
    rows.insert(3, ["a real field, measured (instrument)", *(_error(own[name]) for name in names)])
    header = ["strengths by the generator's relations against target, %, median (90th pct)", *names]
    paragraphs = [
        f"Closed loop over {feasible['targets']} targets, by `{found['command']}`: the picture is "
        "measured with the standard descriptors, and the castings' strength relations are applied "
        "to what was measured; the recommended settings go through the generator.",
        table(header, rows),
        f"Judged feasible: {feasible['judged']['feasible']} of {feasible['targets']} feasible "
        f"targets; judged infeasible: {beyond['judged']['infeasible']} of {beyond['targets']} "
        "infeasible ones.",
    ]
    if "next_tests" in found:
        tests = found["next_tests"]
        paragraphs.append(
            f"What to test next: with {tests['tested']} proposed castings tested, the expected "
            "strengths where the target may be met are off by "
            f"{tests['proposed']['mean']:.1f} %, with as many at random "
            f"{tests['random']['mean']:.1f} %, before {tests['before']['mean']:.1f} % (means over "
            f"{tests['proposed']['n']} targets)."
        )
    return paragraphs


def _error(entry: Mapping[str, Any]) -> str:
    percent = entry["percent"]
    return "none" if percent is None else f"{percent['median']:.1f} ({percent['p90']:.1f})"
