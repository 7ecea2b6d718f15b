"""Different microstructures for one target: drawn, synthesised, read back, refined and ranked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesnet.demands import Limit, Wish, parse_demand
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.pictures import Picture, described_by, picture
from bayesnet.query import Answer, sample_latents
from bayesnet.ranking import WITHIN, residuals, worst
from bayesnet.refine import refine
from core.checkpoint import LoadedModel
from core.encode import LatentTable
from core.properties import PropertyModel


@dataclass(frozen=True, slots=True)
class Sample:
    """Another microstructure for the target.

    Attributes:
        picture: with what is read back from it.
        residual: how far that is from what was asked (`bayesnet.ranking`).
        refined: whether its latents were moved after a first look.
    """

    picture: Picture
    residual: float
    refined: bool


def diverse_designs(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    table: LatentTable,
    targets: Mapping[str, Wish],
    process: Mapping[str, Limit],
    answer: Answer,
    *,
    count: int,
    size_px: int,
    seed: int,
) -> tuple[tuple[Sample, ...], int]:
    """Return different microstructures that read back as asked, and how many did not.

    Latents are drawn as `sample_latents` does, among those from which the property models predict
    the target too. A picture that does not read back within the interval of its prediction is
    refined once; if it still does not, it is dropped.

    Args:
        loaded: the model; network, properties and table of latents belong to it.
        network: the fitted network.
        properties: predicts properties from mean latents.
        table: patches whose scatter the pictures' cells have.
        targets, process: as asked.
        answer: the network's answer to them.
        count: how many to draw.
        size_px: side of the pictures.
        seed: of draws and noise.

    Returns:
        The samples kept, the smallest residual first, and the number dropped.

    Raises:
        InputError: as `sample_latents`.
    """
    wanted = answer.conditioned_on

    def agrees(latents: Array) -> NDArray[np.bool_]:
        return _agrees(properties, wanted, latents)

    made = []
    described = described_by(network, wanted)
    for i, z in enumerate(sample_latents(network, targets, process, count, seed, agrees)):
        first = picture(loaded, properties, table, z, size_px, seed + 1 + i, described)
        residual = worst(residuals(network, wanted, first.predicted))
        if residual <= WITHIN:
            made.append(Sample(first, residual, refined=False))
            continue
        better = refine(loaded, network, properties, table, first, wanted, answer.regimes, steps=1)
        if better.residual <= WITHIN:
            made.append(Sample(better.picture, better.residual, refined=better.improved))
    kept = tuple(sorted(made, key=lambda sample: sample.residual))
    return kept, count - len(kept)


def _agrees(
    properties: PropertyModel, wanted: Mapping[str, Wish], latents: Array
) -> NDArray[np.bool_]:
    """Return from which latents (n, D) the property models predict what is wanted."""
    columns = properties.predict_many(latents)
    result = np.ones(len(latents), dtype=bool)
    for regressor in properties.regressors:
        half = regressor.interval(None)
        if regressor.column not in wanted or half is None:
            continue
        values = columns[regressor.column]
        tolerance = half * np.abs(values) if regressor.relative else half
        outside = parse_demand(wanted[regressor.column], regressor.column).outside(values)
        result &= outside <= WITHIN * tolerance
    return result
