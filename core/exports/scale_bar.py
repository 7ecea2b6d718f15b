"""Grey pictures with a scale bar in a strip under them."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.images import to_uint8

BAR_STEPS = (1, 2, 5)
Colour = int | tuple[int, ...]
_COLOURS: dict[str, tuple[Colour, Colour]] = {  # mode -> white, black
    "L": (255, 0),
    "LA": ((255, 255), (0, 255)),
    "RGB": ((255, 255, 255), (0, 0, 0)),
}


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


def with_scale_bar(
    pixels: np.ndarray, um_per_px: float | None, factor: int = 1, text_px: int | None = None
) -> Image.Image:
    """Put a white strip with a scale bar under a picture; without a known scale, only the picture.

    Args:
        pixels: (H, W) in [0, 1].
        um_per_px: µm per pixel.
        factor: whole enlargement of the picture.
        text_px: height of the text; more where the picture is shown smaller than it is.

    Returns:
        A grey picture, the given pixels on top, unchanged.
    """
    scale = um_per_px / factor if um_per_px else None
    return bar_below(grey(pixels, factor), scale, text_px=text_px)


def bar_below(
    image: Image.Image,
    um_per_px: float | None,
    part_px: int | None = None,
    text_px: int | None = None,
) -> Image.Image:
    """Put a white strip with a scale bar under a finished picture; without a scale, nothing.

    Args:
        image: of mode L, LA or RGB.
        um_per_px: µm per pixel of this very picture.
        part_px: the bar takes at most a third of it; by default of the picture's width.
        text_px: height of the text; by default it follows from the width.
    """
    if not um_per_px:
        return image
    part_px = part_px or image.width
    length = bar_length_um(part_px * um_per_px)
    bar_px = round(length / um_per_px)
    size = text_px or max(11, round(part_px / 26))
    strip = round(size * 1.9)
    white, black = _COLOURS[image.mode]
    result = Image.new(image.mode, (image.width, image.height + strip), white)
    result.paste(image, (0, 0))
    draw = ImageDraw.Draw(result)
    middle = image.height + strip // 2
    left, thick = size // 2, max(2, size // 5)
    box = (left, middle - thick // 2, left + bar_px - 1, middle + (thick + 1) // 2 - 1)
    draw.rectangle(box, fill=black)
    _write_um(draw, (left + bar_px + size // 2, middle), f"{length:g}", size, black)
    return result


def _write_um(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], value: str, size: int, black: Colour
) -> None:
    """Write ``value`` and µm; Pillow's own font has no µ, so it is a u with a tail."""
    font = ImageFont.load_default(size)
    draw.text(at, value, font=font, fill=black, anchor="lm")
    x = at[0] + draw.textlength(value, font=font) + size * 0.4
    draw.text((x, at[1]), "um", font=font, fill=black, anchor="lm")
    box = draw.textbbox((x, at[1]), "u", font=font, anchor="lm")
    stem = max(1, round(size * 0.085))
    draw.rectangle((box[0], box[1], box[0] + stem - 1, box[3] + round(size * 0.22)), fill=black)
