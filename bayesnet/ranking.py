"""How well a picture's properties, predicted from the picture itself, meet what was asked.

The *residual* of a property is how far its prediction lies outside what was asked, counted in half
widths of the prediction's own 90 % interval: up to 1 the target lies within the interval. A
measured descriptor has no such interval; its unit is how well latents tell it of left-out
specimens. The residual of a picture is that of its worst property.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayesnet.demands import Demand, Wish, parse_demand
from bayesnet.network import Network
from core.wording import Estimated

WITHIN = 1.0  # residual up to which a design is kept
Z90 = float(norm.ppf(0.95))  # half width of a 90 % interval in standard deviations


def _half_width(low: float, high: float) -> float:
    return max((high - low) / 2, 1e-12)


def _unit(network: Network, name: str, found: Estimated) -> float:
    """Return the half width that a residual counts in.

    The prediction's own; without one, that of left-out specimens given their latents; with too few
    of them, that of the data's spread.
    """
    if found.low is not None and found.high is not None:
        return _half_width(found.low, found.high)
    node = next(node for node in network.outcomes if node.column == name)
    kind = "descriptors" if node.role == "descriptor" else "properties"
    known = network.calibration.get(kind, {}).get(name, {}).get("half_width_90")
    return max(Z90 * node.scale if known is None else float(known), 1e-12)


def residuals(
    network: Network,
    wanted: Mapping[str, Wish],
    predicted: Mapping[str, Estimated],
    units: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the residual of every property that was asked for and is predicted.

    Args:
        network: knows how well latents tell the outcomes, and their spread in the data.
        wanted: settled demands, as `bayesnet.query.Answer.conditioned_on` has them.
        predicted: from a picture.
        units: half widths to count in, by property; None for the predictions' own.
    """
    counted = units
    if counted is None:
        counted = {n: _unit(network, n, predicted[n]) for n in wanted if n in predicted}
    return {
        name: float(
            parse_demand(wish, name).outside(np.array(predicted[name].value)) / counted[name]
        )
        for name, wish in wanted.items()
        if name in predicted
    }


def worst(found: Mapping[str, float]) -> float:
    """Return the residual of a picture: that of its worst property; infinite without any."""
    return max(found.values(), default=np.inf)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of several pictures for the same target.

    Attributes:
        name: of the picture.
        residuals: property -> residual, for those asked for that are predicted.
    """

    name: str
    residuals: dict[str, float]

    @property
    def worst(self) -> float:
        """The residual of the picture."""
        return worst(self.residuals)


def ranked(
    network: Network,
    wanted: Mapping[str, Wish],
    predicted: Mapping[str, Mapping[str, Estimated]],
) -> tuple[Ranked, ...]:
    """Rank pictures by their residuals, the nearest to the target first; ties as given.

    All count in the narrowest half width that any of them has: a small picture, which is read less
    surely, would else seem nearer to the target for it.

    Args:
        network, wanted: as `residuals`.
        predicted: name of a picture -> what is predicted from it.
    """
    units = {
        name: min(_unit(network, name, read[name]) for read in predicted.values() if name in read)
        for name in wanted
        if any(name in read for read in predicted.values())
    }
    found = [
        Ranked(name, residuals(network, wanted, read, units)) for name, read in predicted.items()
    ]
    return tuple(sorted(found, key=lambda one: one.worst))


def chance(demand: Demand, found: Estimated) -> float | None:
    """Return the probability that the property meets a range or limit.

    Args:
        demand: what is asked.
        found: the prediction; its error is taken as normal with its 90 % interval.

    Returns:
        0 to 1; None for a single value, which is met with probability 0, or without interval.
    """
    if demand.fixed or found.low is None or found.high is None:
        return None
    sd = _half_width(found.low, found.high) / Z90
    ends = (np.array([demand.low, demand.high]) - found.value) / sd
    return float(norm.cdf(ends[1]) - norm.cdf(ends[0]))
