"""The command ``python -m core.labels``: name a model's latents and write ``labels.json``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.checkpoint import load_model
from core.dataset import load_dataset
from core.encode import load_latents
from core.errors import MicroDesignError
from core.json_values import rounded
from core.labels.labels import DIGITS, Direction, Labels, save_labels
from core.labels.measure import label_model
from core.labels.traversals import Plan
from core.results import record, write_result

logger = logging.getLogger("core.labels")


def result(labels: Labels, argv: list[str], denoiser_sha256: str | None = None) -> dict[str, Any]:
    """Return what goes into ``docs/results``: the figures and, in short, each direction."""
    content = record(
        "core.labels",
        argv,
        model_sha256=labels.model_hash,
        data_hash=labels.data_hash,
        denoiser_sha256=denoiser_sha256,
    )
    content["data"] = {"name": labels.data_name, "synthetic": labels.synthetic}
    content["what"] = (
        "latents named by the descriptors that their traversals move; effects per unit of z, in "
        "standard deviations of the training specimens, named where both sets of starts find them"
    )
    content["plan"] = labels.plan
    content["figures"] = labels.figures
    for name in ("dimensions", "directions"):
        content[name] = {d.name: _short(d) for d in getattr(labels, name)}
    return dict(rounded(content, DIGITS))


def _short(direction: Direction) -> dict[str, Any]:
    effects = {e.quantity: e.standardised for e in direction.effects if e.clear}
    return {
        "label": direction.label,
        "sd_patches": direction.sd_patches,
        "sd_specimens": direction.sd_specimens,
        "influence": direction.influence,
        "clear_effects": effects,
    }


def _parser() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m core.labels", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a model folder with latents")
    parser.add_argument("--data", type=Path, required=True, help="the data set it was trained on")
    parser.add_argument("--starts", type=int, default=plan.starts, help="in each of two sets")
    parser.add_argument("--size", type=int, default=plan.size_px, help="side of the fields, px")
    parser.add_argument("--directions", type=int, default=plan.directions, help="principal ones")
    parser.add_argument("--latents", type=int, nargs="+", help="default: all active ones")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument(
        "--work",
        type=Path,
        help="keep finished traversals in this folder, and take those that are there: a run broken "
        "off goes on, and runs of some --latents each prepare one of all; empty it after a change "
        "of the code",
    )
    parser.add_argument("--out", type=Path, help="also write the figures into this folder")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Name a model's latents by the descriptors that they move; write labels.json into it."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        plan = Plan(
            starts=arguments.starts,
            size_px=arguments.size,
            directions=arguments.directions,
            seed=arguments.seed,
        )
        loaded, data = load_model(arguments.model, backbone=False), load_dataset(arguments.data)
        table = load_latents(arguments.model / "latents")
        labels = label_model(loaded, table, data, plan, arguments.latents, arguments.work)
        save_labels(arguments.model, labels)
        if arguments.out:
            found = result(labels, _given(arguments), loaded.denoiser_hash)
            write_result("labels", found, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    for direction in (*labels.dimensions, *labels.directions):
        logger.info("%s", direction.title)
    held = labels.figures["stability"]["dimensions"]
    logger.info("%d of %d latents have a label", held["labelled"], held["directions"])
    if (used := labels.figures["used_for_design"]) is not None:
        told = "%d of the %d latents that designs use have a label; without: %s"
        without = ", ".join(used["unlabelled"]) or "none"
        logger.info(told, used["labelled"], used["used"], without)


def _given(arguments: argparse.Namespace) -> list[str]:
    """Return the command line that gives this result."""
    words = []
    for name, value in vars(arguments).items():
        if value is None or name in ("out", "work"):
            continue
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *map(str, values)]
    return words


if __name__ == "__main__":
    main()
