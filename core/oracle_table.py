"""The closed loop against the generator as Markdown, from ``closed_loop_oracle.json``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files import read_json
from core.markdown import table

RESULT, NEXT_TESTS = "closed_loop_oracle", "next_tests"
PROVEN = " as far as this shows"
ARMS = {
    "picture_measured": "design's picture, measured",
    "refined_picture_measured": "refined picture, measured",
    "recommended_settings_cast": "recommended settings, cast (strengths before test scatter)",
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
    arms = [(title, feasible[arm]) for arm, title in ARMS.items()]
    arms.insert(3, ("a real field, measured (instrument)", own))
    if "castings" in found:
        arms.insert(
            3, ("castings against the mean of their settings (reference)", found["castings"])
        )
    rows = [[title, *(c for name in names for c in _cells(arm[name]))] for title, arm in arms]
    header = ["strengths by the generator's relations against target, %, median (90th pct)"]
    header += [cell for name in names for cell in (name, "n")]
    targets, grains = feasible["targets_are"], found["grain_scale"]
    return [
        f"Closed loop over {feasible['targets']} targets, by `{found['command']}`: the picture is "
        "measured with the standard descriptors, and the castings' strength relations are applied "
        "to what was measured; the recommended settings go through the generator. "
        f"{targets['castings']} targets are fresh castings' own strengths before scatter, "
        f"{targets['spread']} are spread over the pairs within {targets['within_test_scatters']:g} "
        "test scatters of a reachable one.",
        "The yield strength needs the size of the grains, whose boundaries are faint: it is a "
        f"power law of the mean intercept measured (exponent {grains['slope']:.2f}), fitted to "
        f"{grains['castings']} castings whose grain size is known. Pictures in which no grains can "
        "be measured have no yield strength; they are counted beside n and not in the errors.",
        table(header, rows),
        f"Judged feasible: {feasible['judged']['feasible']} of {feasible['targets']} feasible "
        f"targets and {beyond['judged']['feasible']} of {beyond['targets']} infeasible ones; of "
        f"these {beyond['judged']['borderline']} are called borderline and "
        f"{beyond['judged']['infeasible']} infeasible.",
    ]


def next_tests_text(results: Path) -> list[str]:
    """Return what following proposals of what to test next gained; none where not measured.

    Raises:
        CheckpointError: the result is damaged; KeyError, TypeError: it lacks something.
    """
    for name in (NEXT_TESTS, RESULT):  # the closed loop may hold fewer of them
        path = results / f"{name}.json"
        found = read_json(path) if path.is_file() else {}
        if "next_tests" in found:
            return [_next_tests(found["next_tests"], found["command"])]
    return []


def _next_tests(tests: Mapping[str, Any], command: str) -> str:
    gained = tests["proposed_minus_random"]
    beaten = "better" if gained["high"] < 0 else "worse" if gained["low"] > 0 else "no better"
    return (
        f"What to test next, by `{command}`: with {tests['tested']} proposed castings tested, the "
        "expected strengths where the target may be met are off by "
        f"{tests['proposed']['mean']:.1f} %, with as many at random "
        f"{tests['random']['mean']:.1f} %, before {tests['before']['mean']:.1f} % (means over "
        f"{tests['proposed']['n']} targets). In pairs, proposed less random: "
        f"{gained['mean']:+.1f} % (95 %: {gained['low']:+.1f} to {gained['high']:+.1f}), so "
        f"proposals are {beaten} than chance{PROVEN if beaten == 'no better' else ''}."
    )


def _cells(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return a property's errors, and of how many pictures or castings they are."""
    percent, lost = entry["percent"], entry["not_measurable"]
    error = "none" if percent is None else f"{percent['median']:.1f} ({percent['p90']:.1f})"
    count = "0" if percent is None else str(percent["n"])
    return error, f"{count}, {lost} not measurable" if lost else count
