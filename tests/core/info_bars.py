"""Pictures with information bars drawn on them, as electron microscopes do."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def with_bar(
    pixels: np.ndarray,
    rows: int,
    *,
    back: int = 0,
    fore: int = 255,
    frame: int | None = None,
    top: bool = False,
    jpeg_quality: int | None = None,
) -> np.ndarray:
    """Put a lettered bar under or over a picture.

    Args:
        pixels: (H, W) in [0, 1].
        rows: height of the bar, px.
        back, fore: grey levels of the bar and of its lettering, 0 to 255.
        frame: grey level of a line round the bar; None for none.
        top: over the picture instead of under it.
        jpeg_quality: store it as a JPEG of this quality in between; None for not.

    Returns:
        (H + rows, W) in [0, 1].
    """
    width = pixels.shape[1]
    image = Image.new("L", (width, rows), back)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(int(rows * 0.4), 8))
    draw.text((5, rows * 0.1), "15.0 kV  x500  WD 8.2 mm", fill=fore, font=font)
    draw.rectangle((width * 0.7, rows * 0.7, width * 0.95, rows * 0.8), fill=fore)
    if frame is not None:
        draw.rectangle((0, 0, width - 1, rows - 1), outline=frame, width=2)
    grey = np.rint(pixels * 255).astype(np.uint8)
    parts = [np.asarray(image), grey] if top else [grey, np.asarray(image)]
    made = np.concatenate(parts)
    if jpeg_quality is not None:
        buffer = io.BytesIO()
        Image.fromarray(made).save(buffer, format="JPEG", quality=jpeg_quality)
        made = np.asarray(Image.open(buffer))
    return made.astype(float) / 255
