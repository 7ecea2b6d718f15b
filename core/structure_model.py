"""Predict properties from the structure measured in a micrograph: kernel ridge on descriptors.

The second reader of a picture beside the latents (`core.properties`). It knows nothing of the image
model: its inputs are the descriptors that a metallographer would measure, of the same specimens, so
it does not share what an encoder makes of pictures that its own decoder has drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.columns import Column
from core.conformal import MIN_INTERVAL
from core.json_values import number, texts
from core.regressor import Prediction, Regressor, fit_regressor
from core.specimen_descriptors import AREA, SpecimenDescriptors

Array = NDArray[np.float64]

KNOWN_SHARE = 0.9  # of the specimens that must have a descriptor for it to be an input
BEYOND = 1.0  # standard deviations that a descriptor may lie outside those of the specimens
SMALLEST = 1 / 8  # of the least area calibrated on: smaller fields are not read


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureModel:
    """Kernel ridge models of properties on measured descriptors.

    Attributes:
        inputs: descriptors, by the names of `core.field_descriptors`.
        centre, scale: (E,) their means and standard deviations over the specimens.
        field_mm2, specimen_mm2: median area of one field, and of a specimen's fields together;
            intervals are calibrated on both.
        regressors: one a property, on z-scores of the descriptors; a "patch" of theirs is a field.
    """

    inputs: tuple[str, ...]
    centre: Array
    scale: Array
    field_mm2: float
    specimen_mm2: float
    regressors: tuple[Regressor, ...]

    def predict(
        self, measured: Mapping[str, float | None], area_mm2: float
    ) -> dict[str, Prediction]:
        """Predict every property from what was measured.

        Args:
            measured: descriptor -> value, None where it could not be measured.
            area_mm2: measured on. Less than one field of the data scatters more: the interval is
                wider by the root of the ratio of areas.

        Returns:
            Nothing where a descriptor is missing or lies outside those of the data, or the area
            is less than an eighth of a field.
        """
        values = np.array([measured.get(name) for name in self.inputs], dtype=float)
        z = (values - self.centre) / self.scale
        if not np.isfinite(z).all():
            return {}
        found = {}
        for regressor in self.regressors:
            low, high = regressor.points.min(axis=0) - BEYOND, regressor.points.max(axis=0) + BEYOND
            half = self._half_width(regressor, area_mm2)
            if half is None or np.any((z < low) | (z > high)):
                continue
            value = float(regressor.values(z[None])[0])
            width = half * abs(value) if regressor.relative else half
            found[regressor.column] = Prediction(value, value - width, value + width)
        return found

    def regressor(self, column: str) -> Regressor:
        """Return a property's regressor; KeyError where it is not read."""
        for one in self.regressors:
            if one.column == column:
                return one
        raise KeyError(column)

    def can_read(self, area_mm2: float) -> bool:
        """Tell whether a field of this area is large enough for any property."""
        return any(self._half_width(r, area_mm2) is not None for r in self.regressors)

    def _half_width(self, regressor: Regressor, area_mm2: float) -> float | None:
        """Return the 90 % half width for an area; None where it is too small, or none is known."""
        known = [(self.specimen_mm2, regressor.half_width)]
        if (single := dict(regressor.half_widths).get(1)) is not None:
            known.append((self.field_mm2, single))
        fitting = [(area, half) for area, half in known if half is not None]
        if not fitting:
            return None
        for area, half in sorted(fitting, reverse=True):
            if area_mm2 >= area * (1 - 1e-6):
                return half
        least, half = min(fitting)
        return None if area_mm2 < SMALLEST * least else float(half * np.sqrt(least / area_mm2))

    def to_json(self) -> dict[str, Any]:
        """Return JSON content; floats survive exactly."""
        return {
            "inputs": list(self.inputs),
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
            "field_mm2": self.field_mm2,
            "specimen_mm2": self.specimen_mm2,
            "regressors": [r.to_json() for r in self.regressors],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "StructureModel":
        """Read what `to_json` returns.

        Raises:
            KeyError, TypeError, ValueError: entries are missing, damaged or do not fit together.
        """
        found = cls(
            inputs=texts(content["inputs"], "inputs"),
            centre=np.array([number(v, "centre") for v in content["centre"]], dtype=float),
            scale=np.array([number(v, "scale", 0) for v in content["scale"]], dtype=float),
            field_mm2=number(content["field_mm2"], "field_mm2", 0),
            specimen_mm2=number(content["specimen_mm2"], "specimen_mm2", 0),
            regressors=tuple(Regressor.from_json(r) for r in content["regressors"]),
        )
        size = len(found.inputs)
        if {found.centre.shape, found.scale.shape} != {(size,)} or not found.scale.all():
            raise ValueError("centre or scale of the structure's descriptors")
        columns = {regressor.column for regressor in found.regressors}
        if len(columns) < len(found.regressors) or len(set(found.inputs)) < size:
            raise ValueError("a property or descriptor of the structure is there twice")
        for regressor in found.regressors:
            if not regressor.is_sound(size):
                raise ValueError(f"arrays or numbers of {regressor.column} from the structure")
        return found


def fit_structure(
    descriptors: SpecimenDescriptors, labels: pd.DataFrame, columns: Sequence[Column]
) -> StructureModel | None:
    """Fit every measured property that enough specimens with descriptors have.

    Args:
        descriptors: of the specimens.
        labels: frame indexed by specimen, with the columns' values.
        columns: of the data set; properties that are themselves measured on pictures are left out.

    Returns:
        None without a scale, or without a property that nine specimens have.
    """
    fields = descriptors.fields
    if descriptors.um_per_px is None or fields is None or len(fields) == 0:
        return None
    pooled = descriptors.values.copy()
    pooled.index = pooled.index.astype(str)
    inputs = [
        name
        for name in pooled
        if pooled[name].notna().mean() >= KNOWN_SHARE and pooled[name].std() > 0
    ]
    pooled = pooled[inputs].dropna()
    if not inputs or len(pooled) < MIN_INTERVAL:
        return None
    centre, scale = pooled.mean().to_numpy(), pooled.std(ddof=0).to_numpy()
    owner = fields.index.astype(str)
    each = {name: fields.loc[owner == name, inputs].dropna().to_numpy() for name in pooled.index}
    area = fields[AREA]
    regressors = []
    frame = labels.set_axis(labels.index.astype(str)).reindex(pooled.index)
    for column in columns:
        if column.role != "property" or column.kind != "numeric" or column.derived:
            continue
        values = pd.to_numeric(frame[column.name], errors="coerce").to_numpy(dtype=float)
        known = np.flatnonzero(np.isfinite(values))
        if len(known) < MIN_INTERVAL or np.ptp(values[known]) <= 1e-9 * np.abs(values[known]).max():
            continue
        names = [str(pooled.index[i]) for i in known]
        alone = [(each[name] - centre) / scale for name in names]
        together = (pooled.to_numpy()[known] - centre) / scale
        regressors.append(fit_regressor(column, alone, values[known], names, together))
    if not regressors:
        return None
    return StructureModel(
        inputs=tuple(inputs),
        centre=centre,
        scale=scale,
        field_mm2=float(area.median()),
        specimen_mm2=float(area.groupby(owner).sum().median()),
        regressors=tuple(regressors),
    )
