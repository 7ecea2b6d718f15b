"""Claims about Gram matrices: values worked by hand, invariances, moments, errors."""

import pytest
import torch

from core.errors import InputError
from core.gram import gram, style_statistics
from tests.core.features import features, random, row


def test_gram_of_two_channels_is_as_worked_by_hand() -> None:
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # (1, 2, 1, 2)
    expected = torch.tensor([[[2.5, 0.5], [0.5, 5.0]]])
    torch.testing.assert_close(gram(x), expected)
    assert gram(row(1, 3)).item() == 5


def test_gram_is_blind_to_circular_shifts() -> None:
    x = random(2, 4, 6, 5)
    torch.testing.assert_close(gram(x.roll((2, 3), dims=(2, 3))), gram(x))


def test_gram_is_blind_to_any_permutation_of_positions_but_not_of_channels() -> None:
    x = random(2, 4, 6, 5)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(gram(x.flatten(2)[..., order].view_as(x)), gram(x))
    assert not torch.allclose(gram(x[:, [1, 0, 2, 3]]), gram(x))


def test_gram_is_symmetric_and_positive_semidefinite() -> None:
    g = gram(random(3, 8, 2, 2))  # more channels than positions: rank 4
    torch.testing.assert_close(g, g.transpose(1, 2))
    smallest = torch.linalg.eigvalsh(g).min().item()
    assert smallest > -1e-10, smallest


def test_gram_from_moments_equals_the_gram_matrix() -> None:
    x = features()
    for name, found in style_statistics(x).items():
        torch.testing.assert_close(found.gram, gram(x[name]))


def test_half_precision_features_are_summed_in_float32() -> None:
    x = torch.full((1, 1, 128, 128), 0.3, dtype=torch.float16)
    assert gram(x).dtype == torch.float32
    assert gram(x).item() == pytest.approx(float(x[0, 0, 0, 0]) ** 2, rel=1e-4)


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("level", [2.0, 40.0], ids=["even", "faint on a bright ground"])
def test_moments_of_bfloat16_are_those_of_float32_but_for_rounding(
    last: bool, level: float
) -> None:
    wide = random(3, 8, 40, 30).float() + torch.linspace(0.0, level, 8)[None, :, None, None]
    wide = wide.bfloat16().float()  # the rounding of the features themselves is not in question
    wide = wide.to(memory_format=torch.channels_last) if last else wide
    short = wide.bfloat16().requires_grad_()
    wide.requires_grad_()
    weights = random(3, 8, 8).float(), random(3, 8).float()
    found = []
    for x in (wide, short):
        mean, covariance = style_statistics({"pool1": x}, ["pool1"])["pool1"]
        assert mean.dtype == covariance.dtype == torch.float32
        ((covariance * weights[0]).sum() + (mean * weights[1]).sum()).backward()
        assert x.grad is not None and x.grad.dtype == x.dtype
        found.append((mean, covariance, x.grad.float()))
    for expected, one in zip(*found, strict=True):
        assert ((one - expected).norm() / expected.norm()).item() < 0.006


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 2, 0, 4)])
def test_features_of_odd_shapes_are_refused(shape: tuple) -> None:
    with pytest.raises(InputError, match=r"features must be \(B, C, H, W\)"):
        gram(torch.zeros(shape))
