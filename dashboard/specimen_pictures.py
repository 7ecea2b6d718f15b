"""The picture of a known specimen that stands beside a design.

The specimen's own, wherever it can be had: an example micrograph of the model, the data set that it
was trained on, or a synthetic casting made again. Only without any of these, that of another.
"""

from collections.abc import Sequence

import streamlit as st

from bayesnet.explain import Neighbour
from bayesnet.specimen_picture import SpecimenPicture, field_round, typical_patch
from core.examples import Example
from core.images import Micrograph
from dashboard import originals, state
from dashboard.originals import MADE_AGAIN, Key, Source
from dashboard.state import Model

OF_THE_DATA = "as in the data set"


def nearest_picture(model: Model, near: Sequence[Neighbour]) -> tuple[SpecimenPicture | None, str]:
    """Return a picture of the nearest specimen, else of the nearest that has one.

    Args:
        model: the model.
        near: its specimens, the nearest first.

    Returns:
        The picture, None without any; and where it is not of the nearest, why, and what to do.

    Raises:
        InputError: the micrograph cannot be read.
        CheckpointError: the model or its backbone cannot be read.
    """
    shown = {example.specimen: example for example in state.examples(model)}
    name, why = near[0].name, ""
    if name not in shown:
        own, why = _own(model, name)
        if own is not None:
            return own, ""
    first = next((shown[one.name] for one in near if one.name in shown), None)
    return (None if first is None else _of_example(model, first)), why


def _of_example(model: Model, example: Example) -> SpecimenPicture:
    return SpecimenPicture(example.specimen, example.micrograph, _said(example.look, model))


def _own(model: Model, specimen: str) -> tuple[SpecimenPicture | None, str]:
    """Return a field round a specimen's most typical patch, or why there is none."""
    table = state.latents(model)
    row = typical_patch(table, specimen)
    found = originals.original(model, table, row)
    if found.source is None:
        return None, found.said
    key = model.key("manifest.json", "latents/latents.json")
    micrograph = _field(key, found.source.key, row, model, found.source)
    said = MADE_AGAIN if found.said == MADE_AGAIN else _said(OF_THE_DATA, model)
    return SpecimenPicture(specimen, micrograph, said), ""


def _said(text: str, model: Model) -> str:
    return f"{text} (synthetic)" if model.synthetic else text


@st.cache_data(max_entries=16, show_spinner=False)
def _field(key: Key, source: Key, row: int, _model: Model, _source: Source) -> Micrograph:
    table, patch_px = state.latents(_model), state.loaded(_model).config.patch_px
    top, left = (int(v) for v in table.corner[row])
    whole = originals.pixels(_model, row, _source)
    field = field_round(whole, (top, left), patch_px)
    return Micrograph(field, str(table.file[row]), _model.um_per_px, ())
