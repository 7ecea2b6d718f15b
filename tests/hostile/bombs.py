"""Small files that unpack to much, or keep a reader busy: refused before they do."""

import struct
import zlib
from collections.abc import Callable, Iterator

from core.images import Micrograph, read_image
from tests.hostile.case import Case
from tests.hostile.made import (
    ASCII,
    LONG,
    SHORT,
    chunk,
    deep_levels,
    grey,
    plain_tags,
    png,
    raw_tiff,
    zeros,
)

BOMB, SIZE = "picture bombs", "picture sizes"
TOO_MANY = "million pixels; at most"


def _case(name: str, make: Callable[[], bytes], category: str = BOMB, **more: object) -> Case:
    return Case(
        name=name,
        category=category,
        make=lambda folder: make(),
        read=lambda data: read_image(data, "a.png"),
        **more,  # type: ignore[arg-type]
    )


def _bmp(width: int, height: int, data: bytes = b"", compression: int = 0, bits: int = 8) -> bytes:
    palette = bytes(1024)
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 256, 0
    )
    offset = 14 + len(header) + len(palette)
    start = b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset)
    return start + header + palette + data


def _jpeg(width: int, height: int) -> bytes:
    data = bytearray(grey("JPEG"))
    place = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, place, height, width)
    return bytes(data)


def _sizes() -> Iterator[Case]:
    tiny = "each side needs 32 px"
    for width, height in ((100_000, 100_000), (2**31 - 1, 2**31 - 1), (40_000_001, 32)):
        many = TOO_MANY if height > 32 else "px"
        yield _case(
            f"png of {width} x {height}",
            lambda w=width, h=height: png(w, h),
            SIZE,
            says=f"{many}|damaged",
        )
        yield _case(
            f"tiff of {width} x {height}",
            lambda w=width, h=height: raw_tiff(plain_tags(w, h), deep_levels().tobytes()),
            SIZE,
            says=TOO_MANY,
        )
        yield _case(
            f"bmp of {width} x {height}",
            lambda w=width, h=height: _bmp(w, h),
            SIZE,
            says=f"{TOO_MANY}|damaged",
        )
    yield _case(
        "tiff of four billion squared",
        lambda: raw_tiff(plain_tags(2**32 - 1, 2**32 - 1), deep_levels().tobytes()),
        SIZE,
        says=TOO_MANY,
    )
    yield _case("jpeg of 65500 x 65500", lambda: _jpeg(65500, 65500), SIZE, says=TOO_MANY)
    yield _case("jpeg of no width", lambda: _jpeg(0, 100), SIZE, says=f"{tiny}|damaged")
    for width, height in ((0, 0), (1, 1), (31, 400), (400, 31)):
        yield _case(
            f"png of {width} x {height}",
            lambda w=width, h=height: png(w, h),
            SIZE,
            says=f"{tiny}|damaged",
        )
        yield _case(
            f"tiff of {width} x {height}",
            lambda w=width, h=height: raw_tiff(plain_tags(w, h), deep_levels().tobytes()),
            SIZE,
            says=tiny,
        )
    yield _case(
        "bmp of a negative width",
        lambda: _bmp(-100, 100, bytes(10_000)),
        SIZE,
        says=f"{tiny}|{TOO_MANY}",
    )
    yield _case(
        "bmp of a negative height, which means from the top",
        lambda: _bmp(40, -40, bytes(1600)),
        SIZE,
    )
    yield _case(
        "more than 64 MiB", lambda: png() + bytes(64 * 2**20), SIZE, says="more than 64 MiB"
    )


def _pngs() -> Iterator[Case]:
    yield _case(
        "png of 20000 x 20000 zeros", lambda: png(20_000, 20_000, data=zeros(2**20)), says=TOO_MANY
    )

    def black(found: Micrograph) -> None:
        assert found.pixels.shape == (6300, 6300) and not found.pixels.any()

    yield _case(
        "png of zeros that is just small enough",
        lambda: png(6300, 6300, data=zeros(6301 * 6300)),
        right=black,
    )
    yield _case(
        "png with a text of 80 MiB",
        lambda: png(before=chunk(b"zTXt", b"a\0\0" + zeros(80 * 2**20))),
        says="damaged",
    )
    yield _case(
        "png with 60 texts of a MiB",
        lambda: png(
            before=b"".join(chunk(b"zTXt", b"a%d\0\0" % i + zeros(2**20 - 1)) for i in range(80))
        ),
        says="damaged",
    )
    yield _case(
        "png with a colour profile of 80 MiB",
        lambda: png(before=chunk(b"iCCP", b"a\0\0" + zeros(80 * 2**20))),
        says="damaged",
    )
    yield _case(
        "png of 200,000 chunks", lambda: png(before=chunk(b"tIME", b"") * 200_000), says="chunks"
    )
    yield _case(
        "png of 200,000 pieces of data",
        lambda: png(before=chunk(b"IDAT", b"") * 200_000),
        says="chunks",
    )


def _progressive(scans: int) -> bytes:
    """A progressive JPEG of 3200 x 3200 whose first scan comes again and again."""
    data = grey("JPEG", progressive=True)
    big = bytearray(data)
    struct.pack_into(">HH", big, big.index(b"\xff\xc2") + 5, 3200, 3200)
    first = big.index(b"\xff\xda")
    second = big.index(b"\xff\xc4", first)
    return bytes(big[:first] + big[first : first + 12] * scans + big[second:])


def _jpegs() -> Iterator[Case]:
    yield _case("jpeg of 20,000 scans", lambda: _progressive(20_000), says="scans")
    yield _case(
        "jpeg with 200,000 comments",
        lambda: grey("JPEG")[:2] + b"\xff\xfe\x00\x02" * 200_000 + grey("JPEG")[2:],
        says="segments",
    )


def _tiffs() -> Iterator[Case]:
    data = deep_levels().tobytes()
    text = b"a" * 2**20
    again = [(270, ASCII, len(text), 8)] * 4000
    yield _case(
        "tiff with one long text named 4000 times",
        lambda: raw_tiff(plain_tags(offset=8, bits=16) + again, text),
        says="tags",
    )
    again8 = [(270, ASCII, len(text), 8)] * 4000
    yield _case(
        "8-bit tiff with one long text named 4000 times",
        lambda: raw_tiff(plain_tags(offset=8, bits=8) + again8, text),
        says="tags",
    )
    yield _case(
        "tiff of 60,000 tags",
        lambda: raw_tiff(plain_tags() + [(60_000, SHORT, 1, 1)] * 60_000, data),
        says="tags",
    )
    count = 4000
    lists = struct.pack(f"<{count}I", *[8] * count)
    sizes = struct.pack(f"<{count}I", *[2**20] * count)
    strips = [
        (256, LONG, 1, 400),
        (257, LONG, 1, count),
        (258, SHORT, 3, struct.pack("<3H", 16, 16, 16)),
        (259, SHORT, 1, 8),
        (262, SHORT, 1, 2),
        (273, LONG, count, lists),
        (277, SHORT, 1, 3),
        (278, LONG, 1, 1),
        (279, LONG, count, sizes),
    ]
    empty = zlib.compress(b"")
    yield _case(
        "tiff of 4000 strips that are all the same MiB",
        lambda: raw_tiff(strips, empty + bytes(2**20)),
        says="overlap|more than",
    )
    plain = [
        *strips[:3],
        (259, SHORT, 1, 1),
        *strips[4:8],
        (279, LONG, count, struct.pack(f"<{count}I", *[2400] * count)),
    ]
    yield _case(
        "tiff of strips that are all the same bytes",
        lambda: raw_tiff(plain, bytes(2400)),
        says="overlap|more than",
    )
    for bits, name in ((64, "float64"), (16, "16-bit")):
        yield _case(
            f"tiff of {name} colour that inflates to a GiB",
            lambda b=bits: _colour(b),
            says="MiB|inflates|million",
        )
    yield _case(
        "tiff that inflates to more than it has pixels",
        lambda: _colour(16, side=64, unpacked=100 * 2**20),
        says="inflates to more",
    )
    yield _case("tiff of one tile of a GiB", lambda: _tile(16, 32_000), says="tile")
    yield _case("8-bit tiff of one tile of a GiB", lambda: _tile(8, 32_000), says="tile")
    yield _case(
        "tiff of a million rows a strip",
        lambda: raw_tiff(
            [t if t[0] != 278 else (278, LONG, 1, 2**32 - 1) for t in plain_tags()], data
        ),
    )


def _colour(bits: int, side: int = 6300, unpacked: int = 2**20) -> bytes:
    samples = 3 if bits == 64 else 5
    packed = zeros(unpacked)
    kind = 3 if bits == 64 else 1
    tags = [
        (256, LONG, 1, side),
        (257, LONG, 1, side),
        (258, SHORT, samples, struct.pack(f"<{samples}H", *[bits] * samples)),
        (259, SHORT, 1, 8),
        (262, SHORT, 1, 2),
        (273, LONG, 1, 8),
        (277, SHORT, 1, samples),
        (278, LONG, 1, side),
        (279, LONG, 1, len(packed)),
        (339, SHORT, samples, struct.pack(f"<{samples}H", *[kind] * samples)),
    ]
    return raw_tiff(tags, packed)


def _tile(bits: int, side: int) -> bytes:
    packed = zeros(2**20)
    tags = [
        (256, LONG, 1, 64),
        (257, LONG, 1, 64),
        (258, SHORT, 1, bits),
        (259, SHORT, 1, 8),
        (262, SHORT, 1, 1),
        (277, SHORT, 1, 1),
        (322, LONG, 1, side),
        (323, LONG, 1, side),
        (324, LONG, 1, 8),
        (325, LONG, 1, len(packed)),
    ]
    return raw_tiff(tags, packed)


def _bmps() -> Iterator[Case]:
    yield _case(
        "bmp packed pixel by pixel",
        lambda: _bmp(6300, 6300, b"\x01\x07" * 30_000_000, 1),
        says="RLE|packed",
    )
    leaps = b"\x00\x02\x00\xff" * 1000
    yield _case(
        "bmp that leaps over a million pixels",
        lambda: _bmp(1_000_000, 40, leaps, 1),
        says="RLE|packed",
    )


CASES = (*_sizes(), *_pngs(), *_jpegs(), *_tiffs(), *_bmps())
