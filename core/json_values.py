"""Values of JSON files, checked as they are read: numbers that are numbers, texts that are texts.

A file that was edited by hand or by an attacker may hold anything in any place. Each function
returns the value or raises a ValueError that names the entry; readers turn it into their error.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

MAX_TEXT = 10_000  # characters


def number(value: Any, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number from ``low`` to ``high``.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} is {_short(value)}, not a number")
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name} is {_short(value)}, not from {low:g} to {high:g}")
    return float(value)


def numbers(values: Any, name: str, count: int | None = None) -> tuple[float, ...]:
    """Return finite numbers, ``count`` of them where that is given.

    Raises:
        ValueError: they are none, or another number of them.
    """
    found = tuple(number(value, name) for value in _list(values, name))
    if count is not None and len(found) != count:
        raise ValueError(f"{name} holds {len(found)} numbers, not {count}")
    return found


def whole(value: Any, name: str, low: int = 0, high: int = 2**53) -> int:
    """Return a whole number from ``low`` to ``high``.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {_short(value)}, not a whole number from {low} to {high}")
    return value


def text(value: Any, name: str) -> str:
    """Return a text.

    Raises:
        ValueError: it is none, or longer than any text of ours.
    """
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"{name} is {_short(value)}, not a text of at most {MAX_TEXT} characters")
    return value


def texts(values: Any, name: str) -> tuple[str, ...]:
    """Return texts.

    Raises:
        ValueError: they are none.
    """
    return tuple(text(value, name) for value in _list(values, name))


def truth(value: Any, name: str) -> bool:
    """Return true or false.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {_short(value)}, not true or false")
    return value


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {_short(value)}, not an object")
    return value


def _list(values: Any, name: str) -> Iterable[Any]:
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{name} is {_short(values)}, not a list")
    return values


def _short(value: Any) -> str:
    return repr(value)[:60]


def rounded(content: Any, digits: int) -> Any:
    """Return JSON content with its floats rounded to so many significant digits.

    >>> rounded({"a": [1.23456, 2, None]}, 3)
    {'a': [1.23, 2, None]}
    """
    if isinstance(content, float):
        return float(f"{content:.{digits}g}")
    if isinstance(content, Mapping):
        return {name: rounded(value, digits) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [rounded(value, digits) for value in content]
    return content
