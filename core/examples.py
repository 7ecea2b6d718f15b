"""Example micrographs shipped with a model: real pictures of its data set, one a look."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.dataset import DataSet, load_dataset
from core.errors import CheckpointError, InputError, MicroDesignError
from core.files import read_json, write_bytes, write_json
from core.images import Micrograph, encode_png, read_image
from core.json_values import mapping, number, text

FOLDER = "examples"
MAX_SIDE_PX = 512
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
    folder: Path, data: DataSet, looks: Mapping[str, Mapping[str, float]] = CASTING_LOOKS
) -> None:
    """Write, for each look, the micrograph of the specimen whose process is nearest to it.

    Args:
        folder: the model folder.
        data: the model's data set; its process columns must include those of ``looks``.
        looks: look -> process settings; distances are in units of the columns' ranges.

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
        distance = (((settings - [wanted[n] for n in names]) / span) ** 2).sum(axis=1)
        specimen = distance.idxmin()
        file = look.replace(" ", "_") + ".png"
        known = settings.loc[specimen].to_dict()
        entries.append(_save(folder, data, look, file, str(specimen), known))
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


def save_spread_examples(folder: Path, data: DataSet) -> None:
    """Write the micrographs of `spread_looks`, with the settings that are known of each."""
    numeric = [c.name for c in data.process if c.kind == "numeric"]
    entries = []
    for place, (look, specimen) in enumerate(spread_looks(data).items(), start=1):
        known = data.specimens.loc[specimen, numeric].dropna().to_dict()
        settings = {name: float(value) for name, value in known.items()}
        entries.append(_save(folder, data, look, f"example_{place}.png", specimen, settings))
    write_json(folder / FOLDER / "examples.json", entries)


def _save(
    folder: Path, data: DataSet, look: str, file: str, specimen: str, settings: dict[str, float]
) -> dict[str, Any]:
    """Write a specimen's first micrograph; return its entry in the list of examples."""
    row = int(np.flatnonzero((data.table["specimen"] == specimen).to_numpy())[0])
    micrograph = data.read(row)
    known = micrograph.um_per_px
    pixels = micrograph.pixels[:MAX_SIDE_PX, :MAX_SIDE_PX]
    write_bytes(folder / FOLDER / file, encode_png(pixels, known))
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


def main(argv: Sequence[str] | None = None) -> None:
    """Choose a model's example micrographs: of the castings' six looks, or spread over the data."""
    parser = argparse.ArgumentParser(prog="python -m core.examples", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--spread", action="store_true", help="over the settings of any data set")
    arguments = parser.parse_args(argv)
    save = save_spread_examples if arguments.spread else save_examples
    try:
        save(arguments.model, load_dataset(arguments.data))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
