"""Folders as visitors may read of them: by short names, never where they lie on the server."""

import os
import re
from pathlib import Path

from core.workspace import ROOT, workspace

VARIABLE = "MICRODESIGN_WORKSPACE"


def shown(path: Path | str) -> str:
    """Return a path, or a text with paths, without the server's own folders.

    Commands stay right in a shell of the server: what is in the repository is named from there,
    and a workspace elsewhere by the variable that says where it is.
    """
    text = str(path)
    name = f"${VARIABLE}" if os.environ.get(VARIABLE) else "workspace"
    for folder, instead in (
        (workspace().absolute(), name),
        (workspace().resolve(), name),
        (ROOT, ""),
        (Path.home(), "~"),
    ):
        if folder == folder.parent:  # the root of the disk would be in every path
            continue
        whole = rf"(?<![\w.~-]){re.escape(str(folder))}"
        text = re.sub(rf"{whole}/", lambda _, to=instead: f"{to}/" if to else "", text)
        text = re.sub(rf"{whole}(?![\w-])", lambda _, to=instead: to or ".", text)
    return text
