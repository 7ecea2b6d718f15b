"""The outcome of a case, from the child process that ran its group."""

from collections.abc import Callable

import pytest

from tests.hostile.run import outcomes


@pytest.fixture(scope="session")
def problem() -> Callable[[str, str], str]:
    """Return what is wrong with what came of a case, "" for nothing."""

    def of(group: str, case: str) -> str:
        return str(outcomes(group)[case]["problem"])

    return of
