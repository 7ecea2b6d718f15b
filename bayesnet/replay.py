"""Make a saved design again: ``python -m bayesnet.replay recipe.json --out DIR``.

Writes the pictures (PNG and 16-bit TIFF), the recipe of what was made now and a report, and says
whether the pictures are the recorded ones bit for bit. Exit status: 0 they are, 1 they differ, 2
the recipe cannot be replayed here.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bayesnet.design import Design, design
from bayesnet.design_files import picture_files
from bayesnet.design_report import design_report
from bayesnet.network import Network
from bayesnet.recipe import Recipe, load_recipe
from bayesnet.recording import parts_of, record
from bayesnet.refine import Refinement, refine
from core.checkpoint import load_model
from core.encode import load_latents
from core.errors import CheckpointError, MicroDesignError
from core.files import write_bytes, write_text
from core.properties import PropertyModel

SHIPPED = Path(__file__).resolve().parents[1] / "assets" / "reference"
_FITTED = "give the folder that holds that fit with --fitted (in the workspace: networks/ID)"
REMEDIES = {
    "model": "give the folder of its model with --model",
    "network": _FITTED,
    "properties": _FITTED,
    "latents": "the data set was encoded anew since; give the folder of the old model with --model",
    "denoiser": "give the folder of the model as it was with --model: its denoiser was trained, or "
    "trained anew, or removed since",
}


@dataclass(frozen=True, slots=True)
class Replay:
    """A design made again.

    Attributes:
        design: as made now; recipe: of it.
        same: whether every picture is the recorded one, bit for bit.
        differences: what is not as recorded, in words.
        refinement: of the design, where the recipe has one.
    """

    design: Design
    recipe: Recipe
    same: bool
    differences: tuple[str, ...]
    refinement: Refinement | None = None


def check_parts(recipe: Recipe, here: Mapping[str, str], model: Path) -> None:
    """Refuse parts that the recipe was not made with.

    Raises:
        CheckpointError: one is another one; the message says which and what to do.
    """
    for name, wanted in recipe.parts.items():
        if here[name] != wanted:
            raise CheckpointError(
                f"the recipe was made with another {name} than the one in {model}: it names the "
                f"model {recipe.model['name']!r} and for the {name} sha256 {wanted[:16]}, here is "
                f"{here[name][:16]}; {REMEDIES[name]}"
            )


def replay(recipe: Recipe, model: Path, fitted: Path | None = None) -> Replay:
    """Make a recipe's design again with the parts that it was made with.

    Args:
        recipe: what to make.
        model: the model folder.
        fitted: folder of network and property models, the model folder by default.

    Raises:
        CheckpointError: a part is missing, damaged or another one than the recipe's.
        InputError: targets, limits or sizes cannot be used.
    """
    parts = parts_of(model, fitted)
    check_parts(recipe, parts, model)
    loaded = load_model(model)
    network = Network.load((fitted or model) / "network.json")
    properties = PropertyModel.load((fitted or model) / "properties.json")
    made = design(
        loaded,
        network,
        properties,
        recipe.targets,
        recipe.process,
        size_px=recipe.size_px,
        n_samples=recipe.samples,
        sample_px=recipe.sample_px,
        seed=recipe.seed,
    )
    better = None
    if recipe.refinement is not None:
        better = refine(
            loaded,
            network,
            properties,
            load_latents(loaded.path / "latents"),
            made.main,
            made.answer.conditioned_on,
            made.answer.regimes,
            steps=recipe.refinement.steps,
        )
    name = recipe.model["name"]
    now = record(made, loaded, network, parts, recipe.sample_px, name, better)
    same, differences = compare(recipe, now)
    return Replay(made, now, same, differences, better)


def compare(recorded: Recipe, now: Recipe) -> tuple[bool, tuple[str, ...]]:
    """Return whether all pictures are the same bit for bit, and what differs, in words."""
    differences = []
    for place, (old, new) in enumerate(zip(recorded.pictures, now.pictures, strict=False)):
        if old.sha256 != new.sha256:
            name = "the picture" if place == 0 else f"sample {place}"
            eight = "also" if old.sha256_8bit != new.sha256_8bit else "not"
            differences.append(f"{name} differs, {eight} in its 8-bit grey levels")
    if recorded.refinement and now.refinement:
        before, after = recorded.refinement.picture, now.refinement.picture
        if before.sha256 != after.sha256:
            eight = "also" if before.sha256_8bit != after.sha256_8bit else "not"
            differences.append(f"the refined picture differs, {eight} in its 8-bit grey levels")
    if len(recorded.pictures) != len(now.pictures):
        differences.append(f"{len(now.pictures)} pictures instead of {len(recorded.pictures)}")
    same = not differences
    for name, old_version in recorded.versions.items():
        if (version := now.versions.get(name)) != old_version:
            differences.append(f"{name} is {version} here, was {old_version}")
    for name, was in recorded.machine.items():
        if not same and now.machine[name] != was:
            differences.append(f"{name}: {now.machine[name]} here, was {was}")
    return same, tuple(differences)


def write_design(
    folder: Path, made: Design, recipe: Recipe, better: Refinement | None = None
) -> list[Path]:
    """Write a design's pictures, recipe and report; return the files."""
    pictures = [picture.pixels for picture in made.pictures]
    if better is not None:
        pictures[0] = better.picture.pixels
    written = []
    for name, content in picture_files(made, recipe, better).items():
        write_bytes(folder / name, content)
        written.append(folder / name)
    write_text(folder / "report.html", design_report(recipe, pictures))
    write_text(folder / "recipe.json", json.dumps(recipe.to_json(), indent=2, allow_nan=False))
    return [*written, folder / "report.html", folder / "recipe.json"]


def main(argv: Sequence[str] | None = None) -> int:
    """Make the design of a recipe again and say whether it is the same; returns the status."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.replay", description=main.__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for what is made")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="model folder")
    parser.add_argument("--fitted", type=Path, help="folder of another fit: network, properties")
    arguments = parser.parse_args(argv)
    try:
        recipe = load_recipe(arguments.recipe)
        # The order of sums hangs on the number of threads: 1e-5 of the grey range from 1 to 2.
        torch.set_num_threads(max(1, min(recipe.machine["threads"], os.cpu_count() or 1)))
        made = replay(recipe, arguments.model, arguments.fitted)
        files = write_design(arguments.out, made.design, made.recipe, made.refinement)
    except (MicroDesignError, OSError) as error:
        parser.exit(2, f"{error}\n")
    for line in (*map(str, files), *made.differences):
        print(line)
    count = len(made.recipe.pictures) + (made.recipe.refinement is not None)
    print(
        f"all {count} pictures are as recorded, bit for bit"
        if made.same
        else "not the same pictures"
    )
    return 0 if made.same else 1


if __name__ == "__main__":
    raise SystemExit(main())
