"""Reading micrographs from strangers, and writing PNG."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from core.errors import ConfigError, InputError
from core.image_limits import ImageLimits
from core.images import encode_png, read_image, to_uint8

SIDE = 40
RAMP = np.arange(SIDE * SIDE, dtype=np.int64).reshape(SIDE, SIDE)  # 0 .. 1599


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def tiff(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def eight_bit() -> np.ndarray:
    return (RAMP % 256).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_eight_bit_grey_is_divided_by_255(kind: str) -> None:
    micrograph = read_image(saved(Image.fromarray(eight_bit()), kind), f"a.{kind.lower()}")
    assert micrograph.pixels.dtype == np.float32
    assert micrograph.pixels.flags.c_contiguous
    np.testing.assert_array_equal(micrograph.pixels, eight_bit().astype(np.float32) / 255)
    assert (micrograph.um_per_px, micrograph.notes) == (None, ())


def test_jpeg_is_read_within_its_loss() -> None:
    smooth = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    micrograph = read_image(saved(Image.fromarray(smooth), "JPEG", quality=95), "a.jpg")
    np.testing.assert_allclose(micrograph.pixels, smooth / 255, atol=0.02)


def test_one_bit_image_has_only_black_and_white() -> None:
    micrograph = read_image(saved(Image.fromarray(RAMP % 2 == 0), "PNG"), "a.png")
    np.testing.assert_array_equal(micrograph.pixels, (RAMP % 2 == 0).astype(np.float32))


@pytest.mark.parametrize(
    ("colour", "luminance"), [("red", 0.299), ("lime", 0.587), ("blue", 0.114)]
)
@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK"])
def test_colour_becomes_rec_601_luminance_with_a_note(
    colour: str, luminance: float, mode: str
) -> None:
    image = Image.new("RGB", (SIDE, SIDE), colour).convert(mode)
    micrograph = read_image(saved(image, "TIFF"), "a.tif")
    np.testing.assert_allclose(micrograph.pixels, luminance, atol=0.5 / 255)
    assert "colour converted to luminance (Rec. 601)" in micrograph.notes


def test_grey_stored_as_rgb_is_exact_and_needs_no_note() -> None:
    micrograph = read_image(saved(Image.fromarray(eight_bit()).convert("RGB"), "PNG"), "a.png")
    np.testing.assert_array_equal(micrograph.pixels, eight_bit().astype(np.float32) / 255)
    assert micrograph.notes == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_black_is_white(mode: str) -> None:
    pixels = Image.new(mode, (SIDE, SIDE), (0,) * len(mode))
    micrograph = read_image(saved(pixels, "PNG"), "a.png")
    assert (micrograph.pixels == 1).all()
    assert "transparency laid on white" in micrograph.notes


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_sixteen_bit_tiff_is_divided_by_65535(byteorder: str) -> None:
    deep = (RAMP * 40).astype(np.uint16)
    micrograph = read_image(tiff(deep, byteorder=byteorder), "a.tif")
    np.testing.assert_allclose(micrograph.pixels, deep / 65535, atol=1e-7)
    assert micrograph.notes == ()


def test_sixteen_bit_png_keeps_its_depth() -> None:
    deep = (RAMP * 40).astype(np.uint16)
    micrograph = read_image(saved(Image.fromarray(deep), "PNG"), "a.png")
    np.testing.assert_allclose(micrograph.pixels, deep / 65535, atol=1e-7)


@pytest.mark.parametrize(
    ("highest", "full"),
    [(255, 255), (256, 1023), (1024, 4095), (4095, 4095), (4096, 16383), (16384, 65535)],
)
def test_sixteen_bit_scale_follows_the_largest_value(highest: int, full: int) -> None:
    deep = np.zeros((SIDE, SIDE), np.uint16)
    deep[3, 4] = highest
    micrograph = read_image(tiff(deep), "a.tif")
    assert micrograph.pixels[3, 4] == pytest.approx(highest / full)
    (note,) = micrograph.notes
    assert str(highest) in note and ("dark" in note) == (full == 65535)


def test_a_sixteen_bit_picture_with_light_pixels_needs_no_note() -> None:
    deep = np.full((SIDE, SIDE), 40_000, np.uint16)
    assert read_image(tiff(deep), "a.tif").notes == ()


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_rgb_tiff_is_read_at_full_depth(compression: str | None, planar: str) -> None:
    colour = np.stack([RAMP * 40, RAMP * 20, RAMP * 10], -1).astype(np.uint16)
    stored = colour if planar == "contig" else np.moveaxis(colour, -1, 0)
    data = tiff(stored, photometric="rgb", planarconfig=planar, compression=compression)
    expected = colour @ np.array([0.299, 0.587, 0.114]) / 65535
    micrograph = read_image(data, "a.tif")
    np.testing.assert_allclose(micrograph.pixels, expected, atol=1e-6)
    assert len(np.unique(micrograph.pixels)) > 1500  # 8 bits would leave 256


def test_sixteen_bit_alpha_is_laid_on_white() -> None:
    colour = np.zeros((SIDE, SIDE, 4), np.uint16)
    colour[..., 3] = 65535
    colour[0, 0, 3] = 0
    data = tiff(colour, photometric="rgb", extrasamples=["unassalpha"])
    micrograph = read_image(data, "a.tif")
    assert micrograph.pixels[0, 0] == 1 and micrograph.pixels[1, 1] == 0


def test_white_is_zero_is_inverted_at_any_depth() -> None:
    shallow = read_image(tiff(eight_bit(), photometric="miniswhite"), "a.tif").pixels
    np.testing.assert_allclose(shallow, 1 - eight_bit() / 255, atol=1e-6)
    deep = (RAMP * 40).astype(np.uint16)
    read = read_image(tiff(deep, photometric="miniswhite"), "a.tif").pixels
    np.testing.assert_allclose(read, 1 - deep / 65535, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_the_unit_range_are_kept(dtype: type) -> None:
    values = (RAMP / 3200).astype(dtype)
    micrograph = read_image(tiff(values), "a.tif")
    np.testing.assert_array_equal(micrograph.pixels, values.astype(np.float32))
    assert micrograph.notes == ()


@pytest.mark.parametrize(
    "values",
    [
        (RAMP - 50.0) * 3.5,
        (RAMP - 50).astype(np.int16),
        (RAMP * 1000).astype(np.uint32),
        (RAMP - 50).astype(np.int32),
        np.where(RAMP == 0, -1.5e308, np.where(RAMP == 1, 1.5e308, 0.0)),
    ],
    ids=["float64", "int16", "uint32", "int32", "huge"],
)
def test_other_ranges_fill_zero_to_one_with_a_note(values: np.ndarray) -> None:
    micrograph = read_image(tiff(values), "a.tif")
    assert (micrograph.pixels.min(), micrograph.pixels.max()) == (0, 1)
    assert "scaled to 0..1" in micrograph.notes[0]
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(micrograph.pixels.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(bad: float) -> None:
    values = np.full((SIDE, SIDE), 0.5, np.float32)
    values[2, 3] = bad
    with pytest.raises(InputError, match=rf"a\.tif: 1 pixels are not finite .*{bad}"):
        read_image(tiff(values), "a.tif")


def test_a_constant_is_read_where_it_has_a_scale_and_refused_where_not() -> None:
    flat = np.full((SIDE, SIDE), 51)
    assert (read_image(tiff(flat.astype(np.uint8)), "a.tif").pixels == np.float32(0.2)).all()
    assert (read_image(tiff(flat.astype(np.float32) / 102), "a.tif").pixels == 0.5).all()
    with pytest.raises(InputError, match="every pixel is 51"):
        read_image(tiff(flat.astype(np.float32)), "a.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("deep", [False, True])
def test_compressed_tiff_equals_the_plain_one(compression: str, deep: bool) -> None:
    values = (RAMP * 40).astype(np.uint16) if deep else eight_bit()
    data = saved(Image.fromarray(values), "TIFF", compression=compression)
    np.testing.assert_array_equal(
        read_image(data, "a.tif").pixels, read_image(tiff(values), "a.tif").pixels
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "deep TIFF"])
def test_exif_orientation_is_applied_as_pillow_does(orientation: int, kind: str) -> None:
    values = np.zeros((40, 56), np.uint8)
    values[:8, :16] = 255  # one bright corner tells all eight apart
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    upright = Image.fromarray(values)
    if orientation > 1:
        upright = upright.transpose(Image.Transpose(turn[orientation]))
    if kind == "deep TIFF":
        extra = [(0x0112, 3, 1, orientation, True)]
        data = tiff(values.astype(np.uint16) * 257, extratags=extra)
    else:
        data = saved(Image.fromarray(values), kind, exif=exif.tobytes())
    micrograph = read_image(data, "a." + kind[-4:].lower())
    np.testing.assert_allclose(micrograph.pixels, np.asarray(upright) / 255, atol=0.05)
    assert any("orientation" in note for note in micrograph.notes) == (orientation > 1)


def test_only_the_first_of_several_images_is_read() -> None:
    stack = np.stack([eight_bit(), 255 - eight_bit()])
    several = [
        tiff(stack, photometric="minisblack"),
        tiff(stack.astype(np.uint16) * 257, imagej=True),
        saved(
            Image.fromarray(stack[0]),
            "PNG",
            save_all=True,
            append_images=[Image.fromarray(stack[1])],
        ),
    ]
    for data in several:
        micrograph = read_image(data, "a")
        np.testing.assert_allclose(micrograph.pixels[0, 1], 1 / 255, atol=0.004)
        assert "the file holds several images; only the first is read" in micrograph.notes


@pytest.mark.parametrize(
    ("unit", "per_unit", "um_per_px"),
    [
        ("CENTIMETER", 20000.0, 0.5),
        ("CENTIMETER", 28.346, None),  # 72 dots per inch
        ("INCH", 72.0, None),
        ("INCH", 96.0, None),
        ("NONE", 2.0, None),
    ],
)
def test_tiff_scale_is_taken_only_from_a_microscope_s_resolution(
    unit: str, per_unit: float, um_per_px: float | None
) -> None:
    for values in (eight_bit(), (RAMP * 40).astype(np.uint16)):
        data = tiff(values, resolution=(per_unit, per_unit), resolutionunit=unit)
        assert read_image(data, "a.tif").um_per_px == um_per_px


@pytest.mark.parametrize(
    ("unit", "um_per_px"),
    [("um", 0.25), ("micron", 0.25), ("\\u00B5m", 0.25), ("nm", 2.5e-4), ("inch", None)],
)
def test_imagej_scale_needs_a_unit_of_length(unit: str, um_per_px: float | None) -> None:
    data = tiff(eight_bit(), imagej=True, resolution=(4.0, 4.0), metadata={"unit": unit})
    assert read_image(data, "a.tif").um_per_px == um_per_px


def test_a_scale_that_differs_between_the_axes_is_not_used() -> None:
    data = tiff(eight_bit(), resolution=(20000, 10000), resolutionunit="CENTIMETER")
    assert read_image(data, "a.tif").um_per_px is None


def test_size_is_checked_before_decoding() -> None:
    """A 13000 x 13000 header with no pixels behind it is refused for its size, not its damage."""
    header = struct.pack(">IIBBBBB", 13000, 13000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    data += struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\x10IDAT"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            InputError, match=r"13000 x 13000 px, 169\.0 million pixels; at most 40"
        ):
            read_image(data, "bomb.png")


def test_a_wider_limit_than_pillow_s_does_not_trip_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = saved(Image.fromarray(eight_bit()), "PNG")
    assert read_image(data, "a.png").pixels.shape == (SIDE, SIDE)


def test_a_tiff_that_inflates_beyond_its_size_is_refused() -> None:
    colour = np.zeros((SIDE, SIDE, 3), np.uint16)
    data = bytearray(tiff(colour, photometric="rgb", compression="zlib", rowsperstrip=SIDE))
    bomb = zlib.compress(bytes(10_000_000))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        counts, offsets = tags["StripByteCounts"], tags["StripOffsets"]
    for tag, value in ((counts, len(bomb)), (offsets, len(data))):
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}[int(tag.dtype)]
        struct.pack_into("<" + code, data, tag.valueoffset, value)
    with pytest.raises(InputError, match="inflates to more than its 9600 bytes"):
        read_image(bytes(data) + bomb, "bomb.tif")


@pytest.mark.parametrize("limits", [{"max_bytes": 100}, {"min_side": 41}, {"max_pixels": 1599}])
def test_each_limit_is_held(limits: dict[str, int]) -> None:
    data = saved(Image.fromarray(eight_bit()), "BMP")
    with pytest.raises(InputError, match=r"^a\.bmp: the (file|image)"):
        read_image(data, "a.bmp", ImageLimits(**limits))


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="min_side is 0"):
        ImageLimits(min_side=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an image"),
        (b"GIF89a" + bytes(40), "a GIF file"),
        (b"%PDF-1.7", "a PDF file"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP file"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
    ],
)
def test_other_content_is_named_and_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_image(data, "a.png")


def test_a_name_that_lies_leaves_a_note() -> None:
    micrograph = read_image(saved(Image.fromarray(eight_bit()), "TIFF"), "photo.png")
    assert micrograph.notes == ("the name ends in .png, but the content is TIFF; read as TIFF",)


def test_a_file_is_read_by_path_and_a_missing_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "field.png"
    path.write_bytes(saved(Image.fromarray(eight_bit()), "PNG"))
    assert read_image(path).name == "field.png"
    for wrong in (tmp_path / "gone.png", tmp_path):
        with pytest.raises(InputError, match="there is no such file"):
            read_image(wrong)


def samples() -> list[bytes]:
    image = Image.fromarray(eight_bit())
    colour = np.stack([RAMP] * 3, -1).astype(np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        saved(image, "PNG"),
        saved(image, "PNG", exif=exif.tobytes(), dpi=(25400, 25400)),
        saved(image.convert("P"), "PNG", transparency=3),
        saved(image, "JPEG", exif=exif.tobytes()),
        saved(image, "BMP"),
        saved(image.convert("P"), "BMP"),
        saved(image, "TIFF", compression="tiff_lzw"),
        saved(image, "TIFF"),
        tiff((RAMP * 40).astype(np.uint16), imagej=True, metadata={"unit": "um"}),
        tiff(colour, photometric="rgb", compression="zlib"),
        tiff(RAMP / 1600, byteorder=">"),
        tiff(colour, photometric="rgb", tile=(16, 16), bigtiff=True),
    ]


SAMPLES = samples()


def read_or_refuse(data: bytes) -> None:
    """Read; only InputError may escape, and what is read keeps the promise of `read_image`."""
    try:
        micrograph = read_image(data, "a.png")
    except InputError as refused:
        said = str(refused)
        assert said.startswith("a.png: ")
        return
    assert micrograph.pixels.dtype == np.float32 and micrograph.pixels.ndim == 2
    assert micrograph.pixels.min() >= 0 and micrograph.pixels.max() <= 1
    assert micrograph.um_per_px is None or 0 < micrograph.um_per_px <= 20


# Pillow warns about damaged metadata while it reads on.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("index", range(len(SAMPLES)))
def test_a_truncated_file_is_read_or_refused(index: int) -> None:
    data = SAMPLES[index]
    read_or_refuse(data)
    for cut in np.linspace(1, len(data) - 1, 25).astype(int):
        read_or_refuse(data[:cut])
    with pytest.raises(InputError):
        read_image(data[: len(data) // 2], "a.png")


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    index=st.integers(0, len(SAMPLES) - 1),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    in_header=st.booleans(),
)
def test_changed_bytes_are_read_or_refused(
    index: int, edits: list[tuple[float, int]], in_header: bool
) -> None:
    data = bytearray(SAMPLES[index])
    span = min(len(data), 300) if in_header else len(data)
    for place, value in edits:
        data[int(place * (span - 1))] = value
    read_or_refuse(bytes(data))


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM"]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_are_refused(start: bytes, rest: bytes) -> None:
    with pytest.raises(InputError):
        read_image(start + rest, "a.png")


def test_to_uint8_rounds_and_clips() -> None:
    values = np.array([-0.2, 0.0, 0.5, 100.4 / 255, 1.0, 1.7])
    assert to_uint8(values).tolist() == [0, 0, 128, 100, 255, 255]


@pytest.mark.parametrize("bad", [np.zeros(3, np.uint8), np.array([0.1, np.nan])])
def test_to_uint8_refuses_integers_and_nan(bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="pixels"):
        to_uint8(bad)


def test_png_round_trip_keeps_pixels_scale_and_text() -> None:
    pixels = eight_bit().astype(np.float32) / 255
    data = encode_png(pixels, um_per_px=1.16279, text={"Title": "Guß", "Design": "λ = 3"})
    micrograph = read_image(data, "a.png")
    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.um_per_px == pytest.approx(1.16279, rel=1e-5)
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert image.mode == "L" and image.text == {"Title": "Guß", "Design": "λ = 3"}
    place = data.index(b"pHYs")
    assert struct.unpack(">IIB", data[place + 4 : place + 13]) == (860001, 860001, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        {"pixels": np.zeros((3, 3, 3))},
        {"pixels": np.zeros((0, 3))},
        {"pixels": np.zeros((3, 3)), "um_per_px": 0.0},
        {"pixels": np.zeros((3, 3)), "um_per_px": 1e-5},
        {"pixels": np.zeros((3, 3)), "text": {"": "x"}},
        {"pixels": np.zeros((3, 3)), "text": {"a": "x\0y"}},
    ],
)
def test_encode_png_refuses_what_png_cannot_hold(arguments: dict) -> None:
    with pytest.raises(InputError):
        encode_png(**arguments)
