"""Check on castings that following proposed tests beats testing at random.

``python -m bayesnet.verify.next_tests --model DIR`` writes ``docs/results/next_tests.json``; about
six seconds a target on two CPU cores.
"""

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.next_test import propose_tests, settings_of_the_target, with_tests
from bayesnet.query import resolve
from bayesnet.support import restricted
from bayesnet.surface import predict_surface
from bayesnet.verify.oracle import (
    TEST_SCATTER,
    expected_strengths,
    fresh_castings,
    in_parallel,
)
from core.castings import PROCESS_RANGE, ProcessSettings, generator_hash, make_casting
from core.castings.design import FRESH_SEED
from core.errors import MicroDesignError
from core.results import RESULTS, given_words, record, write_result
from core.summaries import paired_difference, summary

TESTED = 24  # castings that are known to begin with
TESTS = 5
SEED = FRESH_SEED + 70_000
logger = logging.getLogger(__name__)


def compare(
    network: Network,
    targets: Sequence[Mapping[str, float]],
    truth: Callable[[Array], dict[str, Array]],
    seed: int = 0,
) -> dict[str, Any]:
    """Test five proposed and five random castings for each target, and compare the surfaces.

    Args:
        network: fitted on many castings; for each target a random two dozen of them stay known.
        targets: asked for.
        truth: expected strengths at settings (n, P) in the order of `PROCESS_RANGE`.
        seed: of what stays known and of the random settings.

    Returns:
        Errors of the surfaces, %, at the settings that may give the target.
    """
    rng = np.random.default_rng(seed)
    order = [n.column for n in network.process]
    low, high = np.array([[n.low, n.high] for n in network.process]).T
    plans: list[tuple[Network, Array, Array, Array]] = []
    for wanted in targets:
        rows = rng.choice(len(network.specimens), TESTED, replace=False)
        thin = replace(network, support=restricted(network.support, rows))
        chosen = np.array(
            [[t.settings[n] for n in order] for t in propose_tests(thin, wanted, count=TESTS)]
        )
        evidence, _, demands = resolve(network, wanted, None)
        where = settings_of_the_target(network, demands, evidence, seed=0)
        plans.append((thin, where, chosen, low + (high - low) * rng.random((TESTS, len(order)))))
    wanted_settings = np.vstack([np.vstack(plan[2:]) for plan in plans])
    numbered = [
        (SEED + i, dict(zip(order, s, strict=True))) for i, s in enumerate(wanted_settings.tolist())
    ]
    tested = np.array(in_parallel(_cast_and_test, numbered)).reshape(len(plans), 2, TESTS, -1)
    found: dict[str, list[float]] = {"before": [], "proposed": [], "random": []}
    for (thin, where, *settings), results in zip(plans, tested, strict=True):
        found["before"].append(_error(thin, where, truth))
        for name, at, values in zip(("proposed", "random"), settings, results, strict=True):
            found[name].append(_error(with_tests(thin, at, values), where, truth))
    arrays = {name: np.array(values) for name, values in found.items()}
    return {
        "what": "error of the surfaces, %, where the target may be met, with the known castings, "
        "and with more tested at the settings proposed or at random",
        "known": TESTED,
        "tested": TESTS,
        **{name: summary(values) for name, values in arrays.items()},
        "proposed_minus_random": paired_difference(arrays["proposed"], arrays["random"]),
    }


def _error(network: Network, where: Array, truth: Callable[[Array], dict[str, Array]]) -> float:
    """Root mean square relative error, %, of all surfaces at settings (n, P) in z-scores."""
    mean, scale = np.array([[n.mean, n.scale] for n in network.process]).T
    columns = [n.column for n in network.process]
    raw = (mean + scale * where)[:, [columns.index(name) for name in PROCESS_RANGE]]
    true = truth(raw)
    gaps = []
    for node in network.properties:
        surface = network.support.surfaces[network.outcomes.index(node)]
        found = predict_surface(surface, network.support.process, where)
        gaps.append((np.exp(found) if surface.log else found) / true[node.column] - 1)
    return float(100 * np.sqrt(np.mean(np.square(gaps))))


def _cast_and_test(numbered: tuple[int, dict[str, float]]) -> list[float]:
    seed, settings = numbered
    inside = {n: float(np.clip(v, *PROCESS_RANGE[n][:2])) for n, v in settings.items()}
    tested = make_casting(ProcessSettings(**inside), seed, n_fields=2).tested_strengths
    return [getattr(tested, name) for name in sorted(TEST_SCATTER)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bayesnet.verify.next_tests", description=__doc__
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--targets", type=int, default=100, help="castings' own strengths")
    parser.add_argument("--oracle", type=int, default=384, help="castings behind what is expected")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    if options.targets < 2 or options.oracle < 1:
        parser.error("--targets must be 2 or more, --oracle 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        network = Network.load(options.model / "network.json")
        rounded = [
            {name: float(round(one[name])) for name in TEST_SCATTER}
            for one in fresh_castings(options.targets)[1]
        ]
        about = record(
            "bayesnet.verify.next_tests",
            given_words(options, "out"),
            model_sha256=network.model_hash,
            data_hash=generator_hash(),
        )
        found = compare(network, rounded, expected_strengths(options.oracle))
        logger.info("%s", write_result("next_tests", about | {"next_tests": found}, options.out))
    except MicroDesignError as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
