"""The map has principal axes, its path goes straight, examples may hold patches."""

import numpy as np
import pandas as pd
import pytest

from core.encode import LatentTable, load_latents
from core.errors import InputError
from core.examples import load_examples
from core.latent_map import decode_path, may_hold, project
from core.summaries import specimen_means
from core.synthesis import decode_many


def table(mu: np.ndarray, specimen: list[str]) -> LatentTable:
    mu = np.asarray(mu, np.float32)
    return LatentTable(
        mu=mu,
        logvar=np.zeros_like(mu),
        specimen=np.array(specimen),
        file=np.array([f"{s}.png" for s in specimen]),
        corner=np.zeros((len(mu), 2), np.int32),
        specimens=pd.DataFrame(index=sorted(set(specimen))),
        columns=(),
        data_name="d",
        data_hash="h",
        model_hash="m",
        synthetic=False,
    )


def test_axes_are_those_of_largest_variance():
    rng = np.random.default_rng(0)
    mu = np.zeros((400, 5))
    mu[:, 3], mu[:, 1], mu[:, 0] = (s * rng.standard_normal(400) for s in (5, 2, 0.1))
    mu += 7
    found = project(table(mu, ["a"] * 400))
    assert found.points.shape == (400, 2)
    for axis, dimension in ((0, 3), (1, 1)):
        centred = mu[:, dimension] - mu[:, dimension].mean()
        assert np.corrcoef(found.points[:, axis], centred)[0, 1] > 0.99
    variances = mu.var(axis=0)
    assert found.shares[0] == pytest.approx(variances[3] / variances.sum(), rel=0.02)


def test_a_rotation_of_the_latents_moves_no_point():
    rng = np.random.default_rng(1)
    mu = rng.standard_normal((60, 6)) * np.arange(6, 0, -1)
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    first, second = (project(table(m, ["a"] * 60)).points for m in (mu, mu @ turn))
    assert np.allclose(np.abs(first), np.abs(second), atol=1e-3)


def test_axes_of_specimens_leave_the_scatter_within_aside():
    rng = np.random.default_rng(2)
    names = [f"s{i % 5}" for i in range(200)]
    between = np.array([[0, 0], [4, 0], [0, 4], [4, 4], [2, 2]])
    mu = np.zeros((200, 4))
    mu[:, :2] = between[[i % 5 for i in range(200)]]
    mu[:, 3] = 20 * rng.standard_normal(200)
    many = table(mu, names)
    means, _ = specimen_means(many.mu, many.specimen)
    assert np.allclose(means[:, :2], between)
    patches, specimens = project(many), project(many, "specimens")
    assert abs(np.corrcoef(patches.points[:, 0], mu[:, 3])[0, 1]) > 0.99
    assert patches.shares[0] > 0.9
    assert np.hypot(*specimens.points.T).max() < np.abs(patches.points).max()


@pytest.mark.parametrize(
    ("mu", "names", "axes", "said"),
    [
        (np.zeros((1, 4)), ["a"], "patches", "1 patches"),
        (np.ones((5, 4)), ["a"] * 5, "patches", "same latents"),
        (np.eye(4), ["a", "a", "b", "b"], "specimens", "on a line"),
        (np.eye(4), ["a"] * 4, "specimens", "1 specimens"),
        (np.eye(4), ["a"] * 4, "tsne", "unknown"),
    ],
)
def test_what_cannot_be_mapped_is_said(mu, names, axes, said):
    with pytest.raises(InputError, match=said):
        project(table(mu, names), axes)


def test_the_path_goes_straight_with_one_noise(loaded):
    a, b = np.zeros(8), np.linspace(-1, 1, 8)
    strip = decode_path(loaded, a, b, 3, seed=5)
    side = loaded.config.patch_px
    expected = decode_many(loaded, np.stack([a, b / 2, b]), side, side, 5)
    assert strip.shape == (3, side, side)
    assert np.array_equal(strip, expected)


@pytest.mark.parametrize("steps", [1, 26])
def test_a_path_has_two_to_twenty_five_pictures(loaded, steps):
    with pytest.raises(InputError, match="steps"):
        decode_path(loaded, np.zeros(8), np.ones(8), steps)


def test_an_example_may_hold_the_patches_of_its_specimen_that_lie_in_it(tiny_model):
    latents, examples = load_latents(tiny_model / "latents"), load_examples(tiny_model)
    held = [r for r in range(len(latents.mu)) if may_hold(latents, r, examples, 1.0, 128)]
    specimens = {example.specimen for example in examples}
    assert held and set(latents.specimen[held]) == specimens
    row = held[-1]
    latents.corner[row] = (0, 160 - 128 + 1)
    assert may_hold(latents, row, examples, 1.0, 128) == (), "it reaches over the edge"


def test_an_example_of_another_scale_holds_no_patch(tiny_model):
    latents, examples = load_latents(tiny_model / "latents"), load_examples(tiny_model)
    row = int(np.flatnonzero(latents.specimen == examples[0].specimen)[-1])
    assert examples[0] in may_hold(latents, row, examples, 1.0, 128)
    assert may_hold(latents, row, examples, 2.0, 128) == ()
