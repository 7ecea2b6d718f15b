"""What is to be known of a picture before it is used: size, scale, content, whether it reads."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError
from core.images import Micrograph, read_image, to_uint8
from core.import_data.source import SourceFile
from core.info_bar import find_info_bar
from core.microscope_text import with_text_scale

NO_GATE: AbstractContextManager[object] = nullcontext()  # where nobody else computes
THUMB_PX, BLOCK_PX = 64, 8
SAME_LOOK = 0.97  # correlation of two pictures' details beyond which they are the same picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """What is cut off a picture, px: the microscope's information bar."""

    top: int = 0
    bottom: int = 0

    def __post_init__(self) -> None:
        for name in ("top", "bottom"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 <= value <= 100_000:
                raise InputError(f"the crop at the {name} is {value!r}; whole px from 0 on")

    def with_bar(self, bar: "Crop") -> "Crop":
        """Return the crop that cuts off both this and an information bar."""
        return Crop(top=max(self.top, bar.top), bottom=max(self.bottom, bar.bottom))

    def cut(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the picture without it.

        Raises:
            InputError: nothing would be left.
        """
        if self.top + self.bottom >= len(pixels):
            raise InputError(
                f"the crop of {self.top} + {self.bottom} px leaves nothing of {len(pixels)} px"
            )
        return pixels[self.top : len(pixels) - self.bottom]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of a picture; with an ``error`` the rest is empty.

    Attributes:
        width, height: px, of the whole picture.
        um_per_px: as the file states it, None where it does not.
        digest: SHA-256 of the pixels in 8 bits: the same content in another file has the same.
        detail: (64, 64) float32, the picture made small without its slow shading, of length 1; all
            0 where there is no detail.
        bar: the microscope's information bar, as found (`core.info_bar`).
        contrast: standard deviation of the grey values, 0 to 0.5.
        notes: what was done to the data on reading.
        error: why it cannot be read.
    """

    width: int = 0
    height: int = 0
    um_per_px: float | None = None
    digest: str = ""
    detail: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((THUMB_PX, THUMB_PX), np.float32), repr=False
    )
    bar: Crop = Crop()
    contrast: float = 0.0
    notes: tuple[str, ...] = ()
    error: str = ""


def read_source(file: SourceFile) -> Micrograph:
    """Read a picture, its scale from the text file beside it where it states none itself.

    Raises:
        InputError: it cannot be read.
    """
    try:
        data = file.load()
    except InputError as error:
        raise InputError(f"{file.path}: {error}") from error
    micrograph = read_image(data, file.path)
    return micrograph if file.beside is None else with_text_scale(micrograph, file.beside)


def examine(file: SourceFile) -> Examined:
    """Look at a picture; one that cannot be read gives an `Examined` that says why."""
    try:
        micrograph = read_source(file)
    except InputError as error:
        return Examined(error=str(error))
    return examine_pixels(micrograph)


def examine_pixels(micrograph: Micrograph) -> Examined:
    """Look at a picture that has been read."""
    grey = to_uint8(micrograph.pixels)
    height, width = grey.shape
    bar = find_info_bar(micrograph.pixels)
    content = sha256(f"{height} {width} ".encode() + grey.tobytes())
    return Examined(
        width=width,
        height=height,
        um_per_px=micrograph.um_per_px,
        digest=content.hexdigest(),
        detail=_detail(grey),
        bar=Crop(top=bar.top, bottom=bar.bottom),
        contrast=float(micrograph.pixels.std()),
        notes=micrograph.notes,
    )


def examine_all(
    files: Sequence[SourceFile],
    told: Callable[[int], None] = lambda done: None,
    turn: AbstractContextManager[object] = NO_GATE,
) -> dict[str, Examined]:
    """Look at several pictures.

    Args:
        files: of the pictures.
        told: called with how many are done.
        turn: entered anew for each picture, so that others have theirs between two of them.
    """
    found = {}
    for number, file in enumerate(files, start=1):
        with turn:
            found[file.path] = examine(file)
        told(number)
    return found


def _detail(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = Image.fromarray(grey).resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float32)
    blocks = values.reshape(THUMB_PX // BLOCK_PX, BLOCK_PX, THUMB_PX // BLOCK_PX, BLOCK_PX)
    values = (blocks - blocks.mean(axis=(1, 3), keepdims=True)).reshape(values.shape)
    length = float(np.linalg.norm(values))
    # Below half a grey value a pixel there is no detail, only rounding.
    return values / length if length > 0.5 * THUMB_PX else np.zeros_like(values)


def same_looking(examined: Sequence[Examined], threshold: float = SAME_LOOK) -> list[set[int]]:
    """Return groups of pictures with the same details: saved twice, brightened, made smaller.

    Args:
        examined: the pictures.
        threshold: correlation of the details.

    Returns:
        Sets of places in ``examined``, each of two or more.
    """
    details = np.stack([one.detail.ravel() for one in examined]) if examined else np.zeros((0, 1))
    group = list(range(len(examined)))
    for start in range(0, len(details), 256):
        alike = details[start : start + 256] @ details.T > threshold
        for row, column in np.argwhere(alike):
            a, b = _root(group, start + int(row)), _root(group, int(column))
            group[max(a, b)] = min(a, b)
    found: dict[int, set[int]] = {}
    for place in range(len(group)):
        found.setdefault(_root(group, place), set()).add(place)
    return [members for members in found.values() if len(members) > 1]


def _root(group: list[int], place: int) -> int:
    while group[place] != place:
        place = group[place]
    return place
