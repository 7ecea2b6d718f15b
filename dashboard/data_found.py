"""The data set that a model was trained on, where it still lies in the workspace."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.dataset import DataSet, load_dataset
from core.encode import LatentTable
from core.errors import InputError
from core.jobs.queue import jobs
from core.patch_origin import names_same_pictures, stamp
from dashboard import data_session
from dashboard.state import Model


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a look into the workspace found.

    Attributes:
        data: the very data set, None where it is not there.
        mark: what changes where any of its files does.
        why: why one with the same names is not the very one; empty where there is none such.
    """

    data: DataSet | None = None
    mark: str = ""
    why: str = ""


def training_data(model: Model, table: LatentTable) -> Lookup:
    """Look for the data set that a table was encoded from.

    The names of pictures and specimens are compared first; only a data set that has the very same
    ones is hashed, once for as long as its manifest and its files' sizes and times stay.

    Args:
        model: whose training jobs say where data sets outside the workspace are.
        table: its latents.
    """
    why = ""
    for folder in _folders(model):
        try:
            data = data_session.load(folder)
        except (InputError, OSError):
            continue  # the page *Own data* says what is wrong with it
        if not names_same_pictures(data, table):
            continue
        try:
            mark = stamp(data)
            if _hash(str(folder), mark) == table.data_hash:
                return Lookup(data, mark)
            why = f"The data set in {folder} has the same names, but other pictures or values."
        except InputError as error:
            why = f"The data set in {folder} cannot be compared: {error}."
    return Lookup(why=why)


def _folders(model: Model) -> list[Path]:
    """Return where data sets are: the model's training jobs first, then the workspace's."""
    asked = [Path(job.request.data) for job in jobs() if job.request.name == model.id]
    return list(dict.fromkeys([*asked, *data_session.data_sets().values()]))


@st.cache_data(max_entries=16, show_spinner=False)
def _hash(folder: str, mark: str) -> str:
    return load_dataset(Path(folder)).hash
