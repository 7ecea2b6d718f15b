"""What is known on the page *Network*, in its address and in its widgets."""

from collections.abc import Collection, Mapping

from bayesnet.demands import Wish
from dashboard.design_request import in_address, read_wish

VALUE, AT_LEAST, AT_MOST, BETWEEN = "is", "at least", "at most", "between"
HIGHEST, LOWEST = "as high as possible", "as low as possible"
FORMS = (VALUE, AT_LEAST, AT_MOST, BETWEEN, HIGHEST, LOWEST)


def to_text(evidence: Mapping[str, Wish | None]) -> str | None:
    """Return what is known as the address writes it; None where nothing is.

    >>> to_text({"mg_wt": 0.03, "uts_mpa": (400.0, None), "z3": None})
    'mg_wt:0.03,uts_mpa:400..,z3:'
    """
    given = [
        f"{name}:{'' if wish is None else in_address(wish)}" for name, wish in evidence.items()
    ]
    return ",".join(given) or None


def from_text(text: str | None, names: Collection[str]) -> dict[str, Wish | None]:
    """Read what is known from the address; quantities that there are not are left out.

    >>> from_text("mg_wt:0.03,gone:1,uts_mpa:x", ["mg_wt", "uts_mpa"])
    {'mg_wt': 0.03, 'uts_mpa': None}
    """
    found: dict[str, Wish | None] = {}
    for part in (text or "").split(","):
        name, _, given = part.partition(":")
        if name in names:
            found[name] = read_wish(given)
    return found


def in_widgets(wish: Wish | None) -> tuple[str, float | None, float | None]:
    """Return the form of a wish and its one or two numbers, as the panel's widgets hold them.

    >>> in_widgets((400.0, None)), in_widgets("highest"), in_widgets(None)
    (('at least', 400.0, None), ('as high as possible', None, None), ('is', None, None))
    """
    if wish is None:
        return VALUE, None, None
    if isinstance(wish, str):
        return (HIGHEST if wish == "highest" else LOWEST), None, None
    if not isinstance(wish, tuple):
        return VALUE, float(wish), None
    low, high = wish
    if high is None:
        return AT_LEAST, low, None
    if low is None:
        return AT_MOST, high, None
    return BETWEEN, low, high
