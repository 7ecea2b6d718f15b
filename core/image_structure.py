"""PNG, JPEG and BMP held against limits before a decoder sees them.

Decoders work through as many chunks, scans and runs as a file holds, and take missing rows for
black ones. Here the parts are counted, and the image data of a PNG measured, without a decoder.
"""

import re
import struct
import zlib

from core.errors import InputError

MAX_CHUNKS = 20_000  # of a PNG; 64 MiB in pieces of 8 KiB are 8192
MAX_SCANS = 200  # of a progressive JPEG; programs write about ten
MAX_SEGMENTS = 20_000  # of a JPEG
MAX_RLE_PIXELS = 4_000_000  # of a run-length packed BMP, which Pillow unpacks run by run
_BLOCK = 2**20
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # a pixel, by PNG's colour type
# First column and row, and steps, of the seven passes of an interlaced PNG.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")  # no restart marker, no stuffed byte
_LONE = frozenset(range(0xD0, 0xD9)) | {0x01}  # JPEG markers without a length


def check_chunks(data: bytes) -> None:
    """Refuse a PNG of more chunks than any program writes.

    Raises:
        InputError: it holds too many.
    """
    place, chunks = 8, 0
    while place + 8 <= len(data) and data[place + 4 : place + 8] != b"IEND":
        chunks += 1
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        if chunks > MAX_CHUNKS:
            raise InputError(
                f"the PNG has more than {MAX_CHUNKS} chunks; open it in an image program and save "
                "it again"
            )


def check_rows(data: bytes) -> None:
    """Refuse a PNG whose image data end before its last row; decoders would fill in black.

    Raises:
        InputError: it holds less image data than its size needs.
        zlib.error: the data are damaged.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * _SAMPLES.get(colour, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    wanted = sum(
        rows * (1 + (columns * bits + 7) // 8)
        for x, y, right, down in passes
        if (columns := -(-(width - x) // right)) > 0 and (rows := -(-(height - y) // down)) > 0
    )
    inflater, found, place = zlib.decompressobj(), 0, 8
    while found < wanted and place + 8 <= len(data) and not inflater.eof:
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"IDAT":
            packed = data[place + 8 : place + 8 + length]
            while packed and found < wanted and not inflater.eof:
                found += len(inflater.decompress(packed, _BLOCK))
                packed = inflater.unconsumed_tail
        place += 12 + length
    while found < wanted and (more := inflater.flush()):
        found += len(more)
    if found < wanted:
        raise InputError(
            f"the PNG holds {found} of {wanted} bytes of image data: it is cut off or damaged; "
            "export it again"
        )


def check_scans(data: bytes) -> None:
    """Refuse a JPEG of more scans or segments than any program writes.

    Raises:
        InputError: it holds too many.
    """
    place, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, place)
        if found is None or found.group()[1] == 0xD9:  # the end
            return
        place, marker = found.end(), found.group()[1]
        scans += marker == 0xDA
        if scans > MAX_SCANS:
            raise InputError(
                f"the JPEG has more than {MAX_SCANS} scans; open it in an image program and save "
                "it as PNG"
            )
        if marker not in _LONE:
            place += max(int.from_bytes(data[place : place + 2], "big"), 2)
    raise InputError(
        f"the JPEG has more than {MAX_SEGMENTS} segments; open it in an image program and save it "
        "as PNG"
    )


def check_runs(data: bytes, width: int, height: int) -> None:
    """Refuse a large run-length packed BMP.

    Raises:
        InputError: it has too many pixels for its packing.
    """
    packed = len(data) >= 34 and struct.unpack_from("<I", data, 14)[0] >= 40 and data[30] in (1, 2)
    if packed and width * height > MAX_RLE_PIXELS:
        raise InputError(
            f"the BMP is run-length packed (RLE) and has {width * height / 1e6:.1f} million "
            f"pixels; at most {MAX_RLE_PIXELS / 1e6:g} million are unpacked: save it as PNG"
        )
