"""Tables of results that may not have been measured yet: unusual pictures, descriptors, faults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.markdown import table
from core.optional_results import sections

UNUSUAL, DESCRIPTORS, HOSTILE, FAULTS = "unusual", "descriptors", "hostile", "faults"
_SETS = {
    "uhcs": "ultrahigh-carbon steels (UHCS)",
    "superalloy": "Ni superalloy",
    "photographs": "photographs",
    "noise": "noise",
    "castiron": "real ductile irons",
}


def evidence_text(results: Path) -> tuple[str, ...]:
    """Return a paragraph and a table for each result that is there.

    Raises:
        CheckpointError: a result is damaged.
    """
    known = (
        (UNUSUAL, _unusual, "measure"),
        (DESCRIPTORS, _descriptors, "measure"),
        (HOSTILE, _hostile, "hostile"),
        (FAULTS, _faults, "faults"),
    )
    return tuple(sections(results, known))


def _share(entry: Mapping[str, Any]) -> str:
    return f"{100 * entry['share']:.1f} %"


def _unusual(found: Mapping[str, Any]) -> list[str]:
    fresh = found["fresh"]["exceeding"]
    text = (
        f"Unusual pictures, by `{found['command']}`: {_share(fresh)} of {fresh['n']} fresh fields "
        f"(95 % interval {100 * fresh['low']:.1f} to {100 * fresh['high']:.1f} %; 5 % is meant) "
        f"and {_share(found['fresh']['exceeding_one_patch'])} of single patches are called unusual."
    )
    rows = [
        [
            title,
            str(one["exceeding"]["n"]),
            f"{one['auc']:.4f}",
            f"{one['auc_one_patch']:.4f}",
            _share(one["exceeding"]),
            f"{one['distance']['median']:.1f} ({one['distance']['least']:.1f})",
            str(one["look_like_graphite_irons"]),
        ]
        for name, title in _SETS.items()
        if (one := found["foreign"].get(name)) is not None
    ]
    header = ["told from fresh fields", "n", "AUC", "AUC, one patch", "called unusual"]
    header += ["distance, median (least); limit 1", "look like graphite irons"]
    missing = [f"Not measured: {why}." for why in found["not_available"].values()]
    return [text, table(header, rows), *missing]


def _descriptors(found: Mapping[str, Any]) -> list[str]:
    castings = found["castings"]
    text = (
        f"Descriptors, by `{found['command']}`: {castings['n']} synthetic castings measured from "
        "their pictures and from their true masks."
    )
    rows = [
        [
            one["label"],
            one["unit"],
            f"{one['error']['median']:.2f} ({one['error']['p90']:.2f})",
            f"{one['bias']:+.2f}",
            str(one["error"]["n"]),
        ]
        for one in castings["descriptors"].values()
    ]
    header = ["descriptor", "error in", "absolute error, median (90th pct)", "mean error", "n"]
    parts = [text, table(header, rows), castings["weak"]]
    if found["irons"]:
        irons = [
            [iron["file"], one["label"], f"{one['found']:.4g} {one['unit']}", one["published"]]
            for iron in found["irons"]
            for one in iron["descriptors"].values()
        ]
        parts.append(table(["real iron", "descriptor", "here", "elsewhere"], irons))
    return parts + [f"{why}." for why in found["not_available"].values()]


def _hostile(found: Mapping[str, Any]) -> list[str]:
    total, caps = found["total"], found["caps"]
    return [
        f"Hostile and broken input, by `{found['command']}`: {total['tried']} cases of "
        f"{len(found['categories'])} kinds ({total['inputs']} inputs), {total['passed']} passed; "
        f"refused with a reason or read right, in at most {total['longest_cpu_s']:.1f} s of one "
        f"core (cap {caps['cpu_s']}) and {total['peak_memory_mib']:.0f} MiB beyond before (cap "
        f"{caps['memory_mib']}), no file left. What was found and mended is in docs/hostile.md."
    ]


def _faults(found: Mapping[str, Any]) -> list[str]:
    tabs, rows = found["server"], [_killed("training", found["training"])]
    if "denoiser" in found:  # results of before the denoiser was killed lack it
        rows.append(_killed("a denoiser's training", found["denoiser"]))
    for part in found["files"].values():
        kinds = f"{len(part['kinds'])} kinds of files and folders"
        rows.append([part["what"], str(part["faults"]), kinds, str(part["losses"])])
    for part in found.get("tested", {}).values():  # older results do not tell them apart
        passed = f"{part['passed']} of {part['run']} tests pass"
        rows.append([part["what"], str(part["run"]), passed, str(part["losses"])])
    if "not_run" not in tabs:
        lost = tabs["sessions"] - tabs["back"] + tabs["designs_lost"] + tabs["errors"]
        went = f"from step {tabs['job_step_at_kill']} to {tabs['job_step_at_end']}"
        said = f"{tabs['back']} of {tabs['sessions']} tabs came back; a training went on {went}"
        rows.append(["server killed under open tabs", "1", said, str(lost)])
    text = f"Faults injected, by `{found['command']}`: {found['losses']} losses."
    return [text, table(["fault", "n", "what became of it", "losses"], rows)]


def _killed(what: str, found: Mapping[str, Any]) -> list[str]:
    """Return the row of trainings that were killed."""
    same = found["runs_equal_to_the_undisturbed_bit_for_bit"]
    ended = f"{same} of {found['runs_finished']} runs end as the undisturbed one, bit for bit"
    fault = f"{what} killed at a random moment, resumed"
    return [fault, str(found["kills"]), ended, str(len(found["losses"]))]
