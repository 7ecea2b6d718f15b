"""Model folders with parts edited, exchanged or missing."""

import pytest

from tests.hostile.groups import GROUPS

CASES = [case.id for case in GROUPS["models"]()]


@pytest.mark.parametrize("case", CASES)
def test_is_refused_with_reasons_or_read_right(case, problem):
    assert problem("models", case) == ""
