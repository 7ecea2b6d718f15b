"""Claims about the ways to judge property models, and about the regressors judged."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from core.candidates import CANDIDATES, _median_squared_distance, recognise, tune
from core.errors import InputError
from core.property_splits import (
    figures,
    leave_one_out,
    new_specimens,
    random_patches,
    recognised_patches,
    specimen_average,
    specimen_folds,
)


def patches(specimens: int = 16, each: int = 8, leak: bool = False, seed: int = 0):
    """Rows whose features tell the label or, with a leak, only which specimen they are of."""
    rng = np.random.default_rng(seed)
    code = rng.normal(size=(specimens, 5))
    y = rng.normal(size=specimens) if leak else code[:, 0] + 0.5 * code[:, 1]
    owner = np.repeat(np.arange(specimens), each)
    x = code[owner] + 0.05 * rng.normal(size=(owner.size, 5))
    return x, 100 + 10 * y[owner], np.array([f"s{i:02d}" for i in owner])


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_regressor_learns_a_plain_relation(name: str) -> None:
    x, y, groups = patches(60, 1)
    new_x, new_y, _ = patches(60, 1, seed=1)
    found = new_specimens(name, x, y, groups, new_x)
    assert figures(new_y, found)["r2"] > 0.75, figures(new_y, found)


@pytest.mark.parametrize("name", ["svr_rbf", "kernel_ridge", "gaussian_process"])
def test_a_leak_shows_as_random_patches_far_above_left_out(name: str) -> None:
    x, y, groups = patches(16, 4, leak=True)
    leaking = figures(y, random_patches(name, x, y, seed=0))["r2"]
    honest = figures(y, leave_one_out(name, x, y, groups))["r2"]
    assert leaking > 0.9 and honest < 0.3, (leaking, honest)


def test_without_a_leak_left_out_does_well() -> None:
    x, y, groups = patches(12, 3)
    assert figures(y, leave_one_out("ridge", x, y, groups))["r2"] > 0.95


def test_a_left_out_specimens_label_changes_nothing_in_its_prediction() -> None:
    x, y, groups = patches(5, 2)
    own = groups == "s02"
    before = leave_one_out("svr_rbf", x, y, groups)[own]
    after = leave_one_out("svr_rbf", x, np.where(own, 1e3, y), groups)[own]
    np.testing.assert_array_equal(before, after)


def test_no_fold_splits_a_specimen_and_all_are_dealt() -> None:
    groups = np.repeat([f"s{i}" for i in range(13)], 4)
    folds = specimen_folds(groups, 5)
    assert len(folds) == 5 and max(map(len, folds)) - min(map(len, folds)) <= 1
    assert sorted(np.concatenate(folds)) == sorted(set(groups))
    assert len(specimen_folds(groups[:12], 5)) == 3


def test_tuning_never_splits_a_specimen(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, groups = patches(7, 5)
    splits = []
    plain = GroupKFold.split

    def watched(self, *arguments, **named):
        for train, test in plain(self, *arguments, **named):
            splits.append(set(groups[train]) & set(groups[test]))
            yield train, test

    monkeypatch.setattr(GroupKFold, "split", watched)
    tune("kernel_ridge", x, y, groups)
    assert splits and not any(splits), splits


def test_random_patches_hold_out_a_fifth_and_repeat_with_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y, _ = patches(5, 10)
    learned = []

    def watched(name, rows, labels, groups):
        learned.append(len(rows))
        return tune(name, rows, labels, groups)

    monkeypatch.setattr("core.property_splits.tune", watched)
    found = random_patches("linear", x, y, seed=3)
    assert found.shape == (50,) and learned == [40] * 5
    assert np.ptp(found - y) > 0, "a label was seen"
    np.testing.assert_array_equal(found, random_patches("linear", x, y, seed=3))
    assert not np.array_equal(found, random_patches("linear", x, y, seed=4))


def test_recognition_repeats_the_labels_of_specimens_it_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.candidates.PENALTIES", (10.0, 100.0))
    monkeypatch.setattr("core.candidates.WIDTHS", (0.3, 1.0))
    x, y, groups = patches(5, 20)
    found = recognised_patches(x, y, groups, seed=0)
    assert y.min() <= found.min() and found.max() <= y.max(), "nothing but known labels"
    order = np.random.default_rng(1).permutation(np.unique(y))
    shuffled = order[np.unique(y, return_inverse=True)[1]]  # labels that no feature explains
    for labels in (y, shuffled):
        assert figures(labels, recognised_patches(x, labels, groups, seed=0))["r2"] > 0.9
    noise = np.random.default_rng(0).normal(size=x.shape)
    assert figures(y, recognised_patches(noise, y, groups, seed=0))["r2"] < 0.3
    with pytest.raises(InputError, match="two specimens or more"):
        recognise(x, np.full(len(x), "a"), x)


def test_figures_are_as_worked_by_hand() -> None:
    found = figures(np.array([100.0, 200.0, 400.0]), np.array([110.0, 190.0, 400.0]))
    assert found["mape"] == pytest.approx(5.0) and found["median_error"] == pytest.approx(5.0)
    mean = 700 / 3
    total = (100 - mean) ** 2 + (200 - mean) ** 2 + (400 - mean) ** 2
    assert found["r2"] == pytest.approx(1 - 200 / total) and found["n"] == 3
    assert figures(np.array([0.0, 1.0]), np.array([0.0, 1.0]))["mape"] is None
    assert figures(np.array([2.0]), np.array([1.0]))["r2"] is None


def test_averages_follow_the_sorted_names() -> None:
    means = specimen_average(np.array([1.0, 5.0, 3.0]), np.array(["b", "a", "b"]))
    np.testing.assert_array_equal(means, [5.0, 2.0])


def test_median_squared_distance_is_that_of_the_pairs() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])  # squared distances 25, 1 and 18
    assert _median_squared_distance(x) == pytest.approx(18.0)
    assert _median_squared_distance(np.ones((5, 2))) == pytest.approx(1e-12)


def test_too_few_specimens_equal_labels_and_unknown_names_are_refused() -> None:
    x, y, groups = patches(2, 6)
    with pytest.raises(InputError, match="2 labelled specimens"):
        tune("ridge", x, y, groups)
    x, y, groups = patches(4, 6)
    with pytest.raises(InputError, match="all labels are 7"):
        tune("ridge", x, np.full(len(y), 7.0), groups)
    with pytest.raises(InputError, match="no regressor 'forest'"):
        tune("forest", x, y, groups)
