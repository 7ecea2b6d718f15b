"""The pictures that a page shows: Streamlit's own, and those of galleries, which are HTML."""

from dataclasses import dataclass
from xml.etree import ElementTree

GALLERY = "<div"  # what begins a gallery


@dataclass(frozen=True)
class Picture:
    """A picture of a gallery, as Streamlit's own are told."""

    captions: list[str]
    value: str
    alt: str


def of_galleries(app) -> list[Picture]:
    found = []
    for one in app.get("html"):
        if not one.proto.body.startswith(GALLERY):
            continue
        for figure in ElementTree.fromstring(one.proto.body).iter("figure"):
            picture, caption = figure.find("img"), figure.find("figcaption")
            found.append(Picture([caption.text], picture.get("src"), picture.get("alt")))
    return found


def images(app) -> list:
    """Return Streamlit's own pictures, then those of galleries."""
    return [*app.get("image"), *of_galleries(app)]
