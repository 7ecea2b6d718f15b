"""Training patches as they were photographed, from the first source that has them.

A model's example micrographs hold a few; the data set that it was trained on, where it lies in the
workspace, holds all; and micrographs of the synthetic reference castings are made again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from core import logs
from core.castings.again import PlannedField, draw_again, find_field
from core.dataset import DataSet
from core.encode import LatentTable
from core.images import Micrograph
from core.latent_map import may_hold
from core.measured_columns import Kind
from core.patch_origin import SAME_LATENTS, cut_patch, latents_differ_by, read_micrograph
from core.scale import to_scale
from core.specimen_descriptors import SpecimenDescriptors, measure_specimen
from core.wording import quantity
from core.workspace import data_folder
from dashboard import permission, state
from dashboard.data_found import Lookup, training_data
from dashboard.state import Model

MOST_MEASURED_PX = 4_000_000  # a few seconds; larger micrographs are measured on their own page
EXAMPLE = "example"  # begins the key of a source
PHOTOGRAPHED = "as in the micrograph"
MADE_AGAIN = "made again by the generator (synthetic)"
HIDDEN = (
    "Data sets of the workspace are not shown on this server, because it may be reached from other "
    "machines."
)
logger = logging.getLogger(__name__)
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a micrograph can be had.

    Attributes:
        key: what changes where the micrograph does.
        held: the micrograph, the data set that has it, or the casting that it is made of.
    """

    key: Key
    held: Micrograph | DataSet | PlannedField = field(repr=False)


@dataclass(frozen=True, slots=True)
class Original:
    """A patch as it was photographed.

    Attributes:
        patch: (side, side) in [0, 1], None where it cannot be shown.
        said: the picture's caption; where there is none, why, and what to do.
        source: of its micrograph.
    """

    patch: np.ndarray | None
    said: str
    source: Source | None = None


def original(model: Model, table: LatentTable, row: int) -> Original:
    """Return a patch as it was in its micrograph.

    Raises:
        InputError: its micrograph cannot be read, or does not hold it.
        CheckpointError: the model or its backbone cannot be read.
    """
    key, another = model.key("manifest.json", "latents/latents.json"), None
    for source in sources(model, table, row):
        patch, differs_by = _patch(key, source.key, row, model, source)
        if differs_by <= SAME_LATENTS:
            made = isinstance(source.held, PlannedField)
            return Original(patch, MADE_AGAIN if made else PHOTOGRAPHED, source)
        another = differs_by if isinstance(source.held, PlannedField) else another
    return Original(None, _why_not(model, table, another))


def measured(
    model: Model, row: int, found: Original, wanted: SpecimenDescriptors | None
) -> tuple[str, dict[str, float]] | None:
    """Measure the micrograph of a patch alone, at the model's scale, as its specimen was.

    Args:
        model: the model; row: of the patch in its latents.
        found: the patch's original.
        wanted: what was measured on the specimens.

    Returns:
        The micrograph's size in words and descriptor -> value, for those that could be measured;
        None where there is no micrograph, nothing to measure, or too much for a page.
    """
    if found.source is None or wanted is None or not wanted.scalars:
        return None
    key = model.key("manifest.json", "latents/latents.json")
    return _measured(key, found.source.key, wanted.kind, row, model, found.source)


def beside(
    facts: list[dict[str, str]], alone: tuple[str, dict[str, float]], wanted: SpecimenDescriptors
) -> list[dict[str, str]]:
    """Put what was measured on a micrograph alone beside the facts of its specimen.

    Args:
        facts: of the specimen (`dashboard.latent_maps.facts`).
        alone: the micrograph's size and descriptors (`measured`).
        wanted: what was measured on the specimens.
    """
    size, values = alone
    own = {
        one.label: quantity(values[one.name], "" if one.unit == "1" else one.unit)
        for one in wanted.scalars
        if one.name in values
    }
    head = f"This micrograph ({size})"
    return [
        {"What": fact["What"], "Specimen": fact["Value"], head: own.get(fact["What"], "")}
        for fact in facts
    ]


def sources(model: Model, table: LatentTable, row: int) -> Iterator[Source]:
    """Yield where the micrograph of a patch may be had, the cheapest first."""
    side = state.loaded(model).config.patch_px
    for example in may_hold(table, row, state.examples(model), model.um_per_px, side):
        key = model.key("examples/examples.json")
        yield Source((EXAMPLE, *key, example.look), example.micrograph)
    found = training_data(model, table) if permission.trusted() else Lookup()
    if found.data is not None:
        yield Source((str(found.data.root), found.mark, str(table.file[row])), found.data)
    planned = _planned(model.key("latents/latents.json"), row, model)
    if planned is not None:
        yield Source(("castings", repr(planned)), planned)


def _why_not(model: Model, table: LatentTable, differs_by: float | None) -> str:
    """Say why there is no picture; the latents of what the generator makes may differ."""
    why = ["Its micrograph does not come with the model."]
    if differs_by is not None:
        why.append(
            "The generator of the synthetic castings makes another picture, whose latents differ "
            f"by {differs_by:.2g}: it is not shown."
        )
    if not permission.trusted():
        return " ".join([*why, HIDDEN])
    why.append(training_data(model, table).why)
    why.append(
        f"To see it, put the data set {table.data_name}, with the files that its latents were made "
        f"from, into a folder of {data_folder()}."
    )
    return " ".join(part for part in why if part)


@st.cache_data(max_entries=256, show_spinner=False)
def _planned(key: Key, row: int, _model: Model) -> PlannedField | None:
    table = state.latents(_model)
    if not table.synthetic:
        return None
    return find_field(table.specimens, str(table.specimen[row]), str(table.file[row]))


@st.cache_data(max_entries=64, show_spinner=False)
def _patch(
    key: Key, source: Key, row: int, _model: Model, _source: Source
) -> tuple[np.ndarray, float]:
    """Return a patch, and how far its latents are off the table's where that is to be checked."""
    table, loaded = state.latents(_model), state.loaded(_model)
    patch = cut_patch(pixels(_model, row, _source), table, row, loaded.config.patch_px)
    if isinstance(_source.held, DataSet):
        return patch, 0.0  # known by its hash
    with state.lock(), logs.timed(logger, "patch_check"):
        return patch, latents_differ_by(loaded, patch, table.mu[row])


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(
    key: Key, source: Key, kind: Kind, _row: int, _model: Model, _source: Source
) -> tuple[str, dict[str, float]] | None:
    shown = pixels(_model, _row, _source)
    if shown.size > MOST_MEASURED_PX:
        return None
    file = str(state.latents(_model).file[_row])
    with state.lock(), logs.timed(logger, "patch_measurement", pixels=shown.size):
        values = measure_specimen(file, [shown], _model.um_per_px, kind)
    known = {name: value for name, value in values.items() if value is not None}
    size = " × ".join(str(side) for side in shown.shape) + " px"
    size = f"its upper left, {size}" if source[0] == EXAMPLE else size
    return (size, known) if known else None


def pixels(model: Model, row: int, source: Source) -> np.ndarray:
    """Return the micrograph of a patch at the model's scale, (H, W).

    Raises:
        InputError: it cannot be read.
    """
    held = source.held
    if isinstance(held, DataSet):
        with state.lock(), logs.timed(logger, "patch_read"):
            return read_micrograph(held, state.latents(model), row, model.um_per_px)
    micrograph = _drawn(source.key, held) if isinstance(held, PlannedField) else held
    return to_scale(micrograph, model.um_per_px)[0]


@st.cache_data(max_entries=4, show_spinner=False)
def _drawn(key: Key, _planned: PlannedField) -> Micrograph:
    with state.lock(), logs.timed(logger, "casting_made_again"):
        return draw_again(_planned)
