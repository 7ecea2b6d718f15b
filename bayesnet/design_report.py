"""A design as one HTML page, made from its recipe and its pictures; no model is needed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesnet.demands import Wish
from bayesnet.recipe import Recipe
from bayesnet.wording import shortfall, wished
from core.exports.html import Block, Picture, Row, Said, Section, Table, Text, Tone, page
from core.exports.scale_bar import png, with_scale_bar
from core.wording import interval, quantity

VERDICTS: dict[str, tuple[str, Tone]] = {
    "feasible": ("Feasible.", "good"),
    "borderline": ("At the edge.", "caution"),
    "infeasible": ("Not feasible.", "bad"),
}
SYNTHETIC = (
    "The model was trained on simulated micrographs with computed properties, not on measured "
    "ones. The numbers show how the method works; they are not those of a real foundry."
)
METHOD = (
    "A Bayesian network ties process settings, the latents of a variational autoencoder over VGG19 "
    "texture features (TextureVAE, CEUR-WS Vol-2964, article 59, 2021) and properties together. "
    "What was asked for is its evidence; its most probable latents were decoded to the picture. "
    "The picture was then encoded again and, where the model knows properties from it, its "
    "structure measured; properties were predicted from both. "
)
REFINED = (
    "The latents were then moved to bring these same predictions to the target, and the best "
    "picture was kept: its predictions are no independent check, and their intervals are too "
    "hopeful. "
)
CHOSEN = (
    "Further samples are those whose predictions meet the target; they are no independent check "
    "either. "
)
Pixels = NDArray[np.float32]


def design_report(recipe: Recipe, pictures: Sequence[Pixels], note: str = "") -> str:
    """Return the report of a design in HTML.

    Args:
        recipe: of the design.
        pictures: (H, W) in [0, 1], the design's own (refined where it was) first, then as many
            samples as are at hand.
        note: of the user.
    """
    asked = ", ".join(_named(recipe, n, w) for n, w in recipe.targets.items())
    blocks: list[Block] = [
        Text(
            f"MicroDesign {recipe.versions['microdesign']} · designed {recipe.created} · "
            f"{recipe.model['name']}",
            small=True,
        )
    ]
    if recipe.synthetic:
        blocks.append(Said("Synthetic.", SYNTHETIC, "caution"))
    heading, tone = VERDICTS[recipe.verdict]
    blocks.append(Said(heading, recipe.message, tone))
    if note:
        blocks.append(Section("Note", [Text(line) for line in note.splitlines() if line.strip()]))
    blocks += [
        Section("Synthesised microstructure", _main_picture(recipe, pictures[0])),
        Section("Is it what was asked for?", [_found(recipe)]),
    ]
    if recipe.recommended:
        blocks.append(Section("How to make it", [_settings(recipe)]))
    if len(pictures) > 1:
        blocks.append(Section("More that should do the same", [_samples(recipe, pictures[1:])]))
    blocks += [
        Section("Method", [Text(_method(recipe, samples=len(pictures) > 1))]),
        Section("Origin", [_origin(recipe)]),
    ]
    return page(f"Design: {asked}", blocks)


def _method(recipe: Recipe, *, samples: bool) -> str:
    """Say how the design was made, and what the intervals of its predictions come from."""
    refined = recipe.refinement is not None and recipe.refinement.tried > 0
    text = METHOD + (REFINED if refined else "") + (CHOSEN if samples else "")
    columns = recipe.named
    origins = "; ".join(
        f"{columns[name].label if name in columns else name}, {origin}"
        for name, origin in recipe.calibration.items()
    )
    origins = origins or "the recipe does not say on what they were calibrated"
    return f"{text}Intervals are 90 %: {origins}."


def _named(recipe: Recipe, name: str, wish: Wish) -> str:
    column = recipe.named.get(name)
    return f"{column.label if column else name} {wished(wish, column.unit if column else '')}"


def _main_picture(recipe: Recipe, pixels: Pixels) -> list[Block]:
    height, width = recipe.shown.shape
    size, scale = f"{width} × {height} px", recipe.um_per_px
    if scale:
        size = f"{width * scale:g} × {height * scale:g} µm ({size}, {scale:g} µm per px)"
    tiles = "; opposite edges fit together" if recipe.periodic else ""
    caption = f"Synthesised, {size}, seed {recipe.seed}{tiles}."
    if found := recipe.refinement:
        caption += (
            f" Refined: residual {found.before:.2f} before, {found.after:.2f} after "
            f"{found.tried} more pictures."
        )
    alt = "Synthesised micrograph" + (" with scale bar" if scale else "")
    return [Picture(png(with_scale_bar(pixels, scale)), caption, alt)]


def _found(recipe: Recipe) -> Table:
    """Return what was asked for beside what is predicted back from the picture."""
    stands_in = recipe.designed_for != recipe.targets
    header = ["Property", "Asked for"]
    header += ["Designed for"] if stands_in else []
    rows = []
    for name, found in recipe.shown.predicted.items():
        column = recipe.named.get(name)
        label, unit = (column.label, column.unit) if column else (name, "")
        cells = [wished(recipe.targets[name], unit) if name in recipe.targets else "free"]
        goal = recipe.designed_for.get(name)
        if stands_in:
            cells.append("free" if goal is None else wished(goal, unit))
        apart = "" if goal is None else shortfall(found.value, goal, unit)
        cells += [quantity(found.value, unit), apart, interval(found, unit)]
        rows.append([label, *cells])
    return Table([*header, "Found in the picture", "Difference", "90 % interval"], rows)


def _settings(recipe: Recipe) -> Table:
    rows = []
    for name, found in recipe.recommended.items():
        column = recipe.named[name]
        limited = recipe.process.get(name)
        rows.append(
            [
                column.label,
                quantity(found.value, column.unit),
                interval(found, column.unit),
                "free" if limited is None else wished(limited, column.unit),
            ]
        )
    return Table(["Process setting", "Recommended", "90 % interval", "Limit given"], rows)


def _samples(recipe: Recipe, pictures: Sequence[Pixels]) -> Row:
    shown = []
    for place, (pixels, about) in enumerate(
        zip(pictures, recipe.pictures[1:], strict=False), start=1
    ):
        back = ", ".join(
            f"{recipe.named[n].label.lower()} {quantity(p.value, recipe.named[n].unit)} "
            f"({interval(p, recipe.named[n].unit)})"
            for n, p in about.predicted.items()
            if n in recipe.named
        )
        caption = (
            f"Sample {place}, seed {about.seed}. Read back from it, 90 % interval in brackets: "
            f"{back}."
        )
        alt = f"Synthesised micrograph, sample {place}"
        shown.append(Picture(png(with_scale_bar(pixels, recipe.um_per_px)), caption, alt, 288))
    return Row(shown)


def _origin(recipe: Recipe) -> Table:
    rows = [
        ["Data", f"{recipe.model['data_name']} (sha256 {recipe.model['data_sha256']})"],
        *([f"{name.capitalize()}, sha256", value] for name, value in recipe.parts.items()),
        ["Picture, sha256 of its grey levels", recipe.shown.sha256],
        ["Seed", str(recipe.seed)],
        ["Versions", ", ".join(f"{n} {v}" for n, v in recipe.versions.items())],
        ["Machine", f"{recipe.machine['hardware']}; {recipe.machine['threads']} threads"],
        ["To make it again", "python -m bayesnet.replay recipe.json --out DIR"],
    ]
    return Table(["What", "Which"], rows)
