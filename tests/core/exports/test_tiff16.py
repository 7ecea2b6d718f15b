"""16-bit TIFF: grey levels and scale come back, and ImageJ's own tags say the scale."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import InputError
from core.exports.tiff16 import encode_tiff16
from core.images import read_image


def ramp(height: int = 64, width: int = 80) -> np.ndarray:
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


@pytest.mark.parametrize("um_per_px", [0.0105, 0.5, 1.0, 1.16, 7.3, None])
def test_grey_levels_and_scale_come_back(um_per_px):
    found = read_image(encode_tiff16(ramp(), um_per_px), "made.tif")
    assert np.abs(found.pixels - ramp()).max() <= 0.5 / 65535 + 1e-7
    assert found.notes == ()
    if um_per_px is None:
        assert found.um_per_px is None
    else:
        assert found.um_per_px == pytest.approx(um_per_px, rel=1e-6)


def test_the_tags_are_those_that_imagej_reads():
    data = encode_tiff16(ramp(), 0.5, {"Seed": "7", "Note": "a\nb"})
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert file.is_imagej and page.dtype == np.uint16 and int(page.compression) == 1
        about = file.imagej_metadata
        assert about["unit"] == "micron"
        assert (about["min"], about["max"]) == (0.0, 65535.0)
        assert about["Info"] == "Seed: 7\nNote: ab\n"
        numerator, denominator = page.tags["XResolution"].value
        assert numerator / denominator == pytest.approx(2.0)  # px per µm
    assert Image.open(io.BytesIO(data)).mode == "I;16"


def test_levels_are_rounded_and_clipped():
    pixels = np.full((32, 32), 0.5, np.float32)
    pixels[0, :3] = (-1, 2, 1)
    levels = tifffile.imread(io.BytesIO(encode_tiff16(pixels)))
    assert levels[0, :3].tolist() == [0, 65535, 65535]
    assert levels[1, 1] == 32768  # 32767.5, half to even


@pytest.mark.parametrize(
    ("pixels", "um_per_px", "said"),
    [
        (np.zeros((2, 2, 3), np.float32), 1.0, "shape"),
        (np.zeros((4, 4), np.uint8), 1.0, "uint8"),
        (np.full((4, 4), np.nan, np.float32), 1.0, "NaN"),
        (np.zeros((4, 4), np.float32), 0.0, "um_per_px"),
        (np.zeros((4, 4), np.float32), 25.0, "um_per_px"),
        (np.zeros((4, 4), np.float32), float("nan"), "um_per_px"),
    ],
)
def test_what_cannot_be_written_is_said(pixels, um_per_px, said):
    with pytest.raises(InputError, match=said):
        encode_tiff16(pixels, um_per_px)
