"""Zips that lie, lead elsewhere or unpack without end, for both who read them: batch and import."""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from core.batch.sources import from_paths, from_zip
from core.errors import InputError
from core.import_data.source import Listing, list_folder, list_source, list_uploads, list_zip
from core.zips import read_entries
from tests.hostile.case import Case
from tests.hostile.made import packed, png

KIND = "zips"
CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"


def batch(data: bytes) -> list[bytes]:
    """What a batch reads of a zip; the first file that cannot be read raises."""
    return [one.load() for one in from_zip(io.BytesIO(data), "z.zip")]


def imported(data: bytes) -> list[bytes]:
    """What an import reads of a zip."""
    found = list_zip(data, "z.zip")
    return [file.load() for file in (*found.pictures, *found.tables)]


def _both(name: str, make: Callable[[], bytes], says: str, only: str = "") -> Iterator[Case]:
    for who, read in (("batch", batch), ("import", imported)):
        if only in ("", who):
            yield Case(
                name=f"{name}, {who}",
                category=KIND,
                make=lambda folder: make(),
                read=read,
                says=says,
            )


def _entry(name: str = "a.png", data: bytes = b"x", **fields: int) -> bytes:
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, data)
    return buffer.getvalue()


def _poked(data: bytes, mark: bytes, place: int, kind: str, value: int) -> bytes:
    """Return a zip with a number put behind a mark."""
    found = bytearray(data)
    struct.pack_into(kind, found, found.index(mark) + place, value)
    return bytes(found)


def _paths() -> Iterator[Case]:
    names = {
        "an absolute name": "/etc/a.png",
        "a name above": "../a.png",
        "a name above, from within": "x/../../a.png",
        "a name above, with backslashes": "..\\..\\a.png",
        "a Windows drive": "C:\\a.png",
        "a Windows drive and a slash": "C:/a.png",
        "a network share": "\\\\host\\share\\a.png",
    }
    for what, name in names.items():
        yield from _both(what, lambda n=name: packed({n: png()}), "leads out of the zip")
    link = (stat.S_IFLNK | 0o777) << 16
    yield from _both("a link", lambda: _entry(data=b"/etc/passwd", external_attr=link), "is a link")


def _lies() -> Iterator[Case]:
    one = packed({"a.png": b"x" * 1000}, zipfile.ZIP_STORED)
    cannot = "cannot be unpacked.*pack it anew"
    yield from _both(
        "a file that is longer than it says",
        lambda: _poked(_poked(one, CENTRAL, 24, "<I", 10), CENTRAL, 20, "<I", 10),
        cannot,
    )
    yield from _both(
        "a file that is shorter than it says", lambda: _poked(one, CENTRAL, 24, "<I", 10**6), cannot
    )
    yield from _both(
        "a file that begins beyond the end",
        lambda: _poked(one, CENTRAL, 42, "<I", 2**32 - 2),
        cannot,
    )
    yield from _both(
        "another name in front of the file", lambda: one.replace(b"a.png", b"b.png", 1), cannot
    )
    yield from _both("a wrong checksum", lambda: _poked(one, CENTRAL, 16, "<I", 7), cannot)
    yield from _both(
        "a password in the table of contents",
        lambda: _poked(one, CENTRAL, 8, "<H", 1),
        "has a password",
    )
    deflated = packed({"a.png": bytes(range(256)) * 40})
    yield from _both(
        "a file damaged in its middle",
        lambda: _poked(deflated, b"PK\x03\x04", 60, "<I", 0xFFFFFFFF),
        cannot,
    )
    for code, what in ((12, "bzip2"), (14, "LZMA"), (9, "Deflate64"), (99, "AES"), (93, "zstd")):
        yield from _both(
            f"packed by {what}", lambda c=code: _poked(one, CENTRAL, 10, "<H", c), "another method"
        )
    yield from _both("LZMA that asks for four gigabytes", _lzma, "another method")
    yield from _both(
        "a name that is not UTF-8 though it says so",
        lambda: _poked(
            packed({"\xe4.png": b"x"}).replace("ä".encode(), b"\xff\xff"), CENTRAL, 8, "<H", 0x800
        ),
        "not a zip|cannot be unpacked",
    )
    yield from _both(
        "a file without a name", _nameless, "cannot be unpacked|empty|not a zip", only="batch"
    )
    yield from _both("a place that no file can have", _far, "cannot be unpacked|not a zip")
    yield from _both(
        "an extra field that is cut off", lambda: _extra(b"\x01\x00\xff\xff"), "not a zip"
    )
    yield from _both(
        "a place of 64 bits beyond all files",
        lambda: _extra(struct.pack("<HHQ", 1, 8, 2**64 - 1)),
        "not a zip|cannot be unpacked",
    )


def _lzma() -> bytes:
    data = packed({"a.png": b"x" * 1000}, zipfile.ZIP_LZMA)
    place = data.index(b"a.png") + 5 + 4 + 1  # behind version and length, the dictionary's size
    return data[:place] + struct.pack("<I", 2**32 - 1) + data[place + 4 :]


def _nameless() -> bytes:
    """A zip whose only entry has no name."""
    data = b"x"
    head = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(data), 1, 1, 0, 0)
    local = b"PK\x03\x04" + head + data
    central = (
        CENTRAL + struct.pack("<H", 20) + head[:-2] + struct.pack("<HHHHHII", 0, 0, 0, 0, 0, 0, 0)
    )
    end = END + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _extra(extra: bytes) -> bytes:
    """A zip whose table of contents has an extra field and says that the place is in it."""
    info = zipfile.ZipInfo("a.png")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, b"x")
    data = buffer.getvalue()
    at, end = data.index(CENTRAL), data.index(END)
    central = bytearray(data[at:end])
    struct.pack_into("<H", central, 30, len(extra))
    struct.pack_into("<I", central, 42, 2**32 - 1)
    central += extra
    tail = bytearray(data[end:])
    struct.pack_into("<I", tail, 12, len(central))
    return data[:at] + bytes(central) + bytes(tail)


def _far() -> bytes:
    return _poked(packed({"a.png": b"x"}), END, 16, "<I", 2**32 - 2)


def _bombs() -> Iterator[Case]:
    yield from _both(
        "zeros that unpack to 30 MiB",
        lambda: packed({"a.png": bytes(30 * 2**20)}),
        "more than 200 times",
    )
    yield from _both(
        "a file that says it is a terabyte",
        lambda: _poked(packed({"a.png": b"x"}), CENTRAL, 24, "<I", 2**32 - 2),
        "more than 200 times",
    )
    yield from _both(
        "files that share their bytes",
        lambda: _overlap(3000, 2**20 - 1),
        "GiB are read|its own size",
    )
    yield from _both(
        "30,000 files", lambda: packed({f"{i}.png": b"" for i in range(30_000)}), "at most 20000"
    )
    yield from _both(
        "a table of contents of 200,000 files",
        lambda: _overlap(200_000, 1),
        "table of contents|at most 20000",
    )
    yield from _both(
        "2000 files in a batch",
        lambda: packed({f"{i}.png": b"" for i in range(2000)}),
        "at most 1000",
        only="batch",
    )
    yield from _both(
        "one picture larger than 64 MiB",
        lambda: packed({"a.png": bytes(65 * 2**20)}, zipfile.ZIP_STORED),
        "more than 64 MiB",
    )


def _overlap(count: int, size: int) -> bytes:
    """A zip of many entries that all name the same bytes."""
    whole = packed({"a.png": bytes(size)})
    at, end = whole.index(CENTRAL), whole.index(END)
    central = whole[at:end] * count
    few = min(count, 65535)
    tail = END + struct.pack("<HHHHIIH", 0, 0, few, few, len(central), at, 0)
    return whole[:at] + central + tail


def _no_zips() -> Iterator[Case]:
    whole = packed({"a.png": png()})
    broken = {
        "zero bytes": b"",
        "nothing but a signature": b"PK\x03\x04",
        "a zip without its end": whole[:-22],
        "a zip cut in its middle": whole[: len(whole) // 2],
        "noise that ends as a zip does": bytes(range(256)) + whole[-22:],
        "a picture named .zip": png(),
        "a 7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "a rar archive": b"Rar!\x1a\x07\x01\0" + bytes(60),
    }
    for what, data in broken.items():
        yield from _both(what, lambda d=data: d, "not a zip|empty|unpacked")

    def whole_picture(found: list[bytes]) -> None:
        assert found == [png()]

    for who, read in (("batch", batch), ("import", imported)):
        yield Case(
            name=f"a zip behind a program, {who}",
            category=KIND,
            read=read,
            make=lambda folder: b"MZ" * 500 + whole,
            right=whole_picture,
        )
        yield Case(
            name=f"a zip with a comment of 60 KiB, {who}",
            category=KIND,
            read=read,
            make=lambda folder: packed({"a.png": png()}, comment=b"=1+1" * 15_000),
            right=whole_picture,
        )


def _listings() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], object], read: Callable, **more: object) -> Case:
        return Case(name=name, category="listings", make=make, read=read, **more)  # type: ignore[arg-type]

    def folder_of(folder: Path) -> Path:
        outside = folder / "outside"
        outside.mkdir()
        (outside / "secret.png").write_bytes(png())
        (folder / "in").mkdir()
        (folder / "in" / "a.png").write_bytes(png())
        (folder / "in" / "link.png").symlink_to(outside / "secret.png")
        (folder / "in" / "folder").symlink_to(outside)
        (folder / "in" / "loop").symlink_to(folder / "in")
        os.mkfifo(folder / "in" / "pipe.png")
        os.mkfifo(folder / "in" / "pipe.csv")
        return folder / "in"

    def only_a(found: Listing) -> None:
        assert [file.path for file in found.pictures] == ["a.png"], found
        assert found.tables == ()

    yield case("links and pipes in a folder are left out", folder_of, list_folder, right=only_a)
    yield case(
        "links and pipes in a folder of a batch",
        folder_of,
        lambda folder: [s.name for s in from_paths([folder])],
        right=lambda names: None if names == ["a.png"] else _wrong(names),
    )
    yield case(
        "a name that is no text",
        lambda folder: _odd_name(folder),
        list_folder,
        right=lambda found: None if len(found.pictures) == 1 else _wrong(found),
    )
    yield case("a pipe named .zip", _pipe, list_source, says="no such file")
    yield case(
        "a pipe named .zip in a batch",
        _pipe,
        lambda path: [s.load() for s in from_paths([path])],
        says="no such file",
    )
    yield case(
        "a device for a zip", lambda folder: Path("/dev/zero"), list_source, says="no such file"
    )
    yield case(
        "a zip that is gone", lambda folder: folder / "a.zip", list_source, says="no such file"
    )
    names = ["../../a.png", "a\0b.png", "<img src=x onerror=alert(1)>.png", "x" * 9000 + ".png"]
    yield case(
        "uploads with names of attackers",
        lambda folder: [(n, png()) for n in names],
        list_uploads,
        right=_safe_names,
    )
    yield case(
        "the same name a thousand times",
        lambda folder: [("a.png", b"x")] * 1000,
        list_uploads,
        right=lambda f: None if len(f.pictures) == 1 else _wrong(f),
    )
    yield case(
        "an entry whose name is only spaces",
        lambda folder: packed({"  ": b"x"}),
        lambda data: read_entries(io.BytesIO(data)),
        right=lambda found: None if found[0].load() == b"x" else _wrong(found),
    )


def _wrong(found: object) -> None:
    raise AssertionError(f"{found!r:.200}")


def _odd_name(folder: Path) -> Path:
    with open(os.fsencode(folder) + b"/\xe4.png", "wb") as stream:
        stream.write(png())
    return folder


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.zip")
    return folder / "a.zip"


def _safe_names(found: Listing) -> None:
    for file in found.pictures:
        assert file.path.isprintable() and len(file.path) <= 300, file.path[:80]
        try:
            assert file.load() == png()
        except InputError as error:
            raise AssertionError(error) from error


CASES = (*_paths(), *_lies(), *_bombs(), *_no_zips(), *_listings())
