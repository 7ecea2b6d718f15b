"""Targets in another unit are told by their factor of a thousand, whatever property and unit, and
stresses by being among the data once they are converted.
"""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet.unit_slips import stress_slip, unit_slip, unit_slips


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1e-3, "a thousandth of"),
        (1e3, "a thousand times"),
        (10**-2.51, "a thousandth of"),
        (10**3.49, "a thousand times"),
        (10**-2.49, ""),
        (10**2.49, ""),
        (10**3.51, ""),
        (10**-3.51, ""),
        (1.0, ""),
    ],
)
@pytest.mark.parametrize(
    ("median", "unit"), [(410.0, "MPa"), (0.04, "wt%"), (22.0, "µm"), (-40.0, "°C")]
)
def test_a_factor_near_a_thousand_is_a_slip(factor, said, median, unit):
    hint = unit_slip(factor * median, median, "Quantity", unit)
    assert (said in hint) and (bool(hint) == bool(said))
    assert not hint or hint.endswith(f"give Quantity in {unit}")


@pytest.mark.parametrize(
    ("value", "median"),
    [(0.0, 410.0), (0.4, 0.0), (-0.4, 410.0), (float("nan"), 4.0), (4.0, float("nan"))],
)
def test_what_has_no_ratio_gets_no_hint(value, median):
    assert unit_slip(value, median, "Quantity", "MPa") == ""


@pytest.mark.parametrize("unit", ["", "1"])
def test_a_quantity_without_a_unit_is_named_without(unit):
    assert unit_slip(800.0, 0.8, "Roundness", unit) == (
        "800 is about a thousand times what the data hold (median 0.8): give Roundness in the "
        "data's unit"
    )


def test_targets_of_every_form_are_looked_at(network):
    node = network.properties[0]
    median = float(np.nanmedian(network.support.properties[:, network.outcome_places((node,))]))
    low = median / 1000
    for wish in (low, (low, None), (None, low), (low, 1.1 * low)):
        (hint,) = unit_slips(network, {node.column: wish})
        assert f"give {node.label} in {node.unit}" in hint
    for wish in (median, "highest", "lowest", (low, median)):
        assert unit_slips(network, {node.column: wish}) == ()
    assert unit_slips(network, {}) == ()


def test_a_value_that_specimens_have_is_no_slip(network):
    """Particle counts may be spread over decades."""
    node = network.properties[0]
    median = float(np.nanmedian(network.support.properties[:, network.outcome_places((node,))]))
    wide = replace(node, low=median / 5000)
    spread = replace(network, nodes=tuple(wide if n == node else n for n in network.nodes))
    assert unit_slips(spread, {node.column: median / 1000}) == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (60.0, ["60 ksi would be 414 MPa"]),  # 60 x 6.895; in kgf/mm2 588 MPa, beyond the data
        (20.0, ["20 kgf/mm² would be 196 MPa"]),  # in ksi 138 MPa, below the data
        (42.0, ["42 ksi would be 290 MPa", "42 kgf/mm² would be 412 MPa"]),
        (58000.0, ["58000 psi would be 400 MPa"]),
        (430.0, []),
        (500.0, []),
        (-60.0, []),
        (0.0, []),
        (float("nan"), []),
    ],
)
@pytest.mark.parametrize("unit", ["MPa", "N/mm²"])
def test_a_stress_that_is_among_the_data_in_another_unit_names_it(value, said, unit):
    hint = stress_slip(value, 147.4, 468.1, "UTS", unit)
    assert bool(hint) == bool(said)
    assert all(one.replace("MPa", unit) in hint for one in said), hint
    assert hint.count(" would be ") == len(said)
    assert not hint or hint.endswith(f"give UTS in {unit}")


@pytest.mark.parametrize("unit", ["", "%", "ksi", "HB"])
def test_other_quantities_have_no_stress_units(unit):
    assert stress_slip(60.0, 147.4, 468.1, "Quantity", unit) == ""


def test_strengths_of_the_network_are_looked_at_in_units_of_stress(network):
    node = network.properties[0]
    assert node.unit == "MPa"
    middle = (node.low + node.high) / 2
    for unit, per_mpa in (("ksi", 0.1450377), ("kgf/mm²", 0.1019716), ("psi", 145.0377)):
        value = round(middle * per_mpa, 3)
        (hint,) = unit_slips(network, {node.column: value})
        assert f" {unit} would be " in hint
        assert unit_slips(network, {node.column: (value, middle)}) == ()
