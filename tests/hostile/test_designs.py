"""Edited recipes, saved designs and jobs; impossible settings and questions; exports."""

import pytest

from tests.hostile.groups import GROUPS

CASES = [case.id for case in GROUPS["designs"]()]


@pytest.mark.parametrize("case", CASES)
def test_is_refused_with_reasons_or_read_right(case, problem):
    assert problem("designs", case) == ""
