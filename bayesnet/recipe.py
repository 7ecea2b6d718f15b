"""A design as a recipe: everything that it follows from, and what came out, as JSON.

`bayesnet.replay` makes the same design from it again; the library and reports show it without the
model.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bayesnet.demands import Limit, Wish
from bayesnet.picture_record import PictureRecord, RefinementRecord
from core.columns import Column
from core.errors import CheckpointError, InputError
from core.files import read_json
from core.json_values import text, truth
from core.regressor import Prediction

# Versions: 1 without refinement, 2 without calibration, 3 without denoiser.
FORMAT, VERSION = "microdesign-design", 4
MAX_BYTES = 4 * 2**20
MAX_SAMPLES = 1000
__all__ = ["PARTS", "PictureRecord", "Recipe", "RefinementRecord", "load_recipe"]

PARTS = ("model", "network", "properties", "latents", "denoiser")
NO_PART = "none"
VERDICTS = ("feasible", "borderline", "infeasible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a design was made from, and what came out.

    Attributes:
        targets: property -> what was asked for; process: setting -> limit; in the columns' units.
        seed, size_px, samples, sample_px: as `bayesnet.design.design` takes them.
        parts: SHA-256 of the model's weights, network, property models, latents and denoiser;
            `NO_PART` for the last where the model had none.
        model: name, data_name, data_sha256, synthetic.
        columns: the properties and process settings, with labels and units.
        verdict, distance, message, nearest: see `bayesnet.feasibility.Feasibility`.
        designed_for: the targets, or the nearest feasible ones.
        recommended: process settings.
        pictures: the design's own, then those of its samples that were kept.
        refinement: None where the design was not refined.
        calibration: property -> what the intervals of its predictions come from, in words; empty in
            older recipes.
        periodic: whether opposite edges of the pictures fit together.
        versions: of the program and of what decides its numbers; machine: hardware and threads.
        created: date and time, UTC, ISO 8601.
    """

    targets: dict[str, Wish]
    process: dict[str, Limit]
    seed: int
    size_px: int
    samples: int
    sample_px: int
    parts: dict[str, str]
    model: dict[str, Any]
    columns: tuple[Column, ...]
    verdict: Literal["feasible", "borderline", "infeasible"]
    distance: float
    message: str
    nearest: dict[str, float] | None
    designed_for: dict[str, Wish]
    recommended: dict[str, Prediction]
    pictures: tuple[PictureRecord, ...]
    periodic: bool
    um_per_px: float | None
    versions: dict[str, str]
    machine: dict[str, Any]
    created: str
    refinement: RefinementRecord | None = None
    calibration: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> PictureRecord:
        """The picture that the design is for people: the refined one where it was refined."""
        return self.refinement.picture if self.refinement else self.pictures[0]

    @property
    def named(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def synthetic(self) -> bool:
        """Whether the model was trained on simulated micrographs."""
        return bool(self.model.get("synthetic"))

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON content; floats survive exactly."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, content: Any) -> "Recipe":
        """Read a recipe and check every part of it.

        Raises:
            InputError: it is no recipe, of another version, or damaged.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(
                "this is no recipe of a design; export one with Recipe (JSON) on the page Inverse "
                "design"
            )
        if content.get("version") not in (1, 2, 3, VERSION):
            raise InputError(
                f"the recipe has version {content.get('version')!r}; this program reads {VERSION}"
            )
        values = {k: v for k, v in content.items() if k not in ("format", "version")}
        if content["version"] == 1:
            values.setdefault("refinement", None)
        if content["version"] < 3:
            values.setdefault("calibration", {})
        if odd := sorted(set(values) ^ set(cls.__dataclass_fields__)):
            raise InputError(f"the recipe is damaged: entries {odd[:5]} are missing or unknown")
        try:
            if content["version"] < VERSION:
                values["parts"] = dict(values["parts"]) | {"denoiser": NO_PART}
            return cls(**_checked(values))
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
            InputError,
        ) as error:
            raise InputError(f"the recipe is damaged: {error}") from error


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        InputError: missing, too large, not JSON, or not a recipe.
    """
    try:
        return Recipe.from_json(read_json(path, MAX_BYTES))
    except CheckpointError as error:
        raise InputError(str(error)) from error


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Turn JSON content into what `Recipe` holds."""
    for name in ("targets", "designed_for"):
        values[name] = {str(k): _wish(v, str(k)) for k, v in values[name].items()}
    values["process"] = {str(k): _limit(v, str(k)) for k, v in values["process"].items()}
    for name in ("seed", "size_px", "samples", "sample_px"):
        values[name] = _whole(values[name], name)
    if values["samples"] > MAX_SAMPLES:
        raise ValueError(f"samples is {values['samples']}; at most {MAX_SAMPLES} are made")
    parts = values["parts"]
    values["parts"] = {name: _sha256(parts[name]) for name in PARTS if parts[name] != NO_PART}
    if missing := set(PARTS) - set(values["parts"]) - {"denoiser"}:
        raise ValueError(f"its {sorted(missing)[0]} has no SHA-256")
    values["parts"].setdefault("denoiser", NO_PART)
    values["columns"] = tuple(Column(**column) for column in values["columns"])
    if values["verdict"] not in VERDICTS:
        raise ValueError(f"verdict is {values['verdict']!r}")
    values["distance"] = _number(values["distance"], "distance")
    for name in ("message", "created"):
        values[name] = text(values[name], name)
    if values["nearest"] is not None:
        values["nearest"] = {k: _number(v, k) for k, v in values["nearest"].items()}
    values["recommended"] = _predictions(values["recommended"])
    values["pictures"] = tuple(_picture(p) for p in values["pictures"])
    if not values["pictures"]:
        raise ValueError("it holds no picture")
    if values["refinement"] is not None:
        values["refinement"] = _refinement(values["refinement"])
    values["calibration"] = {str(k): text(v, str(k)) for k, v in values["calibration"].items()}
    if values["um_per_px"] is not None:
        values["um_per_px"] = _number(values["um_per_px"], "um_per_px")
    if not isinstance(values["periodic"], bool):
        raise ValueError("periodic must be true or false")
    values["versions"] = {k: text(v, k) for k, v in values["versions"].items()}
    text(values["versions"]["microdesign"], "microdesign")
    values["machine"] = {
        "hardware": text(values["machine"]["hardware"], "hardware"),
        "threads": _whole(values["machine"]["threads"], "threads"),
    }
    model = values["model"]
    values["model"] = {n: text(model[n], n) for n in ("name", "data_name", "data_sha256")} | {
        "synthetic": truth(model["synthetic"], "synthetic")
    }
    named = {column.name for column in values["columns"]}
    if strange := ({*values["targets"], *values["process"], *values["recommended"]} - named):
        raise ValueError(f"{sorted(strange)} are no columns of it")
    return values


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}, not a finite number")
    return float(value)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ValueError(f"{name} is {value!r}, not a whole number of 0 or more")
    return value


def _sha256(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError(f"{value!r} is no SHA-256")
    return value


def _wish(value: Any, name: str) -> Wish:
    if value == "highest" or value == "lowest":
        return value
    return _limit(value, name)


def _limit(value: Any, name: str) -> Limit:
    if not isinstance(value, (list, tuple)):
        return _number(value, name)
    low, high = (None if end is None else _number(end, name) for end in value)
    return low, high


def _predictions(found: Mapping[str, Any]) -> dict[str, Prediction]:
    return {
        str(name): Prediction(
            _number(entry["value"], name),
            *(None if entry[end] is None else _number(entry[end], name) for end in ("low", "high")),
        )
        for name, entry in found.items()
    }


def _refinement(found: Mapping[str, Any]) -> RefinementRecord:
    return RefinementRecord(
        steps=_whole(found["steps"], "steps"),
        tried=_whole(found["tried"], "tried"),
        aim={str(name): _number(value, str(name)) for name, value in found["aim"].items()},
        before=_number(found["before"], "before"),
        after=_number(found["after"], "after"),
        picture=_picture(found["picture"]),
    )


def _picture(found: Mapping[str, Any]) -> PictureRecord:
    height, width = found["shape"]
    return PictureRecord(
        shape=(_whole(height, "height"), _whole(width, "width")),
        seed=_whole(found["seed"], "seed"),
        sha256=_sha256(found["sha256"]),
        sha256_8bit=_sha256(found["sha256_8bit"]),
        latents=tuple(_number(v, "latents") for v in found["latents"]),
        predicted=_predictions(found["predicted"]),
    )
