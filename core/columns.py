"""What the columns of a manifest mean: process or property, numeric or categorical, unit, label."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from core.errors import InputError

Role = Literal["process", "property"]
Kind = Literal["numeric", "categorical"]
RESERVED = ("file", "specimen", "um_per_px")
ANNOTATIONS = frozenset(
    (
        "material",
        "imaging",
        "licence",
        "license",
        "source",
        "note",
        "notes",
        "comment",
        "comments",
        "microconstituent",
    )
)

_UNITS = {
    "pct_el": "%",
    "wt_pct": "wt%",
    "wtpct": "wt%",
    "wt": "wt%",
    "at_pct": "at%",
    "at": "at%",
    "pct": "%",
    "ppm": "ppm",
    "mpa": "MPa",
    "gpa": "GPa",
    "hv": "HV",
    "hb": "HB",
    "hbw": "HBW",
    "hrc": "HRC",
    "nm": "nm",
    "um": "µm",
    "mm": "mm",
    "cm": "cm",
    "c": "°C",
    "k": "K",
    "s": "s",
    "min": "min",
    "h": "h",
    "days": "days",
    "j": "J",
    "kn": "kN",
}
_PROPERTY_UNITS = ("pct_el", "mpa", "gpa", "hv", "hb", "hbw", "hrc")
_PROPERTY_NAME = re.compile(r"(uts|ys|rm|rp02)(?![a-z])|yield|tensile|hardness|elongation")


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column of a data set.

    Attributes:
        name: the column's name in ``manifest.csv``.
        unit: its unit for people, "" when it has none.
        label: its name for people, without the unit.
        role: "process" (a setting) or "property" (a measured result).
        kind: "numeric" or "categorical"; a property is always numeric.
        derived: a property that was measured on the picture (`core.measured_columns`), not tested.

    Raises:
        InputError: on construction, when a field has a value that is not allowed.
    """

    name: str
    unit: str
    label: str
    role: Role
    kind: Kind
    derived: bool = False

    def __post_init__(self) -> None:
        for field in ("name", "unit", "label"):
            value = getattr(self, field)
            if not isinstance(value, str) or len(value) > 80 or not value.isprintable():
                raise InputError(
                    f"column {str(self.name)[:80]!r}: {field} is {repr(value)[:80]}; at most 80 "
                    "printable characters"
                )
        if not self.name.strip() or self.name != self.name.strip():
            raise InputError(f"a column is named {self.name!r}; a name has no outer spaces")
        if self.name in RESERVED:
            raise InputError(f"column {self.name!r} is not declared: it always means the same")
        if self.role not in get_args(Role):
            raise InputError(f"column {self.name!r}: role is {self.role!r}; process or property")
        if self.kind not in get_args(Kind):
            raise InputError(f"column {self.name!r}: kind is {self.kind!r}; numeric or categorical")
        if (self.role, self.kind) == ("property", "categorical"):
            raise InputError(f"column {self.name!r}: a property must be numeric")
        if not isinstance(self.derived, bool) or (self.derived and self.role != "property"):
            raise InputError(
                f"column {self.name!r}: derived is {self.derived!r}; true for a property that was "
                "measured on the picture, else false"
            )


def declared_column(entry: Any) -> Column:
    """Read one entry of ``columns`` in ``dataset.json``.

    ``name`` and ``role`` are needed; ``kind`` is numeric and ``derived`` false by default, ``unit``
    and ``label`` are taken from the name.

    Raises:
        InputError: not an object, an unknown or missing key, or a value that is not allowed.
    """
    if not isinstance(entry, Mapping):
        raise InputError(f"a column is declared as {str(entry)[:60]!r}; an object is needed")
    unknown = set(entry) - {"name", "unit", "label", "role", "kind", "derived"}
    if unknown:
        raise InputError(
            f"a column has the unknown key {sorted(unknown)[0]!r}; "
            "known are name, unit, label, role, kind, derived"
        )
    for key in ("name", "role"):
        if not isinstance(entry.get(key), str):
            raise InputError(f"the column {str(dict(entry))[:200]} needs a text {key!r}")
    name = entry["name"]
    return Column(
        name=name,
        unit=entry.get("unit", unit_of(name)),
        label=entry.get("label", label_of(name)),
        role=entry["role"],
        kind=entry.get("kind", "numeric"),
        derived=entry.get("derived", False),
    )


def entry_of(column: Column) -> dict[str, Any]:
    """Return a column as ``dataset.json`` declares it; what is not derived does not say so."""
    entry = asdict(column)
    return entry if column.derived else {k: v for k, v in entry.items() if k != "derived"}


def guessed_column(name: str, numeric: bool) -> Column:
    """Say what an undeclared column is, from its name and whether its cells are numbers.

    Numeric columns whose name is a known property (uts, ys, yield, hardness, elongation, ...) or
    ends in a unit of one (``_mpa``, ``_gpa``, ``_hv``, ``_hb``, ``_hrc``, ``_pct_el``) are
    properties; all others are process columns.
    """
    kind: Kind = "numeric" if numeric else "categorical"
    role: Role = "property" if numeric and is_property(name) else "process"
    return Column(name, unit_of(name) if numeric else "", label_of(name), role, kind)


def is_property(name: str) -> bool:
    """Tell whether a column's name is that of a mechanical property."""
    return _unit_suffix(name) in _PROPERTY_UNITS or bool(_PROPERTY_NAME.match(name.lower()))


def unit_of(name: str) -> str:
    """Return the unit that the end of a column's name says, "" without one.

    >>> unit_of("mg_wt"), unit_of("anneal_temp_c"), unit_of("cooling")
    ('wt%', '°C', '')
    """
    return _UNITS.get(_unit_suffix(name), "")


def label_of(name: str) -> str:
    """Return a column's name for people: no unit, spaces for underscores.

    >>> label_of("anneal_temp_c")
    'anneal temp'
    """
    suffix = _unit_suffix(name)
    stem = name[: -len(suffix) - 1] if suffix else name
    return stem.replace("_", " ").strip() or name


def _unit_suffix(name: str) -> str:
    """Return the longest known unit at the end of ``name`` after an underscore, or ""."""
    lower = name.lower()
    found = [unit for unit in _UNITS if lower.endswith("_" + unit) and len(lower) > len(unit) + 1]
    return max(found, key=len, default="")
