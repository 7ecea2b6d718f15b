"""Example micrographs shipped with a model: real pictures of its data set, one a look.

Where it is known what is usual for the model, an example is a picture that it calls usual: of the
few that fit a look best, the first that is not beyond the limit.
"""

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.checkpoint import load_model
from core.dataset import DataSet, load_dataset
from core.errors import CheckpointError, InputError, MicroDesignError
from core.evaluate import judge_micrograph
from core.files import read_json, write_bytes, write_json
from core.images import Micrograph, encode_png, read_image
from core.json_values import mapping, number, text
from core.reference_file import FILE as REFERENCE
from core.reference_file import load_reference
from core.unusual import LIMIT

logger = logging.getLogger(__name__)
Distance = Callable[[Micrograph], float]

FOLDER = "examples"
MAX_SIDE_PX = 512
CANDIDATES = 8  # pictures tried for a look
SPREAD = 6  # examples of a data set that is not the reference castings

# The six looks of the paper's figure 3, as process settings of the reference castings.
CASTING_LOOKS: dict[str, dict[str, float]] = {
    "small dense spheres": {"mg_wt": 0.045, "radius_mm": 10, "ce_pct": 4.5},
    "small sparse spheres": {"mg_wt": 0.045, "radius_mm": 10, "ce_pct": 3.45},
    "large spheres": {"mg_wt": 0.045, "radius_mm": 50, "ce_pct": 4.3},
    "intermediate": {"mg_wt": 0.020, "radius_mm": 24, "ce_pct": 4.3},
    "fine flakes": {"mg_wt": 0.0, "radius_mm": 12, "ce_pct": 4.3},
    "thick flakes": {"mg_wt": 0.0, "radius_mm": 48, "ce_pct": 4.4},
}


@dataclass(frozen=True, slots=True)
class Example:
    """An example micrograph: what it looks like, its specimen and its process settings."""

    look: str
    specimen: str
    micrograph: Micrograph
    settings: dict[str, float]


def save_examples(
    folder: Path,
    data: DataSet,
    looks: Mapping[str, Mapping[str, float]] = CASTING_LOOKS,
    distance: Distance | None = None,
) -> None:
    """Write, for each look, the micrograph of the specimen whose process is nearest to it.

    With ``distance``, of the nearest `CANDIDATES` pictures the first that is usual.

    Args:
        folder: the model folder.
        data: the model's data set; its process columns must include those of ``looks``.
        looks: look -> process settings; distances are in units of the columns' ranges.
        distance: how far a micrograph lies from what is usual, over the limit.

    Raises:
        InputError: the data set lacks a process column that the looks name.
    """
    names = list(next(iter(looks.values())))
    missing = [name for name in names if name not in data.specimens]
    if missing:
        raise InputError(
            f"the data set has no process column {missing[0]!r} to choose examples by: --spread "
            "chooses by those that it has"
        )
    settings = data.specimens[names].astype(float)
    span = (settings.max() - settings.min()).replace(0, 1)
    entries = []
    for look, wanted in looks.items():
        off = (((settings - [wanted[n] for n in names]) / span) ** 2).sum(axis=1)
        near = [str(name) for name in off.sort_values(kind="stable").index]
        row = _choose(data, look, near, distance)
        known = settings.loc[str(data.table["specimen"].iloc[row])].to_dict()
        entries.append(_save(folder, data, look, look.replace(" ", "_") + ".png", row, known))
    write_json(folder / FOLDER / "examples.json", entries)


def spread_looks(data: DataSet, count: int = SPREAD) -> dict[str, str]:
    """Choose specimens that differ most in their settings: look -> specimen.

    The first is nearest to the middle, each further one farthest from those before, in units of the
    columns' ranges. Without a process setting in numbers the specimens are taken evenly in order.
    """
    names = [str(name) for name in data.specimens.index]
    numeric = [c.name for c in data.process if c.kind == "numeric"]
    settings = data.specimens[numeric].astype(float)
    settings = settings.loc[:, settings.notna().any()]
    span = (settings.max() - settings.min()).replace(0, 1)
    points = ((settings - settings.min()) / span).fillna(0.5).to_numpy()  # (S, P)
    if points.shape[1] == 0:
        places = np.unique(np.linspace(0, len(names) - 1, count).round().astype(int))
        return {names[i]: names[i] for i in places}
    chosen = [int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))]
    while len(chosen) < min(count, len(names)):
        gaps = ((points[:, None] - points[chosen]) ** 2).sum(axis=2).min(axis=1)
        gaps[chosen] = -1.0
        chosen.append(int(gaps.argmax()))
    return {names[i]: names[i] for i in chosen}


def save_spread_examples(folder: Path, data: DataSet, distance: Distance | None = None) -> None:
    """Write the micrographs of `spread_looks`, with the settings that are known of each.

    With ``distance``, of each specimen's pictures the first that is usual.
    """
    numeric = [c.name for c in data.process if c.kind == "numeric"]
    entries = []
    for place, (look, specimen) in enumerate(spread_looks(data).items(), start=1):
        known = data.specimens.loc[specimen, numeric].dropna().to_dict()
        settings = {name: float(value) for name, value in known.items()}
        row = _choose(data, look, [specimen], distance)
        entries.append(_save(folder, data, look, f"example_{place}.png", row, settings))
    write_json(folder / FOLDER / "examples.json", entries)


def _choose(data: DataSet, look: str, specimens: Sequence[str], distance: Distance | None) -> int:
    """Return the row of the first picture of these specimens that is usual, else the least unusual.

    Args:
        data: the model's data set.
        look: for the log.
        specimens: best first; `CANDIDATES` of their pictures are tried.
        distance: None to take the first picture.
    """
    owner = data.table["specimen"].astype(str).to_numpy()
    rows = [int(row) for name in specimens for row in np.flatnonzero(owner == name)]
    if distance is None:
        return rows[0]
    tried: dict[int, float] = {}
    for row in rows[:CANDIDATES]:
        tried[row] = distance(_shown(data, row))
        if tried[row] <= LIMIT:
            return row
    best = min(tried, key=lambda row: tried[row])
    logger.warning(
        "%s: none of %d pictures is usual; the nearest, of specimen %s, has %.2f of the limit",
        look,
        len(tried),
        owner[best],
        tried[best],
    )
    return best


def _shown(data: DataSet, row: int) -> Micrograph:
    """Return the part of a micrograph that an example shows."""
    whole = data.read(row)
    return replace(whole, pixels=whole.pixels[:MAX_SIDE_PX, :MAX_SIDE_PX])


def _save(
    folder: Path, data: DataSet, look: str, file: str, row: int, settings: dict[str, float]
) -> dict[str, Any]:
    """Write a micrograph; return its entry in the list of examples."""
    micrograph = _shown(data, row)
    known = micrograph.um_per_px
    write_bytes(folder / FOLDER / file, encode_png(micrograph.pixels, known))
    specimen = str(data.table["specimen"].iloc[row])
    entry = {"look": look, "file": file, "specimen": specimen, "um_per_px": known}
    return entry | {"settings": settings}


def load_examples(folder: Path) -> tuple[Example, ...]:
    """Read the examples of a model folder; none is not an error.

    Raises:
        CheckpointError: the list of examples is damaged.
    """
    listing = folder / FOLDER / "examples.json"
    if not listing.is_file():
        return ()
    examples = []
    try:
        for entry in read_json(listing):
            path = folder / FOLDER / Path(text(entry["file"], "file")).name
            found = read_image(path, entry["file"])
            look, specimen = (text(entry[name], name) for name in ("look", "specimen"))
            scale = entry["um_per_px"]
            scale = None if scale is None else number(scale, "um_per_px", 1e-9)
            settings = mapping(entry["settings"], "settings").items()
            known = {name: number(value, name) for name, value in settings}
            examples.append(
                Example(look, specimen, Micrograph(found.pixels, look, scale, ()), known)
            )
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise CheckpointError(f"{listing} is damaged: {error}; run core.examples again") from error
    return tuple(examples)


def _distance(folder: Path) -> Distance | None:
    """Return how a model judges micrographs; None where it is not known what is usual for it."""
    if not (folder / REFERENCE).is_file():
        logger.warning("%s has no %s: examples may be called unusual", folder, REFERENCE)
        return None
    loaded, reference = load_model(folder), load_reference(folder)
    return lambda micrograph: judge_micrograph(loaded, reference, micrograph).distance


def main(argv: Sequence[str] | None = None) -> None:
    """Choose a model's example micrographs: of the castings' six looks, or spread over the data."""
    parser = argparse.ArgumentParser(prog="python -m core.examples", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--spread", action="store_true", help="over the settings of any data set")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        data, distance = load_dataset(arguments.data), _distance(arguments.model)
        if arguments.spread:
            save_spread_examples(arguments.model, data, distance)
        else:
            save_examples(arguments.model, data, distance=distance)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
