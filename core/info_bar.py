"""The information bar of an electron microscope: found at the top or the bottom, and left out.

Such a bar is a strip across the whole picture, of one grey, with lettering and a scale bar on it.
Its rows hold that grey over much of their width, the rows of a micrograph do not, and it ends along
a straight line.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.images import Micrograph, to_uint8

LARGEST_SHARE = 0.3  # of the picture's height; a taller strip is part of the picture
LEAST_ROWS = 8  # thinner strips hold no lettering
TOLERANCE = 6  # grey levels of 255 round the bar's own: lossy files smear them
DRAWN_TOLERANCE, DRAWN_SHARE = 2, 0.75  # most of what is that grey is so nearly exactly
FLAT_SHARE = 0.4  # of a row that has the bar's grey; dense lettering leaves about half
LETTERING_ROWS = 6  # rows in sequence that lettering or frames may fill more than that
FRAME_SHARE = 0.98  # of a row that has one grey: a drawn line
LIKE_BAR_SHARE = 0.05  # of the other rows that may look like the bar's
STEP_SHARE = 0.5  # of the columns that change where the bar ends: along a straight line


@dataclass(frozen=True, slots=True)
class InfoBar:
    """Rows to leave out of a picture.

    Attributes:
        top, bottom: how many rows at either edge.
    """

    top: int = 0
    bottom: int = 0

    def __bool__(self) -> bool:
        return self.top > 0 or self.bottom > 0

    def in_words(self) -> str:
        """Say which rows it covers.

        >>> InfoBar(bottom=64).in_words(), InfoBar(20, 30).in_words(), InfoBar().in_words()
        ('64 rows at the bottom', '20 rows at the top and 30 rows at the bottom', 'no rows')
        """
        named = (("top", self.top), ("bottom", self.bottom))
        return (
            " and ".join(f"{rows} rows at the {edge}" for edge, rows in named if rows) or "no rows"
        )


def find_info_bar(pixels: NDArray[np.floating]) -> InfoBar:
    """Find the information bars of a picture.

    Args:
        pixels: (H, W) in [0, 1].

    Returns:
        How many rows they cover at the top and at the bottom; 0 where there is none.

    Example:
        >>> picture = np.random.default_rng(0).random((200, 200))
        >>> picture[180:] = 0.0
        >>> find_info_bar(picture)
        InfoBar(top=0, bottom=20)
    """
    grey = to_uint8(pixels).astype(np.int16)
    return InfoBar(top=_rows_from_top(grey), bottom=_rows_from_top(grey[::-1]))


def without_info_bar(micrograph: Micrograph, bar: InfoBar) -> Micrograph:
    """Return a micrograph without the rows of a bar, with a note; itself where there are none.

    Raises:
        InputError: a number of rows is negative, or nothing would be left.
    """
    height = len(micrograph.pixels)
    if min(bar.top, bar.bottom) < 0 or bar.top + bar.bottom >= height:
        raise InputError(
            f"{micrograph.name} has {height} rows: {bar.top} at the top and {bar.bottom} at the "
            "bottom cannot be left out; give fewer"
        )
    if not bar:
        return micrograph
    pixels = np.ascontiguousarray(micrograph.pixels[bar.top : height - bar.bottom])
    note = f"{bar.in_words()} left out (information bar)"
    return replace(micrograph, pixels=pixels, notes=(*micrograph.notes, note))


def _rows_from_top(grey: NDArray[np.int16]) -> int:
    """Return how many rows at the top edge belong to a bar, 0 without one."""
    deepest = int(LARGEST_SHARE * len(grey))
    if deepest < LEAST_ROWS:
        return 0
    level = _commonest(grey[: max(LEAST_ROWS, len(grey) // 50)])
    like = (np.abs(grey - level) <= TOLERANCE).mean(axis=1) >= FLAT_SHARE  # (H,) rows
    rows = _run(like)
    rows += _frame(grey[rows : rows + LETTERING_ROWS])
    if not LEAST_ROWS <= rows <= deepest:
        return 0
    if like[rows:].mean() > LIKE_BAR_SHARE:  # the picture itself is like that
        return 0
    off = np.abs(grey[:rows] - level)
    if (off[off <= TOLERANCE] <= DRAWN_TOLERANCE).mean() < DRAWN_SHARE:  # a dark void with noise
        return 0
    step = np.abs(grey[rows] - grey[rows - 1]) > TOLERANCE
    return rows if step.mean() >= STEP_SHARE else 0


def _commonest(grey: NDArray[np.int16]) -> int:
    return int(np.bincount(grey.ravel(), minlength=256).argmax())


def _frame(grey: NDArray[np.int16]) -> int:
    """Return how many of these rows, from the first, are a line drawn across the whole picture."""
    levels = np.median(grey, axis=1, keepdims=True)
    drawn = (np.abs(grey - levels) <= DRAWN_TOLERANCE).mean(axis=1) >= FRAME_SHARE
    return int(np.argmin(np.append(drawn, False)))


def _run(like: NDArray[np.bool_]) -> int:
    """Return the length of the run from the first row, short gaps included, its end excluded."""
    last, gap = -1, 0
    for row, here in enumerate(like):
        if here:
            last, gap = row, 0
        else:
            gap += 1
            if gap > LETTERING_ROWS:
                break
    return last + 1
