"""Linear algebra on one thread: on matrices as small as the network's, more of them only wait."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numpy  # noqa: F401 - loads the library that is to be limited
import scipy.linalg  # noqa: F401 - and scipy's own
from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")
_libraries = ThreadpoolController()


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that its linear algebra runs on one thread."""
    return cast(Callable[P, R], _libraries.wrap(limits=1, user_api="blas")(function))
