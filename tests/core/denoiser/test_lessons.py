"""Claims about lessons: whole cells with their latents, and a loss that only equals have not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from core.checkpoint import load_model
from core.denoiser.crops import Micrograph
from core.denoiser.lessons import WEIGHTS, Lesson, LessonPool, compare, finished_lesson
from core.denoiser.sampling import finish
from tests.core.denoiser.conftest import random_denoiser

PX = 8  # a cell of the micrographs below


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def micrograph(specimen: str, rows: int = 3, columns: int = 4) -> Micrograph:
    """Return one whose grey levels and first latent both name the cell: 10 row + column."""
    names = 10.0 * np.arange(rows)[:, None] + np.arange(columns)
    cells = np.stack([names, -names], axis=-1).astype(np.float32)
    return Micrograph(specimen, np.kron(names, np.ones((PX, PX))).astype(np.uint8), cells)


@pytest.mark.parametrize("turned", [False, True])
def test_every_cell_comes_with_its_own_latents(turned: bool) -> None:
    pool = LessonPool([micrograph("a"), micrograph("b")], seed=3, turned=turned)
    sizes = set()
    for number in range(20):
        pixels, cells = pool.lesson(number)
        sizes.add((tuple(pixels.shape), tuple(cells.shape)))
        seen = torch.nn.functional.avg_pool2d(255 * pixels, PX)[:, 0]
        told = cells[:, 0] if cells.dim() == 4 else cells[:, :1, None]
        assert torch.allclose(seen, told.expand_as(seen), atol=1e-3)
    assert sizes == {((4, 1, PX, PX), (4, 2)), ((1, 1, 2 * PX, 2 * PX), (1, 2, 2, 2))}


def test_lessons_follow_from_the_seed_and_their_number() -> None:
    first, again, other = (
        [LessonPool([micrograph("a")], seed).lesson(n).pixels for n in range(8)]
        for seed in (0, 0, 1)
    )
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, other)), "another seed draws others"
    assert not torch.equal(first[0], first[2]), "another number draws others"


def test_specimens_count_the_same_however_many_micrographs_they_have() -> None:
    many = [Micrograph("b", np.full((PX, PX), 200, np.uint8), np.ones((1, 1, 2), np.float32))] * 30
    pool = LessonPool([micrograph("a", 1, 1), *many], seed=0)
    bright = np.mean([float((pool.lesson(n).pixels > 0.5).float().mean()) for n in range(60)])
    assert 0.35 < bright < 0.65, f"{bright} of the patches are of the specimen with 30 micrographs"


def test_micrographs_of_one_cell_give_patches_alone() -> None:
    pool = LessonPool([micrograph("a"), micrograph("b", 1, 3)], seed=0)
    assert {pool.lesson(n).pixels.shape for n in range(4)} == {(4, 1, PX, PX)}


def test_a_lesson_is_finished_as_designs_are(tiny_model: Path, vgg_weights) -> None:
    loaded = load_model(tiny_model)
    network = random_denoiser()
    lesson = Lesson(torch.rand(1, 1, 64, 64), torch.randn(1, 8, 2, 2))
    made = finished_lesson(loaded, network, lesson, seeded(), "float32")
    generator = seeded()
    drafts = loaded.vae.decode(lesson.cells, 64, 64, generator)
    assert torch.allclose(made, finish(network, drafts, lesson.cells, generator), atol=1e-6)


def test_the_last_steps_have_a_gradient(tiny_model: Path, vgg_weights) -> None:
    loaded, network = load_model(tiny_model), random_denoiser().requires_grad_()
    lesson = Lesson(torch.rand(2, 1, 64, 64), torch.randn(2, 8))
    made = finished_lesson(loaded, network, lesson, seeded(), "float32")
    terms = compare(loaded.vgg, lesson.pixels, made, seeded(), "float32")
    assert set(terms) == set(WEIGHTS)
    for name, term in terms.items():
        found = torch.autograd.grad(term, network.outlet.weight, retain_graph=True)[0]
        assert torch.isfinite(found).all() and float(found.norm()) > 0, name


def test_place_counts_for_less_than_grey_levels(tiny_model: Path, vgg_weights) -> None:
    vgg, x = load_model(tiny_model).vgg, torch.rand(2, 1, 64, 64)
    same = compare(vgg, x, x.roll(3, dims=3), seeded(), "float32")
    other = compare(vgg, x, 0.8 * x, seeded(), "float32")
    for name in WEIGHTS:
        assert float(same[name]) < 0.7 * float(other[name]), name
