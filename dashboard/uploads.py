"""How much is taken at once: the server limits each file, this those of a page and of all visitors.

Uploads lie in memory as long as their session lives, or until they are removed from their field.
"""

import os
import re
from collections.abc import Sequence

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.errors import ConfigError, InputError
from core.hardware import memory_bytes

MAX_TOTAL_MIB = 1024  # of one page
VARIABLE = "MICRODESIGN_UPLOADS_MIB"
MOST_OF_ALL_MIB = 4096  # of all sessions together, where the machine has four times as much memory
SHARE = 4
_MIB = re.compile("[1-9][0-9]{0,11}")


def check_total(files: Sequence[UploadedFile]) -> None:
    """Refuse uploads that are too much together.

    Raises:
        InputError: they are; the message says how much they are and what is allowed.
    """
    total = sum(file.size for file in files) / 2**20
    if total > MAX_TOTAL_MIB:
        raise InputError(
            f"these {len(files)} files are {total:.0f} MiB together; at most {MAX_TOTAL_MIB} MiB "
            "are taken at once. Remove some from the field above and send the rest after"
        )


def most_bytes() -> int:
    """Return how much all sessions together may hold, bytes.

    MICRODESIGN_UPLOADS_MIB decides; without it 4 GiB, or a quarter of the machine's memory where
    that is less.

    Raises:
        ConfigError: the setting is no whole number of MiB from 1 on.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        if not _MIB.fullmatch(given):
            raise ConfigError(f"{VARIABLE} is {given[:40]!r}; give a whole number of MiB from 1 on")
        return int(given) * 2**20
    memory = memory_bytes()
    most = MOST_OF_ALL_MIB * 2**20
    return most if memory is None else min(most, memory // SHARE)


def held_bytes() -> int:
    """Return what the server holds of uploads, of all sessions together, bytes.

    Streamlit counts them itself: a file counts from when it is there until it is removed from its
    field or its session ends.
    """
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):  # no server, as in tests
        return 0
    return sum(stat.byte_length for stats in manager.get_stats().values() for stat in stats)


def tell_room() -> None:
    """Say on a page with a field for files where there is hardly room for one more.

    A file that does not fit is refused before it is read (`dashboard.upload_room`); the field
    can show only that answer's number.
    """
    most, held = most_bytes(), held_bytes()
    if held + min(largest_bytes(), most // 4) > most:
        st.warning(
            f"**This server's memory for uploads is nearly full:** {held / 2**20:.0f} of "
            f"{most / 2**20:.0f} MiB are taken by the files of all visitors together. Files that "
            "do not fit are refused, with the code 507 in the field. Remove files that you no "
            "longer need from the field, close your other tabs, or send yours later."
        )


def largest_bytes() -> int:
    """Return how large a single file may be, bytes."""
    return int(st.get_option("server.maxUploadSize")) * 2**20


def let_go(files: Sequence[UploadedFile]) -> None:
    """Give the memory of files back that no field shows any more, before their session ends."""
    context = get_script_run_ctx()
    manager = context.uploaded_file_mgr if context else None
    if context and isinstance(manager, MemoryUploadedFileManager):
        for file in files:
            manager.remove_file(context.session_id, file.file_id)
