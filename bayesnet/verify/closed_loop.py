"""The closed loop: design for targets, measure the pictures, cast the recommended settings."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bayesnet.design import Design, design
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.query import judge, sample_latents
from bayesnet.refine import Refinement, refine
from bayesnet.verify.oracle import (
    TEST_SCATTER,
    GrainScale,
    cast_again,
    in_parallel,
    measure_picture,
    picture_strengths,
)
from core.castings import Casting
from core.castings.design import FRESH_SEED
from core.checkpoint import LoadedModel
from core.descriptors import Descriptors
from core.encode import LatentTable
from core.properties import PropertyModel
from core.summaries import summary

CAST_SEED = FRESH_SEED + 60_000
SAMPLES = 3  # latents drawn to judge how different they are
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """One target's way round the loop; strengths by property, MPa, NaN where not measurable.

    Attributes:
        targets: asked for.
        verdict: on them.
        back: read back from the picture by the learned models; refined_back: from the refined one.
        measured: of the picture by the oracle; refined: of the refined one.
        settings: recommended.
        diversity: root mean square distance between samples, in standard deviations of the data.
        seconds: of design, read-back included; refining: of the refinement.
        residuals: before and after refining.
    """

    targets: dict[str, float]
    verdict: str
    back: dict[str, float]
    refined_back: dict[str, float]
    measured: dict[str, float]
    refined: dict[str, float]
    settings: dict[str, float]
    diversity: float
    seconds: float
    refining: float
    residuals: tuple[float, float]


def go_round(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    table: LatentTable,
    targets: Mapping[str, float],
    grains: GrainScale,
    seed: int,
) -> Loop:
    """Design for a target, refine, and measure both pictures."""
    made: Design = design(loaded, network, properties, targets, n_samples=0, seed=seed)
    answer = made.answer
    better: Refinement = refine(
        loaded, network, properties, table, made.main, answer.conditioned_on, answer.regimes
    )
    first = measure_picture(made.main.pixels, grains)
    same = better.picture.pixels is made.main.pixels
    return Loop(
        targets=dict(targets),
        verdict=answer.feasibility.verdict,
        back={k: v.value for k, v in better.attempts[0].predicted.items()},
        refined_back={k: v.value for k, v in better.picture.predicted.items()},
        measured=first,
        refined=first if same else measure_picture(better.picture.pixels, grains),
        settings={k: v.value for k, v in answer.process.items()},
        diversity=_diversity(network, sample_latents(network, targets, None, SAMPLES, seed)),
        seconds=made.seconds["total"],
        refining=better.seconds,
        residuals=(better.before, better.residual),
    )


def _diversity(network: Network, latents: Array) -> float:
    """Root mean square distance of latents (n, D) to each other, a dimension, in deviations."""
    mean, scale = np.array([[n.mean, n.scale] for n in network.latents]).T
    scores = (latents[:, [n.index for n in network.latents]] - mean) / scale
    gaps = (scores[:, None] - scores[None])[np.triu_indices(len(scores), 1)]
    return float(np.sqrt((gaps**2).mean()))


def run(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    table: LatentTable,
    targets: Sequence[Mapping[str, float]],
    grains: GrainScale,
) -> tuple[list[Loop], list[dict[str, float]]]:
    """Go round for every target; return the loops, and what their settings give when cast.

    One target a processor at a time, each on one thread: so the seconds are those of one processor.
    """

    def one(index: int) -> Loop:
        torch.set_num_threads(1)  # of this thread
        loop = go_round(loaded, network, properties, table, targets[index], grains, index)
        said = [f"{v:.0f}" for v in (*loop.targets.values(), *loop.refined.values())]
        logger.info("%d of %d: target %s/%s, measured %s/%s", index + 1, len(targets), *said)
        return loop

    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            loops = list(pool.map(one, range(len(targets))))
    finally:
        torch.set_num_threads(before)
    numbered = [(CAST_SEED + i, loop.settings) for i, loop in enumerate(loops)]
    return loops, in_parallel(_cast, numbered)


def _cast(numbered: tuple[int, dict[str, float]]) -> dict[str, float]:
    seed, settings = numbered
    true = cast_again(settings, seed)
    return {name: getattr(true, name) for name in TEST_SCATTER}


def errors(
    targets: Sequence[Mapping[str, float]], found: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """Return the errors of every property, in % and in test scatters; NaN is counted, not scored.

    Args:
        targets: asked for; found: measured.
    """
    figures: dict[str, Any] = {}
    for name, scatter in TEST_SCATTER.items():
        pairs = np.array([(t[name], f[name]) for t, f in zip(targets, found, strict=True)])
        known = pairs[np.isfinite(pairs).all(axis=1)]
        relative = np.abs(known[:, 1] / known[:, 0] - 1)
        figures[name] = {
            "percent": summary(100 * relative) if len(known) else None,
            "test_scatters": summary(relative / scatter) if len(known) else None,
            "signed_percent_median": (
                float(100 * np.median(known[:, 1] / known[:, 0] - 1)) if len(known) else None
            ),
            "not_measurable": len(pairs) - len(known),
        }
    return figures


def instrument(
    measured: Sequence[tuple[Casting, Descriptors]], grains: GrainScale
) -> dict[str, Any]:
    """Return the oracle's own error on pictures of real castings, whose strengths are known."""
    true = [{name: getattr(c.true_strengths, name) for name in TEST_SCATTER} for c, _ in measured]
    found = [picture_strengths(d, grains) for _, d in measured]
    return {
        "what": "the same measurement on one 512 px field of castings whose strengths are known: "
        "what no design can be expected to beat",
        "castings": len(measured),
        **errors(true, found),
    }


def castings_scatter(
    settings: Sequence[Mapping[str, float]],
    strengths: Sequence[Mapping[str, float]],
    truth: Callable[[Array], Mapping[str, Array]],
) -> dict[str, Any]:
    """Return how far castings lie from what their settings give on average, before any test.

    Args:
        settings: of castings; strengths: theirs, before scatter.
        truth: settings (n, P), in the order of the first casting's, to expected strengths (n,).
    """
    mean = truth(np.array([list(one.values()) for one in settings]))
    expected = [dict(zip(mean, row, strict=True)) for row in zip(*mean.values(), strict=True)]
    return {
        "what": "castings' strengths against what their settings give on average: what one casting "
        "of exactly the right settings leaves open",
        "castings": len(settings),
        **errors(expected, strengths),
    }


def figures(loops: Sequence[Loop], cast: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Sum up the loops of feasible targets."""
    targets = [loop.targets for loop in loops]
    middle = {name: float(np.median([t[name] for t in targets])) for name in TEST_SCATTER}
    verdicts = [loop.verdict for loop in loops]
    return {
        "what": "strengths against the target, over feasible targets: of the "
        "design's picture and of the refined one, measured with the standard descriptors and put "
        "into the castings' strength relations; of castings of the recommended settings",
        "targets": len(loops),
        "judged": {v: verdicts.count(v) for v in ("feasible", "borderline", "infeasible")},
        "picture_measured": errors(targets, [loop.measured for loop in loops]),
        "refined_picture_measured": errors(targets, [loop.refined for loop in loops]),
        "picture_read_back": errors(targets, [loop.back for loop in loops]),
        "refined_picture_read_back": errors(targets, [loop.refined_back for loop in loops]),
        "recommended_settings_cast": errors(targets, cast),
        "reference_always_the_median": errors(targets, [middle] * len(loops)),
        "residual_before": summary(np.array([loop.residuals[0] for loop in loops])),
        "residual_refined": summary(np.array([loop.residuals[1] for loop in loops])),
        "diversity_of_samples_sd": summary(np.array([loop.diversity for loop in loops])),
        "seconds_design": summary(np.array([loop.seconds for loop in loops])),
        "seconds_refining": summary(np.array([loop.refining for loop in loops])),
    }


def infeasible(network: Network, targets: Array) -> dict[str, Any]:
    """Judge targets (T, 2) that no casting reaches."""
    given = [
        judge(network, dict(zip(TEST_SCATTER, t, strict=True))).verdict for t in targets.tolist()
    ]
    return {
        "what": "targets more than 4 test scatters from everything that the generator reaches",
        "targets": len(given),
        "judged": {v: given.count(v) for v in ("feasible", "borderline", "infeasible")},
    }
