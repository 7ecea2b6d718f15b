"""A design's pictures as files: the most probable one, its samples, and the refined one."""

import io
import zipfile

from bayesnet.design import Design
from bayesnet.recipe import Recipe
from bayesnet.recording import picture_text
from bayesnet.refine import Refinement
from core.exports.tiff16 import encode_tiff16
from core.images import encode_png


def picture_files(
    design: Design, recipe: Recipe, better: Refinement | None = None
) -> dict[str, bytes]:
    """Return every picture as PNG and 16-bit TIFF by file name, with scale and origin inside.

    Args:
        design: with its samples; recipe: of it.
        better: the refined design, where it was refined.
    """
    named = [
        ("picture" if place == 0 else f"sample_{place}", place, picture)
        for place, picture in enumerate(design.pictures)
    ]
    if better is not None:
        named.append(("refined", 0, better.picture))
    files = {}
    for stem, place, picture in named:
        text = picture_text(recipe, place, refined=stem == "refined")
        for suffix, encode in ((".png", encode_png), (".tif", encode_tiff16)):
            files[stem + suffix] = encode(picture.pixels, recipe.um_per_px, text)
    return files


def picture_zip(design: Design, recipe: Recipe, better: Refinement | None = None) -> bytes:
    """Return `picture_files` as one ZIP file; the same design, the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # PNG and TIFF hardly get smaller
        for name, content in picture_files(design, recipe, better).items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()
