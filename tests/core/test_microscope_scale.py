"""Claims about scales that microscopes write into TIFF files."""

import io

import numpy as np
import pytest
import tifffile

from core.images import read_image

PIXELS = np.random.default_rng(0).integers(0, 255, (64, 96), dtype=np.uint8)


def scale(**options: object) -> float | None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, PIXELS, **options)
    return read_image(stream.getvalue(), "picture.tif").um_per_px


def tag(code: int, text: str) -> list[tuple]:
    return [(code, "s", 0, text, True)]


def fei(width: int, across: str = "2.5e-7", down: str = "2.5e-7") -> list[tuple]:
    lines = ["[Image]", f"ResolutionX={width}", "ResolutionY=60", "[EScan]"]
    return tag(34682, "\r\n".join([*lines, f"PixelWidth={across}", f"PixelHeight={down}", ""]))


def test_fei_writes_metres_a_pixel() -> None:
    assert scale(extratags=fei(96)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    "tags",
    [
        fei(192),  # resized since
        fei(96, down="5e-7"),  # pixels that are not square
        fei(96, across="many"),
        fei(96, across="-2.5e-7", down="-2.5e-7"),
        tag(34682, "[Image]\r\n"),
        tag(34118, "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.5 furlong\r\n"),
    ],
)
def test_a_scale_that_is_not_clear_is_none(tags: list[tuple]) -> None:
    assert scale(extratags=tags) is None


@pytest.mark.parametrize(("unit", "um"), [("nm", 0.0125), ("µm", 12.5)])
def test_zeiss_writes_a_size_with_its_unit(unit: str, um: float) -> None:
    text = (
        f"DP_IMAGE_STORE\r\nStore resolution = 96 * 64\r\n"
        f"AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.5 {unit}\r\n"
    )
    encoded = [(34118, 1, len(text.encode("cp1252")), text.encode("cp1252"), True)]
    assert scale(extratags=encoded) == pytest.approx(um)


def test_ome_writes_a_physical_size() -> None:
    about = {"PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm"}
    about |= {"PhysicalSizeY": 650, "PhysicalSizeYUnit": "nm"}
    assert scale(ome=True, metadata=about) == pytest.approx(0.65)
