"""One picture of what a model can do: ``python -m core.contact_sheet --model DIR --out FILE``.

One column a look of the model's examples. Rows: the micrograph, its patches reconstructed (the
paper's figure 4), the middle of a large synthesised field and the whole of it; then patches decoded
from the prior (figure 5) and from latents of the data, side by side because a good model's look
alike.
"""

import argparse
import io
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.measure import block_reduce

from core.checkpoint import LoadedModel, load_model
from core.encode import load_latents
from core.errors import InputError, MicroDesignError
from core.examples import load_examples
from core.files import write_bytes
from core.images import to_uint8
from core.patches import cut_patches
from core.scale import to_scale
from core.synthesis import encode_patches, reconstruct, scatter_cells, synthesise

FIELD_PX = 1024  # synthesised
ROWS = (
    "micrograph",
    "reconstructed",
    f"middle of a {FIELD_PX} px field",
    f"the whole {FIELD_PX} px field, a quarter of its size",
)
SAMPLE_ROWS = ("from the prior", "from the data's latents")
MARGIN_PX = 18
logger = logging.getLogger(__name__)

Pictures = NDArray[np.float32]


def column(loaded: LoadedModel, pixels: Pictures, seed: int) -> list[Pictures]:
    """Return a micrograph's middle, its reconstruction, a field's middle and the whole of it.

    Args:
        loaded: the model.
        pixels: (H, W) in [0, 1] at the model's scale, four patches wide and high.
        seed: of the decoder's noise.

    Returns:
        Four pictures, two patches wide and high.

    Raises:
        InputError: the micrograph is too small.
    """
    size = loaded.config.patch_px
    if min(pixels.shape) < 4 * size:
        raise InputError(f"an example of {pixels.shape} px is too small; {4 * size} px are needed")
    patches = cut_patches(pixels[: 4 * size, : 4 * size], size, size)
    mu = encode_patches(loaded, patches)[0]
    shown = [5, 6, 9, 10]  # the middle four of 4 x 4
    remade = reconstruct(loaded, patches[shown], seed)
    mean = mu.mean(axis=0)
    cells = scatter_cells(mean, mu - mean, FIELD_PX, FIELD_PX, size, seed)
    field = synthesise(loaded, cells, FIELD_PX, FIELD_PX, seed)
    middle = slice(FIELD_PX // 2 - size, FIELD_PX // 2 + size)
    whole = block_reduce(field, FIELD_PX // (2 * size), np.mean)
    return [_square(patches[shown]), _square(remade), field[middle, middle], whole]


def samples(loaded: LoadedModel, count: int, seed: int) -> list[list[Pictures]]:
    """Return ``count`` patches decoded from the prior, and as many from the data's latents."""
    rng, size = np.random.default_rng(seed), loaded.config.patch_px
    known = load_latents(loaded.path / "latents").mu
    latents = (
        rng.standard_normal((count, loaded.config.latents)).astype(np.float32),
        known[rng.choice(len(known), count)],
    )
    return [
        [synthesise(loaded, z, size, size, seed + place) for place, z in enumerate(row)]
        for row in latents
    ]


def contact_sheet(loaded: LoadedModel, seed: int = 0) -> Image.Image:
    """Return the sheet of a model with examples and cached latents.

    Raises:
        CheckpointError, InputError: the model has no latents or no examples.
    """
    examples = load_examples(loaded.path)
    if not examples:
        raise InputError(f"{loaded.path} has no examples: run python -m core.examples first")
    columns = []
    for example in examples:
        pixels, _ = to_scale(example.micrograph, loaded.um_per_px)
        columns.append(column(loaded, pixels, seed))
        logger.info("%s", example.look)
    size = loaded.config.patch_px
    rows = [list(row) for row in zip(*columns, strict=True)]
    rows += samples(loaded, 2 * len(examples), seed)
    heights = [2 * size] * len(ROWS) + [size] * len(SAMPLE_ROWS)
    height = sum(heights) + MARGIN_PX * len(rows)
    sheet = Image.new("L", (2 * size * len(examples), height), 255)
    draw, top = ImageDraw.Draw(sheet), 0
    simulated = " (synthetic)" if loaded.manifest.get("synthetic") else ""
    for title, pictures, step in zip((*ROWS, *SAMPLE_ROWS), rows, heights, strict=True):
        draw.text((4, top + 3), title + (simulated if title == ROWS[0] else ""), fill=0)
        if title == ROWS[0]:
            for place, example in enumerate(examples):
                draw.text((2 * size * place + 150, top + 3), example.look, fill=0)
        for place, picture in enumerate(pictures):
            left = place * picture.shape[1]
            sheet.paste(Image.fromarray(to_uint8(picture)), (left, top + MARGIN_PX))
        top += step + MARGIN_PX
    return sheet


def _square(patches: Pictures) -> Pictures:
    return np.block([[patches[0], patches[1]], [patches[2], patches[3]]])


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the contact sheet of a model."""
    parser = argparse.ArgumentParser(prog="python -m core.contact_sheet", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JPEG or PNG")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    kind = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}.get(arguments.out.suffix.lower())
    if kind is None:
        parser.error(f"--out {arguments.out}: the name must end in .png, .jpg or .jpeg")
    try:
        buffer = io.BytesIO()
        contact_sheet(load_model(arguments.model), arguments.seed).save(buffer, kind, quality=88)
        write_bytes(arguments.out, buffer.getvalue())
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", arguments.out)


if __name__ == "__main__":
    main()
