"""What the dashboard takes and bears, as Markdown, from ``dashboard.json`` and ``load.json``."""

from pathlib import Path

from core.markdown import table
from core.optional_results import Content, sections

DASHBOARD, LOAD = "dashboard", "load"


def service_text(results: Path) -> list[str]:
    """Return a paragraph and a table for each of the two results that is there.

    Raises:
        CheckpointError: a result is damaged.
    """
    return sections(results, ((DASHBOARD, _dashboard, DASHBOARD), (LOAD, _load, LOAD)))


def _dashboard(found: Content) -> list[str]:
    views, crowd, own = found["first_views"], found["at_once"], found.get("own_data")
    bars, away = views["bars"], views["requests_to_other_hosts"]
    text = (
        f"The dashboard in a browser on the server's own machine ({found['hardware']}), by "
        f"`{found['command']}`; bars: {bars['warm_s']:.0f} s warm, {bars['page_bytes'] / 1e6:.0f} "
        f"MB a first view, {crowd['bar_s']:.0f} s until the last of {crowd['sessions']} sessions "
        "that open a page at the same moment has it. Serious and critical findings of axe, ours "
        f"and those in what Streamlit draws. Requests to other hosts: {', '.join(away) or 'none'}. "
        f"Errors of sessions at once: {crowd['errors']}."
    )
    if own is not None:
        minutes = own["seconds"]["first design"] / 60
        text += (
            " From twelve castings and a spreadsheet on disk to a first design by clicks, with the "
            f"preset Quick look: {minutes:.1f} minutes (bar {own['bar_s'] / 60:.0f})."
        )
    rows = [
        [
            name.replace("_", " "),
            f"{page['cold_s']:.1f}",
            f"{page['warm_s']:.1f}",
            _seconds(crowd["slowest_s"].get(name)),
            f"{page['page_bytes'] / 1e6:.2f}",
            f"{page['accessibility_findings']} + {page['accessibility_streamlits_own']}",
        ]
        for name, page in views["pages"].items()
    ]
    header = ["page", "cold, s", "warm, s", f"last of {crowd['sessions']}, s", "first view, MB"]
    return [text, table([*header, "axe: ours + Streamlit's"], rows)]


def _load(found: Content) -> list[str]:
    load = found["load"]
    memory, health = load["memory"], load["health"]
    growth = memory["growth_after_warm_up_pct"]
    grown = "was looked at too seldom to tell" if growth is None else f"grew by {growth:+.1f} %"
    text = (
        f"Load, by `{found['command']}` on {found['hardware']}: {load['sessions']} sessions at "
        f"once for {load['minutes']:.0f} minutes, {load['of_them_browser_tabs']} of them browser "
        f"tabs, all on the server's own machine: {load['errors']} errors; the health page "
        f"answered {health['asked'] - health['without_answer']} times of {health['asked']}, "
        f"slowest {_seconds(health['slowest_s'])} s; memory at most {_seconds(memory['most'], 0)} "
        f"MB, and after the warm-up of {memory['warm_up_s']:.0f} s it {grown}."
    )
    rows = [
        [kind, str(one["n"]), *(f"{one[k]:.1f}" for k in ("median_s", "p95_s", "longest_s"))]
        for kind, one in load["actions"].items()
    ]
    return [text, table(["action", "n", "median, s", "95th percentile, s", "longest, s"], rows)]


def _seconds(value: float | None, digits: int = 1) -> str:
    return "not measured" if value is None else f"{value:.{digits}f}"
