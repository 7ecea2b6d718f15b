"""How much a page takes at once: the server limits each file, this all of them together."""

from collections.abc import Sequence

from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.errors import InputError

MAX_TOTAL_MIB = 1024  # uploads lie in memory as long as the session shows them


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
