"""Whatever bytes and values come, readers read them or refuse them in words."""

import pytest

from tests.hostile.groups import GROUPS

CASES = [case.id for case in GROUPS["fuzz"]()]


@pytest.mark.parametrize("case", CASES)
def test_is_refused_with_reasons_or_read_right(case, problem):
    assert problem("fuzz", case) == ""
