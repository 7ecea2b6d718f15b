"""Pictures of every kind that microscopes, phones and programs write, read right or refused."""

import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from core.images import Micrograph, read_image
from tests.hostile.case import Case
from tests.hostile.made import GREY, LEVELS, deep_levels, grey, png, saved, tiff

KIND = "picture kinds"
RGB = Image.merge("RGB", [Image.fromarray(LEVELS)] * 3)
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, 3),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a),
}


def _case(name: str, make: Callable[[], bytes], **more: object) -> Case:
    file = str(more.pop("file", "a.png"))
    category = str(more.pop("category", KIND))
    return Case(
        name=name,
        category=category,
        make=lambda folder: make(),
        read=lambda data: read_image(data, file),
        **more,  # type: ignore[arg-type]
    )


def shows(wanted: np.ndarray, within: float = 1e-6, note: str = "") -> Callable[[Micrograph], None]:
    """Return a check that a micrograph shows this."""

    def right(found: Micrograph) -> None:
        assert found.pixels.shape == wanted.shape, f"{found.pixels.shape}, not {wanted.shape}"
        off = float(np.abs(found.pixels - wanted).max())
        assert off <= within, f"off by {off:.4f}"
        assert note in " ".join(found.notes), f"the notes {found.notes} do not say {note!r}"

    return right


def _exif(orientation: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _turned() -> Iterator[Case]:
    for number, turn in TURNS.items():
        told = f"EXIF orientation {number}"
        yield _case(
            f"jpeg turned by EXIF orientation {number}",
            lambda n=number: grey("JPEG", quality=98, exif=_exif(n)),
            file="a.jpg",
            right=shows(turn(GREY), 0.03, told),
        )
        yield _case(
            f"16-bit tiff turned by orientation {number}",
            lambda n=number: tiff(deep_levels(), extratags=[(274, 3, 1, n, True)]),
            file="a.tif",
            right=shows(turn(GREY), 1e-4, told),
        )
    for number in (0, 9, 65535):
        yield _case(
            f"orientation {number} that does not exist is left",
            lambda n=number: grey("JPEG", quality=98, exif=_exif(n)),
            file="a.jpg",
            right=shows(GREY, 0.03),
        )
    yield _case(
        "png turned by EXIF",
        lambda: grey("PNG", exif=_exif(6)),
        right=shows(np.rot90(GREY, 3), 1e-6, "EXIF orientation 6"),
    )
    yield _case(
        "8-bit tiff turned by EXIF",
        lambda: tiff(LEVELS, extratags=[(274, 3, 1, 8, True)]),
        file="a.tif",
        right=shows(np.rot90(GREY), 1e-6, "EXIF orientation 8"),
    )
    yield _case(
        "EXIF of noise costs nothing",
        lambda: grey("JPEG", quality=98, exif=b"Exif\0\0" + bytes(range(256)) * 4),
        file="a.jpg",
        right=shows(GREY, 0.03),
    )


def _modes() -> Iterator[Case]:
    halves = Image.fromarray(np.where(LEVELS > 120, 255, 0).astype(np.uint8))
    binary = (LEVELS > 120).astype(np.float32)
    for kind in ("PNG", "TIFF", "BMP"):
        yield _case(
            f"1-bit {kind}",
            lambda k=kind: saved(halves.convert("1"), k),
            file=f"a.{kind.lower()}",
            right=shows(binary),
        )
        yield _case(
            f"palette {kind}",
            lambda k=kind: saved(RGB.quantize(256), k),
            file=f"a.{kind.lower()}",
            right=shows(GREY, 0.01),
        )
        yield _case(
            f"grey stored as colour, {kind}",
            lambda k=kind: saved(RGB, k),
            file=f"a.{kind.lower()}",
            right=shows(GREY),
        )
    yield _case(
        "fax-compressed 1-bit tiff",
        lambda: saved(halves.convert("1"), "TIFF", compression="group4"),
        file="a.tif",
        right=shows(binary),
    )
    for kind in ("JPEG", "TIFF"):
        yield _case(
            f"CMYK {kind}",
            lambda k=kind: saved(RGB.convert("CMYK"), k),
            file=f"a.{kind.lower()}",
            right=shows(GREY, 0.04),
        )
    yield _case(
        "YCbCr tiff",
        lambda: saved(RGB.convert("YCbCr"), "TIFF"),
        file="a.tif",
        right=shows(GREY, 0.02),
    )
    lab = Image.merge("LAB", [Image.fromarray(LEVELS)] + [Image.new("L", RGB.size, 128)] * 2)
    yield _case(
        "Lab tiff", lambda: saved(lab, "TIFF"), file="a.tif", right=shows(GREY, 0.01, "lightness")
    )
    clear = RGB.copy()
    clear.putalpha(Image.new("L", RGB.size, 0))
    white = np.ones_like(GREY)
    for kind in ("PNG", "TIFF"):
        yield _case(
            f"invisible picture is white, {kind}",
            lambda k=kind: saved(clear, k),
            file=f"a.{kind.lower()}",
            right=shows(white, 0, "laid on white"),
        )
    half = Image.merge("LA", [Image.fromarray(LEVELS), Image.new("L", RGB.size, 128)])
    yield _case(
        "half-transparent grey",
        lambda: saved(half, "PNG"),
        right=shows(1 - (1 - GREY) * 128 / 255, 0.01, "laid on white"),
    )
    yield _case("palette with a transparent entry", _clear_palette, right=shows(white, 0, "white"))
    yield _case(
        "grey with a transparent value",
        lambda: grey("PNG", transparency=0),
        right=lambda m: shows(np.where(LEVELS == 0, 1, GREY))(m),
    )


def _clear_palette() -> bytes:
    image = Image.new("P", RGB.size, 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    return saved(image, "PNG", transparency=1)


def _depths() -> Iterator[Case]:
    deep = deep_levels()
    for order in "<>":
        yield _case(
            f"16-bit tiff, byte order {order}",
            lambda o=order: tiff(deep, byteorder=o),
            file="a.tif",
            right=shows(GREY, 1e-4),
        )
    yield _case("16-bit png", lambda: saved(Image.fromarray(deep), "PNG"), right=shows(GREY, 1e-4))
    yield _case(
        "12-bit camera in 16 bits",
        lambda: tiff(deep // 16),
        file="a.tif",
        right=shows(GREY, 1e-3, "12-bit"),
    )
    yield _case(
        "16-bit colour tiff",
        lambda: tiff(np.stack([deep] * 3, -1), photometric="rgb"),
        file="a.tif",
        right=shows(GREY, 1e-4, "luminance"),
    )
    opaque = np.stack([deep] * 3 + [np.full_like(deep, 65535)], -1)
    yield _case(
        "16-bit colour with alpha",
        lambda: tiff(opaque, photometric="rgb", extrasamples=["unassalpha"]),
        file="a.tif",
        right=shows(GREY, 1e-4, "laid on white"),
    )
    yield _case(
        "16-bit planes apart",
        lambda: tiff(np.stack([deep] * 3), photometric="rgb", planarconfig="separate"),
        file="a.tif",
        right=shows(GREY, 1e-4),
    )
    yield _case(
        "16-bit in tiles, deflated",
        lambda: tiff(
            np.stack([deep] * 3, -1), photometric="rgb", tile=(32, 32), compression="zlib"
        ),
        file="a.tif",
        right=shows(GREY, 1e-4),
    )
    yield _case(
        "white counted as 0",
        lambda: tiff(65535 - deep, photometric="miniswhite"),
        file="a.tif",
        right=shows(GREY, 1e-4),
    )
    yield _case(
        "16-bit colour png is read with 8 bits",
        lambda: png(
            depth=16,
            colour=2,
            data=zlib.compress(
                b"".join(b"\0" + np.repeat(row.astype(">u2") * 257, 3).tobytes() for row in LEVELS)
            ),
        ),
        right=shows(GREY, 0.005, "8 bits"),
    )
    for kind in ("float16", "float32", "float64"):
        yield _case(
            f"{kind} in 0..1",
            lambda k=kind: tiff(GREY.astype(k)),
            file="a.tif",
            right=shows(GREY, 1e-3),
        )
    span = (GREY - GREY.min()) / np.ptp(GREY)
    for kind in ("int16", "int32", "uint32", "int64", "uint64"):
        low = 70_000 if kind.startswith("u") else -1000
        yield _case(
            f"{kind} scaled by its range",
            lambda k=kind, m=low: tiff(LEVELS.astype(k) * 100 + m),
            file="a.tif",
            right=shows(span, 1e-3, "scaled to 0..1"),
        )
    yield _case(
        "floats as large as there are",
        lambda: tiff((GREY * 2 - 1).astype("float64") * 1.7e308),
        file="a.tif",
        right=shows(span, 1e-3),
    )
    bad = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf}
    for name, value in bad.items():
        for kind in ("float32", "float64", "float16"):
            yield _case(
                f"{kind} with {name}",
                lambda v=value, k=kind: tiff(_with(v, k)),
                file="a.tif",
                says="1 pixels are not finite .*replace",
            )
    yield _case(
        "nothing but NaN",
        lambda: tiff(np.full((40, 40), np.nan, "float32")),
        file="a.tif",
        says="1600 pixels are not finite",
    )
    yield _case(
        "NaN in a colour tiff",
        lambda: tiff(np.stack([_with(np.nan, "float32")] * 3, -1), photometric="rgb"),
        file="a.tif",
        says="3 pixels are not finite",
    )
    yield _case(
        "constant beyond 1",
        lambda: tiff(np.full((40, 40), 7.5, "float32")),
        file="a.tif",
        says="every pixel is 7.5",
    )
    yield _case(
        "complex numbers",
        lambda: tiff(GREY.astype("complex64")),
        file="a.tif",
        says="complex|damaged",
    )
    yield _case(
        "six samples a pixel",
        lambda: tiff(
            np.zeros((40, 40, 6), "uint16"), photometric="minisblack", planarconfig="contig"
        ),
        file="a.tif",
        says="6 samples a pixel",
    )
    yield _case(
        "a volume",
        lambda: tiff(
            np.zeros((4, 48, 48), "uint8"),
            volumetric=True,
            tile=(4, 16, 16),
            photometric="minisblack",
        ),
        file="a.tif",
        says="depth 4",
    )


def _with(value: float, kind: str) -> np.ndarray:
    array = GREY.astype(kind)
    array[3, 4] = value
    return array


def _several() -> Iterator[Case]:
    more = [Image.fromarray(255 - LEVELS)] * 2
    only = shows(GREY, 1e-6, "only the first")
    yield _case(
        "tiff of three pages",
        lambda: grey("TIFF", save_all=True, append_images=more),
        file="a.tif",
        right=only,
    )
    yield _case(
        "16-bit tiff of three pages",
        lambda: tiff(
            np.stack([deep_levels(), 65535 - deep_levels(), deep_levels()]),
            photometric="minisblack",
        ),
        file="a.tif",
        right=shows(GREY, 1e-4, "only the first"),
    )
    yield _case("animated png", lambda: grey("PNG", save_all=True, append_images=more), right=only)
    yield _case(
        "ImageJ stack",
        lambda: tiff(np.stack([deep_levels()] * 3), imagej=True, metadata={"axes": "ZYX"}),
        file="a.tif",
        right=shows(GREY, 1e-4, "only the first"),
    )
    yield _case(
        "several JPEGs in one (MPO)",
        lambda: saved(
            Image.fromarray(LEVELS), "MPO", save_all=True, append_images=more, quality=98
        ),
        file="a.jpg",
        right=shows(GREY, 0.03),
    )
    yield _case(
        "animated GIF",
        lambda: saved(Image.fromarray(LEVELS), "GIF", save_all=True, append_images=more),
        says="a GIF file",
    )


def _scales() -> Iterator[Case]:
    def unknown(found: Micrograph) -> None:
        assert found.um_per_px is None, f"the scale is {found.um_per_px}"

    def tagged(across: tuple[int, int], unit: int = 3) -> bytes:
        rational = (across[0] & 0xFFFFFFFF, across[1] & 0xFFFFFFFF)
        tags = [(282, 5, 1, rational, True), (283, 5, 1, rational, True), (296, 3, 1, unit, True)]
        return tiff(deep_levels(), extratags=tags, metadata=None)

    for name, across in {"0/0": (0, 0), "1/0": (1, 0), "0/1": (0, 1)}.items():
        yield _case(
            f"tiff resolution {name}", lambda a=across: tagged(a), file="a.tif", right=unknown
        )
    yield _case("print resolution is no scale", lambda: grey("PNG", dpi=(72, 72)), right=unknown)
    yield _case(
        "a scale finer than an atom", lambda: tagged((2**32 - 1, 1)), file="a.tif", right=unknown
    )
    yield _case("pHYs of nothing", lambda: grey("PNG", dpi=(0, 0)), right=unknown)
    yield _case(
        "ImageJ with an invented unit",
        lambda: tiff(
            deep_levels(), imagej=True, resolution=(2, 2), metadata={"unit": "=cmd|' /C calc'!A0"}
        ),
        file="a.tif",
        right=unknown,
    )


NAMES = {
    "a script": "<script>alert(1)</script>.png",
    "an image of another server": "![x](http://e.example/t.png).png",
    "folders above": "../../../etc/passwd",
    "a Windows path": "C:\\Windows\\system32\\a.png",
    "NUL": "a\0.png",
    "a line break and a colour": "a\n\x1b[31mERROR: all lost\x1b[0m.png",
    "text from right to left": "a\u202egnp.exe",
    "a formula": "=HYPERLINK(0).png",
    "10,000 characters": "a" * 10_000 + ".png",
    "nothing but dots": "..",
    "half a character": "\ud800\udc80\udcff.png",
}


def _names() -> Iterator[Case]:
    def safe(found: Micrograph) -> None:
        text = found.name
        assert 1 <= len(text) <= 80 and text.isprintable(), repr(text)
        assert "/" not in text and "\\" not in text and text != "..", repr(text)

    for what, name in NAMES.items():
        yield _case(f"named with {what}", lambda: png(), file=name, right=safe, category="names")
        yield _case(
            f"not a picture, named with {what}",
            lambda: b"<html>",
            file=name,
            says="save it as PNG",
            category="names",
        )


CASES = (*_turned(), *_modes(), *_depths(), *_several(), *_scales(), *_names())
