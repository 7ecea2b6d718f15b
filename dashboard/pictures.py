"""Pure functions from grey arrays to pictures for the screen: pairs, marked patches, thumbnails."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.exports.scale_bar import bar_below, bar_length_um, grey, png, with_scale_bar
from core.images import to_uint8

__all__ = [
    "bar_below",
    "bar_length_um",
    "data_uri",
    "grey",
    "marked",
    "on_screen",
    "png",
    "side_by_side",
    "thumbnail",
    "with_rows_shaded",
    "with_scale_bar",
]

PREVIEW_PX = 900
BAR_PREVIEW_PX = 480
THUMBNAIL_QUALITY = 85  # of JPEG: details of 2 px stay, at a third of the bytes of PNG
QUICK = 1  # compression of PNG; the usual 6 makes them 15 % smaller and takes up to thrice the time
GAP = 6
PAIR_TEXT_PX = 20  # pairs are shown at about half their size
MARKS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7")  # Okabe and Ito


def side_by_side(
    pictures: Sequence[np.ndarray], factor: int = 2, um_per_px: float | None = None
) -> Image.Image:
    """Put pictures (H, W) of one height side by side, with a transparent gap between them.

    With a scale, a bar stands below.
    """
    images = [grey(p, factor) for p in pictures]
    width = sum(i.width for i in images) + GAP * (len(images) - 1)
    result = Image.new("LA", (width, images[0].height), (0, 0))
    left = 0
    for image in images:
        result.paste(image.convert("LA"), (left, 0))
        left += image.width + GAP
    scale = um_per_px / factor if um_per_px else None
    return bar_below(result, scale, images[0].width, PAIR_TEXT_PX)


def marked(
    pixels: np.ndarray, corners: np.ndarray, size: int, um_per_px: float | None = None
) -> Image.Image:
    """Return a micrograph, made smaller where it is large, with numbered squares on its patches.

    Args:
        pixels: (H, W) in [0, 1].
        corners: (n, 2) upper left corners (row, column) in px.
        size: side of a patch in px.
        um_per_px: scale of the micrograph; a bar stands below where it is known.
    """
    image = grey(pixels)
    scale = min(1.0, PREVIEW_PX / max(image.size))
    if scale < 1:
        shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(shape, Image.Resampling.LANCZOS)
    result = image.convert("RGB")
    draw = ImageDraw.Draw(result)
    size_pt = max(16, round(max(result.size) / 24))
    font = ImageFont.load_default(size_pt)
    for place, (row, column) in enumerate(corners):
        colour = MARKS[place % len(MARKS)]
        left, top = column * scale, row * scale
        box = (left, top, left + size * scale - 1, top + size * scale - 1)
        draw.rectangle(box, outline=colour, width=max(2, round(max(result.size) / 250)))
        draw.rectangle((left, top, left + size_pt * 1.1, top + size_pt * 1.2), fill=colour)
        middle = (left + size_pt * 0.55, top + size_pt * 0.6)
        draw.text(middle, str(place + 1), font=font, fill="black", anchor="mm")
    return bar_below(result, um_per_px / scale if um_per_px else None)


def with_rows_shaded(
    pixels: np.ndarray, top: int, bottom: int, um_per_px: float | None = None
) -> Image.Image:
    """Return a micrograph, made smaller where it is large, with rows at its edges tinted.

    Args:
        pixels: (H, W) in [0, 1].
        top, bottom: how many rows.
        um_per_px: scale of the micrograph; a bar stands below where it is known.
    """
    tinted = np.repeat(to_uint8(pixels)[..., None], 3, axis=2)
    kept = np.arange(len(tinted))
    away = (kept < top) | (kept >= len(tinted) - bottom)
    tinted[away] = tinted[away] // 2 + np.array((107, 47, 0), dtype=np.uint8)  # vermillion, halved
    image = Image.fromarray(tinted)
    image.thumbnail((BAR_PREVIEW_PX, BAR_PREVIEW_PX), Image.Resampling.LANCZOS)
    scale = image.width / pixels.shape[1]
    return bar_below(image, um_per_px / scale if um_per_px else None)


def on_screen(image: Image.Image, width_px: int) -> bytes:
    """Return a picture as PNG of the width that it is shown at, at most.

    What Streamlit is given wider it decodes, makes smaller and encodes again, at every visit.
    """
    if image.width > width_px:
        height_px = max(1, round(image.height * width_px / image.width))
        image = image.resize((width_px, height_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=QUICK)
    return buffer.getvalue()


def data_uri(image: Image.Image, width_px: int) -> str:
    """Return a picture as `on_screen` does, as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(on_screen(image, width_px)).decode()}"


def thumbnail(pixels: np.ndarray, um_per_px: float | None, width_px: int) -> bytes:
    """Return a small JPEG of a picture, for lists; what is measured or kept is the picture itself.

    Args:
        pixels: (H, W) in [0, 1].
        um_per_px: scale of the picture; a bar at the thumbnail's own scale stands below where it is
            known.
        width_px: of the thumbnail; a narrower picture is not enlarged.
    """
    image = grey(pixels)
    shrink = max(image.width / width_px, 1.0)
    if shrink > 1:
        shape = (width_px, max(1, round(image.height / shrink)))
        image = image.resize(shape, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    below = bar_below(image, um_per_px * shrink if um_per_px else None)
    below.save(buffer, format="JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()
