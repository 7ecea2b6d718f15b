"""What the page *Own data* shows: the table of pictures, the crop, the findings, the data sets."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image, ImageDraw

from core.errors import MicroDesignError
from core.import_data.examine import Crop, read_source
from core.import_data.findings import Finding, failing_files
from core.import_data.matching import Matching
from core.import_data.source import many, named
from dashboard import data_session, errors, pictures
from dashboard.data_session import LEFT_OUT, Uploaded
from dashboard.errors import escape

CUT = (213, 94, 0)  # vermillion of Okabe and Ito
PREVIEW_PX = 700
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}


def with_crop(pixels: np.ndarray, crop: Crop) -> Image.Image:
    """Return a small picture with what is cut off tinted and crossed out.

    Args:
        pixels: (H, W) in [0, 1].
        crop: what is cut off, px.
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
    return image


def show_crop(found: Uploaded, crop: Crop, crops: Mapping[str, Crop]) -> None:
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
            pictures.png(with_crop(read_source(file).pixels, cut)),
            caption=f"{escape(chosen)}: {one.width} × {one.height} px, "
            f"{one.width} × {max(one.height - cut.top - cut.bottom, 0)} px are used",
            alt=f"{chosen} with what is cut off at top and bottom marked",
            width="stretch",
        )


def picture_table(
    found: Uploaded, matching: Matching, crop: Crop, with_rows: bool
) -> tuple[dict[str, str], dict[str, Crop], frozenset[str]]:
    """Show every picture in a table that can be edited.

    Returns:
        Specimens named by hand, crops of single pictures, and the pictures that are not used.
    """
    left_out = st.session_state.get(LEFT_OUT, frozenset())
    frame = pd.DataFrame(
        [
            {
                "Use": file.path not in left_out,
                "Picture": file.path,
                "Specimen": matching.specimens.get(file.path, ""),
                "Row": matching.rows.get(file.path, -2) + 2 if with_rows else None,
                "Size (px)": f"{one.width} × {one.height}" if not one.error else "cannot be read",
                "µm per px in the file": one.um_per_px,
                "Cut off at the top": crop.top,
                "Cut off at the bottom": crop.bottom,
            }
            for file in found.listing.pictures
            for one in (found.examined[file.path],)
        ]
    )
    if not with_rows:
        frame = frame.drop(columns="Row")
    pixels = st.column_config.NumberColumn(min_value=0, max_value=5000, step=1, required=True)
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Picture", "Row", "Size (px)", "µm per px in the file"],
        column_config={"Cut off at the top": pixels, "Cut off at the bottom": pixels},
        # Another matching or crop gives another table to begin from.
        key=f"data_pictures_{found.id}_{hash((crop, len(left_out), *matching.specimens.values()))}",
        height=min(38 * (len(frame) + 1), 420),
    )
    return read_pictures(edited, frame, crop)


def read_pictures(
    edited: pd.DataFrame, given: pd.DataFrame, crop: Crop
) -> tuple[dict[str, str], dict[str, Crop], frozenset[str]]:
    """Return what was changed in the table of pictures; see `picture_table`."""
    by_hand, crops, unused = {}, {}, set()
    before = dict(zip(given["Picture"], given["Specimen"], strict=True))
    for row in edited.fillna({"Specimen": ""}).to_dict("records"):
        path, specimen = str(row["Picture"]), str(row["Specimen"]).strip()
        if specimen != before[path]:
            by_hand[path] = specimen
        own = Crop(
            top=int(row["Cut off at the top"]),
            bottom=int(row["Cut off at the bottom"]),
        )
        if own != crop:
            crops[path] = own
        if not row["Use"]:
            unused.add(path)
    return by_hand, crops, frozenset(unused)


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
