"""Files made by hand, byte by byte where no library would write them."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import tifffile
from PIL import Image

HEIGHT, WIDTH = 48, 40
# Brighter to the right and, less so, downwards: every turn and flip of it differs from it.
LEVELS = (np.arange(WIDTH) * 5 + np.arange(HEIGHT)[:, None]).astype(np.uint8)  # 0 .. 242
GREY = LEVELS.astype(np.float32) / np.float32(255)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def grey(kind: str, **options: Any) -> bytes:
    """The grey picture in a format."""
    return saved(Image.fromarray(LEVELS), kind, **options)


def tiff(array: np.ndarray, **options: Any) -> bytes:
    """An array as tifffile writes it."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    width: int = WIDTH,
    height: int = HEIGHT,
    depth: int = 8,
    colour: int = 0,
    before: bytes = b"",
    data: bytes | None = None,
    end: bytes = chunk(b"IEND", b""),
) -> bytes:
    """A PNG, by default the grey picture; ``before`` are chunks before its data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in LEVELS)
    packed = zlib.compress(rows) if data is None else data
    return SIGNATURE + chunk(b"IHDR", header) + before + chunk(b"IDAT", packed) + end


def zeros(count: int) -> bytes:
    """So many zero bytes, deflated; quick also for gigabytes."""
    packer = zlib.compressobj(1)
    block, parts = bytes(2**20), []
    for _ in range(count // 2**20):
        parts.append(packer.compress(block))
    return b"".join([*parts, packer.compress(bytes(count % 2**20)), packer.flush()])


SHORT, LONG, ASCII, RATIONAL, BYTE = 3, 4, 2, 5, 1
Tag = tuple[int, int, int, int | bytes]  # code, type, count, value or (for bytes) data elsewhere


def raw_tiff(tags: list[Tag], extra: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF of exactly these tags; ``extra`` begins at byte 8.

    A value of bytes is stored after the directory and its place written in the tag.
    """
    start = 8 + len(extra)
    room = start + 2 + 12 * len(tags) + 4
    entries, stored = [], b""
    for code, kind, count, value in tags:
        if isinstance(value, bytes):
            place, stored = room + len(stored), stored + value
            value = place
        entries.append(struct.pack("<HHII", code, kind, count, value))
    directory = struct.pack("<H", len(tags)) + b"".join(entries) + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", start) + extra + directory + stored


def plain_tags(
    width: int = WIDTH,
    height: int = HEIGHT,
    bits: int = 16,
    compression: int = 1,
    offset: int = 8,
    count: int = 2 * WIDTH * HEIGHT,
) -> list[Tag]:
    """The tags of a grey picture in one strip."""
    return [
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, 1, bits),
        (259, SHORT, 1, compression),
        (262, SHORT, 1, 1),
        (273, LONG, 1, offset),
        (277, SHORT, 1, 1),
        (278, LONG, 1, height),
        (279, LONG, 1, count),
    ]


def deep_levels() -> np.ndarray:
    """The grey picture with 16 bits."""
    return LEVELS.astype(np.uint16) * 257


def packed(
    files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """A zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.comment = comment
    return buffer.getvalue()
