"""Targets in another unit are told by their factor of a thousand, whatever property and unit."""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet.unit_slips import unit_slip, unit_slips


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
