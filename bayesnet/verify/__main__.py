"""Measure the closed loop: targets in, pictures measured and settings cast, against the targets.

``python -m bayesnet.verify --model DIR`` writes ``docs/results/closed_loop_oracle.json`` and
``docs/images/closed_loop.svg``. About ten seconds a target on two CPU cores.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bayesnet.gaussian import Array
from bayesnet.measure import FEASIBLE_SD, INFEASIBLE_SD, spread_targets
from bayesnet.network import Network
from bayesnet.verify import next_tests
from bayesnet.verify.closed_loop import Loop, castings_scatter, figures, infeasible, instrument, run
from bayesnet.verify.oracle import (
    TEST_SCATTER,
    expected_strengths,
    fresh_castings,
    grain_scale,
    measured_castings,
    scatter_distances,
)
from bayesnet.verify.picture import loop_svg
from core.castings import PROCESS_RANGE, generator_hash
from core.checkpoint import load_model
from core.encode import load_latents
from core.errors import MicroDesignError
from core.files import write_text
from core.properties import PropertyModel
from core.results import RESULTS, ROOT, given_words, record, write_result

SPREAD = 2048  # settings and targets spread over their spaces; a power of two
logger = logging.getLogger(__name__)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bayesnet.verify", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument(
        "--targets", type=int, default=200, help="feasible targets; half are castings' own"
    )
    parser.add_argument("--infeasible", type=int, default=50, help="targets out of reach")
    parser.add_argument("--oracle", type=int, default=384, help="castings behind what is reachable")
    parser.add_argument("--instrument", type=int, default=48, help="castings that calibrate it")
    parser.add_argument(
        "--next-tests", type=int, default=0, help="targets to test next for, here too"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "images")
    return parser.parse_args(argv)


def _spread_over(targets: Array, count: int) -> Array:
    """Return ``count`` of the targets (T, 2), or all of them where they are fewer."""
    return targets[np.linspace(0, len(targets) - 1, min(count, len(targets))).astype(int)]


def choose_targets(
    strengths: list[dict[str, float]], reach: dict[str, Array], infeasible: int
) -> tuple[list[dict[str, float]], Array, dict[str, Any]]:
    """Choose feasible targets, as many as castings, and infeasible ones.

    Half of the feasible ones are castings' own strengths, which are met exactly by what was cast.
    The others are spread over all pairs within two test scatters of a reachable one; the
    infeasible ones over those beyond four.

    Args:
        strengths: of the castings, before scatter.
        reach: what the generator reaches, by property.
        infeasible: how many of them.

    Returns:
        The feasible ones, rounded to 1 MPa; the infeasible ones (n, 2); what the feasible ones are.
    """
    spread = spread_targets(strengths, SPREAD)
    distances = scatter_distances(spread, reach)
    own = strengths[::2]
    near = _spread_over(spread[distances <= FEASIBLE_SD], len(strengths) - len(own))
    pairs = [[one[name] for name in TEST_SCATTER] for one in own] + near.tolist()
    feasible = [dict(zip(TEST_SCATTER, np.round(pair).tolist(), strict=True)) for pair in pairs]
    kinds = {"castings": len(own), "spread": len(near), "within_test_scatters": FEASIBLE_SD}
    return feasible, _spread_over(spread[distances > INFEASIBLE_SD], infeasible), kinds


def _draw(folder: Path, loops: list[Loop], cast: list[dict[str, float]]) -> None:
    panels = {
        title: (
            [loop.targets[name] for loop in loops],
            {
                "design": [loop.measured[name] for loop in loops],
                "refined": [loop.refined[name] for loop in loops],
                "cast anew": [one[name] for one in cast],
            },
        )
        for title, name in (("UTS, MPa", "uts_mpa"), ("yield strength, MPa", "ys_mpa"))
    }
    text = loop_svg(panels, "Measured strengths of designs against their targets (synthetic)")
    write_text(folder / "closed_loop.svg", text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parsed(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(options.model)
        network = Network.load(loaded.path / "network.json")
        properties = PropertyModel.load(loaded.path / "properties.json")
        table = load_latents(loaded.path / "latents")
        measured = measured_castings(options.instrument)
        grains = grain_scale(measured[::2])
        settings, strengths = fresh_castings(options.targets)
        truth = expected_strengths(options.oracle)
        low, high = np.array([limits[:2] for limits in PROCESS_RANGE.values()], dtype=float).T
        spread = low + (high - low) * np.random.default_rng(0).random((4 * SPREAD, len(low)))
        targets, beyond, kinds = choose_targets(strengths, truth(spread), options.infeasible)
        loops, cast = run(loaded, network, properties, table, targets, grains)
        about = record(
            "bayesnet.verify",
            given_words(options, "out", "picture"),
            model_sha256=loaded.hash,
            denoiser_sha256=loaded.denoiser_hash,
            data_hash=generator_hash(),
        )
        found = {
            "feasible": figures(loops, cast) | {"targets_are": kinds},
            "infeasible": infeasible(network, beyond),
            "instrument": instrument(measured[1::2], grains),
            "castings": castings_scatter(settings, strengths, truth),
            "grain_scale": asdict(grains),
        }
        if options.next_tests:
            some = targets[: options.next_tests]
            found["next_tests"] = next_tests.compare(network, some, truth)
        write_result("closed_loop_oracle", about | found, options.out)
        _draw(options.picture, loops, cast)
    except MicroDesignError as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
