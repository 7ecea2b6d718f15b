"""Text files beside pictures that lie about the scale, are no such texts, or never end.

Import and batch find them, each in its own way. A text that cannot be trusted costs the scale, but
never the picture: that is read without a scale, and without the remark that it has one.
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from core.batch.sources import Source, from_paths, from_uploads, from_zip
from core.images import Micrograph, read_image
from core.import_data.examine import read_source
from core.import_data.source import Listing, list_folder, list_uploads, list_zip
from core.microscope_text import MAX_BYTES, with_text_scale
from tests.hostile.case import Case
from tests.hostile.made import packed, png

KIND = "microscope texts"
REMARK = "scale from the text file"
PLAIN = 0.25  # µm per px that the whole texts below state
Files = list[tuple[str, bytes]]


def jeol(bar: str = "40", marker: str = "10um", size: str = "40 48") -> bytes:
    """A text as a JEOL microscope writes it beside the grey picture."""
    lines = ("$CM_FORMAT JEOL-SEM", f"$CM_FULL_SIZE {size}")
    lines += (f"$$SM_MICRON_BAR {bar}", f"$$SM_MICRON_MARKER {marker}", "")
    return "\r\n".join(lines).encode()


def hitachi(pixel: str = "250", size: str = "40x48") -> bytes:
    """A text as a Hitachi microscope writes it."""
    return f"[SemImageFile]\r\nDataSize={size}\r\nPixelSize={pixel}\r\n".encode()


def imported(listing: Listing) -> Micrograph:
    """What an import reads of the one picture."""
    (picture,) = listing.pictures
    return read_source(picture)


def batched(sources: list[Source]) -> Micrograph:
    """What a batch reads of the one picture."""
    (picture,) = (one for one in sources if not one.name.lower().endswith(".txt"))
    micrograph = read_image(picture.load(), picture.name)
    return micrograph if picture.beside is None else with_text_scale(micrograph, picture.beside)


def states(scale: float | None) -> Callable[[Micrograph], None]:
    """Return a check that the picture is read with this scale, and with the remark where it is."""

    def right(found: Micrograph) -> None:
        assert found.pixels.shape == (48, 40), f"{found.pixels.shape}"
        assert found.um_per_px == scale, f"{found.um_per_px} µm/px, not {scale}"
        said = REMARK in " ".join(found.notes)
        assert said == (scale is not None), f"the notes are {found.notes}"

    return right


def _uploads(
    name: str, make: Callable[[], Files], scale: float | None, only: str = ""
) -> Iterator[Case]:
    readers: dict[str, Callable[[Files], Micrograph]] = {
        "import": lambda files: imported(list_uploads(files)),
        "batch": lambda files: batched(from_uploads((n, io.BytesIO(d)) for n, d in files)),
    }
    for who, read in readers.items():
        if only in ("", who):
            yield Case(
                name=f"{name}, {who}",
                category=KIND,
                make=lambda folder: make(),
                read=read,
                right=states(scale),
            )


def _beside(name: str, make: Callable[[], bytes], scale: float | None = None) -> Iterator[Case]:
    """Yield the cases of a text beside ``a.png``."""
    yield from _uploads(name, lambda: [("a.png", png()), ("a.txt", make())], scale)


def _scales() -> Iterator[Case]:
    yield from _beside("as JEOL writes it", jeol, PLAIN)
    yield from _beside("as Hitachi writes it", hitachi, PLAIN)
    for bar in ("0", "-40", "nan", "inf", "1e300", "1e-300", "", "wide", "40 px"):
        yield from _beside(f"a bar of {bar or 'nothing'}", partial(jeol, bar=bar))
    for marker in ("0um", "-10um", "1e300um", "10", "um", "10 parsecs", "10um<script>", "10m"):
        yield from _beside(f"a bar that stands for {marker}", partial(jeol, marker=marker))
    yield from _beside("a bar for 60,000 digits", partial(jeol, marker="1" * 60_000))
    yield from _beside("a bar for 30,000 points", partial(jeol, marker="1." * 30_000))
    for pixel in ("0", "-250", "nan", "inf", "-inf", "1e300", "1e-300", "", "wide", "250 nm"):
        yield from _beside(f"pixels of {pixel or 'nothing'}", partial(hitachi, pixel=pixel))
    yield from _beside("of a picture of another width", partial(jeol, size="1280 960"))
    yield from _beside("of a width of 60,000 digits", partial(hitachi, size="4" * 60_000))
    yield from _beside("of 30,000 sizes", partial(jeol, size="1 " * 30_000))
    yield from _beside("of a size in words", partial(hitachi, size="large"))


def _contradictions() -> Iterator[Case]:
    yield from _beside("the same thing twice", lambda: hitachi() * 2, PLAIN)
    yield from _beside("two sizes of a pixel", lambda: hitachi() + b"PixelSize=900\r\n")
    yield from _beside("two sizes of a picture", lambda: hitachi() + b"DataSize=1280x960\r\n")
    yield from _beside("two bars", lambda: jeol() + b"$$SM_MICRON_BAR 400\r\n")
    yield from _beside("two markers", lambda: jeol() + b"$$SM_MICRON_MARKER 10nm\r\n")
    yield from _beside("JEOL's first where it is both", lambda: jeol() + hitachi("900"), PLAIN)
    yield from _beside("Hitachi's where JEOL's is none", lambda: jeol(bar="0") + hitachi(), PLAIN)
    yield from _beside("a bar without what it is of", lambda: b"$$SM_MICRON_BAR 40\r\n")


def _shapes() -> Iterator[Case]:
    yield from _beside("20,000 empty lines", lambda: b"\n" * 20_000 + jeol(), PLAIN)
    yield from _beside("20,000 lines of no name", lambda: b"=\n" * 20_000 + hitachi(), PLAIN)
    many = b"".join(b"$%x 1\n" % number for number in range(8_000))
    yield from _beside("8,000 other names", lambda: many + jeol(), PLAIN)
    yield from _beside("a line of 60,000 signs", lambda: b"$" * 60_000 + b"\n" + jeol(), PLAIN)
    yield from _beside("a line without an end", lambda: jeol() + b" " * 60_000, PLAIN)
    cut = b"\n" * (MAX_BYTES - len(hitachi()) + len(b"0\r\n")) + hitachi()
    yield from _beside("longer than any, a number at the cap", lambda: cut)
    yield from _beside("a scale and 1 MiB", lambda: jeol() + b"\n" * 2**20)
    yield from _beside("a scale and 65 MiB", lambda: hitachi() + bytes(65 * 2**20))
    yield from _beside("nothing", lambda: b"")


def _encodings() -> Iterator[Case]:
    text = hitachi().decode()
    wide = text.encode("utf-16-le")
    for encoding in ("utf-16", "cp1252"):
        yield from _beside(f"written in {encoding}", partial(text.encode, encoding), PLAIN)
    backwards = b"\xfe\xff" + text.encode("utf-16-be")
    yield from _beside("UTF-16, big end first", lambda: backwards, PLAIN)
    yield from _beside("UTF-16 cut in half a character", lambda: b"\xff\xfe" + wide + b"1", PLAIN)
    halves = b"\x00\xd8" * 9_000 + b"\n\0"
    yield from _beside("half characters", lambda: b"\xff\xfe" + halves + wide, PLAIN)
    yield from _beside("UTF-8 with a mark", lambda: b"\xef\xbb\xbf" + jeol(), PLAIN)
    yield from _beside(
        "lines that end as on old systems", lambda: jeol().replace(b"\n", b""), PLAIN
    )
    yield from _beside("UTF-16 without a mark", lambda: wide)
    yield from _beside("UTF-32", partial(text.encode, "utf-32"))
    yield from _beside("EBCDIC", partial(text.encode, "cp037"))
    yield from _beside("UTF-16's mark and 60,000 bytes", lambda: b"\xff\xfe" + b"\xdc" * 60_000)


def _binary() -> Iterator[Case]:
    contents = {
        "noise": np.random.default_rng(0).bytes(60_000),
        "zeros": bytes(60_000),
        "the picture again": png(),
        "a zip of a text": packed({"a.txt": jeol()}),
        "a program": b"\x7fELF\x02\x01\x01" + bytes(100),
        "a pickle": b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "a web page": b"<html><script>$CM_FORMAT</script></html>",
        "a table": b"file,uts_mpa\na.png,400\n",
    }
    for what, data in contents.items():
        yield from _beside(what, lambda d=data: d)


def _names() -> Iterator[Case]:
    shared = {
        "absolute": "/etc/passwd",
        "of a Windows drive": "C:\\a",
        "of a network share": "\\\\host\\share\\a",
        "with NUL": "a\0b",
        "with line breaks and terminal codes": "a\n\x1b[2Jb",
        "of 5,000 characters": "a" * 5_000,
        "that write from right to left": "a\u202egnp",
    }
    for what, stem in shared.items():
        named = [(f"{stem}.png", png()), (f"{stem}.txt", jeol())]
        yield from _uploads(f"names {what}", lambda n=named: n, PLAIN)
    above = [("../../a.png", png()), ("../../a.txt", jeol())]  # an import leaves these out
    yield from _uploads("names above", lambda: above, PLAIN, only="batch")
    elsewhere = [("a.png", png()), ("../a.txt", jeol()), ("b/a.txt", jeol()), (".txt", jeol())]
    yield from _uploads("texts in other folders", lambda: elsewhere, None)
    capitals = [("A.PNG", png()), ("a.TXT", hitachi())]
    yield from _uploads("capitals", lambda: capitals, PLAIN)
    without = [("a.png", png()), *((f"{number}.txt", jeol()) for number in range(900))]
    yield from _uploads("900 texts without a picture", lambda: without, None)


def _link(folder: Path) -> None:
    (folder / "elsewhere").write_bytes(jeol())
    (folder / "a.txt").symlink_to(folder / "elsewhere")


def _in_folders() -> Iterator[Case]:
    odd: dict[str, Callable[[Path], object]] = {
        "a link for a text": _link,
        "a link to itself for a text": lambda f: (f / "a.txt").symlink_to(f / "a.txt"),
        "a device for a text": lambda f: (f / "a.txt").symlink_to("/dev/zero"),
        "a pipe for a text": lambda f: os.mkfifo(f / "a.txt"),
        "a folder for a text": lambda f: (f / "a.txt").mkdir(),
    }
    readers: dict[str, Callable[[Path], Micrograph]] = {
        "import": lambda folder: imported(list_folder(folder)),
        "batch": lambda folder: batched(from_paths([folder])),
    }
    for what, put in odd.items():

        def make(folder: Path, put: Callable[[Path], object] = put) -> Path:
            (folder / "a.png").write_bytes(png())
            put(folder)
            return folder

        for who, read in readers.items():
            name = f"{what}, {who}"
            yield Case(name=name, category=KIND, make=make, read=read, right=states(None))


def _in_zips() -> Iterator[Case]:
    whole = packed({"a.png": png(), "a.txt": hitachi()}, zipfile.ZIP_STORED)
    readers: dict[str, Callable[[bytes], Micrograph]] = {
        "import": lambda data: imported(list_zip(data, "z.zip")),
        "batch": lambda data: batched(from_zip(io.BytesIO(data), "z.zip")),
    }
    damaged = whole.replace(b"PixelSize=250", b"PixelSize=900")  # its checksum is that of before
    for who, read in readers.items():
        for what, data, scale in (("whole", whole, PLAIN), ("damaged", damaged, None)):
            yield Case(
                name=f"{what} in a zip, {who}",
                category=KIND,
                make=lambda folder, d=data: d,
                read=read,
                right=states(scale),
            )


CASES = (
    *_scales(),
    *_contradictions(),
    *_shapes(),
    *_encodings(),
    *_binary(),
    *_names(),
    *_in_folders(),
    *_in_zips(),
)
