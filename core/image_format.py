"""The format of an image file, told from its first bytes."""

from core.errors import InputError

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"BM", "BMP"),
)
_OTHERS = (
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP or Office"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
)
SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}


def told_format(data: bytes) -> str:
    """Return the format that the first bytes say: PNG, JPEG, TIFF or BMP.

    Raises:
        InputError: they say another one, or none.
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    other = next((kind for signature, kind in _OTHERS if data.startswith(signature)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        other = "WebP"
    if data[4:8] == b"ftyp":
        other = "HEIC, AVIF or video"
    found = f"a {other} file" if other else "not an image that can be read here"
    raise InputError(f"the content is {found}; save it as PNG, JPEG, TIFF or BMP")
