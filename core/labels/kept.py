"""Traversals measured so far, on the disk: a run broken off goes on, and two runs can share one."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CheckpointError
from core.files import json_bytes, read_json, write_json

Array = NDArray[np.floating]


class Kept:
    """A folder with a file for each direction traversed.

    Files are named by everything that decides what is in them, so that one of another model, plan
    or start is never taken for this one's.

    Args:
        folder: made when something is put.
        about: what decides the numbers beside direction and starts: hashes, sizes, seeds (JSON).
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self._folder = folder
        self._about = json_bytes(about)

    def get(
        self, starts: Array, vector: Array, shape: tuple[int, ...]
    ) -> NDArray[np.float64] | None:
        """Return what was measured along a direction, None where it was not yet.

        Raises:
            CheckpointError: the file holds something else than numbers of this shape.
        """
        path = self._path(starts, vector)
        if not path.is_file():
            return None
        try:
            found = np.array(read_json(path)["measured"], dtype=float)  # null becomes NaN
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); remove it") from error
        if found.shape != shape:
            raise CheckpointError(f"{path} holds numbers {found.shape}, not {shape}; remove it")
        return found

    def put(self, starts: Array, vector: Array, measured: Array) -> None:
        """Keep what was measured along a direction."""
        numbers = measured.astype(object)
        numbers[np.isnan(measured)] = None
        write_json(self._path(starts, vector), {"measured": numbers.tolist()}, compact=True)

    def _path(self, starts: Array, vector: Array) -> Path:
        parts = (self._about, np.ascontiguousarray(starts), np.ascontiguousarray(vector))
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part if isinstance(part, bytes) else part.tobytes())
        return self._folder / f"{digest.hexdigest()[:24]}.json"
