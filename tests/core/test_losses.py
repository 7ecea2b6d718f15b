"""Claims about the losses: values worked by hand, invariances, gradients, errors."""

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as oracle

from core.errors import ConfigError, InputError
from core.gram import gram, style_statistics
from core.losses import (
    centred_style_error,
    kl_beyond,
    kl_divergence,
    relative_style_error,
    style_loss_eq2,
)
from core.vgg import STYLE_LAYERS
from tests.core.features import features, random, row


def test_kl_equals_the_closed_form_of_torch_distributions() -> None:
    mu, logvar = random(5, 7), random(5, 7, seed=1)
    normal, prior = Normal(mu, (0.5 * logvar).exp()), Normal(torch.zeros(()), torch.ones(()))
    expected = oracle(normal, prior).sum(dim=1)
    torch.testing.assert_close(kl_divergence(mu, logvar), expected, rtol=1e-6, atol=1e-6)


def test_kl_of_the_prior_is_zero_and_each_nat_is_counted() -> None:
    zero = torch.zeros(1, 3)
    assert kl_divergence(zero, zero).item() == 0
    assert kl_divergence(torch.tensor([[1.0, 1.0, 2.0]]), zero).item() == pytest.approx(3.0)
    narrow = kl_divergence(torch.zeros(1, 1), torch.tensor([[-2.0]])).item()
    assert narrow == pytest.approx(0.5 * (2.718281828**-2 + 1), rel=1e-6)


def test_free_nats_count_by_latent_on_the_mean_over_a_batch() -> None:
    mu, logvar = random(5, 7), random(5, 7, seed=1)
    torch.testing.assert_close(kl_beyond(mu, logvar, 0.0), kl_divergence(mu, logvar).mean())
    by_hand = kl_beyond(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.zeros(2, 2), 0.25)
    assert by_hand.item() == pytest.approx(1.0 + 0.25)
    mu = torch.tensor([[0.1, 3.0]], requires_grad=True)
    kl_beyond(mu, torch.zeros(1, 2), 0.5).backward()
    assert mu.grad.tolist() == [[0.0, 3.0]], "what is free has no gradient"


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (2, 4)), ((1, 2, 3), (1, 2, 3))])
def test_kl_refuses_other_shapes(shapes: tuple) -> None:
    with pytest.raises(InputError, match=r"must both be \(B, D\)"):
        kl_divergence(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_eq2_is_as_worked_by_hand() -> None:
    # Positions (1, 3) against (1, 1): sums 10 and 2; (10 - 2)^2 / (4 * 1^2 * 2^2) = 4.
    weights = {"conv1_1": 1.0}
    x, y = {"conv1_1": row(1, 3)}, {"conv1_1": row(1, 1)}
    assert style_loss_eq2(x, y, weights).tolist() == pytest.approx([4.0])
    # Channels (1, 2) against (0, 1) at one position: squares 1 + 4 + 4 + 9 = 18; 18 / (4 * 2^2).
    x["pool1"] = torch.tensor([1.0, 2.0], dtype=torch.float64).view(1, 2, 1, 1)
    y["pool1"] = torch.tensor([0.0, 1.0], dtype=torch.float64).view(1, 2, 1, 1)
    weights["pool1"] = 2.0
    assert style_loss_eq2(x, y, weights).tolist() == pytest.approx([4.0 + 2 * 1.125])


def test_eq2_equals_the_papers_sum_over_unnormalised_gram_matrices() -> None:
    x, y = features(0), features(1)
    expected = torch.zeros(2, dtype=torch.float64)
    for name in STYLE_LAYERS:
        channels, places = x[name].shape[1], 30
        difference = places * gram(x[name]) - places * gram(y[name])
        expected += difference.square().sum(dim=(1, 2)) / (4 * channels**2 * places**2)
    torch.testing.assert_close(style_loss_eq2(x, y), expected)


@pytest.mark.parametrize("weights", [{}, {"conv1_1": -1.0}, {"conv1_1": float("nan")}])
def test_eq2_refuses_weights_that_are_not_weights(weights: dict) -> None:
    with pytest.raises(ConfigError, match="weights must be zero or more"):
        style_loss_eq2(features(), features(), weights)


def test_relative_error_is_as_worked_by_hand() -> None:
    # Gram matrices 5 and 1: (5 - 1)^2 / 5^2 = 0.64, and 0.16 * 100 the other way round.
    x, y = {"conv1_1": row(1, 3)}, {"conv1_1": row(1, 1)}
    assert relative_style_error(x, y, ("conv1_1",)).item() == pytest.approx(0.64)
    assert relative_style_error(y, x, ("conv1_1",)).item() == pytest.approx(16.0)


@pytest.mark.parametrize("measure", [relative_style_error, centred_style_error, style_loss_eq2])
def test_equal_images_have_no_style_error(measure) -> None:
    assert measure(features(), features()).abs().max().item() == 0


@pytest.mark.parametrize("measure", [relative_style_error, centred_style_error])
def test_relative_errors_do_not_depend_on_the_scale_of_the_features(measure) -> None:
    x, y = features(0), features(1)
    larger = [{name: 1000 * f for name, f in both.items()} for both in (x, y)]
    torch.testing.assert_close(measure(*larger), measure(x, y))


@pytest.mark.parametrize("measure", [relative_style_error, centred_style_error, style_loss_eq2])
def test_images_of_different_sizes_compare(measure) -> None:
    x = features()
    tiled = {name: f.repeat(1, 1, 2, 3) for name, f in x.items()}
    assert measure(x, tiled).max().item() < 1e-20, "a tiled image has the same style"


@pytest.mark.parametrize("measure", [relative_style_error, centred_style_error, style_loss_eq2])
def test_statistics_serve_as_well_as_features(measure) -> None:
    x, y = features(0), features(1)
    torch.testing.assert_close(measure(style_statistics(x), style_statistics(y)), measure(x, y))


def test_centred_error_is_as_worked_by_hand() -> None:
    # (1, 3): mean 2, variance 1, Gram 5. (1, 1): mean 1, variance 0.
    x, y = {"conv1_1": row(1, 3)}, {"conv1_1": row(1, 1)}
    expected = 1 / (1 + 1e-5 * 25) + 1 / 4
    assert centred_style_error(x, y, ("conv1_1",)).item() == pytest.approx(expected)
    with pytest.raises(ConfigError, match="floor must be positive, not 0"):
        centred_style_error(x, y, ("conv1_1",), floor=0)


@pytest.mark.parametrize("measure", [relative_style_error, centred_style_error])
def test_errors_against_a_blank_image_are_finite(measure) -> None:
    blank = {name: torch.zeros_like(f) for name, f in features().items()}
    level = {name: torch.ones_like(f) for name, f in features().items()}
    for target in (blank, level):
        assert torch.isfinite(measure(target, blank)).all(), measure(target, blank)
    assert torch.isfinite(measure(level, features())).all()


def _losses(*flat: torch.Tensor) -> torch.Tensor:
    target = {name: f.detach() for name, f in features(1, 3, 2).items()}
    made = dict(zip(STYLE_LAYERS, flat, strict=True))
    parts = [measure(target, made).sum() for measure in (relative_style_error, centred_style_error)]
    return torch.stack([*parts, style_loss_eq2(target, made).sum()])


def test_style_gradients_are_those_of_finite_differences() -> None:
    inputs = tuple(f.requires_grad_() for f in features(0, 3, 2).values())
    assert torch.autograd.gradcheck(_losses, inputs)


def test_kl_gradient_is_that_of_finite_differences() -> None:
    inputs = (random(2, 3).requires_grad_(), random(2, 3, seed=1).requires_grad_())
    assert torch.autograd.gradcheck(kl_divergence, inputs)


def test_missing_layers_and_odd_shapes_are_refused() -> None:
    x = features()
    with pytest.raises(InputError, match="lack the layer 'pool4'"):
        relative_style_error(x, {k: v for k, v in x.items() if k != "pool4"})
    with pytest.raises(InputError, match=r"conv1_1: .* \(2, 2\) .* \(1, 2\)"):
        relative_style_error(x, {name: f[:1] for name, f in x.items()})
    with pytest.raises(ConfigError, match="at least one style layer"):
        relative_style_error(x, x, ())
