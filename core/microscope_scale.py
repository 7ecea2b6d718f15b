"""The scale that a microscope or its software has written into a TIFF file.

Read from what tifffile knows of the makers' own tags: FEI and Thermo Fisher (tags 34680, 34682),
Zeiss SEM (34118), Olympus SIS (33560), OME-TIFF (PhysicalSizeX) and ImageJ's unit. JEOL and Hitachi
write a text file beside the picture: `core.microscope_text`.
"""

import re
from collections.abc import Callable
from typing import Any

import tifffile

UM_OF_UNIT = {
    "pm": 1e-6, "å": 1e-4, "a": 1e-4, "angstrom": 1e-4, "nm": 1e-3, "nanometer": 1e-3,
    "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00b5m": 1.0, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "micrometre": 1.0, "mm": 1e3, "millimeter": 1e3, "cm": 1e4, "m": 1e6,
}  # fmt: skip
SQUARE = 0.01  # relative difference of a pixel's sides up to which it is square
_OME_SIZE = re.compile(r'\bPhysicalSize([XY])(Unit)?\s*=\s*"([^"]{1,40})"')


def microscope_scale(file: tifffile.TiffFile, width: int) -> float | None:
    """Return µm per pixel as a microscope wrote it; None where none did, or not clearly.

    Args:
        file: the open file.
        width: px, of the image read. A picture that was resized since keeps the microscope's tags:
            where they tell another width, there is no scale.
    """
    readers: tuple[Callable[[tifffile.TiffFile, int], tuple[Any, Any]], ...] = (
        _of_fei,
        _of_zeiss,
        _of_olympus,
        _of_ome,
    )
    for read in readers:
        try:
            across, down = (float(value) for value in read(file, width))
        except (TypeError, ValueError, KeyError, AttributeError, IndexError):
            continue  # no such tag, or one that is not as its maker writes it
        if across > 0 and down > 0 and abs(across / down - 1) <= SQUARE:
            return across
    return None


def unit_in_um(unit: object) -> float:
    """Return how many µm a unit is.

    Raises:
        KeyError: it is not known.
    """
    return UM_OF_UNIT[str(unit).strip().lower()]


def _of_fei(file: tifffile.TiffFile, width: int) -> tuple[Any, Any]:
    about: Any = file.fei_metadata
    if about["Image"]["ResolutionX"] != width:
        raise ValueError("resized since")
    # EScan or Scan holds the size of a pixel, m.
    scan = about.get("EScan") or about["Scan"]
    return 1e6 * float(scan["PixelWidth"]), 1e6 * float(scan["PixelHeight"])


def _of_zeiss(file: tifffile.TiffFile, width: int) -> tuple[Any, Any]:
    about: Any = file.sem_metadata
    stored = about.get("dp_image_store")  # "1024 * 768": the size as it was saved
    if stored and re.findall(r"\d+", str(stored[1]))[:1] not in ([], [str(width)]):
        raise ValueError("resized since")
    size = about.get("ap_image_pixel_size") or about["ap_pixel_size"]
    found = float(size[1]) * unit_in_um(size[2])
    return found, found


def _of_olympus(file: tifffile.TiffFile, width: int) -> tuple[Any, Any]:
    about: Any = file.sis_metadata
    return 1e6 * float(about["pixelsizex"]), 1e6 * float(about["pixelsizey"])  # m


def _of_ome(file: tifffile.TiffFile, width: int) -> tuple[Any, Any]:
    text: Any = file.ome_metadata
    start = text[: text.index("<Channel") if "<Channel" in text else len(text)]
    found = {axis + kind: value for axis, kind, value in _OME_SIZE.findall(start)}
    across, down = (
        float(found[axis]) * unit_in_um(found.get(f"{axis}Unit", "µm")) for axis in ("X", "Y")
    )
    return across, down
