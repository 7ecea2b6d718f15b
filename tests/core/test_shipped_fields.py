"""Claims about fields of the model that ships: no seams, tileable when asked, alike by design."""

from itertools import combinations, product

import numpy as np
import pytest
import torch

from core.checkpoint import LoadedModel, load_model
from core.encode import LatentTable, load_latents, patch_scatter
from core.metrics.portilla import texture_statistics
from core.synthesis import scatter_cells, synthesise

CELL_PX = 128


@pytest.fixture(scope="module")
def shipped(reference_model) -> LoadedModel:
    return load_model(reference_model, backbone=False)


@pytest.fixture(scope="module")
def latents(reference_model) -> LatentTable:
    return load_latents(reference_model / "latents")


@pytest.fixture(scope="module")
def farthest(latents: LatentTable) -> np.ndarray:
    """Mean latents (2, D) of the two castings that are least alike."""
    names = np.unique(latents.specimen)
    means = np.stack([latents.mu[latents.specimen == name].mean(axis=0) for name in names])
    apart = np.linalg.norm(means[:, None] - means[None], axis=2)
    return means[list(np.unravel_index(apart.argmax(), apart.shape))]


def field(
    loaded: LoadedModel, table: LatentTable, z: np.ndarray, side: int, seed: int, periodic=True
) -> np.ndarray:
    """Synthesise as designs do."""
    cells = scatter_cells(z, patch_scatter(table, z), side, side, CELL_PX, seed)
    return synthesise(loaded, cells, side, side, seed, periodic)


def steps(picture: np.ndarray) -> np.ndarray:
    """Return the mean step of grey level from each column to the next one, round the edge, too."""
    return np.abs(np.roll(picture, -1, axis=1) - picture).mean(axis=0)


def seam(picture: np.ndarray, borders: np.ndarray) -> float:
    """Return how much larger steps at column ``borders`` are than elsewhere, in deviations."""
    found = steps(picture)
    elsewhere = np.delete(found, borders)
    error = elsewhere.std() / np.sqrt(len(borders))
    return float((found[borders].mean() - elsewhere.mean()) / error)


def excess(picture: np.ndarray, borders: np.ndarray) -> float:
    """Return how much larger the median step at ``borders`` is than elsewhere, in grey levels.

    Medians leave out the edges of particles, so this sees smaller seams than `seam` does.
    """
    found = 255 * np.median(np.abs(np.roll(picture, -1, axis=1) - picture), axis=0)
    return float(found[borders].mean() - np.delete(found, borders).mean())


def test_large_field_of_cells_has_no_seams_and_tiles(shipped, latents, farthest):
    side = 1024
    borders = np.arange(CELL_PX, side + 1, CELL_PX) - 1  # the last one is the picture's edge
    middles = borders - CELL_PX // 2
    made = field(shipped, latents, farthest[0], side, seed=1)
    for picture in (made, made.T):
        assert abs(seam(picture, borders)) < 4, "cell borders"
        assert abs(seam(picture, borders[-1:])) < 4, "opposite edges"
        drawn = picture.copy()
        drawn[:, : side // 2] += 0.03  # a step of 8 grey levels at one border and at the edge
        assert excess(picture, borders) < 1 < excess(drawn, borders), "and the check sees a seam"
    strips = [made[:, at[:, None] + np.arange(-8, 8)].ravel() for at in (borders[:-1], middles)]
    across, within = (np.array([s.mean(), s.std()]) for s in strips)
    assert np.abs(across - within).max() < 0.03, (across, within)


def test_field_that_need_not_tile_has_edges_that_do_not_fit(shipped, latents, farthest):
    """So the check of the edges above can fail; and inside there are no seams either."""
    side = 512
    made = field(shipped, latents, farthest[0], side, seed=1, periodic=False)
    edge = np.array([side - 1])
    assert max(seam(made, edge), seam(made.T, edge)) > 4
    inside = np.arange(CELL_PX, side, CELL_PX) - 1
    assert abs(seam(made[:, :-1], inside)) < 4


def test_periodic_field_of_one_z_has_no_seam_at_its_edges(shipped, farthest):
    made = synthesise(shipped, farthest[0], 512, 512, 2)
    for picture in (made, made.T):
        assert abs(seam(picture, np.array([511]))) < 4


def test_fields_of_one_design_are_alike_and_not_the_same(shipped, latents, farthest):
    kinds = list(product(range(2), range(2)))  # design, seed
    pictures = [field(shipped, latents, farthest[d], 512, seed) for d, seed in kinds]
    found = texture_statistics(torch.from_numpy(np.stack(pictures)).unsqueeze(1)).values()
    within, between = [], []
    for a, b in combinations(range(4), 2):
        # The Portilla-Simoncelli distance, with each field's statistics computed once.
        parts = [(s[a] - s[b]).norm() ** 2 / (s[a].norm() ** 2 + s[b].norm() ** 2) for s in found]
        distance = torch.stack(parts).mean().item()
        (within if kinds[a][0] == kinds[b][0] else between).append(distance)
    assert max(within) < 0.7 * min(between), (within, between)
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.2 * pictures[0].std(), "another field"
