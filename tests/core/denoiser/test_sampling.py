"""Claims about finishing: the right distribution, any size, no seams, the seed decides."""

from dataclasses import replace

import pytest
import torch
from torch import Generator

from core.denoiser import sampling
from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.sampling import contradicted, finish
from tests.core.denoiser.conftest import SMALL, random_denoiser


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def plain(spread: float, **settings: float) -> Denoiser:
    """Return an untrained network: it knows of centre and spread alone."""
    shape = {"latents": 8, "channels": (8,), "width": 8}
    network = Denoiser(DenoiserConfig.from_dict(shape | settings))
    network.centre.fill_(0.5)
    network.spread.fill_(spread)
    return network


@pytest.mark.parametrize(
    ("spread", "start", "steps"),
    [(0.05, 0.1, 40), (0.015, 0.03, 6), (0.006, 0.03, 6), (0.05, 0.03, 6), (0.1, 0.1, 10)],
)
def test_white_pictures_keep_their_spread(spread: float, start: float, steps: int) -> None:
    """For white noise the untrained denoiser is exact, so what comes out is as what went in."""
    network = plain(spread, steps=steps, start=start, coarse=0.0)
    draft = 0.5 + spread * torch.randn(1, 1, 128, 128, generator=seeded(1))
    found = finish(network, draft, torch.zeros(1, 8), seeded())
    assert float(found.std()) == pytest.approx(spread, rel=0.025)
    assert float(found.mean()) == pytest.approx(0.5, abs=0.002)


def test_an_odd_draft_is_brought_to_what_was_learned() -> None:
    network = plain(0.02, steps=20, start=0.1, coarse=0.0)
    draft = torch.full((1, 1, 64, 64), 0.8)
    found = finish(network, draft, torch.zeros(1, 8), seeded())
    assert abs(float(found.mean()) - 0.5) < 0.1, "noise of 0.1 drowns what is 0.3 off by little"


def test_what_is_contradicted_is_replaced_and_thin_detail_kept() -> None:
    network = plain(0.02, coarse=0.3, coarse_steps=6, start=0.005, steps=3, lowest=0.004)
    draft = torch.full((1, 1, 96, 96), 0.5)
    draft[..., 48] = 0.52  # a line that coarse noise drowns
    draft[..., 10:30, 10:30] = 0.9  # what was never seen
    found = finish(network, draft, torch.zeros(1, 8), seeded())
    square, line = found[..., 14:26, 14:26], found[..., 48].mean() - found[..., 56:90].mean()
    assert abs(float(square.mean()) - 0.5) < 0.05, f"the square is {float(square.mean()):.2f}"
    assert float(line) > 0.014, f"the line is {float(line):.3f} above the rest, was 0.02"


def test_contradictions_wrap_around_where_pictures_do() -> None:
    draft, coarse = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    coarse[..., :6, 20:30] = 1.0
    spread = torch.tensor(0.2)
    wrapped, edged = (contradicted(draft, coarse, spread, p)[0, 0, -2, 25] for p in (True, False))
    assert float(wrapped) > 0.5 and float(edged) == 0
    assert float(contradicted(draft, 0.09 + draft, spread, True).max()) == 0, "half is allowed"


def test_the_seed_decides_and_the_draft_is_left_alone() -> None:
    network, draft, z = random_denoiser(), torch.rand(1, 1, 64, 64), torch.zeros(1, 8)
    before = draft.clone()
    first = finish(network, draft, z, seeded())
    assert torch.equal(first, finish(network, draft, z, seeded()))
    assert not torch.equal(first, finish(network, draft, z, seeded(1)))
    assert torch.equal(draft, before)
    assert first.dtype == torch.float32 and float(first.min()) >= 0 and float(first.max()) <= 1


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (100, 333), (37, 41)])
def test_any_size_comes_out_as_it_went_in(size: tuple[int, int]) -> None:
    periodic = not any(side % 32 for side in size)
    found = finish(random_denoiser(), torch.rand(2, 1, *size), torch.zeros(2, 8), None, periodic)
    assert found.shape == (2, 1, *size) and torch.isfinite(found).all()


@pytest.mark.parametrize("periodic", [True, False])
def test_tiles_show_no_seams(monkeypatch, periodic: bool) -> None:
    network = random_denoiser(replace(SMALL, start=0.1, coarse=0.0), size=0.05)
    draft = torch.rand(1, 1, 192, 192)
    z = torch.randn(1, 8, 2, 2)
    whole = finish(network, draft, z, seeded(), periodic)
    monkeypatch.setattr(sampling, "TILE_PX", 64)
    tiled = finish(network, draft, z, seeded(), periodic)
    worst = float((whole - tiled).abs().max())
    assert worst < 2e-3, f"a tile differs by {worst}"


def test_periodic_pictures_do_not_know_where_their_edge_is() -> None:
    network, level = random_denoiser(size=0.05), 0.1
    x, cells, whole = torch.rand(1, 1, 96, 96), torch.zeros(1, 1, 1, 8), [torch.ones(96, 1)] * 2
    found, moved = (
        sampling._estimate(network, cells, whole, True, "float32", picture, level)
        for picture in (x, x.roll(32, dims=2))
    )
    assert torch.allclose(found.roll(32, dims=2), moved, atol=1e-6)


def test_more_noise_changes_more() -> None:
    draft, z = 0.5 + 0.1 * torch.rand(1, 1, 64, 64), torch.zeros(1, 8)
    changes = []
    for start in (0.02, 0.1):
        network = random_denoiser(replace(SMALL, start=start, coarse=0.0))
        changes.append(float((finish(network, draft, z, seeded()) - draft).abs().mean()))
    assert changes[0] < changes[1]
