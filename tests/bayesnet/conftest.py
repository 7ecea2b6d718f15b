"""One table and one fitted network for all tests of this folder."""

import pytest

from bayesnet.learn import fit_network
from tests.bayesnet.simulator import simulate


@pytest.fixture(scope="session")
def table():
    return simulate(seed=0)


@pytest.fixture(scope="session")
def network(table):
    return fit_network(table)
