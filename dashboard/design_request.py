"""What is asked of a design: kept for the session, and in the address so that it can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from bayesnet.demands import EXTREMES, Limit, Wish
from bayesnet.network import Network

SIZES = (256, 512, 768, 1024)
SAMPLES = (0, 1, 3, 6, 9)
DEFAULT_SIZE = 512
RANGE = ".."
MAP_AXES = ("map_x", "map_y")  # columns that the map shows (`dashboard.design_map`)
RESERVED = (
    "seed",
    "size",
    "samples",
    "model",
    "guide",
    "refined",
    *MAP_AXES,
)  # parameters of the address that are no columns
WIDGETS = "design_in_"  # what the keys of the form's widgets begin with
_STORED = "design_request"  # no widgets' keys, so they survive page changes
_REFINED = "design_refined_request"

Limits = tuple[float | None, float | None]


@dataclass(frozen=True)
class DesignRequest:
    """Targets and limits by column name, in the columns' units.

    Attributes:
        targets: (name, wish) pairs: a value, (low, high) with None for an open end, "highest" or
            "lowest".
        process: (name, (low, high)) pairs of the limited settings; None for open ends.
        seed: of the noise.
        size_px: side of the field.
        samples: how many further ones, of `SAMPLES`; None: as many as usual.
    """

    targets: tuple[tuple[str, Wish], ...]
    process: tuple[tuple[str, Limits], ...] = ()
    seed: int = 0
    size_px: int = DEFAULT_SIZE
    samples: int | None = None

    def limits(self) -> dict[str, Limit]:
        """Return the limits as the design function takes them."""
        return {
            name: low if low is not None and low == high else (low, high)
            for name, (low, high) in self.process
        }

    def to_query(self) -> dict[str, str]:
        """Return the address's parameters."""
        query = {parameter(name): in_address(wish) for name, wish in self.targets}
        for name, limits in self.process:
            query[parameter(name)] = in_address(limits)
        if self.samples is not None:
            query["samples"] = str(self.samples)
        return query | {"seed": str(self.seed), "size": str(self.size_px)}


def parameter(column: str) -> str:
    """Return what the address calls a column.

    >>> parameter("uts_mpa"), parameter("size")
    ('uts_mpa', 'column.size')
    """
    return f"column.{column}" if column in RESERVED else column


def in_address(wish: Wish) -> str:
    """Return how the address writes what is asked.

    >>> in_address(430.0), in_address((250.0, None)), in_address((0.03, 0.03))
    ('430', '250..', '0.03')
    """
    if isinstance(wish, str):
        return wish
    low, high = wish if isinstance(wish, tuple) else (wish, wish)
    ends = ["" if end is None else f"{end:.10g}" for end in (low, high)]
    return ends[0] if low == high else RANGE.join(ends)


def default_request(network: Network) -> DesignRequest:
    """Return a target that the data hold: a labelled specimen among the stronger ones, rounded."""
    names = [node.column for node in network.properties]
    values = network.support.properties[:, network.outcome_places(network.properties)]
    rows = [row for row in values.tolist() if all(v == v for v in row)]
    if not rows:
        return DesignRequest(tuple((n.column, n.mean) for n in network.properties))
    row = sorted(rows)[(2 * len(rows)) // 3]
    return DesignRequest(
        tuple((name, float(f"{v:.3g}")) for name, v in zip(names, row, strict=True))
    )


def from_query(query: Mapping[str, str], network: Network) -> tuple[DesignRequest, list[str]]:
    """Read a request from the address; without a readable target, the default's are taken.

    Returns:
        The request, and a note for every parameter that could not be read.
    """
    request, notes = default_request(network), []
    targets: dict = dict(request.targets)
    process = {}
    seed, size = request.seed, request.size_px
    named = [n.column for n in network.outcomes if parameter(n.column) in query]
    read = {name: read_wish(query[parameter(name)]) for name in named}
    for name in (name for name, value in read.items() if value is None):
        instead = f"{targets[name]:g} is used" if name in targets else "it is left free"
        notes.append(_unread(name, query[parameter(name)], instead))
    if any(value is not None for value in read.values()):
        both = {name: targets.get(name) if v is None else v for name, v in read.items()}
        targets = {name: v for name, v in both.items() if v is not None}
    for name in [n.column for n in network.process if parameter(n.column) in query]:
        given = query[parameter(name)]
        limits = _limits(given)
        if limits is None:
            notes.append(_unread(name, given, "it is left free"))
        else:
            process[name] = limits
    if "seed" in query:
        if query["seed"].isascii() and query["seed"].isdigit() and len(query["seed"]) <= 9:
            seed = int(query["seed"])
        else:
            notes.append(_unread("seed", query["seed"], f"{seed} is used"))
    if "size" in query:
        if query["size"] in map(str, SIZES):
            size = int(query["size"])
        else:
            notes.append(_unread("size", query["size"], f"{size} px is used"))
    samples = None
    if "samples" in query:
        if query["samples"] in map(str, SAMPLES):
            samples = int(query["samples"])
        else:
            notes.append(_unread("samples", query["samples"], "as many as usual are drawn"))
    return DesignRequest(tuple(targets.items()), tuple(process.items()), seed, size, samples), notes


def current(model_id: str, network: Network) -> tuple[DesignRequest, list[str]]:
    """Return the session's request for this model, else the address's, else the default."""
    stored = st.session_state.get(_STORED)
    columns = {n.column for n in (*network.outcomes, *network.process)}
    if stored and stored[0] == model_id and {n for n, _ in stored[1].targets} <= columns:
        return stored[1], []
    request, notes = from_query(st.query_params.to_dict(), network)
    replace(model_id, request)
    return request, notes


def store(model_id: str, request: DesignRequest) -> None:
    """Keep for the session what the form was sent with."""
    st.session_state[_STORED] = (model_id, request)


def replace(model_id: str, request: DesignRequest) -> None:
    """Keep a request that did not come from the form, and let the form show it."""
    store(model_id, request)
    for key in [k for k in st.session_state if str(k).startswith(WIDGETS)]:
        del st.session_state[key]


def refine(model_id: str, request: DesignRequest, wanted: bool = True) -> None:
    """Keep for the session whether the design for a request is to be refined."""
    st.session_state[_REFINED] = (model_id, request) if wanted else None


def to_be_refined(model_id: str, request: DesignRequest) -> bool:
    """Tell whether the design for a request is to be refined."""
    return st.session_state.get(_REFINED) == (model_id, request)


def show_in_address(request: DesignRequest) -> None:
    """Write the request into the address, so that F5, bookmarks and links keep it."""
    wanted, given = request.to_query(), st.query_params.to_dict()
    same = all(given.get(name) == text for name, text in wanted.items())
    for name in ("model", "guide", *MAP_AXES, *(["refined"] if same else [])):
        if name in given:
            wanted[name] = given[name]
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None  # neither NaN nor infinity passes


def read_wish(text: str) -> Wish | None:
    """Read what the address asks of a property; None where it cannot be read."""
    if text in EXTREMES:
        return text  # type: ignore[return-value]
    limits = _limits(text)
    if limits is None or limits[0] is None or limits[0] != limits[1]:
        return limits
    return limits[0]


def _limits(text: str) -> Limits | None:
    if RANGE not in text:
        value = _number(text)
        return None if value is None else (value, value)
    ends = []
    for part in text.split(RANGE, 1):
        value = _number(part) if part else None
        if part and value is None:
            return None
        ends.append(value)
    return None if ends == [None, None] else (ends[0], ends[1])


def _unread(name: str, value: str, instead: str) -> str:
    return f"The address gives {name} as {value[:40]!r}, which cannot be read; {instead}."
