"""``dataset.json``: what a data set says of itself and of its columns."""

from pathlib import Path
from typing import Any

from core.errors import CheckpointError, InputError
from core.files import read_json

MAX_NAME = 200


def read_declaration(path: Path) -> dict[str, Any]:
    """Return the content of ``dataset.json``, empty when there is none.

    Raises:
        InputError: it is damaged, or see `check_declaration`.
    """
    if not path.exists():
        return {}
    try:
        content = read_json(path)
    except CheckpointError as error:
        raise InputError(f"dataset.json: {error}") from error
    check_declaration(content)
    return dict(content)


def check_declaration(content: Any) -> None:
    """Refuse unknown keys and wrong types in ``dataset.json``.

    The entries of ``columns`` are checked where they are read, by `core.columns.declared_column`.

    Raises:
        InputError: the message names the key and the value.
    """
    types = {"name": str, "synthetic": bool, "columns": list, "generator": dict}
    if not isinstance(content, dict):
        raise InputError("dataset.json must hold an object with name, synthetic and columns")
    for key, value in content.items():
        if key not in types:
            raise InputError(f"dataset.json has the unknown key {key!r}; known are {list(types)}")
        if not isinstance(value, types[key]) and not (key == "generator" and value is None):
            raise InputError(
                f"dataset.json: {key} is {repr(value)[:80]}; a {types[key].__name__} is needed"
            )
    name = content.get("name", "data")
    if len(name) > MAX_NAME or not name.isprintable():
        raise InputError(
            f"dataset.json: name is {name[:80]!r}; at most {MAX_NAME} printable characters"
        )
