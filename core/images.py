"""Micrographs from strangers: read, checked and brought to grey float32 in [0, 1]; and PNG out.

The format is told from the content, never from the name. The size is read from the header and held
against our own limits before a pixel is decoded, with Pillow's format classes directly, because
`Image.open` only warns at large sizes and raises at larger ones. Whatever goes wrong is an
`InputError` that says what, which value and what to do.
"""

import io
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import tifffile
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from core.display_name import display_name, printable
from core.errors import InputError
from core.image_format import SUFFIXES, told_format
from core.image_limits import DEFAULT_LIMITS, ImageLimits, check_size, load_bytes
from core.image_structure import check_chunks, check_rows, check_runs, check_scans
from core.pixels import LUMINANCE, decode_grey, on_white, scale, upright
from core.tiff import TiffImage, plausible_scale, read_tiff

_ORIENTATION_TAG = 0x0112
_UPRIGHT = "turned upright as the file asks (EXIF orientation {})"
_MAX_PNG_INTEGER = 2**31 - 1
_OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
# What Pillow, tifffile, zlib and numpy raise on damaged files.
_DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    NotImplementedError,
    MemoryError,
    EOFError,
    struct.error,
    zlib.error,
    tifffile.TiffFileError,
    Image.DecompressionBombError,
    Warning,  # where warnings are errors
)


@dataclass(frozen=True, slots=True, eq=False)
class Micrograph:
    """One grey image.

    Attributes:
        pixels: (H, W) float32 in [0, 1].
        name: the file's name made safe to show; never used as a path.
        um_per_px: µm per pixel, None when unknown.
        notes: what was done to the data on reading, for the user.
    """

    pixels: np.ndarray
    name: str
    um_per_px: float | None
    notes: tuple[str, ...]


def read_image(
    source: Path | bytes, name: str | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Micrograph:
    """Read a PNG, JPEG, TIFF or BMP as a grey float32 micrograph in [0, 1].

    8-bit values are divided by 255; 16-bit ones by the full scale of the smallest camera depth (8,
    10, 12, 14 or 16 bits) that holds them all. Floats in [0, 1] are kept; other floats and other
    integers are scaled by their own range. Colour becomes luminance (Rec. 601),
    transparency is laid on white, the EXIF orientation is applied, and only the first of several
    images is read. Each of these leaves a note.

    Args:
        source: a file, or the bytes of an upload.
        name: the name to show; the file's own name by default.
        limits: the largest and smallest image accepted.

    Returns:
        The micrograph; ``um_per_px`` only where the file states it reliably: ImageJ's unit, a
        microscope's tags (`core.microscope_scale`), a TIFF resolution per centimetre or a PNG's
        pHYs, each at most 20 µm per pixel.

    Raises:
        InputError: the file is missing, too large, too small, damaged, of another kind, holds NaN
            or infinity, or is a constant without a natural scale.
    """
    shown = display_name(name if name is not None else _own_name(source))
    try:
        return _read(load_bytes(source, limits), shown, limits)
    except InputError as error:
        raise InputError(f"{shown}: {error}") from error
    except _DECODE_ERRORS as error:
        detail = printable(str(error))[:200] or type(error).__name__
        raise InputError(
            f"{shown}: the image is damaged or of an unusual kind ({detail}); "
            "open it in an image program and save it as 8-bit or 16-bit PNG"
        ) from error


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Convert float pixels to 8 bits: clipped to [0, 1], times 255, rounded half to even.

    Args:
        pixels: any shape, floating point.

    Returns:
        uint8, same shape.

    Raises:
        InputError: the pixels are not floating point, or some are NaN or infinite.
    """
    pixels = np.asarray(pixels)
    if not np.issubdtype(pixels.dtype, np.floating):
        raise InputError(f"pixels are {pixels.dtype}; floats in [0, 1] are needed")
    if not np.isfinite(pixels).all():
        raise InputError(f"{int((~np.isfinite(pixels)).sum())} pixels are NaN or infinite")
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255).astype(np.uint8)


def encode_png(
    pixels: np.ndarray, um_per_px: float | None = None, text: dict[str, str] | None = None
) -> bytes:
    """Encode a grey image as an 8-bit PNG.

    Args:
        pixels: (H, W) floating point, clipped to [0, 1].
        um_per_px: µm per pixel, written as the pHYs chunk (whole pixels per metre).
        text: keyword -> value, written as tEXt (iTXt where a value is not Latin-1).

    Returns:
        The PNG file.

    Raises:
        InputError: not a two-dimensional finite float image, a scale that pHYs cannot hold
            (4.7e-4 to 1e6 µm per pixel), or a keyword that PNG does not allow.
    """
    if np.ndim(pixels) != 2 or np.size(pixels) == 0:
        raise InputError(f"pixels have the shape {np.shape(pixels)}; (H, W) is needed")
    info = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        latin = key.isascii() and key.isprintable() and key == key.strip()
        if not 1 <= len(key) <= 79 or not latin or "\0" in value:
            raise InputError(f"PNG text {printable(key)[:79]!r}: 1 to 79 plain characters, no NUL")
        info.add_text(key, value)
    options = {}
    if um_per_px is not None:
        positive = math.isfinite(um_per_px) and um_per_px > 0
        if not positive or not 1 <= 1e6 / um_per_px <= _MAX_PNG_INTEGER:
            raise InputError(f"um_per_px is {um_per_px}; 4.7e-4 to 1e6 can be written")
        options["dpi"] = (25400 / um_per_px, 25400 / um_per_px)
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(pixels)).save(buffer, format="PNG", pnginfo=info, **options)
    return buffer.getvalue()


def _own_name(source: Path | bytes) -> str:
    return "image" if isinstance(source, (bytes, bytearray, memoryview)) else Path(source).name


def _read(data: bytes, shown: str, limits: ImageLimits) -> Micrograph:
    """Decode ``data``; see `read_image`."""
    kind = told_format(data)
    notes: list[str] = []
    suffix = PurePosixPath(shown).suffix.lower()
    if suffix and SUFFIXES.get(suffix) != kind:
        notes.append(f"the name ends in {suffix}, but the content is {kind}; read as {kind}")
    if kind == "TIFF":
        page = read_tiff(data, lambda width, height: check_size(width, height, limits))
        pixels = _tiff_grey(data, page, limits, notes)
        um_per_px, several = page.um_per_px, page.more_images
    else:
        check_parts = {"PNG": check_chunks, "JPEG": check_scans}.get(kind)
        if check_parts is not None:
            check_parts(data)
        with _OPENERS[kind](io.BytesIO(data)) as image:
            check_size(*image.size, limits)
            if kind == "PNG":
                check_rows(data)
            elif kind == "BMP":
                check_runs(data, *image.size)
            if kind == "PNG" and data[24] == 16 and data[25] != 0:
                notes.append("16-bit colour in a PNG is read with 8 bits; use TIFF for full depth")
            pixels = scale(decode_grey(image, notes), notes)
            pixels = upright(pixels, _exif_orientation(image, notes))
            um_per_px = _png_scale(image) if kind == "PNG" else None
            several = int(getattr(image, "n_frames", 1)) > 1
    if several:
        notes.append("the file holds several images; only the first is read")
    pixels = np.ascontiguousarray(pixels, dtype=np.float32)
    return Micrograph(pixels, shown, um_per_px, tuple(notes))


def _tiff_grey(data: bytes, page: TiffImage, limits: ImageLimits, notes: list[str]) -> np.ndarray:
    """Return the first image of a TIFF as (H, W) float32 in [0, 1], upright."""
    if page.orientation in range(2, 9):
        notes.append(_UPRIGHT.format(page.orientation))
    if page.array is None:
        with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as image:
            check_size(*image.size, limits)  # two parsers may see two sizes
            raw = decode_grey(image, notes)
        pixels = scale(raw, notes)
        # Pillow turns the image upright itself, and inverts only what has 8 bits or fewer.
        return 1 - pixels if page.white_is_zero and raw.dtype != np.uint8 else pixels
    array = page.array
    if array.ndim == 2 or array.shape[2] <= 2:
        grey = scale(array if array.ndim == 2 else array[..., 0], notes)
        grey = 1 - grey if page.white_is_zero else grey
        colours = 1
    elif array.shape[2] <= 4:
        grey = scale(array[..., :3], notes) @ LUMINANCE
        notes.append("colour converted to luminance (Rec. 601)")
        colours = 3
    else:
        raise InputError(f"the TIFF has {array.shape[2]} samples a pixel; grey or RGB is needed")
    if array.ndim == 3 and array.shape[2] > colours:
        grey = on_white(grey, array[..., colours], page.alpha, notes)
    return upright(grey, page.orientation)


def _png_scale(image: Image.Image) -> float | None:
    """Return µm per pixel from a PNG's pHYs chunk in metres."""
    dpi = image.info.get("dpi")
    if not dpi or min(dpi) <= 0 or abs(dpi[0] / dpi[1] - 1) > 0.01:
        return None
    return plausible_scale(25400 / dpi[0])


def _exif_orientation(image: Image.Image, notes: list[str]) -> int:
    """Return the EXIF orientation, 1 when there is none; damaged EXIF leaves a note."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DECODE_ERRORS:
        notes.append("the EXIF data cannot be read; the orientation is taken as stored")
        return 1
    if value in range(2, 9):
        notes.append(_UPRIGHT.format(value))
    return value if isinstance(value, int) else 1
