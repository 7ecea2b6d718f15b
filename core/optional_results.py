"""Results of ``docs/results`` that may be missing: what is said of those that are there."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.files import read_json

Content = Mapping[str, Any]
Section = tuple[str, Callable[[Content], list[str]], str]


def sections(results: Path, known: Iterable[Section]) -> list[str]:
    """Return the paragraphs and tables of the results that are there, in Markdown.

    Args:
        results: the folder.
        known: for each result its name, what writes its parts, and the make target that measures
            it.

    Raises:
        CheckpointError: a result is damaged.
    """
    parts: list[str] = []
    for name, written, target in known:
        path = results / f"{name}.json"
        if not path.is_file():
            continue
        try:
            parts += written(read_json(path))
        except (AttributeError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} lacks {error}: run make {target}") from error
    return parts
