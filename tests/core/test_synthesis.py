"""Claims about using a model on arrays: encoding, synthesis, reconstruction, traversals."""

import numpy as np
import pytest

from core.checkpoint import LoadedModel
from core.errors import ConfigError, InputError
from core.synthesis import (
    CHUNK,
    decode_many,
    encode_patches,
    reconstruct,
    scatter_cells,
    synthesise,
)
from core.traverse import PAPER_VALUES, traverse
from tests.core.textures import texture


def latents(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(8)


def patches(count: int) -> np.ndarray:
    return np.stack([texture(128, 128, 1.0 + i / 4, seed=i) for i in range(count)])


def test_encoding_in_chunks_is_encoding_one_by_one(loaded: LoadedModel) -> None:
    given = patches(CHUNK + 1)
    mu, logvar = encode_patches(loaded, given)
    assert mu.shape == logvar.shape == (CHUNK + 1, 8) and mu.dtype == np.float32
    for index in (0, CHUNK):
        alone = encode_patches(loaded, given[index : index + 1])
        np.testing.assert_allclose(mu[index], alone[0][0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(logvar[index], alone[1][0], rtol=1e-3, atol=1e-4)


def test_different_textures_have_different_latents(loaded: LoadedModel) -> None:
    mu, _ = encode_patches(loaded, patches(2))
    assert np.abs(mu[0] - mu[1]).max() > 1e-3, mu


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((128, 128)), r"must be \(N, H, W\) with N >= 1, not \(128, 128\)"),
        (np.zeros((0, 128, 128)), r"must be \(N, H, W\) with N >= 1, not \(0, 128, 128\)"),
        (np.full((1, 128, 128), np.nan), "patches hold values that are not finite"),
        (np.zeros((1, 16, 128)), "16x128 px image is too small: pool5 needs 32 px"),
    ],
)
def test_patches_that_cannot_be_encoded_are_refused(
    loaded: LoadedModel, given: np.ndarray, message: str
) -> None:
    for use in (encode_patches, lambda model, p: reconstruct(model, p, 0)):
        with pytest.raises(InputError, match=message):
            use(loaded, given)


def test_seed_decides_the_field(loaded: LoadedModel) -> None:
    first, again, other = (synthesise(loaded, latents(), 64, 96, seed) for seed in (1, 1, 2))
    assert first.shape == (64, 96) and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= 1
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.1 * first.std()


def test_latents_decide_the_material(loaded: LoadedModel) -> None:
    a, b = (synthesise(loaded, latents(s), 64, 64, 1) for s in (0, 1))
    assert np.abs(a - b).mean() > 1e-3


def test_decoding_many_is_decoding_each_with_the_same_noise(loaded: LoadedModel) -> None:
    z = np.stack([latents(0), latents(1), latents(0)])
    made = decode_many(loaded, z, 64, 64, seed=5)
    for index in range(3):
        np.testing.assert_array_equal(made[index], synthesise(loaded, z[index], 64, 64, 5))
    np.testing.assert_array_equal(made[0], made[2])


def test_field_that_need_not_tile_has_any_size(loaded: LoadedModel) -> None:
    assert synthesise(loaded, latents(), 70, 101, 0, periodic=False).shape == (70, 101)
    with pytest.raises(ConfigError, match="not 70: choose 64 or 96"):
        synthesise(loaded, latents(), 70, 101, 0)


@pytest.mark.parametrize("z", [np.zeros(7), np.zeros((1, 8)), np.zeros((2, 2, 7)), np.zeros(())])
def test_latents_of_another_shape_are_refused(loaded: LoadedModel, z: np.ndarray) -> None:
    with pytest.raises(InputError, match="latents must"):
        synthesise(loaded, z, 64, 64, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_latents_that_are_not_finite_are_refused(loaded: LoadedModel, bad: float) -> None:
    z = latents()
    z[3] = bad
    with pytest.raises(InputError, match="not finite"):
        synthesise(loaded, z, 64, 64, 0)


# --- fields of cells ---


def test_cells_scatter_round_z_and_their_mean_is_z() -> None:
    z, residuals = latents(), np.random.default_rng(1).standard_normal((20, 8))
    cells = scatter_cells(z, residuals, 512, 256, 128, seed=3)
    assert cells.shape == (4, 2, 8) and cells.dtype == np.float32
    np.testing.assert_allclose(cells.mean(axis=(0, 1)), z, atol=1e-5)
    drawn = np.unique(cells.reshape(-1, 8).round(5), axis=0)
    assert len(drawn) == 8, "no residual is drawn twice while there are others"


def test_differences_between_cells_are_differences_between_real_patches() -> None:
    residuals = np.random.default_rng(1).standard_normal((6, 8))
    cells = scatter_cells(latents(), residuals, 256, 256, 128, seed=3).reshape(-1, 8)
    real = (residuals[:, None] - residuals[None]).reshape(-1, 8)
    for cell in cells[1:]:
        nearest = np.linalg.norm(real - (cell - cells[0]), axis=1).min()
        assert nearest < 1e-5, nearest


def test_seed_decides_the_cells_and_a_single_one_is_z() -> None:
    z, residuals = latents(), np.random.default_rng(1).standard_normal((20, 8))
    a, b, c = (scatter_cells(z, residuals, 256, 256, 128, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    single = scatter_cells(z, residuals, 128, 96, 128, seed=0)
    np.testing.assert_allclose(single, z[None, None], atol=1e-5)
    with pytest.raises(InputError, match="no patches to draw"):
        scatter_cells(z, residuals[:0], 128, 128, 128, 0)


def test_field_of_one_cell_is_the_field_of_its_latents(loaded: LoadedModel) -> None:
    z = latents()
    expected = synthesise(loaded, z, 64, 96, 4)
    np.testing.assert_allclose(synthesise(loaded, z[None, None], 64, 96, 4), expected, atol=1e-5)


# --- reconstructions ---


def test_reconstruction_decodes_the_mean_with_noise_of_its_own(loaded: LoadedModel) -> None:
    twice = np.repeat(patches(1), 2, axis=0)
    made, again, other = (reconstruct(loaded, twice, seed) for seed in (0, 0, 1))
    assert made.shape == (2, 128, 128) and made.dtype == np.float32
    np.testing.assert_array_equal(made, again)
    assert not np.array_equal(made, other)
    assert np.abs(made[0] - made[1]).mean() > 0.1 * made[0].std(), "equal patches, equal noise"
    mu, _ = encode_patches(loaded, twice[:1])
    single = reconstruct(loaded, twice[:1], 0)[0]
    np.testing.assert_allclose(single, synthesise(loaded, mu[0], 128, 128, 0), atol=1e-5)


# --- traversals ---


def test_traversal_sets_one_latent_and_keeps_the_others_and_the_noise(loaded: LoadedModel) -> None:
    z, values = latents(), (-3.0, 0.0, 2.0)
    row = traverse(loaded, z, 2, values, seed=9, size_px=64)
    assert row.shape == (3, 64, 64)
    for picture, value in zip(row, values, strict=True):
        changed = z.copy()
        changed[2] = value
        np.testing.assert_array_equal(picture, synthesise(loaded, changed, 64, 64, 9))
    assert z[2] == latents()[2], "the latents given are not changed"


def test_traversal_takes_the_papers_ten_values() -> None:
    assert len(PAPER_VALUES) == 10 and PAPER_VALUES[0] == -4 and PAPER_VALUES[-1] == 4
    np.testing.assert_allclose(np.diff(PAPER_VALUES), 8 / 9)


@pytest.mark.parametrize("dimension", [-1, 8])
def test_traversal_of_a_latent_that_is_not_there_is_refused(
    loaded: LoadedModel, dimension: int
) -> None:
    with pytest.raises(InputError, match=f"latent {dimension} does not exist: there are 0 to 7"):
        traverse(loaded, latents(), dimension, size_px=64)


def test_traversal_to_infinity_is_refused(loaded: LoadedModel) -> None:
    with pytest.raises(InputError, match="must be finite"):
        traverse(loaded, latents(), 0, (0.0, np.inf), size_px=64)
