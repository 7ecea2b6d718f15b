"""What the latent map asks of core: projections, colours, facts and pictures of patches."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from bayesnet.network import Network
from core.checkpoint import PICTURE_PARTS
from core.descriptors.descriptors import Scalar
from core.encode import LatentTable
from core.errors import CheckpointError
from core.latent_map import Projection, decode_path, project
from core.specimen_descriptors import FILE as DESCRIPTORS
from core.specimen_descriptors import SpecimenDescriptors, load_descriptors
from core.wording import quantity, titled
from dashboard import design_request, state
from dashboard.design_request import DesignRequest, parameter
from dashboard.map_figures import Colouring
from dashboard.state import Model

NOTHING, SPECIMEN, SPECIMENS = "nothing", "specimen of point A", "specimen"
OTHER_SPECIMENS = "other specimens ({count}), not told apart"
MEASURED = "measured."  # before the name of a descriptor
AXES = {"patches": "most variation between patches", "specimens": "most between specimens"}
NOISE_SEED = 0


def projection(model: Model, axes: str) -> Projection:
    """Return the model's latents in two dimensions."""
    return _projection(model.key("latents/latents.json"), model, axes)


@st.cache_data(max_entries=8, show_spinner=False)
def _projection(key: tuple[str, ...], _model: Model, axes: str) -> Projection:
    return project(state.latents(_model), axes)


def path(model: Model, start: int, end: int, steps: int) -> np.ndarray:
    """Return pictures between two patches, (steps, side, side), ends included."""
    return _path(model.key(*PICTURE_PARTS, "latents/latents.json"), model, start, end, steps)


@st.cache_data(max_entries=24, show_spinner=False)
def _path(key: tuple[str, ...], _model: Model, start: int, end: int, steps: int) -> np.ndarray:
    table, loaded = state.latents(_model), state.loaded(_model)
    with state.lock():
        return decode_path(loaded, table.mu[start], table.mu[end], steps, NOISE_SEED)


def descriptors(model: Model) -> SpecimenDescriptors | None:
    """Return the descriptors of the training specimens, None where they were not measured.

    Raises:
        CheckpointError: they are damaged, or of other data than the latents.
    """
    return _descriptors(model.key("latents/latents.json", f"latents/{DESCRIPTORS}"), model)


@st.cache_resource(max_entries=2, show_spinner=False)
def _descriptors(key: tuple[str, ...], _model: Model) -> SpecimenDescriptors | None:
    found = load_descriptors(_model.folder / "latents")
    if found is not None and found.data_hash != state.latents(_model).data_hash:
        raise CheckpointError(
            f"{_model.folder / 'latents' / DESCRIPTORS} is of other data; run core.encode again"
        )
    return found


def colour_choices(
    table: LatentTable, descriptors: SpecimenDescriptors | None = None
) -> dict[str, str]:
    """Return what points can be coloured by: name -> label."""
    known = {column.name: titled(column) for column in table.columns}
    for one in descriptors.scalars if descriptors else ():
        if descriptors and descriptors.values[one.name].notna().any():
            known[MEASURED + one.name] = one.label if one.unit == "1" else titled(one)
    return {NOTHING: NOTHING, SPECIMEN: SPECIMEN, SPECIMENS: SPECIMENS, **known}


def colouring(
    table: LatentTable, name: str, row: int, descriptors: SpecimenDescriptors | None = None
) -> Colouring | None:
    """Return the colours of all patches.

    Args:
        table: the patches.
        name: of a column, `SPECIMEN` (that of point A against the others), `SPECIMENS` (those of
            most patches, each its own colour), `NOTHING`, or `MEASURED` with the name of a
            descriptor.
        row: of point A.
        descriptors: of the specimens, where they were measured.
    """
    if name == NOTHING:
        return None
    if name == SPECIMEN:
        own = str(table.specimen[row])
        return Colouring("Specimen", np.where(table.specimen == own, own, "others"), told=False)
    if name == SPECIMENS:
        names = table.specimen.astype(str)
        return Colouring("Specimen", names, others=OTHER_SPECIMENS, told=False)
    if descriptors and name.startswith(MEASURED):
        one = next(s for s in descriptors.scalars if s.name == name.removeprefix(MEASURED))
        found = descriptors.values[one.name].reindex(table.specimen.astype(str))
        return Colouring(one.label, found.to_numpy(dtype=float), _unit(one))
    column = next(c for c in table.columns if c.name == name)
    values = table.specimens[name]
    if column.kind == "numeric":
        lookup: Callable[[str], object] = values.astype(float).to_dict().get
        numbers = np.array([lookup(s) for s in table.specimen], float)
        return Colouring(column.label, numbers, column.unit)
    texts = values.fillna("not known").astype(str).to_dict()
    return Colouring(column.label, np.array([texts[s] for s in table.specimen]))


def _unit(one: Scalar) -> str:
    """Return the unit that is written after a descriptor's number; none after a plain one."""
    return "" if one.unit == "1" else one.unit


def facts(
    table: LatentTable, row: int, descriptors: SpecimenDescriptors | None = None
) -> list[dict[str, str]]:
    """Return what is known of a patch's specimen, with units; descriptors last."""
    known = table.specimens.loc[str(table.specimen[row])]
    found = []
    for column in table.columns:
        value = known[column.name]
        missing = value is None or value != value
        text = str(value)
        if column.kind == "numeric" and not missing:
            text = quantity(float(value), column.unit, 4)
        found.append({"What": column.label, "Value": "not known" if missing else text})
    own = str(table.specimen[row])
    for one in descriptors.scalars if descriptors else ():
        if descriptors and own in descriptors.values.index:
            number = float(descriptors.values.loc[own, one.name])
            if np.isfinite(number):
                found.append({"What": one.label, "Value": quantity(number, _unit(one))})
    return found


def design_for(table: LatentTable, row: int, network: Network) -> DesignRequest | None:
    """Return the request for the properties of a patch's specimen, None where none is known."""
    known = table.specimens.loc[str(table.specimen[row])]
    query = {
        parameter(node.column): f"{float(known[node.column]):.10g}"
        for node in network.properties
        if node.column in known and known[node.column] == known[node.column]
    }
    return design_request.from_query(query, network)[0] if query else None
