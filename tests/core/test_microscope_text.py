"""Claims about text files beside pictures: both makers' are read, of this very picture only."""

import io
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.batch.rows import read_image
from core.batch.sources import from_paths, from_uploads, from_zip
from core.images import Micrograph
from core.import_data.examine import examine
from core.import_data.source import list_folder, list_uploads, list_zip
from core.microscope_text import MAX_BYTES, is_microscope_text, text_scale, with_text_scale

JEOL = (
    b"$CM_FORMAT JEOL-SEM\r\n$CM_VERSION 1.0\r\n$CM_MAG 1000\r\n$CM_FULL_SIZE 64 48\r\n"
    b"$$SM_MICRON_BAR 40\r\n$$SM_MICRON_MARKER 10um\r\n"
)
HITACHI = b"[SemImageFile]\r\nDataSize=64x48\r\nPixelSize=250\r\nMagnification=10\r\n"
TABLE = b"file,uts_mpa\r\na.png,400\r\n"


def png() -> bytes:
    buffer = io.BytesIO()
    grey = np.random.default_rng(0).integers(0, 255, (48, 64), dtype=np.uint8)
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("text", [JEOL, HITACHI, HITACHI.decode().encode("utf-16")])
def test_a_quarter_of_a_micrometre_is_read_from_either_maker(text: bytes) -> None:
    assert is_microscope_text(text)
    assert text_scale(text, 64) == pytest.approx(0.25)


@pytest.mark.parametrize(
    "text",
    [
        JEOL.replace(b"BAR 40", b"BAR 0"),
        JEOL.replace(b"10um", b"wide"),
        JEOL.replace(b"64 48", b"1280 960"),
        HITACHI.replace(b"=64x48", b"=1280x960"),
        HITACHI.replace(b"=250", b"=nan"),
        HITACHI.replace(b"=250", b"=-3"),
        HITACHI + b"PixelSize=900\r\n",
        HITACHI + b"DataSize=1280x960\r\n",
        HITACHI + b"\n" * MAX_BYTES,  # half of a text may end within a number
        JEOL.replace(b"10um", b"1" * 60_000),  # must not try every way to part the digits
        TABLE,
        b"",
        bytes(range(256)),
    ],
)
def test_what_is_no_scale_of_this_picture_gives_none(text: bytes) -> None:
    assert text_scale(text, 64) is None


def test_the_same_thing_said_twice_counts() -> None:
    assert text_scale(HITACHI * 2, 64) == pytest.approx(0.25)


def test_units_of_the_marker_count() -> None:
    assert text_scale(JEOL.replace(b"10um", b"500nm"), 64) == pytest.approx(0.0125)
    assert text_scale(JEOL.replace(b"10um", b"1.5 mm"), 64) == pytest.approx(37.5)


def test_a_pictures_own_scale_goes_first() -> None:
    plain = Micrograph(np.zeros((48, 64), np.float32), "a", None, ())
    found = with_text_scale(plain, lambda: JEOL)
    assert found.um_per_px == pytest.approx(0.25) and "text file" in found.notes[-1]
    again = with_text_scale(found, lambda: HITACHI.replace(b"250", b"900"))
    assert again is found
    assert with_text_scale(plain, lambda: TABLE) is plain


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "A.png").write_bytes(png())
    (tmp_path / "sub" / "A.txt").write_bytes(JEOL)
    (tmp_path / "b.png").write_bytes(png())
    (tmp_path / "b.txt").write_bytes(TABLE)
    return tmp_path


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for path in sorted(folder.rglob("*.*")):
            made.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


@pytest.mark.parametrize("source", ["folder", "zip", "uploads"])
def test_imports_take_it_and_leave_tables_tables(tmp_path: Path, source: str) -> None:
    folder = _folder(tmp_path)
    if source == "folder":
        listing = list_folder(folder)
    elif source == "zip":
        listing = list_zip(_zipped(folder), "all.zip")
    else:
        files = sorted(folder.rglob("*.*"))
        listing = list_uploads([(p.relative_to(folder).as_posix(), p.read_bytes()) for p in files])
    assert [t.path for t in listing.tables] == ["b.txt"]
    scales = {p.path: examine(p).um_per_px for p in listing.pictures}
    assert scales == {"sub/A.png": pytest.approx(0.25), "b.png": None}


@pytest.mark.parametrize("name", [".", "..", "/", ".txt", "a.", "//x", " ", "a.txt/"])
def test_a_zip_with_odd_names_gives_rows_and_no_crash(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(name, b"x")
        made.writestr("a.png", png())
    assert from_zip(buffer, "odd.zip")
    assert from_uploads([(name, io.BytesIO(b"x")), ("a.png", io.BytesIO(png()))])


@pytest.mark.parametrize("kind", ["folder", "zip", "uploads"])
def test_batches_take_it_too(tmp_path: Path, kind: str) -> None:
    folder = _folder(tmp_path)
    files = sorted(folder.rglob("*.*"))
    found = {
        "folder": lambda: from_paths([folder]),
        "zip": lambda: from_zip(io.BytesIO(_zipped(folder)), "all.zip"),
        "uploads": lambda: from_uploads([(p.name, io.BytesIO(p.read_bytes())) for p in files]),
    }[kind]()
    assert len(found) == 2, [one.name for one in found]
    scales = []
    for one in found:
        assert one.beside is not None
        micrograph = read_image(one.load(), one.name)
        scales.append(with_text_scale(micrograph, partial(one.beside)).um_per_px)
    assert sorted(scales, key=str) == [pytest.approx(0.25), None]
