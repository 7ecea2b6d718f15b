"""The first directory of a TIFF, held against limits before a library follows its tags.

Libraries load every tag, however often the same long text is named, and take tiles and strips at
their word. Here the directory is read without any of its values.
"""

import struct
from dataclasses import dataclass

import numpy as np

from core.errors import InputError

MAX_TAGS = 1000
MAX_DECODED_BYTES = 256 * 2**20  # of pixels, as stored; a tile's too
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}  # of a value, by its type
_COUNTS, _TILE_COUNTS, _TILE_SIDES = 279, 325, (322, 323)
_SAMPLES, _BITS = 277, 258
_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}


@dataclass(frozen=True, slots=True)
class _Tag:
    kind: int
    count: int
    place: int  # of its value in the file

    @property
    def size(self) -> int:
        return self.count * _SIZES.get(self.kind, 1)


def check_directory(data: bytes) -> bool:
    """Hold the first directory against the limits; tell whether the file names a second one.

    Raises:
        InputError: the directory is missing or cut off, has too many tags, or tags, strips or
            tiles hold more than the file can.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        tags, start, following = _directory(data, order, big)
    except struct.error as error:
        raise InputError("the TIFF is cut off: it has no directory; export it again") from error
    if sum(tag.size for tag in tags.values()) > 2 * len(data):
        raise InputError("the TIFF's tags hold more than the file does; export it again")
    _check_segments(data, order, tags)
    return following not in (0, start) and following < len(data)


def _directory(data: bytes, order: str, big: bool) -> tuple[dict[int, _Tag], int, int]:
    """Return the tags, and where this directory and the next one begin."""
    start = int(struct.unpack_from(f"{order}Q" if big else f"{order}I", data, 8 if big else 4)[0])
    number = struct.unpack_from(f"{order}Q" if big else f"{order}H", data, start)[0]
    if number > MAX_TAGS:
        raise InputError(f"the TIFF has {number} tags; at most {MAX_TAGS} are read")
    entry, inline = (f"{order}HHQ", 8) if big else (f"{order}HHI", 4)
    head, place = struct.calcsize(entry), start + (8 if big else 2)
    tags: dict[int, _Tag] = {}
    for _ in range(number):
        code, kind, count = struct.unpack_from(entry, data, place)
        tag = _Tag(kind, count, place + head)
        if tag.size > inline:
            tag = _Tag(
                kind,
                count,
                struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, place + head)[0],
            )
        if code in tags:
            raise InputError(f"the TIFF holds tag {code} twice among its tags; export it again")
        tags[code] = tag
        place += head + inline
    following = struct.unpack_from(f"{order}Q" if big else f"{order}I", data, place)[0]
    return tags, start, int(following)


def _values(data: bytes, order: str, tag: _Tag | None) -> np.ndarray:
    """Return a tag's whole numbers (n,), none where it holds others or lies outside the file."""
    if tag is None or tag.kind not in _NUMBERS or tag.place + tag.size > len(data):
        return np.zeros(0, np.float64)
    kind = np.dtype(_NUMBERS[tag.kind]).newbyteorder("<" if order == "<" else ">")
    return np.frombuffer(data, kind, tag.count, tag.place).astype(np.float64)


def _check_segments(data: bytes, order: str, tags: dict[int, _Tag]) -> None:
    """Refuse strips that share their bytes, and tiles that are far larger than pictures are."""
    for code in (_COUNTS, _TILE_COUNTS):
        total = _values(data, order, tags.get(code)).sum()
        # A sloppy writer gives its last strip the size of the others; more than that overlaps.
        if total > 2 * len(data) and tags[code].count > 1:
            raise InputError(
                f"the TIFF's {tags[code].count} strips or tiles overlap: {total:.0f} bytes in a "
                f"file of {len(data)}; export it again"
            )
    sides = [_values(data, order, tags.get(code)) for code in _TILE_SIDES]
    if all(side.size for side in sides):
        samples, bits = (_values(data, order, tags.get(code)) for code in (_SAMPLES, _BITS))
        a_pixel = max(samples.max(initial=1), 1) * max(bits.max(initial=1), 8) / 8
        size = sides[0][0] * sides[1][0] * a_pixel
        if size > MAX_DECODED_BYTES:
            raise InputError(
                f"the TIFF has a tile of {sides[0][0]:.0f} x {sides[1][0]:.0f} px, "
                f"{size / 2**20:.0f} MiB; at most {MAX_DECODED_BYTES // 2**20} are read: export "
                "it in smaller tiles, or as PNG"
            )
