"""What the page *Structure-property* shows: predictions by specimen, tables, and their CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.calibrate import UNSEEN, load_unseen
from core.candidates import CANDIDATES
from core.encode import LatentTable
from core.errors import CheckpointError
from core.exports.spreadsheet import MODEL_HEADER, to_csv
from core.files import read_json
from core.properties import PropertyModel, fit_properties
from core.property_features import LABELS
from core.property_points import Point, left_out_points, measured_points, unseen_points
from core.property_text import cell, column_titles, regressor_labels
from core.regressor import Regressor, left_out_patches
from core.results import RESULTS
from dashboard import state
from dashboard.state import Model
from dashboard.wording import Named, titled

TABLES = "results"  # in a model's folder


@dataclass(frozen=True, slots=True)
class Basis:
    """Predictions by specimen, and what they are.

    Attributes:
        about: in a sentence.
        points: one a specimen.
    """

    about: str
    points: tuple[Point, ...]


def regressors(model: Model, properties: PropertyModel) -> tuple[Regressor, ...]:
    """Return the model's regressors with left-out predictions.

    Those of the first versions kept none, so they are fitted anew to the same latents, in memory.
    """
    if all(r.left_out.size for r in properties.regressors):
        return properties.regressors
    key = model.key("properties.json", "latents/latents.json")
    return _fitted_again(key, state.latents(model)).regressors


@st.cache_resource(max_entries=2, show_spinner=False)
def _fitted_again(key: tuple[str, ...], _table: LatentTable) -> PropertyModel:
    return fit_properties(_table)


def measured(model: Model) -> dict[str, Any] | None:
    """Return the measured tables, None where none were measured for this model.

    A model's own are in its folder; the shipped model's are in ``docs/results``.

    Raises:
        CheckpointError: the file is damaged.
    """
    own = model.folder / TABLES / "properties.json"
    path = own if own.is_file() else RESULTS / "properties.json"
    if not path.is_file():
        return None
    content = _tables(state.stamped(path), path)
    if not isinstance(content, dict) or content.get("model_sha256") != model.weights:
        return None
    wanted = {"rows", "points", "properties", "left_out_casting", "vae", "backbone", "fresh"}
    if missing := wanted - set(content):
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}: run make measure")
    return content


@st.cache_resource(max_entries=4, show_spinner=False)
def _tables(key: str, _path: Path) -> Any:
    return read_json(_path)


def bases(model: Model, properties: PropertyModel, regressor: Regressor) -> dict[str, Basis]:
    """Return the predictions there are, the hardest test first."""
    found = {}
    content = measured(model)
    if content and (points := measured_points(content, regressor.column)):
        found["New to the model"] = Basis(
            f"{content['fresh']['name']}: neither the encoder nor the property models have learned "
            "these; one micrograph each.",
            tuple(points),
        )
    if regressor.calibration.method == "unseen":
        key = model.key("properties.json", f"{UNSEEN}/latents.json")
        name, points_unseen = _unseen(key, regressor.column, model.folder, properties, regressor)
        found["Calibrated on"] = Basis(
            f"{name}: new to the model, too, but the width of the intervals comes from these; one "
            "micrograph each.",
            points_unseen,
        )
    found["Learned, label left out"] = Basis(
        "The specimens learned from, each predicted without its label. The encoder has learned "
        "most of their micrographs (the paper's protocol), so new specimens do somewhat worse.",
        tuple(left_out_points(regressor)),
    )
    for one in properties.structure.regressors if properties.structure else ():
        if one.column == regressor.column:
            found["Learned, from measured structure alone"] = Basis(
                "The same specimens, each predicted without its label from the descriptors "
                "measured in its micrographs: no encoder, nothing learned from these pictures.",
                tuple(left_out_points(one)),
            )
    return {name: basis for name, basis in found.items() if basis.points}


@st.cache_resource(max_entries=32, show_spinner=False)
def _unseen(
    key: tuple[str, ...],
    column: str,
    _folder: Path,
    _properties: PropertyModel,
    _regressor: Regressor,
) -> tuple[str, tuple[Point, ...]]:
    """Return the name of the data calibrated on, and its points; none where it is not there."""
    unseen = load_unseen(_folder)
    if unseen is None:
        return "", ()
    return unseen.data_name, tuple(unseen_points(_properties, _regressor, unseen))


def patch_predictions(
    model: Model, properties: PropertyModel, regressor: Regressor, specimen: str
) -> list[float]:
    """Return what each patch of a specimen suggests, by a model fitted without the specimen."""
    key = model.key("properties.json", "latents/latents.json")
    return _of_patches(key, regressor.column, specimen, model, properties, regressor)


@st.cache_data(max_entries=256, show_spinner=False)
def _of_patches(
    key: tuple[str, ...],
    column: str,
    specimen: str,
    _model: Model,
    _properties: PropertyModel,
    _regressor: Regressor,
) -> list[float]:
    table = state.latents(_model)
    own = table.mu[table.specimen == specimen][:, list(_properties.active)]
    return [float(value) for value in left_out_patches(_regressor, specimen, own.astype(float))]


def table_rows(
    content: Mapping[str, Any], representation: str, column: str
) -> list[dict[str, str]]:
    """Return a table of the paper's kind: a row a regressor, a column a split."""
    return [
        {"Regressor": label}
        | {
            title: cell(content, key, representation, name, column)
            for key, title in column_titles(content).items()
        }
        for name, label in regressor_labels(content).items()
    ]


def new_errors(content: Mapping[str, Any], column: str) -> dict[str, dict[str, float]]:
    """Return the median errors on new specimens: representation -> regressor -> %."""
    found: dict[str, dict[str, float]] = {}
    for row in content["rows"]:
        if row["data"] == "fresh" and row["property"] == column and row["median_error"] is not None:
            values = found.setdefault(LABELS[row["representation"]], {})
            values[CANDIDATES[row["regressor"]]] = row["median_error"]
    return found


def left_out_casting(content: Mapping[str, Any], column: str) -> list[Mapping[str, Any]]:
    """Return figure 7's entries of a property, one a representation."""
    return [entry for entry in content["left_out_casting"] if entry["property"] == column]


def as_csv(
    named: Sequence[Named], found: Sequence[Mapping[str, Basis]], origin: Sequence[object]
) -> str:
    """Return all predictions as CSV: a row a specimen, property and basis.

    Args:
        named: the properties.
        found: the bases of each, by name.
        origin: cells under `MODEL_HEADER`.
    """
    header = ["Specimen", "Property", "Basis", "Measured", "Predicted", "90 % low", "90 % high"]
    rows = [
        [p.specimen, titled(column), name, p.true, p.predicted, p.low, p.high, *origin]
        for column, of_column in zip(named, found, strict=True)
        for name, basis in of_column.items()
        for p in basis.points
    ]
    return to_csv([*header, *MODEL_HEADER], rows)
