"""From process settings to the structure a casting solidifies with.

Numbers in brackets, as [9], are the entries of the calibration list in ``docs/castings.md``, where
each is given with its source. A relation without a published coefficient is marked *assumed* and
names the data that bracket it.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from core.errors import InputError

# Design space: name -> (lowest, highest, unit). Also the limits that inputs are checked against.
PROCESS_RANGE = {
    "mg_wt": (0.0, 0.06, "wt%"),
    "radius_mm": (10.0, 50.0, "mm"),
    "ce_pct": (3.4, 4.6, "%"),
}
EUTECTIC_CE_PCT = 4.3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What the foundry sets.

    Attributes:
        mg_wt: residual magnesium, wt%.
        radius_mm: radius of the cylindrical sand casting, mm; it governs the cooling rate.
        ce_pct: carbon equivalent, %.

    Raises:
        InputError: a value is not finite or outside `PROCESS_RANGE`.
    """

    mg_wt: float
    radius_mm: float
    ce_pct: float = EUTECTIC_CE_PCT

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high, unit = PROCESS_RANGE[field.name]
            value = getattr(self, field.name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InputError(f"{field.name} = {value} {unit} is outside {low} to {high} {unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The structure aimed at when a casting is drawn; what is drawn is measured again.

    Attributes:
        graphite_fraction: area fraction of graphite, 0..1.
        nodular_share, compacted_share, flake_share: shares of the graphite area, sum 1.
        nodule_count_mm2: nodules per mm2 if all the graphite were nodular.
        flake_length_um, flake_thickness_um: median flake size.
        grain_size_um: equivalent diameter of the ferrite grains.
    """

    graphite_fraction: float
    nodular_share: float
    compacted_share: float
    flake_share: float
    nodule_count_mm2: float
    flake_length_um: float
    flake_thickness_um: float
    grain_size_um: float


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def casting_modulus_mm(radius_mm: float) -> float:
    """Return volume over cooling surface of a long cylinder, R/2, in mm (Chvorinov)."""
    return radius_mm / 2.0


def graphite_fraction(settings: ProcessSettings) -> float:
    """Area fraction of graphite.

    10 % at the eutectic [14; real images 9.5 to 11.3 %], 2.5 points per % carbon equivalent [7:
    7.0 to 8.5 % over CE 3.2 to 3.8]. Thin castings of low carbon equivalent bind part of the
    carbon as carbide: up to 55 %, *assumed*, bracketed by carbides reported in thin walls [9] and
    by grey irons that still hold 7 % graphite at CE 3.2 in heavier walls [7].
    """
    free = 0.10 + 0.025 * (settings.ce_pct - EUTECTIC_CE_PCT)
    chill = 0.55 * _logistic((3.85 - settings.ce_pct) / 0.12) * math.sqrt(10.0 / settings.radius_mm)
    return free * (1.0 - chill)


def graphite_shares(settings: ProcessSettings) -> tuple[float, float, float]:
    """Shares of nodular, compacted and flake graphite.

    Magnesium windows [9, 3]: flakes below 0.006 wt%, vermicular 0.006 to 0.016 (0.015 to 0.035 with
    titanium), mixed 0.01 to 0.025, nodules from 0.025, good at 0.035 to 0.055, worse again above
    0.06. Logistic forms *assumed* through these windows. The nodular share falls with section,
    about 15 points from R = 10 to 50 mm [11: 97 to 64, 99 to 87, 97 to 84, 97 to 75, 96 to 89 %
    from 1/4 to 3 in]. It tops out at 92 % [15: nodularity is usually at most 95 %; real images
    86 to 89 %].
    """
    treated = _logistic((settings.mg_wt - 0.0205) / 0.0038)
    section = 1.0 - 0.15 * (settings.radius_mm - 10.0) / 40.0
    overtreated = 1.0 - 0.12 * _logistic((settings.mg_wt - 0.057) / 0.002)
    nodular = 0.92 * treated * section * overtreated
    flake = (1.0 - nodular) * _logistic((0.0095 - settings.mg_wt) / 0.0019)
    return nodular, 1.0 - nodular - flake, flake


def nominal_structure(settings: ProcessSettings) -> Structure:
    """Return the structure of an average casting of these settings.

    Nodule count: N = 230 (M / 6 mm)^-0.70 per mm2, exponent between 0.55 and 0.82 and level within
    212 to 428 (1/4 in) and 48 to 81 (3 in) per mm2 [11]; real images 129 to 200 per mm2.
    Hypoeutectic irons nucleate fewer: exp(0.9 (CE - 4.3)), *assumed*, bracketed by the inoculants'
    spread in [11]. Flake length: 95 um at R = 24 mm and CE 4.0, +47 um per % CE [7: 55 to 112 um
    over CE 3.2 to 3.8 in a metal mould], (R/24)^0.55, *assumed* from the fall of
    strength with wall, Rm ~ wall^-0.2 [5], with Rm ~ length^-1/2 [8].
    Thickness 5.5 % of the length, *assumed* from ISO 945 charts.
    Ferrite grain size: 19 um at R = 10 to 50 um at R = 50 mm, *assumed*: grains of nodular irons
    are bounded by the nodule spacing (N^-1/2 = 63 to 117 um).
    """
    modulus = casting_modulus_mm(settings.radius_mm)
    below_eutectic = settings.ce_pct - EUTECTIC_CE_PCT
    nodular, compacted, flake = graphite_shares(settings)
    length = (95.0 + 47.0 * (settings.ce_pct - 4.0)) * (settings.radius_mm / 24.0) ** 0.55
    return Structure(
        graphite_fraction=graphite_fraction(settings),
        nodular_share=nodular,
        compacted_share=compacted,
        flake_share=flake,
        nodule_count_mm2=230.0 * (modulus / 6.0) ** -0.70 * math.exp(0.9 * below_eutectic),
        flake_length_um=length,
        flake_thickness_um=0.055 * length,
        grain_size_um=19.0 * (settings.radius_mm / 10.0) ** 0.60,
    )


def vary_structure(nominal: Structure, rng: np.random.Generator) -> Structure:
    """Add what differs between two castings of the same settings (*assumed*, all lognormal).

    Inoculation moves the nodule count by 6 % (about what separates different fields of one bar,
    190.5 against 200.7 per mm2), shake-out the grain size by 8 %, flake length by 5 %, graphite
    by 2 %; treatment fade moves the nodular share by 0.15 in the logit.
    """
    count, grain, length, graphite = np.exp(rng.normal(0.0, [0.06, 0.08, 0.05, 0.02]))
    share = min(max(nominal.nodular_share, 1e-6), 1 - 1e-6)
    nodular = _logistic(math.log(share / (1 - share)) + 0.15 * rng.standard_normal())
    rest = (1.0 - nodular) / (1.0 - share)
    return Structure(
        graphite_fraction=nominal.graphite_fraction * graphite,
        nodular_share=nodular,
        compacted_share=nominal.compacted_share * rest,
        flake_share=nominal.flake_share * rest,
        nodule_count_mm2=nominal.nodule_count_mm2 * count,
        flake_length_um=nominal.flake_length_um * length,
        flake_thickness_um=nominal.flake_thickness_um * length,
        grain_size_um=nominal.grain_size_um * grain,
    )
