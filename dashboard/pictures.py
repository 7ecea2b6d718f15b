"""Pure functions from grey arrays to pictures for the screen: scale bars, pairs, marked patches."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.images import to_uint8

BAR_STEPS = (1, 2, 5)
PREVIEW_PX = 900
BAR_PREVIEW_PX = 480
GAP = 6
MARKS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7")  # Okabe and Ito


def png(image: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def grey(pixels: np.ndarray, factor: int = 1) -> Image.Image:
    """Turn pixels (H, W) in [0, 1] into a picture, enlarged by a whole factor."""
    image = Image.fromarray(to_uint8(pixels))
    if factor == 1:
        return image
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)


def bar_length_um(width_um: float) -> float:
    """Return the largest 1, 2, 5 x 10^n µm that is at most a third of the picture's width.

    >>> bar_length_um(512), bar_length_um(128), bar_length_um(2.4)
    (100.0, 20.0, 0.5)
    """
    room = width_um / 3
    power = 10.0 ** np.floor(np.log10(room))
    return float(max(step * power for step in BAR_STEPS if step * power <= room * (1 + 1e-9)))


def with_scale_bar(pixels: np.ndarray, um_per_px: float | None, factor: int = 1) -> Image.Image:
    """Put a white strip with a scale bar under a picture; without a known scale, only the picture.

    Args:
        pixels: (H, W) in [0, 1].
        um_per_px: µm per pixel.
        factor: whole enlargement of the picture.

    Returns:
        A grey picture, the given pixels on top, unchanged.
    """
    image = grey(pixels, factor)
    if not um_per_px:
        return image
    length = bar_length_um(image.width / factor * um_per_px)
    bar_px = round(length / um_per_px * factor)
    size = max(11, round(image.width / 26))
    strip = round(size * 1.9)
    result = Image.new("L", (image.width, image.height + strip), 255)
    result.paste(image, (0, 0))
    draw = ImageDraw.Draw(result)
    middle = image.height + strip // 2
    left, thick = size // 2, max(2, size // 5)
    draw.rectangle(
        (left, middle - thick // 2, left + bar_px - 1, middle + (thick + 1) // 2 - 1), fill=0
    )
    _write_um(draw, (left + bar_px + size // 2, middle), f"{length:g}", size)
    return result


def _write_um(draw: ImageDraw.ImageDraw, at: tuple[int, int], value: str, size: int) -> None:
    """Write ``value`` and µm; Pillow's own font has no µ, so it is a u with a tail."""
    font = ImageFont.load_default(size)
    draw.text(at, value, font=font, fill=0, anchor="lm")
    x = at[0] + draw.textlength(value, font=font) + size * 0.4
    draw.text((x, at[1]), "um", font=font, fill=0, anchor="lm")
    box = draw.textbbox((x, at[1]), "u", font=font, anchor="lm")
    stem = max(1, round(size * 0.085))
    draw.rectangle((box[0], box[1], box[0] + stem - 1, box[3] + round(size * 0.22)), fill=0)


def side_by_side(pictures: Sequence[np.ndarray], factor: int = 2) -> Image.Image:
    """Put pictures (H, W) of one height side by side, with a transparent gap between them."""
    images = [grey(p, factor) for p in pictures]
    width = sum(i.width for i in images) + GAP * (len(images) - 1)
    result = Image.new("LA", (width, images[0].height), (0, 0))
    left = 0
    for image in images:
        result.paste(image.convert("LA"), (left, 0))
        left += image.width + GAP
    return result


def marked(pixels: np.ndarray, corners: np.ndarray, size: int) -> Image.Image:
    """Return a micrograph, made smaller where it is large, with numbered squares on its patches.

    Args:
        pixels: (H, W) in [0, 1].
        corners: (n, 2) upper left corners (row, column) in px.
        size: side of a patch in px.
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
    return result


def with_rows_shaded(pixels: np.ndarray, top: int, bottom: int) -> Image.Image:
    """Return a micrograph, made smaller where it is large, with rows at its edges tinted.

    Args:
        pixels: (H, W) in [0, 1].
        top, bottom: how many rows.
    """
    tinted = np.repeat(to_uint8(pixels)[..., None], 3, axis=2)
    kept = np.arange(len(tinted))
    away = (kept < top) | (kept >= len(tinted) - bottom)
    tinted[away] = tinted[away] // 2 + np.array((107, 47, 0), dtype=np.uint8)  # vermillion, halved
    image = Image.fromarray(tinted)
    image.thumbnail((BAR_PREVIEW_PX, BAR_PREVIEW_PX), Image.Resampling.LANCZOS)
    return image
