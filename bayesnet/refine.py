"""Move a design within its regime until the strengths read back from its picture meet the target.

What is decoded is not quite what was asked of the decoder: encoded again, a picture reads a little
differently. The network is therefore asked for a shifted aim, as one aims off in a side wind: the
latents move along the direction in which, within the likeliest regime, they go with the
properties, so that they stay a structure like those of the data. The response of what is read
back to the aim is learned on the way (Broyden 1965, *Mathematics of Computation* 19, 577).

Only models learned from the data set are used. Chasing the predictor's own error would not make a
design better, so it stops where the target is well inside the interval of the prediction.
"""

import time
from dataclasses import dataclass

import numpy as np

from bayesnet.demands import Wish, parse_demand
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.pictures import Picture, described_by, read_back, synthesise_field
from bayesnet.ranking import residuals, worst
from core.checkpoint import LoadedModel
from core.encode import LatentTable
from core.errors import InputError
from core.properties import PropertyModel, Reading
from core.regressor import Prediction

STEPS = 5  # at most; each costs a picture and its encoding
ENOUGH = 0.3  # residual at which there is nothing to refine
RESPONSE, RESPONSES = 0.5, (0.3, 1.5)  # of what is read back to the aim: at first, and its bounds
LONGEST, FURTHEST = 1.0, 3.0  # z-scores of a property: one step's aim, and all of them together


@dataclass(frozen=True, slots=True)
class Attempt:
    """One picture that was tried: latents, what was read back (`read_back`), residual."""

    z: Array
    predicted: dict[str, Prediction]
    residual: float
    reading: Reading


@dataclass(frozen=True, slots=True)
class Refinement:
    """The best picture found.

    Attributes:
        picture: it; the one begun with where nothing better was found.
        attempts: every one, the one begun with first, all read back in the same way.
        residual: of the picture.
        seconds: taken.
        steps: pictures to try at most.
        aim: by how much the aim was shifted for the picture, by property, in its unit.
    """

    picture: Picture
    attempts: tuple[Attempt, ...]
    residual: float
    seconds: float
    steps: int
    aim: dict[str, float]

    @property
    def before(self) -> float:
        """Residual of the picture begun with."""
        return self.attempts[0].residual

    @property
    def improved(self) -> bool:
        """Whether a better picture was found: nearer to the target, or one that could be read."""
        return not np.array_equal(self.picture.z, self.attempts[0].z)


def refine(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    table: LatentTable,
    start: Picture,
    wanted: dict[str, Wish],
    regimes: tuple[float, ...],
    *,
    steps: int = STEPS,
) -> Refinement:
    """Refine a picture.

    Args:
        loaded: the model; network, properties and table of latents belong to it.
        network: the fitted network.
        properties: predicts properties from mean latents.
        table: patches whose scatter the picture's cells have.
        start: the picture to begin with; size and seed are kept, so that only z is moved.
        wanted: settled demands, as `bayesnet.query.Answer.conditioned_on` has them.
        regimes: (K,) posterior weights of the regimes; the likeliest is moved in.
        steps: pictures to try at most.

    Raises:
        InputError: no positive number of steps, or nothing wanted that is predicted.
    """
    if steps < 1:
        raise InputError(f"steps = {steps}: at least one")
    begun = time.perf_counter()
    names = [n.column for n in network.outcomes if n.column in wanted]
    if start.reading is None:
        first = _attempt(loaded, network, properties, start.pixels, start.z, wanted)
    else:  # as it was read when it was made
        first = _judged(network, start.z, wanted, start.predicted, start.reading)
    names = [name for name in names if name in first.predicted]
    if not names:
        raise InputError(f"none of {sorted(wanted)} can be read back from pictures")
    direction = _direction(network, names, int(np.argmax(regimes)))
    attempts, pictures, aims = [first], [start.pixels], [np.zeros(len(names))]
    response = RESPONSE * np.eye(len(names))
    at = 0  # the last picture in which everything could be read
    while len(attempts) <= steps and attempts[_best(attempts)].residual > ENOUGH:
        gap = _gap(network, names, wanted, attempts[at])
        step: Array = np.asarray(np.linalg.solve(response, gap), dtype=np.float64)
        step = step * min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-12))
        step = step * 0.5 ** (len(attempts) - 1 - at)  # shorter where that one could not be read
        step = np.clip(aims[at] + step, -FURTHEST, FURTHEST) - aims[at]
        if not np.abs(step).max() > 1e-6:
            break  # as far off as it may aim
        aim = aims[at] + step
        z = start.z + aim @ direction
        pixels = synthesise_field(loaded, table, z, len(start.pixels), start.seed)
        attempts.append(_attempt(loaded, network, properties, pixels, z, wanted))
        pictures.append(pixels)
        aims.append(aim)
        if all(name in attempts[-1].predicted for name in names):
            moved = gap - _gap(network, names, wanted, attempts[-1])
            response, at = _learned(response, step, moved), len(attempts) - 1
    scales = {n.column: n.scale for n in network.outcomes}
    best = _best(attempts)
    chosen = attempts[best]
    return Refinement(
        Picture(pictures[best], chosen.z, start.seed, chosen.predicted, chosen.reading),
        tuple(attempts),
        chosen.residual,
        time.perf_counter() - begun,
        steps,
        {n: float(a * scales[n]) for n, a in zip(names, aims[best], strict=True)},
    )


def _best(attempts: list[Attempt]) -> int:
    """Return which picture is nearest to the target, of those in which most could be read.

    Where nothing can be measured, as grains in a picture without grain boundaries, a wish may not
    be read at all, or the latents alone speak, with a wider interval: in half widths of that a
    picture seems nearer than it is.
    """
    return min(
        range(len(attempts)),
        key=lambda i: (
            -len(attempts[i].predicted),
            -len(attempts[i].reading.structure),
            attempts[i].residual,
        ),
    )


def _attempt(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    pixels: np.ndarray,
    z: Array,
    wanted: dict[str, Wish],
) -> Attempt:
    described = described_by(network, wanted)
    read = read_back(loaded, properties, pixels, described=described)
    return _judged(network, z, wanted, read.predicted, read)


def _judged(
    network: Network,
    z: Array,
    wanted: dict[str, Wish],
    predicted: dict[str, Prediction],
    reading: Reading,
) -> Attempt:
    return Attempt(z, predicted, worst(residuals(network, wanted, predicted)), reading)


def _direction(network: Network, names: list[str], regime: int) -> Array:
    """Return the change of all latents (T, D) per z-score of each property, in one regime."""
    cov = network.design_joints[regime][1]
    at = np.array([i for i, n in enumerate(network.nodes) if n.column in names], dtype=int)
    latents = network.positions("latent")
    slopes = np.linalg.solve(cov[np.ix_(at, at)], cov[np.ix_(at, latents)])  # (T, A)
    result = np.zeros((len(names), network.latent_mean.size))
    result[:, [n.index for n in network.latents]] = slopes * [n.scale for n in network.latents]
    return result


def _gap(network: Network, names: list[str], wanted: dict[str, Wish], found: Attempt) -> Array:
    """Return how far each property has to rise (T,), in z-scores; 0 where it is met."""
    scales = {n.column: n.scale for n in network.outcomes}
    gaps = []
    for name in names:
        demand, value = parse_demand(wanted[name], name), found.predicted[name].value
        gaps.append((float(np.clip(value, demand.low, demand.high)) - value) / scales[name])
    return np.array(gaps)


def _learned(response: Array, step: Array, moved: Array) -> Array:
    """Broyden's update of the response (T, T), its gains kept in bounds."""
    updated = response + np.outer(moved - response @ step, step) / (step @ step)
    u, gains, vt = np.linalg.svd(updated)
    result: Array = (u * np.clip(gains, *RESPONSES)) @ vt
    return result
