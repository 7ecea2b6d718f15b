"""The descriptors of a cast iron, as one record."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.descriptors.two_point import TwoPoint


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution over particles.

    Attributes:
        n: number of particles.
        mean: arithmetic mean by number.
        sd: standard deviation (n - 1); 0 for one particle.
        deciles: nine values, 10 % to 90 %.
    """

    n: int
    mean: float
    sd: float
    deciles: tuple[float, ...]


def distribution(values: NDArray[np.float64]) -> Distribution | None:
    """Sum up values (N,); None without any."""
    if len(values) == 0:
        return None
    deciles = np.percentile(values, np.arange(10, 100, 10))
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Distribution(len(values), float(values.mean()), sd, tuple(map(float, deciles)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """What was measured on one specimen: one field, or several with particles pooled.

    Particles are those of at least 10 um maximum Feret diameter (ISO 945-4); *inner* ones are not
    cut by a border. Sizes, shapes and nodularities are of inner particles. None: nothing to
    measure it on.

    Attributes:
        um_per_px: scale.
        n_fields, area_mm2: how much was looked at.
        graphite_pct: area of graphite of every size over the area, %.
        n_particles, n_inner: particles counted.
        particles_per_mm2: particles cut by a border count half.
        inner_particles_per_mm2: inner ones only, over the whole area; low where particles are
            large beside the field.
        diameter_um, feret_um, roundness: equivalent and maximum Feret diameters, and area over
            that of the circle on the maximum Feret diameter.
        nearest_neighbour_um: between centres.
        nodularity_iso_pct, nodularity_jis_pct: ISO 945-4 by area, JIS G5502 by number.
        size_shares_pct: ISO 945-1 sizes 1 to 8, shares by number.
        flake_length_um: area-weighted mean maximum Feret diameter of what is no nodule.
        flake_thickness_um: area-weighted mean thickness of what is no nodule.
        grain_intercept_um, grain_size_number: ferrite, mean intercept and ASTM E112 number.
        grain_reason: why they are None.
        two_point: two-point statistics of graphite.
        notes: what the user should know.
    """

    um_per_px: float
    n_fields: int
    area_mm2: float
    graphite_pct: float
    n_particles: int
    n_inner: int
    particles_per_mm2: float
    inner_particles_per_mm2: float
    diameter_um: Distribution | None
    feret_um: Distribution | None
    roundness: Distribution | None
    nearest_neighbour_um: Distribution | None
    nodularity_iso_pct: float | None
    nodularity_jis_pct: float | None
    size_shares_pct: tuple[float, ...] | None
    flake_length_um: float | None
    flake_thickness_um: float | None
    grain_intercept_um: float | None
    grain_size_number: float | None
    grain_reason: str | None
    two_point: TwoPoint | None
    notes: tuple[str, ...]

    @property
    def size_class(self) -> int | None:
        """The commonest ISO 945-1 size, 1 to 8; the finer of two that are as common."""
        if self.size_shares_pct is None:
            return None
        return 8 - int(np.argmax(self.size_shares_pct[::-1]))

    def scalars(self) -> dict[str, float | None]:
        """Return one number for each name of `SCALARS`: means where there are distributions."""
        found: dict[str, float | None] = {}
        for scalar in SCALARS:
            if scalar.name == "correlation_length_um":
                two_point = self.two_point
                found[scalar.name] = two_point.correlation_length_um if two_point else None
            else:
                value = getattr(self, scalar.name)
                found[scalar.name] = value.mean if isinstance(value, Distribution) else value
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A descriptor that is one number: its name in code, its label and its unit."""

    name: str
    label: str
    unit: str


SCALARS = (
    Scalar("graphite_pct", "Graphite area", "%"),
    Scalar("particles_per_mm2", "Particle count", "1/mm²"),
    Scalar("diameter_um", "Equivalent diameter, mean", "µm"),
    Scalar("feret_um", "Maximum Feret diameter, mean", "µm"),
    Scalar("roundness", "Roundness, mean", "1"),
    Scalar("nearest_neighbour_um", "Nearest-neighbour distance, mean", "µm"),
    Scalar("nodularity_iso_pct", "Nodularity, ISO 945-4", "%"),
    Scalar("nodularity_jis_pct", "Nodularity, JIS G5502", "%"),
    Scalar("flake_length_um", "Flake length", "µm"),
    Scalar("flake_thickness_um", "Flake thickness", "µm"),
    Scalar("grain_intercept_um", "Ferrite grains, mean intercept", "µm"),
    Scalar("grain_size_number", "Ferrite grains, ASTM number", "G"),
    Scalar("correlation_length_um", "Correlation length of graphite", "µm"),
)
CHOSEN = (
    "graphite_pct",
    "particles_per_mm2",
    "diameter_um",
    "nodularity_iso_pct",
    "flake_length_um",
    "grain_intercept_um",
)  # of `SCALARS`: what designs and data without tests go by
