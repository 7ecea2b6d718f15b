"""Header, scale and deep pixels of TIFF files, by tifffile.

Pillow decodes what its libtiff knows (8 bits, palette, CCITT, JPEG, LZW); it cannot read 16-bit
colour at full depth nor every float, and its header parser hides the scale. This module reads the
header, says who decodes, and decodes the deep images itself. tifffile pads missing data with zeros
and inflates without a limit: both are checked here before it decodes.
"""

import io
import math
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

from core.errors import InputError
from core.microscope_scale import microscope_scale, unit_in_um
from core.tiff_structure import MAX_DECODED_BYTES, check_directory

_UNCOMPRESSED = 1
_DEFLATE = (8, 32946)
_WHITE_IS_ZERO = 0
_SEPARATE_PLANES = 2
_PREMULTIPLIED, _ALPHA = 1, 2
_UNIT_CM = 3
# 1200 dots per inch is 21 µm a pixel: coarser values are print resolutions, not scales.
FINEST_UM_PER_PX, COARSEST_UM_PER_PX = 1e-5, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffImage:
    """The first image of a TIFF file.

    Attributes:
        array: (H, W) or (H, W, S) as stored, native byte order; None when Pillow should decode.
        white_is_zero: grey values count down from white.
        alpha: "none", "straight", "premultiplied" or "unknown" for the sample after grey or RGB.
        orientation: EXIF orientation, 1 to 8.
        um_per_px: µm per pixel, None when the file does not say reliably.
        more_images: the file holds further images, which are not read.
    """

    array: np.ndarray | None
    white_is_zero: bool
    alpha: str
    orientation: int
    um_per_px: float | None
    more_images: bool


def plausible_scale(um_per_px: float) -> float | None:
    """Return µm per pixel when it can be a micrograph's scale, None for a print resolution."""
    if math.isfinite(um_per_px) and FINEST_UM_PER_PX <= um_per_px <= COARSEST_UM_PER_PX:
        return um_per_px
    return None


def read_tiff(data: bytes, check_size: Callable[[int, int], None]) -> TiffImage:
    """Read the first image of a TIFF file held in memory.

    Args:
        data: the file.
        check_size: called with width and height in px before any pixel is decoded.

    Raises:
        InputError: the layout is not that of a single grey or colour image, or data are missing.
        Exception: tifffile's own errors on damaged files (`core.images` turns them to InputError).
    """
    more = check_directory(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            raise InputError("the TIFF holds no image; export it as a plain TIFF or PNG")
        check_size(page.imagewidth, page.imagelength)
        if page.imagedepth != 1 or not 1 <= page.samplesperpixel <= 5:
            raise InputError(
                f"the TIFF has depth {page.imagedepth} and {page.samplesperpixel} samples a pixel; "
                "a single grey or colour image is needed"
            )
        array = _decode(page, len(data)) if _is_deep(page) else None
        return TiffImage(
            array=array,
            white_is_zero=int(page.photometric) == _WHITE_IS_ZERO,
            alpha=_alpha_kind(page),
            orientation=_tag(page, "Orientation", 1),
            um_per_px=_scale(file, page),
            more_images=more or _is_stack(file),
        )


def _tag(page: tifffile.TiffPage, name: str, default: Any) -> Any:
    """Return a tag's value, ``default`` when the tag is absent."""
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _is_deep(page: tifffile.TiffPage) -> bool:
    """Tell whether tifffile, not Pillow, should decode: over 8 bits, uncompressed or colour."""
    if page.dtype is None or page.dtype.itemsize == 1:
        return False
    compression = int(page.compression)
    if compression == _UNCOMPRESSED:
        return True
    return compression in _DEFLATE and page.samplesperpixel > 1


def _decode(page: tifffile.TiffPage, file_bytes: int) -> np.ndarray:
    """Decode to (H, W) or (H, W, S) after checking that every segment is whole."""
    _check_segments(page, file_bytes)
    array = np.asarray(page.asarray())
    samples = page.samplesperpixel
    if samples > 1 and int(page.planarconfig) == _SEPARATE_PLANES:
        array = np.moveaxis(array.reshape(samples, page.imagelength, page.imagewidth), 0, -1)
    elif samples > 1:
        array = array.reshape(page.imagelength, page.imagewidth, samples)
    else:
        array = array.reshape(page.imagelength, page.imagewidth)
    return np.asarray(array, dtype=array.dtype.newbyteorder("="))


def _check_segments(page: tifffile.TiffPage, file_bytes: int) -> None:
    """Refuse missing data (tifffile would fill in zeros) and segments that inflate too far."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not offsets or len(offsets) != len(counts) or min(counts) < 1:
        raise InputError("the TIFF has missing image data; export it again")
    last = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    if last > file_bytes:
        raise InputError(
            f"the TIFF is cut off: image data up to byte {last}, {file_bytes} bytes in the file"
        )
    a_pixel = page.samplesperpixel * np.dtype(page.dtype).itemsize
    whole = page.imagewidth * page.imagelength * a_pixel
    if whole > MAX_DECODED_BYTES:
        raise InputError(
            f"the TIFF holds {whole / 2**20:.0f} MiB of pixels ({page.samplesperpixel} x "
            f"{page.dtype} each); at most {MAX_DECODED_BYTES // 2**20} MiB are read: crop it, or "
            "save it with 16 bits"
        )
    if int(page.compression) == _UNCOMPRESSED:
        if sum(counts) < whole:
            raise InputError(f"the TIFF holds {sum(counts)} of {whole} bytes of image data")
        return
    most = whole
    if page.is_tiled:  # tiles overhang the image
        across, down = (
            -(-n // t) * t
            for n, t in ((page.imagewidth, page.tilewidth), (page.imagelength, page.tilelength))
        )
        most = across * down * a_pixel
    total = 0
    for offset, count in zip(offsets, counts, strict=True):
        page.parent.filehandle.seek(offset)
        inflater = zlib.decompressobj()
        total += len(inflater.decompress(page.parent.filehandle.read(count), most + 1))
        if total > most or inflater.unconsumed_tail:
            raise InputError(f"the TIFF inflates to more than its {whole} bytes of image data")
    if total < whole:
        raise InputError(f"the TIFF holds {total} of {whole} bytes of image data")


def _alpha_kind(page: tifffile.TiffPage) -> str:
    """Say what the first extra sample is."""
    extra = [int(sample) for sample in page.extrasamples]
    if not extra:
        return "none"
    return {_PREMULTIPLIED: "premultiplied", _ALPHA: "straight"}.get(extra[0], "unknown")


def _scale(file: tifffile.TiffFile, page: tifffile.TiffPage) -> float | None:
    """Return µm per pixel from ImageJ's unit, a microscope's tags or pixels per centimetre."""
    if not file.is_imagej and (found := microscope_scale(file, page.imagewidth)) is not None:
        return plausible_scale(found)
    across, down = _per_unit(page, "XResolution"), _per_unit(page, "YResolution")
    if across is None or (down is not None and abs(across / down - 1) > 0.01):
        return None
    if file.is_imagej:
        unit = (file.imagej_metadata or {}).get("unit", "")
        with suppress(KeyError):  # "pixel", or a word that is not a unit of length
            return plausible_scale(unit_in_um(unit) / across)
        return None
    if int(_tag(page, "ResolutionUnit", 2)) == _UNIT_CM:
        return plausible_scale(1e4 / across)
    return None


def _per_unit(page: tifffile.TiffPage, name: str) -> float | None:
    """Return a resolution tag as pixels per unit, None when absent or not positive."""
    value = _tag(page, name, None)
    if not isinstance(value, tuple) or len(value) != 2 or value[0] <= 0 or value[1] <= 0:
        return None
    return float(value[0] / value[1])


def _is_stack(file: tifffile.TiffFile) -> bool:
    """Tell whether ImageJ keeps further images in the file, which no directory names."""
    return bool(file.is_imagej and (file.imagej_metadata or {}).get("images", 1) > 1)
