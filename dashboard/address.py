"""A page's own settings in its address, so that F5, bookmarks and links show the same view.

They are also kept for the session: whoever comes back from another page finds what was left, since
neither widgets nor the address outlive a change of page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

_KEPT = "address_"  # no widget's key
LONGEST = 2000


def restored(page: str, names: Sequence[str]) -> dict[str, str]:
    """Return what the address says of a page's settings, else what was left in this session.

    Args:
        page: the page's name.
        names: of its parameters; others are left alone.
    """
    given = {n: st.query_params[n][:LONGEST] for n in names if n in st.query_params}
    return given or dict(st.session_state.get(_KEPT + page, {}))


def keep(page: str, values: Mapping[str, str | None]) -> None:
    """Write a page's settings into the address, and keep them for the session.

    Args:
        page: the page's name.
        values: parameter -> text; None where it is as it is without a parameter.
    """
    kept = st.session_state.get(_KEPT + page, {}) | values
    st.session_state[_KEPT + page] = {n: text for n, text in kept.items() if text is not None}
    for name, text in values.items():
        if text is None and name in st.query_params:
            del st.query_params[name]
        elif text is not None and st.query_params.get(name) != text:
            st.query_params[name] = text


def whole(text: str | None, otherwise: int, low: int = 0, high: int = 10**9) -> int:
    """Return a whole number from the address, moved into its limits.

    >>> whole("7", 0), whole("99", 0, high=9), whole("-1", 3), whole(None, 3)
    (7, 9, 3, 3)
    """
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return otherwise
    return min(max(int(text), low), high)


def parts(text: str | None) -> list[str]:
    """Return a list from the address.

    >>> parts("z3,z10,"), parts(None)
    (['z3', 'z10'], [])
    """
    return [part for part in (text or "").split(",") if part]


def selectbox(
    label: str,
    options: Sequence[str],
    page: str,
    name: str,
    key: str,
    otherwise: str | None = None,
    **settings: Any,
) -> str:
    """Show a choice that the address keeps.

    Args:
        label, options: as `st.selectbox` takes them.
        page, name: of the parameter.
        key: of the widget; settings: its others.
        otherwise: the option that no parameter means; the first where it is None or no option.
    """
    first = otherwise if otherwise in options else options[0]
    asked = restored(page, [name]).get(name)
    st.session_state.setdefault(key, asked if asked in options else first)
    if st.session_state[key] not in options:  # of another model
        st.session_state[key] = first
    chosen = st.selectbox(label, options, key=key, **settings)
    keep(page, {name: None if chosen == first else chosen})
    return chosen
