"""Claims about threads of linear algebra: one inside, as many as before after it."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from bayesnet.threads import one_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@one_thread
def inside(fail: bool) -> set[int]:
    if fail:
        raise ValueError("inside")
    return threads()


def test_linear_algebra_runs_on_one_thread_inside_and_as_before_after():
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert inside(False) == {1}
        with pytest.raises(ValueError, match="inside"):
            inside(True)
        assert threads() == before
    assert np.linalg.inv(np.eye(2))[0, 0] == 1.0
