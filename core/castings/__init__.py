"""Reference castings: synthetic cast-iron micrographs with strengths, from process settings.

The paper's micrographs are not public and no public set has strengths per image, so the product
carries this generator. Everything it makes is synthetic and says so. A published version never
changes: any edit to these modules comes with a new `VERSION`, a new pinned hash in the tests and a
retrained reference model.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.castings.field import Field, draw_field
from core.castings.process import (
    PROCESS_RANGE,
    ProcessSettings,
    Structure,
    nominal_structure,
    vary_structure,
)
from core.castings.strength import Morphology, Strengths, measure_truth, strengths, tested

VERSION = "1.0"

__all__ = [
    "PROCESS_RANGE",
    "VERSION",
    "Casting",
    "Field",
    "Morphology",
    "ProcessSettings",
    "Strengths",
    "Structure",
    "generator_hash",
    "make_casting",
    "measure_truth",
    "nominal_structure",
    "strengths",
]


@dataclass(frozen=True, slots=True)
class Casting:
    """One synthetic casting: settings, pictures, true morphology, true and tested strengths."""

    settings: ProcessSettings
    structure: Structure
    fields: tuple[Field, ...]
    morphology: Morphology
    true_strengths: Strengths
    tested_strengths: Strengths


def generator_hash() -> str:
    """Return the SHA-256 over the modules that decide what a casting looks like."""
    digest = hashlib.sha256(VERSION.encode())
    folder = Path(__file__).parent
    for name in ("process.py", "particles.py", "field.py", "strength.py"):
        digest.update((folder / name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def make_casting(
    settings: ProcessSettings,
    seed: int,
    *,
    n_fields: int = 3,
    height_px: int = 640,
    width_px: int = 640,
    um_per_px: float = 1.0,
) -> Casting:
    """Cast, section, photograph and test one synthetic casting.

    Args:
        settings: magnesium, radius, carbon equivalent.
        seed: of this casting; the same seed and settings give the same casting.
        n_fields: number of pictures.
        height_px, width_px: size of each picture, pixels.
        um_per_px: scale, um per pixel.

    Returns:
        The casting; its strengths follow from the morphology measured over all its fields.
    """
    variation, test, *field_seeds = np.random.SeedSequence(seed).spawn(2 + n_fields)
    structure = vary_structure(nominal_structure(settings), np.random.default_rng(variation))
    fields = tuple(draw_field(structure, height_px, width_px, um_per_px, s) for s in field_seeds)
    morphology = measure_truth(fields)
    true = strengths(morphology)
    return Casting(
        settings, structure, fields, morphology, true, tested(true, np.random.default_rng(test))
    )
