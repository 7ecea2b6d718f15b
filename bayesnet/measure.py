"""Measure designs: latency, strengths predicted back, recommended settings sent to the oracle,
verdicts, and intervals of settings.

``python -m bayesnet.measure --model DIR`` writes ``docs/results/design_latency.json`` and
``docs/results/closed_loop.json``.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from bayesnet.design import Design, design
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.query import judge, most_probable, posterior
from bayesnet.verify import (
    TEST_SCATTER,
    cast_again,
    fresh_castings,
    reachable_strengths,
    scatter_distances,
)
from core.castings import generator_hash
from core.castings.design import FRESH_SEED
from core.castings.strength import Strengths, tested
from core.checkpoint import LoadedModel, load_model
from core.errors import InputError, MicroDesignError
from core.properties import PropertyModel
from core.results import RESULTS, record, write_result
from core.summaries import summary

ORACLE_SETTINGS = 384
N_TARGETS = 1024  # of verdicts; a power of two
BEYOND = 0.15  # of the fresh castings' strengths: how far the box of targets goes beyond them
FEASIBLE_SD, INFEASIBLE_SD, FAR_SD = 2.0, 4.0, 8.0  # measures.md; test scatters
VERDICTS = ("feasible", "borderline", "infeasible")

logger = logging.getLogger(__name__)


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


def spread_targets(strengths: Sequence[Mapping[str, float]], count: int) -> Array:
    """Spread targets (count, 2) evenly over the box round castings' strengths and 15 % beyond."""
    found = np.array([[one[name] for name in TEST_SCATTER] for one in strengths])
    low, high = found.min(axis=0) * (1 - BEYOND), found.max(axis=0) * (1 + BEYOND)
    result: Array = low + (high - low) * qmc.Sobol(len(low), scramble=False).random(count)
    return result


def verdicts(network: Network, targets: Array, reachable: Mapping[str, Array]) -> dict[str, Any]:
    """Judge targets (T, 2) and compare with how far the oracle says they are from reachable."""
    distance = scatter_distances(targets, reachable)
    given = np.array(
        [judge(network, dict(zip(TEST_SCATTER, t, strict=True))).verdict for t in targets.tolist()]
    )
    classes = {
        "feasible": distance <= FEASIBLE_SD,
        "infeasible": distance > INFEASIBLE_SD,
        "infeasible_4_to_8_sd": (distance > INFEASIBLE_SD) & (distance <= FAR_SD),
        "infeasible_beyond_8_sd": distance > FAR_SD,
    }
    figures: dict[str, Any] = {
        "what": "share of targets judged so, by what they are: feasible within 2 test scatters "
        "(3 % UTS, 2 % Ys) of a reachable pair, infeasible beyond 4, not scored between",
        "reachable": "strengths before scatter of the average structure at settings spread over "
        "the design space, one drawn and measured field each, and a Gaussian-process surface "
        "through them (bayesnet.verify.reachable_strengths); no picture is decoded",
        "targets": len(targets),
        "not_scored": int(((distance > FEASIBLE_SD) & (distance <= INFEASIBLE_SD)).sum()),
    }
    for name, rows in classes.items():
        shares = {v: float((given[rows] == v).mean()) if rows.any() else None for v in VERDICTS}
        figures[name] = {"n": int(rows.sum()), "judged": shares}
    return figures


def setting_intervals(
    network: Network,
    settings: Sequence[Mapping[str, float]],
    strengths: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    """Ask for castings' true strengths; look for their settings in the recommended intervals."""
    answers = [most_probable(network, wanted).process for wanted in strengths]
    figures: dict[str, Any] = {
        "what": "share of fresh castings whose setting lies in the 90 % interval recommended for "
        "their true strengths, and the median width of the interval",
        "castings": len(answers),
    }
    for node in network.process:
        estimates = [answer[node.column] for answer in answers]
        known = [
            (e.low <= true[node.column] <= e.high, e.high - e.low)
            for e, true in zip(estimates, settings, strict=True)
            if e.low is not None and e.high is not None
        ]
        inside, widths = np.array(known, dtype=float).reshape(-1, 2).T
        figures[node.column] = {
            "coverage": float(inside.mean()) if len(known) else None,
            "median_width": float(np.median(widths)) if len(known) else None,
            "unit": node.unit,
        }
    return figures


def as_tested(strengths: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return strengths as tensile tests of the castings would report them."""
    rng = np.random.default_rng(FRESH_SEED)
    return [asdict(tested(Strengths(**one), rng)) for one in strengths]


def posterior_intervals(
    network: Network,
    settings: Sequence[Mapping[str, float]],
    strengths: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    """Ask the network both ways; look for the castings' own values in the 90 % intervals.

    Args:
        network: answers.
        settings: of castings that it has not seen.
        strengths: of the same, as tested: the intervals hold the scatter of tests.
    """
    inside: dict[str, list[bool]] = {}
    ends = {n.column: (n.low, n.high) for n in network.process}
    for given, asked in ((settings, strengths), (strengths, settings)):
        for known, true in zip(given, asked, strict=True):
            inner = {n: float(np.clip(v, *ends.get(n, (v, v)))) for n, v in known.items()}
            try:
                found = posterior(network, inner).nodes
            except InputError as error:
                logger.warning("%s", error)
                found = {}
            for name, value in true.items():
                covered = name in found and found[name].low <= value <= found[name].high
                inside.setdefault(name, []).append(covered)
    return {
        "what": "share of fresh castings whose own value lies in the network's 90 % interval: "
        "tested strengths given settings, settings given tested strengths; what is known beyond "
        "the data's range is given as its end, and a casting that the network holds for "
        "impossible lies in none",
        "castings": len(settings),
        **{name: float(np.mean(values)) for name, values in inside.items()},
    }


def run(
    loaded: LoadedModel, network: Network, strengths: Sequence[Mapping[str, float]]
) -> list[Design]:
    """Design for the rounded strengths of castings, which can be reached."""
    properties = PropertyModel.load(loaded.path / "properties.json")
    designs = []
    for index, true in enumerate(strengths):
        targets = {name: round(value, 0) for name, value in true.items()}
        designs.append(design(loaded, network, properties, targets, seed=index))
        seconds = designs[-1].seconds["total"]
        logger.info("%d of %d: %s in %.1f s", index + 1, len(strengths), targets, seconds)
    return designs


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the designs of a model of the synthetic reference castings."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.measure", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--designs", type=int, default=40)
    parser.add_argument("--castings", type=int, default=200, help="fresh castings for intervals")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(arguments.model)
        network = Network.load(loaded.path / "network.json")
        settings, strengths = fresh_castings(max(arguments.castings, arguments.designs + 1))
        designs = run(loaded, network, strengths[: arguments.designs + 1])
        given = ["--model", str(arguments.model), "--designs", str(arguments.designs)]
        given += ["--castings", str(arguments.castings)]
        about = record(
            "bayesnet.measure",
            given,
            model_sha256=loaded.hash,
            denoiser_sha256=loaded.denoiser_hash,
            data_hash=generator_hash(),
        )
        write_result("design_latency", about | {"latency": latency(designs)}, arguments.out)
        targets = spread_targets(strengths, N_TARGETS)
        judged = verdicts(network, targets, reachable_strengths(ORACLE_SETTINGS))
        found = {
            "closed_loop": closed_loop(designs),
            "verdicts": judged,
            "setting_intervals": setting_intervals(network, settings, strengths),
            "posterior_intervals": posterior_intervals(network, settings, as_tested(strengths)),
        }
        write_result("closed_loop", about | found, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
