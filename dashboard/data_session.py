"""What a visitor has uploaded, listed and examined once, kept for the session."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.dataset import DataSet, load_dataset
from core.errors import InputError
from core.import_data.examine import Examined, examine_all
from core.import_data.sheet import Sheet, read_sheet
from core.import_data.source import Listing, list_uploads
from core.workspace import data_folder

_KEPT = "data_kept"  # no widget's key
LEFT_OUT, EDITS, BEGUN = "data_left_out", "data_edits", "data_begun"
MEASURED = "data_measured"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Uploads as the import takes them.

    Attributes:
        id: changes with the uploads; part of the keys of widgets that depend on them.
        listing: the pictures.
        sheet: the table, None without one.
        examined: picture -> what is known of it.
    """

    id: str
    listing: Listing
    sheet: Sheet | None
    examined: dict[str, Examined]


def uploaded(files: Sequence[UploadedFile], table: UploadedFile | None) -> Uploaded | None:
    """Return what was uploaded, read anew only where it has changed; None without pictures.

    Raises:
        InputError: a zip or the table cannot be read.
    """
    key = tuple(file.file_id for file in (*files, *([table] if table else ())))
    kept: tuple[tuple[str, ...], Uploaded] | None = st.session_state.get(_KEPT)
    if kept is not None and kept[0] == key:
        return kept[1]
    forget()
    if not files:
        return None
    listing = list_uploads((file.name, file.getvalue()) for file in files)
    sheet = _sheet(listing, table)
    bar = st.progress(0.0, "Looking at the pictures…")
    count = max(len(listing.pictures), 1)
    examined = examine_all(
        listing.pictures, lambda done: bar.progress(done / count, f"Picture {done} of {count}")
    )
    bar.empty()
    number = st.session_state["data_number"] = st.session_state.get("data_number", 0) + 1
    found = Uploaded(str(number), listing, sheet, examined)
    st.session_state[_KEPT] = (key, found)
    return found


def forget() -> None:
    """Forget what was uploaded and chosen."""
    for name in (_KEPT, LEFT_OUT, EDITS, BEGUN, MEASURED):
        st.session_state.pop(name, None)


def _sheet(listing: Listing, table: UploadedFile | None) -> Sheet | None:
    """Return the uploaded table, else the only one among the pictures."""
    if table is not None:
        return read_sheet(table.getvalue(), table.name)
    if len(listing.tables) > 1:
        names = ", ".join(found.path for found in listing.tables)
        raise InputError(f"there are several tables among the pictures: {names}; keep one")
    if listing.tables:
        return read_sheet(listing.tables[0].load(), listing.tables[0].path)
    return None


def data_sets() -> dict[str, Path]:
    """Return the data sets of the workspace: folder's name -> folder."""
    kept = data_folder()
    if not kept.is_dir():
        return {}
    found = sorted(folder for folder in kept.iterdir() if not folder.name.startswith("."))
    return {folder.name: folder for folder in found if (folder / "manifest.csv").is_file()}


def load(folder: Path) -> DataSet:
    """Load a data set, again only where its files have changed.

    Raises:
        InputError: it is damaged.
    """
    names = ("manifest.csv", "dataset.json")
    stamps = tuple(
        (folder / name).stat().st_mtime_ns for name in names if (folder / name).is_file()
    )
    return _load(str(folder), stamps)


@st.cache_resource(max_entries=16, show_spinner=False)
def _load(folder: str, stamps: tuple[int, ...]) -> DataSet:
    return load_dataset(Path(folder))
