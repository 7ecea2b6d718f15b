"""The scale in the text file that a microscope writes beside a picture: JEOL and Hitachi.

JEOL (``$CM_FORMAT JEOL-SEM``) gives the length of the scale bar in the picture, in px
(``$$SM_MICRON_BAR``), and what it stands for (``$$SM_MICRON_MARKER 10um``). Hitachi
(``[SemImageFile]``) gives ``PixelSize`` in nm. Both give the width of the picture that was saved:
where another has been saved since, there is no scale.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace

from core.errors import InputError
from core.images import Micrograph
from core.microscope_scale import unit_in_um
from core.tiff import plausible_scale

MAX_BYTES = 2**16
# Bounded, so that no line of digits makes it try every way to part them.
_MARKER = re.compile(r"([0-9]{0,9}\.?[0-9]{1,9})\s{0,9}(\D{1,12})")


def is_microscope_text(data: bytes) -> bool:
    """Tell whether a text file is one that a microscope writes beside a picture.

    >>> is_microscope_text(b"$CM_FORMAT JEOL-SEM"), is_microscope_text(b"file;uts_mpa")
    (True, False)
    """
    fields = _fields(data)
    return "$CM_FORMAT" in fields or "$$SM_MICRON_BAR" in fields or "[SemImageFile]" in fields


def text_scale(data: bytes, width: int) -> float | None:
    """Return µm per pixel as the file says it; None where it does not, or not of this picture.

    None also where it contradicts itself, or is longer than `MAX_BYTES`.

    Args:
        data: content of the file.
        width: px, of the picture.

    >>> text_scale(b"$$SM_MICRON_BAR 200" + bytes([10]) + b"$$SM_MICRON_MARKER 10um", 1280)
    0.05
    """
    fields = _fields(data)
    for read in (_of_jeol, _of_hitachi):
        try:
            found = read(fields, width)
        except (KeyError, ValueError, AttributeError, ZeroDivisionError):
            continue  # of the other maker, or not as its maker writes it
        if math.isfinite(found) and found > 0:
            return found
    return None


def with_text_scale(micrograph: Micrograph, load: Callable[[], bytes]) -> Micrograph:
    """Return a micrograph with the scale of the text file beside it, where it states none itself.

    Args:
        micrograph: as it was read.
        load: reads the text file.
    """
    if micrograph.um_per_px is not None:
        return micrograph
    try:
        found = text_scale(load(), micrograph.pixels.shape[1])
    except InputError:
        found = None
    scale = None if found is None else plausible_scale(found)
    if scale is None:
        return micrograph
    notes = (*micrograph.notes, "scale from the text file that the microscope wrote beside it")
    return replace(micrograph, um_per_px=scale, notes=notes)


def _of_jeol(fields: dict[str, str], width: int) -> float:
    _require_width(fields.get("$CM_FULL_SIZE"), width)
    length, unit = _MARKER.fullmatch(fields["$$SM_MICRON_MARKER"]).groups()  # type: ignore[union-attr]
    return float(length) * unit_in_um(unit) / float(fields["$$SM_MICRON_BAR"])


def _of_hitachi(fields: dict[str, str], width: int) -> float:
    _require_width(fields.get("DataSize"), width)
    return float(fields["PixelSize"]) / 1000  # nm


def _require_width(size: str | None, width: int) -> None:
    """Raise ValueError where the size, such as "1280x960" or "1280 960", is of another width."""
    if size and re.findall(r"\d+", size)[:1] != [str(width)]:
        raise ValueError("saved anew since")


def _fields(data: bytes) -> dict[str, str]:
    """Return the lines' first words and what follows; a heading stands for itself.

    Nothing of a file longer than any that a microscope writes, and "?" for what is said twice,
    differently.
    """
    if len(data) > MAX_BYTES:
        return {}
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if wide else "latin-1", errors="replace")
    found: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip().lstrip("\ufeff")
        if line.startswith("$"):
            name, _, value = line.partition(" ")
        else:
            name, _, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if found.setdefault(name, value) != value:
            found[name] = "?"
    return found
