"""Measure designs: latency, strengths predicted back, and recommended settings sent to the oracle.

``python -m bayesnet.measure --model DIR`` writes ``docs/results/design_latency.json`` and
``docs/results/closed_loop.json``.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bayesnet.design import Design, design
from bayesnet.network import Network
from bayesnet.verify import cast_again
from core.castings import generator_hash
from core.castings.design import FRESH_SEED, fresh_design
from core.checkpoint import LoadedModel, load_model
from core.errors import MicroDesignError
from core.measure import summary
from core.properties import PropertyModel
from core.results import RESULTS, record, write_result

logger = logging.getLogger(__name__)


def reachable_targets(count: int) -> list[dict[str, float]]:
    """Return strengths, before scatter, of fresh castings: targets that can be reached."""
    plans = fresh_design(count)
    found = []
    for plan in plans:
        settings = {n: getattr(plan.settings, n) for n in ("mg_wt", "radius_mm", "ce_pct")}
        strengths = cast_again(settings, plan.seed)
        found.append({"uts_mpa": round(strengths.uts_mpa, 0), "ys_mpa": round(strengths.ys_mpa, 0)})
    return found


def latency(designs: Sequence[Design]) -> dict[str, Any]:
    """Return median and 95th percentile of each stage, in seconds; the first design warms up."""
    stages = {}
    for stage in ("network", "decode", "read_back", "samples", "total"):
        seconds = np.array([d.seconds[stage] for d in designs[1:]])
        stages[stage] = {
            "median": float(np.median(seconds)),
            "p95": float(np.quantile(seconds, 0.95)),
            "n": len(seconds),
        }
    return {
        "what": "time of one design: network = inference; decode = 512 px field; read_back = it is "
        "encoded again and its properties are predicted; samples = three 256 px fields likewise",
        "unit": "s",
        "stages": stages,
    }


def closed_loop(designs: Sequence[Design]) -> dict[str, Any]:
    """Compare targets with the strengths predicted back and with those of castings made anew."""
    figures: dict[str, Any] = {
        "what": "absolute relative difference from the target, %, over reachable targets",
        "unit": "%",
        "verdicts": {},
    }
    for d in designs:
        verdict = d.answer.feasibility.verdict
        figures["verdicts"][verdict] = figures["verdicts"].get(verdict, 0) + 1
    cast = [
        cast_again({k: v.value for k, v in d.answer.process.items()}, FRESH_SEED + 50_000 + i)
        for i, d in enumerate(designs)
    ]
    for name in designs[0].targets:
        target = np.array([d.targets[name] for d in designs])
        back = np.array([d.main.predicted[name].value for d in designs])
        again = np.array([getattr(c, name) for c in cast])
        figures[name] = {
            "predicted_back_from_picture": summary(100 * np.abs(back / target - 1)),
            "recommended_settings_cast_by_the_oracle": summary(100 * np.abs(again / target - 1)),
            "reference_spread_of_targets": summary(100 * np.abs(np.median(target) / target - 1)),
        }
    return figures


def run(loaded: LoadedModel, count: int) -> list[Design]:
    """Design for ``count`` + 1 reachable targets with the model's own network."""
    network = Network.load(loaded.path / "network.json")
    properties = PropertyModel.load(loaded.path / "properties.json")
    designs = []
    for index, targets in enumerate(reachable_targets(count + 1)):
        designs.append(design(loaded, network, properties, targets, seed=index))
        seconds = designs[-1].seconds["total"]
        logger.info("%d of %d: %s in %.1f s", index, count, targets, seconds)
    return designs


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the designs of a model of the synthetic reference castings."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.measure", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--designs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(arguments.model)
        designs = run(loaded, arguments.designs)
        given = ["--model", str(arguments.model), "--designs", str(arguments.designs)]
        about = record(
            "bayesnet.measure", given, model_sha256=loaded.hash, data_hash=generator_hash()
        )
        write_result("design_latency", about | {"latency": latency(designs)}, arguments.out)
        write_result("closed_loop", about | {"closed_loop": closed_loop(designs)}, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
