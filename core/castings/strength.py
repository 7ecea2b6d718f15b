"""Measured morphology of a casting and the strengths that follow from it.

Numbers in brackets are entries of ``docs/castings.md``.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from core.castings.field import Field
from core.castings.particles import max_feret, polygon_area
from core.errors import InputError

MIN_FERET_UM = 10.0  # ISO 945-4, JIS G5502, ASTM E2567: smaller particles are not counted
NODULE_ROUNDNESS = 0.6  # forms V and VI
UTS_SCATTER = 0.03  # test scatter, relative standard deviation
YS_SCATTER = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Morphology:
    """What decides the strengths, measured over the fields of one casting.

    Attributes:
        graphite_fraction: area fraction, 0..1.
        nodularity: area share of particles of roundness >= 0.6, 0..1 (ISO 945-4 by area).
        particle_count_mm2: particles of at least 10 um maximum Feret diameter per mm2.
        flake_length_um: area-weighted mean maximum Feret diameter of the other particles.
        grain_size_um: equivalent diameter of ferrite grains.
    """

    graphite_fraction: float
    nodularity: float
    particle_count_mm2: float
    flake_length_um: float
    grain_size_um: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """Ultimate tensile strength and yield strength (0.2 % proof, 0.1 % for flakes), MPa."""

    uts_mpa: float
    ys_mpa: float


def measure_truth(fields: Sequence[Field]) -> Morphology:
    """Measure the drawn particles themselves (no segmentation): the oracle's view of a casting.

    Particles touching a border are left out of shape and length, as the standards ask; the count
    takes every particle whose centre lies in the field.

    Raises:
        InputError: no field was given.
    """
    if not fields:
        raise InputError("at least one field is needed to measure a casting")
    area, feret, counted, field_area = [], [], 0, 0.0
    for field in fields:
        height, width = (n * field.um_per_px for n in field.graphite.shape)
        field_area += height * width
        for particle in field.particles:
            outline = particle.outline
            size = max_feret(outline)
            if size < MIN_FERET_UM:
                continue
            middle = outline.mean(axis=0)
            counted += bool((middle >= 0).all() and middle[0] < height and middle[1] < width)
            if outline.min() > 0 and (outline.max(axis=0) < (height, width)).all():
                area.append(polygon_area(outline))
                feret.append(size)
    areas, ferets = np.array(area), np.array(feret)
    round_enough = areas / (np.pi / 4 * ferets**2) >= NODULE_ROUNDNESS
    other = ~round_enough
    total = areas.sum()
    return Morphology(
        graphite_fraction=float(np.mean([f.graphite.mean() for f in fields])),
        nodularity=float(areas[round_enough].sum() / total) if total else 0.0,
        particle_count_mm2=counted / field_area * 1e6,
        flake_length_um=float(np.average(ferets[other], weights=areas[other]))
        if other.any()
        else 0.0,
        grain_size_um=float(np.mean([f.grain_size_um for f in fields])),
    )


def strengths(morphology: Morphology) -> Strengths:
    """Return the strengths of a casting of ferritic matrix, before test scatter.

    Yield strength: matrix 180 + 24 d^-1/2 MPa (d in mm), Hall-Petch with the slope of ferrite
    (0.76 MPa m^1/2; *assumed*, textbook 0.6 to 0.8) and a silicon-strengthened base so that
    ferritic grades come out at 220 to 310 MPa [1, 3]. Graphite carries no load: factor 1 - 2.2 f,
    *assumed*, near 2 for round pores. It falls linearly with nodularity [10b, c], factor
    0.54 + 0.46 nodularity, level *assumed* so that flakes come out at 98 to 165 MPa, Rp0.1
    of ferritic grey iron [6], and compacted iron near 175 MPa [3].

    UTS: flakes 20 + 1750 L^-1/2 MPa (L in um): Griffith scaling [8], level of ferritic grey iron,
    150 to 250 MPa [3, 5]. Nodules 365 + 0.36 N MPa (N per mm2): 379 to 386 at N = 6 to 102,
    434 to 483 at 76 to 327 per mm2 [11]; ferritic grades 350 to 450 MPa [1]. Between them a
    power 0.75 of nodularity, *assumed*: near linear at 72 to 96 % [10b] and 250 MPa for compacted
    iron [3].
    """
    m = morphology
    matrix = 180.0 + 24.0 / np.sqrt(m.grain_size_um / 1000.0)
    bearing = (1.0 - 2.2 * m.graphite_fraction) * (0.54 + 0.46 * m.nodularity)
    nodular = 365.0 + 0.36 * m.particle_count_mm2
    if m.flake_length_um > 0:
        flaky = 20.0 + 1750.0 / np.sqrt(m.flake_length_um)
        uts = flaky + (nodular - flaky) * m.nodularity**0.75
    else:
        uts = nodular
    return Strengths(uts_mpa=float(uts), ys_mpa=float(matrix * bearing))


def tested(true: Strengths, rng: np.random.Generator) -> Strengths:
    """Return the strengths as a tensile test reports them: normal scatter of 3 % and 2 %."""
    return Strengths(
        uts_mpa=true.uts_mpa * (1 + UTS_SCATTER * rng.standard_normal()),
        ys_mpa=true.ys_mpa * (1 + YS_SCATTER * rng.standard_normal()),
    )
