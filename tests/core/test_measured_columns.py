"""Measured properties are marked, told by kind, and measured again on a design's picture."""

from dataclasses import dataclass

import numpy as np
import pytest

from core.columns import Column, declared_column
from core.descriptors import CHOSEN
from core.errors import InputError
from core.measured_columns import (
    MARK,
    columns_of,
    guess_kind,
    measure_again,
    measure_picture,
    measured_names,
)
from tests.core.descriptors.drawn import disc, picture
from tests.core.stereology.drawn import lamellae, one_phase


@dataclass
class Node:
    column: str
    label: str


def nodules() -> np.ndarray:
    """Four dark discs of 30 px (H, W) in an even matrix."""
    centres = [(row, column) for row in (48, 144) for column in (48, 144)]
    return picture([disc(192, centre, 30) for centre in centres])


def test_every_column_is_a_marked_property_of_its_own():
    for kind in ("graphite", "phases"):
        for column in columns_of(kind):
            assert column.derived and column.role == "property" and column.label.endswith(MARK)
            assert declared_column({"name": column.name, "role": "property", "derived": True})
    assert not {c.name for c in columns_of("graphite")} & {c.name for c in columns_of("phases")}
    assert [c.unit for c in columns_of("phases", scale_known=False)] == ["%", "px", "px", "px", ""]


def test_only_properties_are_derived():
    with pytest.raises(InputError, match="derived is True"):
        Column("x", "", "x", "process", "numeric", True)
    with pytest.raises(InputError, match="derived is 'yes'"):
        declared_column({"name": "x", "role": "property", "derived": "yes"})


def test_a_users_own_column_of_the_same_name_is_not_taken_for_measured():
    nodes = [
        Node("spacing_um", "Mean spacing" + MARK),
        Node("spacing_um", "Spacing"),
        Node("a", ""),
    ]
    assert measured_names(nodes) == ("spacing_um",)


def test_irons_are_told_from_other_materials():
    assert guess_kind([nodules(), nodules(), lamellae(192, 8, 8)]) == "graphite"
    assert guess_kind([nodules(), lamellae(192, 8, 8), one_phase(192)]) == "phases"
    assert guess_kind([]) == "phases"


def test_graphite_is_measured_by_the_standards_and_needs_a_scale():
    found = measure_picture(nodules(), 1.0, "graphite")
    share = 100 * 4 * np.pi * 15**2 / 192**2
    assert found.values["graphite_pct"] == pytest.approx(share, rel=0.05)
    assert found.values["nodularity_iso_pct"] == 100
    assert found.reasons["flake_length_um"] == "all particles are nodules"
    assert set(found.values) | set(found.reasons) == set(CHOSEN)
    with pytest.raises(InputError, match="needs the pictures' scale"):
        measure_picture(nodules(), None, "graphite")


def test_a_design_is_measured_by_the_same_routine():
    pixels = lamellae(256, 6, 10)
    first = measure_picture(pixels, 0.5, "phases")
    again = measure_again(pixels, 0.5, ["spacing_um"])
    assert again.values == {"spacing_um": first.values["spacing_um"]}
    assert again.half_width("spacing_um") == first.half_width("spacing_um")
    assert measure_again(one_phase(192), 0.5, ["spacing_um"]).reasons.keys() == {"spacing_um"}
    with pytest.raises(InputError, match="'uts_mpa' is no property"):
        measure_again(pixels, 0.5, ["uts_mpa"])
