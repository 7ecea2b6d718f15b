"""What the page *Own data* shows: the table of pictures, the crop, the findings, the data sets."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from core.errors import MicroDesignError
from core.import_data.examine import Crop, read_source
from core.import_data.findings import Finding, failing_files
from core.import_data.source import SourceFile, many, named
from dashboard import data_session, errors, pictures, state
from dashboard.caching import kept
from dashboard.data_session import LEFT_OUT, Uploaded
from dashboard.errors import escape

CUT = (213, 94, 0)  # vermillion of Okabe and Ito
PREVIEW_PX = 700
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}


def with_crop(pixels: np.ndarray, crop: Crop, um_per_px: float | None = None) -> Image.Image:
    """Return a small picture with what is cut off tinted and crossed out.

    Args:
        pixels: (H, W) in [0, 1].
        crop: what is cut off, px.
        um_per_px: its scale; a bar stands below where it is known.
    """
    image = pictures.grey(pixels).convert("RGB")
    scale = min(1.0, PREVIEW_PX / max(image.size))
    shape = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    image = image.resize(shape, Image.Resampling.LANCZOS)
    tint = Image.new("RGB", image.size, CUT)
    draw = ImageDraw.Draw(image)
    for top, height in ((0.0, crop.top * scale), (image.height - crop.bottom * scale, crop.bottom)):
        bottom = image.height if top else height
        if height <= 0:
            continue
        box = (0, round(top), image.width, min(max(round(bottom), round(top) + 1), image.height))
        strip = Image.blend(image.crop(box), tint.crop(box), 0.45)
        image.paste(strip, box[:2])
        draw.line((0, box[1], image.width, box[3]), fill=CUT, width=2)
    return pictures.bar_below(image, um_per_px / scale if um_per_px else None)


@kept(24)
def _cropped(digest: str, crop: Crop, um_per_px: float | None, _file: SourceFile) -> bytes:
    """Return `with_crop` of a picture's file as PNG; read in its turn, for that takes memory."""
    with state.lock():
        return pictures.png(with_crop(read_source(_file).pixels, crop, um_per_px))


def show_crop(
    found: Uploaded, crop: Crop, crops: Mapping[str, Crop], scales: Mapping[str, float | None]
) -> None:
    """Show a picture with what is cut off, and let the user look at others."""
    readable = [f for f in found.listing.pictures if not found.examined[f.path].error]
    if not readable:
        return
    names = [file.path for file in readable]
    place, _ = st.columns(2)
    chosen = place.selectbox("Look at", names, key=f"data_look_{found.id}")
    file, cut = readable[names.index(chosen)], crops.get(chosen, crop)
    one = found.examined[chosen]
    with errors.shown():
        place.image(
            _cropped(one.digest, cut, scales.get(chosen), file, own=True),
            caption=f"{escape(chosen)}: {one.width} × {one.height} px, "
            f"{one.width} × {max(one.height - cut.top - cut.bottom, 0)} px are used",
            alt=f"{chosen} with what is cut off at top and bottom marked",
            width="stretch",
        )


def leave_out(files: frozenset[str]) -> None:
    """Leave pictures out from now on."""
    st.session_state[LEFT_OUT] = st.session_state.get(LEFT_OUT, frozenset()) | files


def show_findings(findings: Sequence[Finding], found: Uploaded) -> None:
    """List errors, warnings and notes; offer to leave out what errors name."""
    counts = {level: [f for f in findings if f.level == level] for level in ICONS}
    if counts["error"]:
        problems = many(len(counts["error"]), "error")
        st.error(f"**{problems}: the data set cannot be made yet.**", icon=ICONS["error"])
    elif counts["warning"]:
        st.warning(
            f"**No error, {many(len(counts['warning']), 'warning')}.** The data set can be made; "
            "think about these first.",
            icon=ICONS["warning"],
        )
    else:
        st.success("**Nothing to complain about.**", icon=":material/check:")
    for level, some in counts.items():
        for one in some:
            check = escape(one.check[:1].upper() + one.check[1:])
            st.markdown(f"{ICONS[level]} **{check}.** {escape(one.message)}.")
    failing = failing_files(findings)
    if failing:
        st.button(
            f"Leave out {many(len(failing), 'picture')} that errors name",
            key=f"data_leave_out_{found.id}",
            help=named(sorted(failing), 20),
            on_click=leave_out,
            args=(failing,),
        )


def show_data_sets() -> None:
    """List the workspace's data sets."""
    rows = []
    for name, folder in data_session.data_sets().items():
        try:
            data = data_session.load(folder)
        except MicroDesignError as error:
            st.warning(escape(f"The data set {name} is damaged: {error}"))
            continue
        rows.append(
            {
                "Folder": name,
                "Name": data.name,
                "Synthetic": "yes" if data.synthetic else "no",
                "Specimens": data.table["specimen"].nunique(),
                "Pictures": len(data),
                "Process": ", ".join(c.label for c in data.process) or "none",
                "Properties": ", ".join(c.label for c in data.properties) or "none",
            }
        )
    if rows:
        st.dataframe(rows, hide_index=True, key="data_sets")
    else:
        st.caption("There is none yet.")
