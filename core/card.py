"""The model card and the README's tables, made from the measured results.

``python -m core.card --model DIR`` writes ``DIR/card.md`` and fills the README between its markers.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, MicroDesignError
from core.files import read_json, write_text
from core.results import RESULTS, ROOT

MEASURED = ("reconstruction", "design_latency", "closed_loop", "first_design")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
logger = logging.getLogger(__name__)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join([_row(header), _row(["---"] * len(header)), *map(_row, rows)])


def _style_row(name: str, found: dict[str, Any], key: str) -> list[str]:
    cells = [f"{found[k]['median']:.3f} ({found[k]['p90']:.3f})" for k in (key,)]
    references = [f"{found[k]['median']:.3f}" for k in ("same_specimen", "other_specimen")]
    return [name, *cells, *references, str(found[key]["n"])]


def _property_rows(properties: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name in (n for n in properties if n not in ("what", "unit", "patches")):
        entry = properties[name]
        error, median = entry["error"], entry["reference_always_the_median"]
        covered = entry["coverage_of_90_percent_interval"]
        rows.append(
            [
                name,
                f"{error['median']:.1f} ({error['p90']:.1f})",
                f"{median['median']:.1f} ({median['p90']:.1f})",
                f"{entry['r2']:.2f}",
                "none" if covered is None else f"{100 * covered:.0f} %",
            ]
        )
    return rows


def results_text(results: Path) -> str:
    """Return the tables of the measured results, in Markdown.

    Raises:
        CheckpointError: a result is missing or damaged.
    """
    quality = read_json(results / "reconstruction.json")
    speed = read_json(results / "design_latency.json")
    loop = read_json(results / "closed_loop.json")["closed_loop"]
    try:
        patch, fields = quality["patch_reconstruction"], quality["field_test"]
        rows = [_style_row("patch against reconstruction", patch, "reconstruction")]
        if fields is not None:
            rows.append(_style_row("512 px field, from its patches' latents", fields, "generated"))
            rows.append(_style_row("512 px field, from their mean, as designs", fields, "designed"))
        style = table(
            ["relative style error", "median (90th pct)", "same specimen", "other specimen", "n"],
            rows,
        )
        predicted = table(
            [
                "error of predicted properties, %, median (90th pct)",
                "from one micrograph",
                "always the median",
                "R2",
                "90 % interval covers",
            ],
            _property_rows(quality["properties"]),
        )
        collapse = quality["collapse"]
        rows = []
        for name in (n for n in loop if n not in ("what", "unit", "verdicts")):
            entry = loop[name]
            keys = (
                "predicted_back_from_picture",
                "recommended_settings_cast_by_the_oracle",
                "reference_spread_of_targets",
            )
            rows.append(
                [name, *(f"{entry[k]['median']:.1f} ({entry[k]['p90']:.1f})" for k in keys)]
            )
        closed = table(
            [
                "difference from target, %, median (90th pct)",
                "predicted back",
                "cast anew",
                "always the median",
            ],
            rows,
        )
        total, decoded = (speed["latency"]["stages"][name] for name in ("total", "decode"))
        visit = read_json(results / "first_design.json")["first_design"]
        first, later = (
            visit[name] for name in ("first_visit_after_start", "later_visit_with_another_target")
        )
        return "\n\n".join(
            [
                f"Measured on {quality['data']['name']}, {quality['data']['specimens']} specimens, "
                f"by `{quality['command']}`, on {quality['hardware']}.",
                style,
                f"{collapse['active_latents']} of {collapse['latents']} latents active, KL "
                f"{collapse['kl_nats']:.1f} nats.",
                predicted,
                f"Designs for reachable targets, by `{speed['command']}`; verdicts: "
                + ", ".join(f"{v} {k}" for k, v in loop["verdicts"].items())
                + ".",
                closed,
                f"One design (network, decoding, encoding again, predicting back) with three more "
                f"samples: median {total['median']:.1f} s, 95th percentile {total['p95']:.1f} s; "
                f"decoding its picture takes {decoded['median']:.1f} s of it. On the screen "
                f"{first['median']:.1f} s after opening the page of a server just started, "
                f"{later['median']:.1f} s on a later visit.",
            ]
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"the results in {results} lack {error}: run make measure") from error


def check_results(model: Path, results: Path) -> None:
    """Refuse results that were measured on another model.

    Raises:
        CheckpointError: a result is missing or of another model.
    """
    own = read_json(model / "manifest.json")["weights_sha256"]
    for name in MEASURED:
        if read_json(results / f"{name}.json").get("model_sha256") != own:
            raise CheckpointError(
                f"{results / name}.json was measured on another model than {model}: "
                "run make measure"
            )


def card_text(model: Path, results: Path) -> str:
    """Return the model card, in Markdown.

    Raises:
        CheckpointError: the manifest or a result is missing, damaged or of another model.
    """
    check_results(model, results)
    manifest = read_json(model / "manifest.json")
    training = manifest["training"]
    rows = [
        [
            "Data",
            f"{manifest['data_name']}, {manifest['specimens']} specimens, "
            f"{manifest['images']} images",
        ],
        [
            "Split",
            f"{len(manifest['training_specimens'])} specimens trained on, the others validated on",
        ],
        [
            "Scale",
            f"{manifest['um_per_px']} um per px, patches of {manifest['config']['patch_px']} px",
        ],
        [
            "Model",
            f"{manifest['config']['latents']} latents, {manifest['config']['decoder']} decoder, "
            f"{manifest['parameters']} parameters",
        ],
        [
            "Training",
            f"{manifest['steps']} steps of {training['batch']} patches, "
            f"{manifest['seconds'] / 60:.0f} min on {manifest['hardware']}, "
            f"{manifest['precision']}",
        ],
        [
            "Loss",
            f"{training['loss']}, style weight {training['style_weight']:g}, grey levels "
            f"{training['grey_weight']:g} of it, KL weight {training['kl_weight']:g}",
        ],
        [
            "Backbone",
            f"VGG19, {manifest['config']['backbone']}, sha256 "
            f"{manifest['config']['backbone_sha256'][:16]}",
        ],
        ["Weights", f"sha256 {manifest['weights_sha256'][:16]}"],
    ]
    synthetic = (
        "**Synthetic.** It learned from simulated cast-iron micrographs and computed strengths. It "
        "shows how the method works; its numbers are not those of a real foundry."
        if manifest["synthetic"]
        else "Trained on the user's micrographs."
    )
    limits = (
        "Not tested: pearlitic or etched irons, other magnifications than its own, other alloys. "
        "Micrographs outside the reference data are flagged; strengths predicted for them are "
        "indicative only."
    )
    return (
        "\n\n".join(
            [
                "# Model card",
                synthetic,
                table(["", ""], rows),
                "## Figures",
                results_text(results),
                "## Limits",
                limits,
            ]
        )
        + "\n"
    )


def fill_readme(readme: Path, text: str) -> None:
    """Put ``text`` between the README's markers.

    Raises:
        CheckpointError: the markers are missing.
    """
    content = readme.read_text(encoding="utf-8")
    if BEGIN not in content or END not in content:
        raise CheckpointError(f"{readme} lacks the markers {BEGIN} and {END}")
    head, rest = content.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    write_text(readme, f"{head}{BEGIN}\n{text}\n{END}{tail}")


def main(argv: Sequence[str] | None = None) -> None:
    """Write the model card and the README's tables from the measured results."""
    parser = argparse.ArgumentParser(prog="python -m core.card", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        write_text(arguments.model / "card.md", card_text(arguments.model, RESULTS))
        fill_readme(ROOT / "README.md", results_text(RESULTS))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", arguments.model / "card.md")


if __name__ == "__main__":
    main()
