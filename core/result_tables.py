"""The measured results of ``docs/results`` as Markdown tables, for the README and model cards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.bench_tables import DESIGN, MODEL, bench_text
from core.errors import CheckpointError
from core.evidence_tables import DESCRIPTORS, FAULTS, HOSTILE, UNUSUAL, evidence_text
from core.files import read_json
from core.markdown import table
from core.metrics.catalogue import CATALOGUE
from core.oracle_table import NEXT_TESTS, next_tests_text, oracle_text
from core.oracle_table import RESULT as ORACLE
from core.property_text import summary_text
from core.quality_tables import OPTIONAL, optional_texts
from core.service_tables import DASHBOARD, LOAD, service_text
from core.table1_text import RESULT as TABLE1
from core.table1_text import table1_text

REGRESSORS = "properties"  # measured by core.property_tables; shown where it is there
MEASURED = ("reconstruction", "metrics", "design_latency", "closed_loop", "first_design")
# Results that may be missing, of the model where they are there.
ON_A_MODEL = (
    *(*OPTIONAL, UNUSUAL, REGRESSORS, ORACLE, NEXT_TESTS),
    *(MODEL, DESIGN, DASHBOARD, LOAD),
)
# Those of them that say nothing of pictures made.
WITHOUT_PICTURES = (UNUSUAL, REGRESSORS, NEXT_TESTS)
READERS = ("by_latents_alone", "by_measured_structure_alone")
MARGIN = 0.1  # by which fields may be farther from real ones than these are from each other
_SPECIAL = ("what", "unit", "patches", "verdicts", "castings")  # entries that are no column's


def results_text(results: Path, finishing: str | None = None) -> str:
    """Return the tables of the measured results, in Markdown.

    Args:
        results: the folder.
        finishing: identity of what finishes the model's pictures now
            (`core.denoiser.store.identity`); results of pictures that were finished otherwise are
            named. None: not asked.

    Raises:
        CheckpointError: a result is missing or damaged.
    """
    quality, metrics, speed, designs, visits = (read_json(results / f"{n}.json") for n in MEASURED)
    try:
        return "\n\n".join(
            [
                f"Measured on {quality['data']['name']}, {quality['data']['specimens']} specimens, "
                f"by `{quality['command']}`, on {quality['hardware']}.",
                _style(quality),
                _collapse(quality["collapse"]),
                *_isotropy(quality["field_test"]),
                f"Every metric, by `{metrics['command']}`: mean and its 95 % interval over "
                "specimens.",
                _metrics(metrics),
                _margins(metrics),
                *(f"{why}." for why in metrics["not_available"].values()),
                *optional_texts(results),
                *table1_text(results),
                _properties(quality["properties"]),
                *_regressors(results),
                f"Designs for reachable targets, by `{designs['command']}`; verdicts: "
                + ", ".join(f"{n} {v}" for v, n in designs["closed_loop"]["verdicts"].items())
                + ".",
                _closed_loop(designs["closed_loop"]),
                _verdicts(designs["verdicts"]),
                _setting_intervals(designs["setting_intervals"]),
                _posterior_intervals(designs["posterior_intervals"]),
                *oracle_text(results),
                *next_tests_text(results),
                _times(speed["latency"]["stages"], visits["first_design"]),
                *bench_text(results),
                *service_text(results),
                *evidence_text(results),
                *_not_measured(results),
                *_finished_otherwise(results, finishing),
            ]
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"the results in {results} lack {error}: run make measure") from error


def _not_measured(results: Path) -> list[str]:
    """Name the results that are not there, so that none is passed over in silence."""
    wanted = (*ON_A_MODEL, DESCRIPTORS, HOSTILE, FAULTS, TABLE1)
    if missing := [name for name in wanted if not (results / f"{name}.json").is_file()]:
        return [f"Not measured on this version: {', '.join(missing)}."]
    return []


def _finished_otherwise(results: Path, finishing: str | None) -> list[str]:
    """Name the results of pictures that were finished in other steps than pictures are now."""
    if finishing is None:
        return []
    names = dict.fromkeys((*MEASURED, *ON_A_MODEL))
    paths = {n: results / f"{n}.json" for n in names if n not in WITHOUT_PICTURES}
    there = {name: read_json(path) for name, path in paths.items() if path.is_file()}
    old = [name for name, found in there.items() if found.get("denoiser_sha256") != finishing]
    if not old:
        return []
    return [
        "Measured before the steps in which pictures are finished were last changed "
        f"(docs/experiments.md), and not since: {', '.join(old)}."
    ]


def _spread(entry: Mapping[str, Any], digits: int) -> str:
    return f"{entry['median']:.{digits}f} ({entry['p90']:.{digits}f})"


def _columns(found: Mapping[str, Any]) -> list[str]:
    return [name for name in found if name not in _SPECIAL]


def _style(quality: Mapping[str, Any]) -> str:
    patch, fields = quality["patch_reconstruction"], quality["field_test"]
    wanted = [("patch against reconstruction", patch, "reconstruction")]
    if fields is not None:
        wanted.append(("512 px field, from its patches' latents", fields, "generated"))
        wanted.append(("512 px field, from their mean, as designs", fields, "designed"))
    rows = [
        [
            name,
            _spread(found[key], 3),
            *(f"{found[k]['median']:.3f}" for k in ("same_specimen", "other_specimen")),
            str(found[key]["n"]),
        ]
        for name, found, key in wanted
    ]
    header = ["relative style error", "median (90th pct)", "same specimen", "other specimen", "n"]
    return table(header, rows)


def _collapse(found: Mapping[str, Any]) -> str:
    """Say how many latents are active, and how near their posterior is to the prior."""
    said = (
        f"{found['active_latents']} of {found['latents']} latents active, KL "
        f"{found['kl_nats']:.1f} nats"
    )
    if found.get("correlation_abs") is None:
        return f"{said}."
    along = found["correlation_abs"]
    most = f", {along['max']:.2f} at most" if "max" in along else ""
    mean, variance = found["aggregate_mean_abs"], found["aggregate_variance"]["median"]
    return (
        f"{said}. Their aggregate posterior (the prior has mean 0, variance 1, correlation 0): "
        f"mean {mean:.2f} off 0, variance {variance:.2f} (median), correlation of two latents "
        f"{along['median']:.2f} in size (median{most})."
    )


def _isotropy(fields: Mapping[str, Any] | None) -> list[str]:
    """Say whether fields prefer directions that real ones do not."""
    if fields is None or "isotropy" not in fields:
        return []
    said = []
    for of in ("gradients", "particles"):
        real, made = (fields["isotropy"][of][arm] for arm in ("same_specimen", "designed"))
        off = made["strength_minus_real"]
        said.append(
            f"{of} of fields as designed {made['strength']['mean']:.3f}, of real ones "
            f"{real['strength']['mean']:.3f} (difference {_signed(off, 3)}); preferred by all "
            f"{made['common']:.3f} and {real['common']:.3f}, where turning each at random gives up "
            f"to {made['common_by_chance']:.3f} and {real['common_by_chance']:.3f}"
        )
    return [f"Directions preferred (0 none, 1 all one way): {'; '.join(said)}."]


def _metrics(metrics: Mapping[str, Any]) -> str:
    rows = []
    for what, key, arm in (
        ("reconstructed patch", "patches", "reconstruction"),
        ("512 px field, as designs", "fields", "designed"),
    ):
        for metric in CATALOGUE:
            found = metrics.get(key, {}).get(metric.name)
            if found is None or (metric.fields_only and key == "patches"):
                continue
            cells = [
                f"{found[a]['mean']:.3f} ({found[a]['low']:.3f} to {found[a]['high']:.3f})"
                for a in (arm, "same_specimen", "other_specimen")
            ]
            better = "higher" if metric.higher_is_better else "lower"
            rows.append([what, f"{metric.label} ({better} is better)", *cells])
    return table(["", "metric", "synthesised", "same specimen", "other specimen"], rows)


def _margins(metrics: Mapping[str, Any]) -> str:
    """Compare fields as designed with real ones in pairs, against the margin of the field test.

    The margin is `MARGIN` of what two real fields of a specimen differ by: of the distance, or of
    what a similarity lacks to 1.
    """
    rows = []
    for metric in CATALOGUE:
        found = metrics.get("fields", {}).get(metric.name)
        if found is None:
            continue
        off, real = found["designed_minus_same_specimen"], found["same_specimen"]["mean"]
        if metric.higher_is_better:
            off = {"mean": -off["mean"], "low": -off["high"], "high": -off["low"]}
            real = 1 - real
        allowed = MARGIN * real
        met = "yes" if off["high"] <= allowed else "no" if off["low"] > allowed else "not decided"
        name = f"1 - {metric.label}" if metric.higher_is_better else metric.label
        cells = [_signed(off, 4), f"{allowed:.4f}", met, str(found["designed"]["n"])]
        rows.append([name, *cells])
    header = ["512 px field, as designed, less real against real, paired", "mean (95 %)"]
    return table([*header, f"allowed: {100 * MARGIN:.0f} % of real", "within", "specimens"], rows)


def _signed(entry: Mapping[str, Any], digits: int) -> str:
    mean, low, high = (f"{entry[key]:+.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _properties(found: Mapping[str, Any]) -> str:
    """Return the table of predicted properties; older results are of the latents alone."""
    both = all(set(READERS) <= set(found[name]) for name in _columns(found))
    rows = []
    for name in _columns(found):
        entry = found[name]
        covered = entry["coverage_of_90_percent_interval"]
        alone = [_spread(entry[r], 1) if entry[r] else "none" for r in READERS] if both else []
        rows.append(
            [
                name,
                _spread(entry["error"], 1),
                f"{entry['r2']:.2f}",
                *alone,
                _spread(entry["reference_always_the_median"], 1),
                "none" if covered is None else f"{100 * covered:.0f} %",
            ]
        )
    header = ["error of predicted properties, %, median (90th pct)"]
    header += ["from one micrograph" if both else "from one micrograph, by its latents alone", "R2"]
    header += ["by latents alone", "by measured structure alone"] if both else []
    return table([*header, "always the median", "90 % interval covers"], rows)


def _regressors(results: Path) -> list[str]:
    path = results / f"{REGRESSORS}.json"
    return [summary_text(read_json(path))] if path.is_file() else []


def _closed_loop(found: Mapping[str, Any]) -> str:
    arms = (
        "predicted_back_from_picture",
        "recommended_settings_cast_by_the_oracle",
        "reference_spread_of_targets",
    )
    rows = [[name, *(_spread(found[name][a], 1) for a in arms)] for name in _columns(found)]
    header = ["difference from target, %, median (90th pct)", "predicted back", "cast anew"]
    return table([*header, "always the median"], rows)


def _verdicts(found: Mapping[str, Any]) -> str:
    titles = {
        "feasible": "feasible (within 2 test scatters of a reachable pair)",
        "infeasible_4_to_8_sd": "infeasible (4 to 8 test scatters off)",
        "infeasible_beyond_8_sd": "infeasible (beyond 8)",
    }
    rows = []
    for name, title in titles.items():
        judged = found[name]["judged"]
        shares = [
            "none" if judged[v] is None else f"{100 * judged[v]:.1f} %"
            for v in ("feasible", "borderline", "infeasible")
        ]
        rows.append([title, str(found[name]["n"]), *shares])
    header = ["targets by what the generator says they are", "n"]
    return table([*header, "judged feasible", "borderline", "infeasible"], rows)


def _setting_intervals(found: Mapping[str, Any]) -> str:
    shares = []
    for name in _columns(found):
        covered = found[name]["coverage"]
        shares.append(f"{name} {'none' if covered is None else f'{100 * covered:.0f} %'}")
    return (
        f"90 % intervals of recommended settings cover those of {found['castings']} fresh castings "
        f"whose true strengths are asked for: {', '.join(shares)}."
    )


def _posterior_intervals(found: Mapping[str, Any]) -> str:
    shares = [f"{name} {100 * found[name]:.0f} %" for name in _columns(found)]
    return (
        f"90 % intervals of the network's own answers, for {found['castings']} fresh castings "
        f"(tested strengths from settings, settings from tested strengths): {', '.join(shares)}."
    )


def _times(stages: Mapping[str, Any], visits: Mapping[str, Any]) -> str:
    total, decoded = stages["total"], stages["decode"]
    first = visits["first_visit_after_start"]
    later = visits["later_visit_with_another_target"]
    return (
        "One design (network, decoding, encoding again, predicting back) with three more samples: "
        f"median {total['median']:.1f} s, 95th percentile {total['p95']:.1f} s; decoding its "
        f"picture takes {decoded['median']:.1f} s of it. On the screen {first['median']:.1f} s "
        f"after opening the page of a server just started, {later['median']:.1f} s on a later "
        "visit."
    )
