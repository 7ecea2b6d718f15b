"""Picture files that are cut off, damaged, mislabelled, or no files at all."""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.images import Micrograph, read_image
from tests.hostile.case import Case, keep
from tests.hostile.made import (
    GREY,
    LEVELS,
    SIGNATURE,
    chunk,
    deep_levels,
    grey,
    packed,
    plain_tags,
    png,
    raw_tiff,
    tiff,
)
from tests.hostile.pictures import shows

BROKEN, WRONG, PATHS = "broken pictures", "wrong contents", "paths"
DAMAGED = "damaged|cut off|holds|missing|unusual kind"


def _bytes(name: str, make: Callable[[], bytes], category: str = BROKEN, **more: object) -> Case:
    file = str(more.pop("file", "a.png"))
    return Case(
        name=name,
        category=category,
        make=lambda folder: make(),
        read=lambda data: read_image(data, file),
        **more,  # type: ignore[arg-type]
    )


def _cut() -> Iterator[Case]:
    whole = {
        "png": grey("PNG"),
        "jpeg": grey("JPEG"),
        "bmp": grey("BMP"),
        "8-bit tiff": grey("TIFF"),
        "16-bit tiff": tiff(deep_levels()),
        "deflated colour tiff": tiff(
            np.stack([deep_levels()] * 3, -1), photometric="rgb", compression="zlib"
        ),
        "big tiff": tiff(deep_levels(), bigtiff=True),
    }
    for name, data in whole.items():
        # A TIFF with its data last says in its header that nothing is missing at the very end.
        for share, place in (
            ("after its signature", 10),
            ("at a quarter", len(data) // 4),
            ("in the middle", len(data) // 2),
            ("near its end", len(data) - 40),
        ):
            yield _bytes(f"{name} cut {share}", lambda d=data, p=place: d[:p], says=DAMAGED)
    for name, data in {
        "png": SIGNATURE,
        "jpeg": b"\xff\xd8\xff",
        "bmp": b"BM",
        "tiff": b"II*\0",
    }.items():
        yield _bytes(f"nothing but the signature of {name}", lambda d=data: d, says=DAMAGED)
    yield _bytes("zero bytes", lambda: b"", says="the file is empty")
    yield _bytes("one byte", lambda: b"\x89", says="not an image")


def _damaged() -> Iterator[Case]:
    wrong = bytearray(png())
    wrong[-20] ^= 0xFF
    yield _bytes("png with a wrong checksum in its data", lambda: bytes(wrong), says=DAMAGED)
    header = bytearray(png())
    header[30] ^= 0xFF
    yield _bytes("png with a wrong checksum in its header", lambda: bytes(header), says=DAMAGED)
    yield _bytes("png without data", lambda: png(data=b""), says=DAMAGED)
    yield _bytes(
        "png of too few rows", lambda: png(data=zlib.compress(bytes(41 * 20))), says=DAMAGED
    )
    yield _bytes(
        "png with more rows than it has",
        lambda: png(
            data=zlib.compress(b"".join(b"\0" + row.tobytes() for row in LEVELS) + bytes(10**6))
        ),
        right=shows(GREY),
    )
    yield _bytes(
        "png with a filter that does not exist",
        lambda: png(data=zlib.compress(b"\x09" + bytes(40) + bytes(41 * 47))),
        says=DAMAGED,
    )
    yield _bytes("png with data that is no deflate", lambda: png(data=b"\0" * 500), says=DAMAGED)
    yield _bytes("png of an impossible depth", lambda: png(depth=3), says=DAMAGED)
    yield _bytes("png of an impossible colour type", lambda: png(colour=5), says=DAMAGED)
    yield _bytes("png palette without a palette", lambda: png(colour=3), says="")
    yield _bytes(
        "png with a huge chunk length",
        lambda: SIGNATURE + struct.pack(">I", 2**32 - 1) + b"IHDR",
        says=DAMAGED,
    )
    yield _bytes(
        "png with what follows it left over",
        lambda: png() + packed({"a.txt": b"x"}),
        right=shows(GREY),
    )
    yield _bytes("png without an end", lambda: png(end=b""), right=shows(GREY))
    yield _bytes(
        "png with a text of a script",
        lambda: png(before=chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")),
        right=shows(GREY),
    )
    yield _bytes(
        "png with an unknown critical chunk",
        lambda: png(before=chunk(b"HACK", bytes(100))),
        says="",
    )
    jpeg = grey("JPEG")
    yield _bytes(
        "jpeg with noise for its tables",
        lambda: jpeg[:30] + bytes(range(200)) + jpeg[230:],
        says=DAMAGED,
    )
    yield _bytes("jpeg with two frames", lambda: jpeg[:-2] + jpeg[2:], says=DAMAGED)
    yield _bytes(
        "bmp with its data beyond the file", lambda: _poked(grey("BMP"), 10, 2**31), says=DAMAGED
    )
    yield _bytes("bmp with a header of no size", lambda: _poked(grey("BMP"), 14, 0), says=DAMAGED)
    yield _bytes(
        "bmp with four billion colours", lambda: _poked(grey("BMP"), 46, 2**32 - 1), says=DAMAGED
    )
    yield _bytes("bmp of an unknown compression", lambda: _poked(grey("BMP"), 30, 77), says=DAMAGED)
    data = deep_levels().tobytes()
    yield _bytes(
        "tiff read as its tags say", lambda: raw_tiff(plain_tags(), data), right=shows(GREY, 1e-4)
    )
    yield _bytes(
        "tiff whose next page is itself",
        lambda: raw_tiff(plain_tags(), data, following=8 + len(data)),
        right=shows(GREY, 1e-4),
    )
    yield _bytes("tiff without any tag", lambda: raw_tiff([]), says=f"{DAMAGED}|px; each side")
    yield _bytes(
        "tiff whose directory is beyond the file",
        lambda: b"II*\0\xff\xff\xff\x7f" + data,
        says=DAMAGED,
    )
    yield _bytes(
        "tiff without its depth, which means 1 bit",
        lambda: raw_tiff([t for t in plain_tags() if t[0] != 258], data),
        right=_black_or_white,
    )
    for code, what in ((256, "width"), (257, "height"), (273, "data")):
        yield _bytes(
            f"tiff without its {what}",
            lambda c=code: raw_tiff([t for t in plain_tags() if t[0] != c], data),
            says=f"{DAMAGED}|px; each side",
        )
    yield _bytes(
        "tiff with its data beyond the file",
        lambda: raw_tiff(plain_tags(offset=2**31), data),
        says="cut off",
    )
    yield _bytes(
        "tiff with 24 bits a sample", lambda: raw_tiff(plain_tags(bits=24), data), says=DAMAGED
    )
    yield _bytes(
        "tiff of an unknown compression",
        lambda: raw_tiff(plain_tags(compression=31337), data),
        says=DAMAGED,
    )
    yield _bytes(
        "tiff of a value type that does not exist",
        lambda: raw_tiff([(256, 99, 1, 40), *plain_tags()[1:]], data),
        says=f"{DAMAGED}|px; each side",
    )
    yield _bytes(
        "tiff with a text for its width",
        lambda: raw_tiff([(256, 2, 8, b"<script>"), *plain_tags()[1:]], data),
        says=f"{DAMAGED}|px; each side",
    )


def _black_or_white(found: Micrograph) -> None:
    assert set(np.unique(found.pixels)) <= {0.0, 1.0}


def _poked(data: bytes, place: int, value: int) -> bytes:
    """Return a file with a number of 32 bits put into it."""
    return data[:place] + struct.pack("<I", value) + data[place + 4 :]


def _wrong() -> Iterator[Case]:
    yield _bytes(
        "png named .jpg", lambda: png(), WRONG, file="a.jpg", right=shows(GREY, 1e-6, "read as PNG")
    )
    yield _bytes(
        "tiff named .png",
        lambda: tiff(deep_levels()),
        WRONG,
        right=shows(GREY, 1e-4, "read as TIFF"),
    )
    yield _bytes("png without an ending", lambda: png(), WRONG, file="a", right=shows(GREY))
    contents = {
        "a web page": b"<html><script>alert(1)</script></html>",
        "a drawing with a script": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "XML with an entity": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc'>]>",
        "a program": b"\x7fELF\x02\x01\x01" + bytes(100),
        "a Windows program": b"MZ" + bytes(200),
        "a shell script": b"#!/bin/sh\nrm -rf /\n",
        "a zip": packed({"a.png": b"x"}),
        "a pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        "a GIF": b"GIF89a" + bytes(100),
        "WebP": b"RIFF\x10\0\0\0WEBPVP8 " + bytes(40),
        "HEIC": b"\0\0\0\x18ftypheic" + bytes(40),
        "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
        "PostScript, which Pillow would run": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "a pickle": b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "a table": b"file,uts\na.png,430\n",
        "noise": np.random.default_rng(0).bytes(5000),
    }
    for what, data in contents.items():
        yield _bytes(f"{what} named .png", lambda d=data: d, WRONG, says="save it as PNG")


def _path(name: str, make: Callable[[Path], Path], says: str, **more: object) -> Case:
    return Case(name=name, category=PATHS, make=make, read=read_image, says=says, **more)  # type: ignore[arg-type]


def _link(folder: Path, to: Path) -> Path:
    (folder / "a.png").symlink_to(to)
    return folder / "a.png"


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


def _paths() -> Iterator[Case]:
    gone = "no such file"
    yield _path("a file that is gone", lambda folder: folder / "a.png", gone)
    yield _path("a folder named like a picture", lambda folder: folder, gone)
    yield _path("a link to nothing", lambda folder: _link(folder, folder / "b.png"), gone)
    yield _path("a link to itself", lambda folder: _link(folder, folder / "a.png"), gone)
    yield _path("a device without an end", lambda folder: Path("/dev/zero"), gone)
    yield _path("a link to a device", lambda folder: _link(folder, Path("/dev/zero")), gone)
    yield _path("a pipe that nobody writes to", _fifo, gone)
    yield _path("a name of 5,000 characters", lambda folder: folder / ("a" * 5000), gone)
    yield _path("NUL in a path", lambda folder: folder / "a\0.png", gone)
    yield Case(
        name="a picture under a name of 200 characters",
        category=PATHS,
        make=keep("ä" * 100 + ".png", png()),
        read=read_image,
        right=shows(GREY),
    )


CASES = (*_cut(), *_damaged(), *_wrong(), *_paths())
