"""What may not change a network's answers: units, zero points, the order of columns and specimens.

Tolerances are stated here: answers agree to 1e-6 of their own size (of a column's spread where zero
points move), covariances are symmetric to the last bit and positive definite.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from bayesnet.gaussian import is_positive_definite
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.network import Network
from bayesnet.query import Answer, most_probable
from tests.bayesnet.simulator import COLUMNS, simulate

CONFIG = NetworkConfig(regimes=(1, 2), factors=(2,), folds=3)
AGREE = 1e-6
NAMES = tuple(column.name for column in COLUMNS)
PROCESS, PROPERTIES = NAMES[:3], NAMES[3:]
few = settings(
    max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
powers = some.integers(-6, 6).map(lambda n: 10.0**n)


@pytest.fixture(scope="module")
def table() -> SimpleNamespace:
    return simulate(specimens=24, dimensions=5, patches=6, seed=3, dead=0)


@pytest.fixture(scope="module")
def answer(table) -> Answer:
    return most_probable(fit_network(table, CONFIG), targets(table))


def targets(table) -> dict[str, float]:
    return table.specimens[list(PROPERTIES)].median().to_dict()


def changed(table, **entries) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(table), **entries})


def assert_same(ours: Answer, theirs: Answer, scale: dict, shift: dict, spread: dict) -> None:
    """Two answers agree when the second is brought back to the first one's units."""
    assert ours.feasibility.verdict == theirs.feasibility.verdict
    assert theirs.feasibility.distance == pytest.approx(ours.feasibility.distance, abs=AGREE)
    np.testing.assert_allclose(theirs.latents, ours.latents, rtol=0, atol=AGREE)
    for kind in ("process", "properties"):
        for name, mine in getattr(ours, kind).items():
            other = getattr(theirs, kind)[name]
            for part in ("value", "low", "high"):
                found = (getattr(other, part) - shift.get(name, 0.0)) / scale.get(name, 1.0)
                off = abs(found - getattr(mine, part)) / spread[name]
                assert off < AGREE, f"{part} of {name} is off by {off:.2g} of its spread"


@few
@given(scale=some.fixed_dictionaries(dict.fromkeys(NAMES, powers)))
def test_units_do_not_matter(table, answer, scale):
    frame = table.specimens * scale
    wanted = {name: value * scale[name] for name, value in targets(table).items()}
    theirs = most_probable(fit_network(changed(table, specimens=frame), CONFIG), wanted)
    assert_same(answer, theirs, scale, {}, table.specimens.std().to_dict())


@few
@given(shift=some.fixed_dictionaries(dict.fromkeys(PROCESS, some.floats(-300.0, 300.0))))
def test_zero_points_of_settings_do_not_matter(table, answer, shift):
    """As °C and K."""
    frame = table.specimens.copy()
    for name, value in shift.items():
        frame[name] += value
    theirs = most_probable(fit_network(changed(table, specimens=frame), CONFIG), targets(table))
    assert_same(answer, theirs, {}, shift, table.specimens.std().to_dict())


@few
@given(order=some.permutations(range(len(NAMES))))
def test_the_order_of_columns_does_not_matter(table, answer, order):
    columns = tuple(COLUMNS[i] for i in order)
    frame = table.specimens[[column.name for column in columns]]
    theirs = most_probable(
        fit_network(changed(table, columns=columns, specimens=frame), CONFIG), targets(table)
    )
    assert_same(answer, theirs, {}, {}, table.specimens.std().to_dict())


def covariances(network: Network) -> list[np.ndarray]:
    return [*(cov for _, cov in network.joints), network.within]


@few
@given(
    specimens=some.integers(8, 30),
    dimensions=some.integers(2, 7),
    patches=some.integers(3, 9),
    seed=some.integers(0, 2**16),
    scale=powers,
    copied=some.booleans(),
)
def test_covariances_are_symmetric_and_positive_definite(
    specimens, dimensions, patches, seed, scale, copied
):
    """With few specimens, in odd units, and where one setting follows another exactly."""
    made = simulate(specimens, dimensions, patches, seed, dead=0)
    frame = made.specimens * scale
    if copied:
        frame["ce_pct"] = 2 * frame["radius_mm"] + 3 * scale
    network = fit_network(changed(made, specimens=frame), CONFIG)
    for cov in covariances(network):
        assert np.array_equal(cov, cov.T), np.abs(cov - cov.T).max()
        least = np.linalg.eigvalsh(cov)[0]
        assert least > 0 and is_positive_definite(cov), least


def test_the_file_keeps_every_answer_to_the_last_bit(table, answer, tmp_path):
    fit_network(table, CONFIG).save(tmp_path / "network.json")
    theirs = most_probable(Network.load(tmp_path / "network.json"), targets(table))
    assert np.array_equal(theirs.latents, answer.latents)
    assert (theirs.process, theirs.properties) == (answer.process, answer.properties)
