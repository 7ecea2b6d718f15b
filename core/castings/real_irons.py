"""Real ductile irons, where they are at hand: our figures beside those that others found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.descriptors import SCALARS, measure_field, segment_graphite, sum_up
from core.descriptors.particles import label_particles, measure_particles
from core.images import read_image

ROUTINE = "plain ISO 945-4 routine"
AUTHORS = "its authors"
PARTED = "who part touching nodules by a watershed: their mask gives this here too, unparted"
LEAST_AUTHORS_PX = 25
COUNT, COUNT_UNIT = ("inner_particles_per_mm2", "Particles not cut by a border"), "1/mm²"


@dataclass(frozen=True, slots=True)
class PublishedIron:
    """A micrograph of the folder ``castiron`` and what others found on it.

    Attributes:
        file: its name.
        um_per_px: None where its source states none; then only the graphite area is measured.
        published: descriptor -> value or range, and who says so.
    """

    file: str
    um_per_px: float | None
    published: dict[str, str]


def _polished(
    name: str,
    um_per_px: float,
    figures: dict[str, str],
    by_authors: dict[str, tuple[str, str]] | None = None,
) -> PublishedIron:
    published = {n: f"{v} ({ROUTINE})" for n, v in figures.items()}
    for descriptor, (value, unparted) in (by_authors or {}).items():
        published[descriptor] = f"{value} ({AUTHORS}, {PARTED} {unparted})"
    return PublishedIron(name, um_per_px, published)


IRONS = (
    _polished(
        "ductile_sem.png",
        1.16279,
        {
            "graphite_pct": "11.3 %",
            COUNT[0]: "129 1/mm²",
            "nodularity_iso_pct": "86.0 %",
            "diameter_um": "29.7 µm",
        },
        {
            "authors_per_mm2": ("167.4 1/mm²", "129.8 1/mm²"),
            "authors_diameter_um": ("25.75 µm", "29.5 µm"),
        },
    ),
    _polished(
        "ductile_optical_1.png",
        0.73958,
        {
            "graphite_pct": "9.5 %",
            COUNT[0]: "183 1/mm²",
            "nodularity_iso_pct": "88.9 %",
            "diameter_um": "22.7 µm",
        },
    ),
    _polished(
        "ductile_optical_2.png",
        0.73958,
        {
            "graphite_pct": "10.6 %",
            COUNT[0]: "200 1/mm²",
            "nodularity_iso_pct": "89.0 %",
            "diameter_um": "22.9 µm",
        },
    ),
    PublishedIron("ductile_etched_a.png", None, {"graphite_pct": "6 to 14 % (etched, by eye)"}),
    PublishedIron("ductile_etched_b.png", None, {"graphite_pct": "6 to 14 % (etched, by eye)"}),
)


def measure_irons(
    irons: Sequence[PublishedIron], real: Path | None
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Measure the irons that are there.

    Args:
        irons: which.
        real: the folder that holds ``castiron``; None for none.

    Returns:
        An entry for each iron: what is found here and what was elsewhere; and for each that is
        absent, why there is none.
    """
    found, missing = [], {}
    for iron in irons:
        path = None if real is None else real / "castiron" / iron.file
        if path is None or not path.is_file():
            missing[iron.file] = f"{iron.file} is not at hand (--real DIR)"
            continue
        values = _measure(path, iron.um_per_px)
        titles = {s.name: (s.label, s.unit) for s in SCALARS} | {COUNT[0]: (COUNT[1], COUNT_UNIT)}
        titles["authors_per_mm2"] = ("Objects of 25 px and more, cut ones too", COUNT_UNIT)
        titles["authors_diameter_um"] = ("Mean equivalent diameter of these", "µm")
        entries = {
            name: {
                "label": titles[name][0],
                "unit": titles[name][1],
                "found": values[name],
                "published": published,
            }
            for name, published in iron.published.items()
        }
        found.append({"file": iron.file, "um_per_px": iron.um_per_px, "descriptors": entries})
    return found, missing


def _measure(path: Path, um_per_px: float | None) -> dict[str, float | None]:
    pixels = read_image(path).pixels
    if um_per_px is None:
        return {"graphite_pct": 100 * float(segment_graphite(pixels).graphite.mean())}
    field = measure_field(pixels, um_per_px)
    described = sum_up([field])
    objects = measure_particles(
        label_particles(field.graphite), um_per_px, min_feret_um=0.0, min_area_px=LEAST_AUTHORS_PX
    )
    return described.scalars() | {
        COUNT[0]: described.inner_particles_per_mm2,
        "authors_per_mm2": len(objects) / described.area_mm2,
        "authors_diameter_um": float(objects.diameter_um.mean()) if len(objects) else None,
    }
