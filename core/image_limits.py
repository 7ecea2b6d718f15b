"""How large and how small an image file may be, in bytes and in px."""

import errno
from dataclasses import dataclass, fields
from pathlib import Path

from core.errors import ConfigError, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What is accepted of an image file.

    Attributes:
        max_pixels: most pixels (width times height).
        max_bytes: largest file.
        min_side: shortest side in px.
    """

    max_pixels: int = 40_000_000
    max_bytes: int = 64 * 2**20
    min_side: int = 32

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{field.name} is {value!r}; it must be an integer of 1 or more")


DEFAULT_LIMITS = ImageLimits()


def load_bytes(source: Path | bytes, limits: ImageLimits) -> bytes:
    """Return the file's bytes, no more than the limit of them.

    Raises:
        InputError: there is no such file, or it is empty or too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        data = _read_file(Path(source), limits.max_bytes + 1)
    if not data:
        raise InputError("the file is empty")
    if len(data) > limits.max_bytes:
        raise InputError(
            f"the file has more than {limits.max_bytes / 2**20:.3g} MiB; crop it or save it as PNG"
        )
    return data


def _read_file(path: Path, most: int) -> bytes:
    """Return the beginning of a file; pipes and devices, which may have no end, are none."""
    try:
        if not path.is_file():
            raise InputError("there is no such file")
        with open(path, "rb") as stream:
            return stream.read(min(path.stat().st_size + 1, most))
    except FileNotFoundError as error:
        raise InputError("there is no such file") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError("there is no such file: its name is too long") from error
        raise InputError(f"the file cannot be read: {error.strerror}") from error


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Hold the header's size, in px, against the limits.

    Raises:
        InputError: a side is too short, or there are too many pixels.
    """
    if width < limits.min_side or height < limits.min_side:
        raise InputError(
            f"the image is {width} x {height} px; each side needs {limits.min_side} px or more"
        )
    if width * height > limits.max_pixels:
        raise InputError(
            f"the image is {width} x {height} px, {width * height / 1e6:.1f} million pixels; at "
            f"most {limits.max_pixels / 1e6:.3g} million are read: crop it or scale it down"
        )
