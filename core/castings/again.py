"""A micrograph of the synthetic reference castings, made again: a casting follows from its seed.

A model's latents name its specimens and their settings. Where these are a design's, as
``python -m core.castings`` makes it when no seed is given, the design says with which seed a
casting was made. Nothing here proves that a data set was made so: whoever shows a picture first
compares its latents (`core.patch_origin.latents_differ_by`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.castings.design import Plan, extended_design, fresh_design, paper_design
from core.castings.field import draw_field
from core.castings.process import PROCESS_RANGE, nominal_structure, vary_structure
from core.images import Micrograph

UM_PER_PX = 1.0  # of every design
MOST_CASTINGS = 4096


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A micrograph that a design has: its casting, and which of the casting's fields it is."""

    plan: Plan
    index: int

    @property
    def file(self) -> str:
        """Its name in the data set that `core.castings.design.write_design` writes."""
        return f"{self.plan.specimen}_{self.index}.png"


def designs(castings: int) -> Iterator[tuple[Plan, ...]]:
    """Yield the designs of so many castings, each with the seeds that it has by default."""
    yield paper_design()
    yield extended_design(castings)
    yield fresh_design(castings)


def find_field(specimens: pd.DataFrame, specimen: str, file: str) -> PlannedField | None:
    """Find a micrograph among the designs, by its name and its castings' settings.

    Args:
        specimens: the data set's specimens (index) with their process settings as columns.
        specimen: whose micrograph it is.
        file: the micrograph's name.

    Returns:
        None where no design has just these specimens with just these settings.
    """
    if not set(PROCESS_RANGE) <= set(specimens) or not 1 <= len(specimens) <= MOST_CASTINGS:
        return None
    for design in designs(len(specimens)):
        plans = {plan.specimen: plan for plan in design}
        if set(plans) == set(specimens.index) and _settings_agree(plans, specimens):
            plan = plans[specimen]
            fields = [PlannedField(plan, index) for index in range(plan.n_fields)]
            return next((one for one in fields if one.file == file), None)
    return None


def _settings_agree(plans: dict[str, Plan], specimens: pd.DataFrame) -> bool:
    names = list(PROCESS_RANGE)
    planned = [[getattr(plans[str(s)].settings, n) for n in names] for s in specimens.index]
    known = specimens[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    return bool(np.allclose(planned, known, rtol=0, atol=1e-9))


def draw_again(field: PlannedField) -> Micrograph:
    """Make one micrograph of a planned casting again, as it is read from the data set.

    The casting's other fields are not drawn and its strengths not tested; the seeds are those of
    `core.castings.make_casting`.
    """
    plan = field.plan
    variation, _, *fields = np.random.SeedSequence(plan.seed).spawn(2 + plan.n_fields)
    structure = vary_structure(nominal_structure(plan.settings), np.random.default_rng(variation))
    drawn = draw_field(structure, plan.height_px, plan.width_px, UM_PER_PX, fields[field.index])
    pixels = drawn.pixels / np.float32(255)
    return Micrograph(pixels, field.file, UM_PER_PX, ())
