"""Regressors from features to a property, tuned alike: the paper's two and what may do better.

Widths, penalties and the like are chosen by cross-validation over groups of rows: over specimens,
whose patches are then all in one fold, wherever a split claims to be honest. Labels are
standardised.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVR

from core.errors import InputError

FOLDS = 5
WIDTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # gamma times the median squared distance
PENALTIES = (10.0, 100.0, 1000.0)  # of logistic regression, inverse
CANDIDATES = {
    "linear": "linear regression",
    "ridge": "ridge regression",
    "svr_rbf": "SVR-RBF",
    "kernel_ridge": "kernel ridge",
    "gaussian_process": "Gaussian process",
}

Array = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Settings:
    """An estimator with its settings chosen, to be fitted to rows.

    Attributes:
        estimator: unfitted.
    """

    estimator: RegressorMixin

    def fit_predict(self, x: Array, y: Array, new: Array) -> Array:
        """Fit to rows x (n, d), y (n,) and predict (m,) for new (m, d)."""
        centre, scale = y.mean(), max(float(y.std()), 1e-12)
        fitted = clone(self.estimator).fit(x, (y - centre) / scale)
        result: Array = centre + scale * fitted.predict(new)
        return result


def tune(name: str, x: Array, y: Array, groups: Names) -> Settings:
    """Choose a candidate's settings on rows x (n, d), y (n,) of ``groups`` (n,), the specimens.

    Squared error in `FOLDS` folds of whole groups decides; for the Gaussian process the marginal
    likelihood does.

    Raises:
        InputError: fewer than three specimens, or labels that are all the same.
    """
    count = len(np.unique(groups))
    if count < 3:
        raise InputError(f"{count} labelled specimens: tuning a regressor needs three or more")
    if np.ptp(y) == 0:
        raise InputError(f"all labels are {y[0]:g}: there is nothing to learn")
    standard = (y - y.mean()) / y.std()
    estimator, grid = _candidate(name, _median_squared_distance(x))
    if name == "gaussian_process":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            kernel = estimator.fit(x, standard).kernel_
        return Settings(GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-8))
    if not grid:
        return Settings(estimator)
    folds = GroupKFold(min(FOLDS, count))
    search = GridSearchCV(estimator, grid, cv=folds, scoring="neg_mean_squared_error", refit=False)
    search.fit(x, standard, groups=groups)
    return Settings(clone(estimator).set_params(**search.best_params_))


def recognise(x: Array, groups: Names, new: Array) -> tuple[Names, Array]:
    """Tell which of the known specimens new rows (m, d) are of: kernel logistic regression.

    Its width and penalty are tuned by the likelihood of rows taken for independent.

    Args:
        x: rows (n, d); groups: their specimens (n,), each with two rows or more.
        new: rows to recognise.

    Returns:
        The S specimens' names, sorted, and (m, S) probabilities.

    Raises:
        InputError: fewer than two specimens, or one with a single row.
    """
    names, counts = np.unique(groups, return_counts=True)
    if len(names) < 2 or counts.min() < 2:
        raise InputError(
            f"{len(names)} specimens of {counts.min()} rows or more: recognising them needs two "
            "specimens or more, with two rows each"
        )
    folds, squared = min(FOLDS, int(counts.min())), _median_squared_distance(x)
    least = len(x) - -(-len(x) // folds)  # rows of the smallest fit, all of them centres
    model = make_pipeline(
        Nystroem(n_components=least, random_state=0), LogisticRegression(max_iter=1000)
    )
    grid = {
        "nystroem__gamma": [width / squared for width in WIDTHS],
        "logisticregression__C": list(PENALTIES),
    }
    chosen = GridSearchCV(model, grid, cv=folds, scoring="neg_log_loss").fit(x, groups)
    return names, chosen.predict_proba(new)


def _candidate(name: str, squared: float) -> tuple[Any, dict[str, list[float]]]:
    """Return an estimator and the settings to try, for a median squared distance of rows."""
    gammas = [width / squared for width in WIDTHS]
    if name == "linear":
        return LinearRegression(), {}
    if name == "ridge":
        return Ridge(), {"alpha": [0.01 * squared * 10**k for k in range(6)]}
    if name == "svr_rbf":
        return SVR(epsilon=0.05), {"C": [1.0, 10.0, 100.0], "gamma": gammas}
    if name == "kernel_ridge":
        return KernelRidge(kernel="rbf"), {"alpha": [0.003, 0.03, 0.3], "gamma": gammas}
    if name == "gaussian_process":
        length = squared**0.5
        kernel = ConstantKernel(10.0) * RBF(length, (0.1 * length, 100 * length)) + WhiteKernel(0.1)
        return GaussianProcessRegressor(kernel, alpha=1e-8), {}
    raise InputError(f"there is no regressor {name!r}; choose from {tuple(CANDIDATES)}")


def _median_squared_distance(x: Array, most: int = 400) -> float:
    """Return the median squared distance between rows, of at most so many of them."""
    some = x if len(x) <= most else x[np.random.default_rng(0).permutation(len(x))[:most]]
    squares = (some**2).sum(axis=1)
    between = squares[:, None] + squares - 2 * some @ some.T
    middle = float(np.median(between[np.triu_indices(len(some), 1)]))
    return max(middle, 1e-12)
