"""What a visitor has uploaded, listed and examined once, kept for the session."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import logs
from core.dataset import DataSet, load_dataset
from core.errors import InputError
from core.import_data.examine import Examined, examine_all
from core.import_data.findings import Finding
from core.import_data.plan import ImportPlan
from core.import_data.sheet import Sheet, read_sheet
from core.import_data.source import Listing, list_uploads
from core.import_data.write import write_dataset
from core.workspace import data_folder
from dashboard import state, uploads, waiting
from dashboard.permission import needs

_KEPT, _TURN = "data_kept", "data_turn"  # no widgets' keys
logger = logging.getLogger(__name__)
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
        InputError: a zip or the table cannot be read, or all are too large together.
    """
    uploads.tell_room()
    key = tuple(file.file_id for file in (*files, *([table] if table else ())))
    kept: tuple[tuple[str, ...], Uploaded] | None = st.session_state.get(_KEPT)
    if kept is not None and kept[0] == key:
        return kept[1]
    forget()
    if not files:
        return None
    uploads.check_total((*files, *([table] if table else ())))
    listing = list_uploads((file.name, file.getvalue()) for file in files)
    sheet = _sheet(listing, table)
    examined = _examined(listing)
    number = st.session_state["data_number"] = st.session_state.get("data_number", 0) + 1
    found = Uploaded(str(number), listing, sheet, examined)
    size = sum(file.size for file in (*files, *([table] if table else ())))
    rows = len(sheet) if sheet else 0
    logs.event(logger, "upload", bytes=size, pictures=len(listing.pictures), rows=rows)
    st.session_state[_KEPT] = (key, found)
    return found


def _examined(listing: Listing) -> dict[str, Examined]:
    """Look at the pictures, each in a turn of its own, and say how far that is."""
    count = max(len(listing.pictures), 1)
    with waiting.working("Looking at the pictures…"):
        bar = st.progress(0.0)
        found = examine_all(
            listing.pictures,
            lambda done: bar.progress(done / count, f"Picture {done} of {count}"),
            state.lock().for_long(),
        )
    bar.empty()
    return found


def forget() -> None:
    """Forget what was uploaded and chosen."""
    for name in (_KEPT, LEFT_OUT, EDITS, BEGUN, MEASURED):
        st.session_state.pop(name, None)


def turn() -> int:
    """Return which data set of the session this is; part of the uploaders' keys."""
    return int(st.session_state.get(_TURN, 0))


def begin_anew() -> None:
    """Forget what was uploaded, and the uploaders what they hold, for the next data set."""
    forget()
    table = st.session_state.get(f"data_table_{turn()}")
    files = st.session_state.get(f"data_files_{turn()}") or []
    uploads.let_go([*files, *([table] if table else ())])
    st.session_state[_TURN] = turn() + 1


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


@needs("import")
def make(
    plan: ImportPlan,
    findings: tuple[Finding, ...],
    parent: Path,
    folder: str,
    source: Mapping[str, Any],
    told: Callable[[int], None],
) -> DataSet:
    """Write a data set; the arguments are those of `core.import_data.write.write_dataset`.

    Raises:
        InputError: as that function.
        NotAllowedError: importing own data is turned off.
    """
    return write_dataset(plan, findings, parent, folder, source, told)


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
