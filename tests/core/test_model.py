"""Claims about the model: decoders, heads, and what its settings allow."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import core.decoders
from core.cells import pad_circular
from core.decoders import Grain, normalise_cells
from core.errors import ConfigError, InputError
from core.model import ModelConfig, StatisticsHead, TextureVAE
from core.vgg import CHANNELS, VGG19
from tests.core.textures import texture

SMALL = ModelConfig(latents=4, channels=(12, 12, 10, 8, 8), hidden=16)
PAPER = ModelConfig(
    latents=4, decoder="paper", head="pool5", channels=(16, 8, 8, 8, 8), patch_px=64
)


@pytest.fixture(scope="module")
def vae() -> TextureVAE:
    torch.manual_seed(0)
    return TextureVAE(SMALL).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def paper() -> TextureVAE:
    torch.manual_seed(0)
    return TextureVAE(PAPER).eval().requires_grad_(False)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def latents(count: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 4, generator=seeded(seed))


def fake_features(scale: float = 1.0, count: int = 3) -> dict[str, torch.Tensor]:
    """Positive features of the right widths, without VGG19."""
    source = seeded(1)
    return {
        name: scale * torch.rand(count, channels, 4, 4, generator=source)
        for name, channels in CHANNELS.items()
    }


# --- decoders ---


def test_same_seed_gives_the_same_picture(vae: TextureVAE) -> None:
    first, again = (vae.decode(latents(), 64, 96, seeded(7)) for _ in range(2))
    assert first.shape == (1, 1, 64, 96) and first.dtype == torch.float32
    assert torch.equal(first, again)
    assert first.min() >= 0 and first.max() <= 1 and first.std() > 1e-3


def test_different_seeds_give_different_pictures(vae: TextureVAE) -> None:
    a, b = (vae.decode(latents(), 64, 64, seeded(s)) for s in (1, 2))
    difference = ((a - b).abs().mean() / a.std()).item()
    assert difference > 0.2, f"other seeds move pixels by {difference:.3f} standard deviations"


def test_without_a_generator_the_global_seed_decides(vae: TextureVAE) -> None:
    pictures = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        pictures.append(vae.decode(latents(), 32, 32))
    assert torch.equal(pictures[0], pictures[1]) and not torch.equal(pictures[0], pictures[2])


def test_latents_change_the_picture(vae: TextureVAE) -> None:
    a, b = (vae.decode(latents(seed=s), 64, 64, seeded(1)) for s in (0, 1))
    assert (a - b).abs().mean().item() > 1e-3


def test_each_picture_of_a_batch_depends_on_its_own_latents_only(vae: TextureVAE) -> None:
    z = latents(2)
    both = vae.decode(z, 64, 64, seeded(1))
    swapped = vae.decode(torch.stack([z[0], -z[1]]), 64, 64, seeded(1))
    torch.testing.assert_close(both[0], swapped[0])
    assert not torch.allclose(both[1], swapped[1])


def seam(pictures: torch.Tensor, dimension: int) -> float:
    """Mean step across the wrap seam over the mean step inside."""
    step = (pictures.roll(1, dimension) - pictures).abs()
    across, inside = step.select(dimension, 0), step.narrow(dimension, 1, step.shape[dimension] - 1)
    return (across.mean() / inside.mean()).item()


def smoothed(pictures: torch.Tensor) -> torch.Tensor:
    """Circular mean over 9 x 9 px, so that structure counts and not pixel noise."""
    padded = torch.nn.functional.pad(pictures, (4, 4, 4, 4), mode="circular")
    return torch.nn.functional.avg_pool2d(padded, 9, stride=1)


@pytest.mark.parametrize("dimension", [2, 3])
def test_opposite_edges_fit_together(vae: TextureVAE, dimension: int) -> None:
    z = latents().expand(8, -1)
    fits = seam(vae.decode(z, 128, 128, seeded(3), periodic=True), dimension)
    assert 0.85 < fits < 1.15, f"the seam's steps are {fits:.2f} times those inside"


def test_rolling_the_noise_rolls_the_picture(
    vae: TextureVAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No place is special, edges included: this is what makes a picture tileable."""
    plain = core.decoders._noise
    expected = vae.decode(latents(), 128, 96, seeded(3)).roll((32, 64), dims=(2, 3))

    def rolled(shape, like, generator):
        cells = shape[2] // 4  # positions of this scale for one of the coarsest map's
        return plain(shape, like, generator).roll((cells, 2 * cells), dims=(2, 3))

    monkeypatch.setattr(core.decoders, "_noise", rolled)
    found = vae.decode(latents(), 128, 96, seeded(3))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(100, 70), (32, 33), (129, 64)])
def test_pictures_that_need_not_tile_have_any_size(
    vae: TextureVAE, height: int, width: int
) -> None:
    assert vae.decode(latents(), height, width, periodic=False).shape == (1, 1, height, width)


def test_pictures_that_need_not_tile_do_not_repeat_their_edge(vae: TextureVAE) -> None:
    """The margin: what lies past the right edge is not what lies at the left one."""
    free = vae.decode(latents(), 64, 64, seeded(3), periodic=False)
    whole = vae.decode(latents(), 96, 96, seeded(3), periodic=True)
    assert torch.equal(free, whole[..., :64, :64])


def test_tileable_sizes_are_multiples_of_32_and_the_message_says_which(vae: TextureVAE) -> None:
    with pytest.raises(ConfigError, match=r"multiples of 32 px, not 100: choose 96 or 128"):
        vae.decode(latents(), 64, 100)


@pytest.mark.parametrize("side", [0, 31, 8193])
@pytest.mark.parametrize("periodic", [True, False])
def test_sides_out_of_range_are_refused(vae: TextureVAE, side: int, periodic: bool) -> None:
    with pytest.raises(InputError, match=f"side of {side} px is out of range: 32 to 8192 px"):
        vae.decode(latents(), 64, side, periodic=periodic)


@pytest.mark.parametrize("shape", [(4,), (1, 3), (1, 4, 1)])
def test_latents_of_another_shape_are_refused(vae: TextureVAE, shape: tuple) -> None:
    with pytest.raises(InputError, match=r"z must be \(B, 4\).*, not"):
        vae.decode(torch.zeros(shape), 64, 64)


def test_one_cell_is_the_whole_picture(vae: TextureVAE) -> None:
    z = latents(2)
    expected = vae.decode(z, 64, 96, seeded(1))
    found = vae.decode(z[:, :, None, None], 64, 96, seeded(1))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_each_cell_is_normalised_by_itself() -> None:
    """Two cells of other brightness and contrast come out alike away from their border."""
    x = torch.randn(1, 3, 32, 64, generator=seeded(0))
    x[..., 32:] = 5 + 3 * x[..., 32:]
    made = normalise_cells(x, (1, 2))
    for half in (made[..., 8:24], made[..., 40:56]):
        assert half.mean(dim=(2, 3)).abs().max().item() < 0.35
        assert (half.std(dim=(2, 3)) - 1).abs().max().item() < 0.5
    whole = normalise_cells(x, ())
    assert whole.mean(dim=(2, 3)).abs().max().item() < 1e-5
    assert (whole.std(dim=(2, 3), correction=0) - 1).abs().max().item() < 1e-4


def test_a_cell_changes_the_picture_in_its_own_place(vae: TextureVAE) -> None:
    cells = latents()[:, :, None, None].repeat(1, 1, 2, 2)
    other = cells.clone()
    other[..., 1, 1] = latents(seed=1)
    a, b = (vae.decode(c, 256, 256, seeded(1)) for c in (cells, other))
    change = (a - b).abs()[0, 0]
    inside, far = change[160:224, 160:224].mean().item(), change[32:96, 32:96].mean().item()
    assert inside > 100 * far, f"{inside:.2e} inside the cell, {far:.2e} in the one across"


def test_more_cells_than_the_coarsest_map_has_places_are_refused(vae: TextureVAE) -> None:
    with pytest.raises(InputError, match="5 x 1 cells are too many for 64 x 64 px"):
        vae.decode(torch.zeros(1, 4, 5, 1), 64, 64)


def test_grain_is_normal_noise_of_the_strength_and_correlation_that_it_has_learned() -> None:
    grain = Grain(8)
    with torch.no_grad():
        grain.strength.bias.fill_(0.02)
        grain.kernel[..., 2, 3] = 1.0  # equal weights of two neighbours: correlation one half
    noise = torch.randn(2, 1, 128, 128, generator=seeded(0))
    made = grain(torch.zeros(2, 8), noise)
    deviation = made.std().item()
    beside = (made * made.roll(1, dims=3)).mean().item() / deviation**2
    above = (made * made.roll(1, dims=2)).mean().item() / deviation**2
    assert deviation == pytest.approx(0.02, rel=0.03)
    assert beside == pytest.approx(0.5, abs=0.03) and above == pytest.approx(0, abs=0.03)


def test_a_picture_with_grain_stays_in_range() -> None:
    torch.manual_seed(0)
    vae = TextureVAE(replace(SMALL, grain=True)).eval()
    assert vae.decoder.grain is not None
    with torch.no_grad():
        vae.decoder.grain.strength.bias.fill_(3.0)
        made = vae.decode(latents(), 64, 64, seeded(1))
    assert (made.min(), made.max()) == (0, 1)


def test_papers_decoder_takes_no_cells(paper: TextureVAE) -> None:
    with pytest.raises(InputError, match=r"z must be \(B, 4\), not \(1, 4, 2, 2\)"):
        paper.decode(torch.zeros(1, 4, 2, 2), 64, 64)


def test_papers_decoder_ignores_the_seed_and_follows_the_latents(paper: TextureVAE) -> None:
    a, b = (paper.decode(latents(), 64, 64, seeded(s)) for s in (1, 2))
    assert torch.equal(a, b) and a.shape == (1, 1, 64, 64)
    assert not torch.allclose(a, paper.decode(latents(seed=1), 64, 64))


def test_papers_decoder_makes_one_size_only(paper: TextureVAE) -> None:
    with pytest.raises(ConfigError, match="makes 64x64 px only, not 64x96"):
        paper.decode(latents(), 64, 96)


def test_picture_has_a_gradient_to_every_parameter_and_to_the_latents() -> None:
    for config in (SMALL, PAPER):
        vae, z = TextureVAE(config), latents().requires_grad_()
        vae.decode(z, 64, 64, seeded(0)).square().mean().backward()
        dead = [n for n, p in vae.decoder.named_parameters() if p.grad is None]
        assert not dead and z.grad is not None and z.grad.abs().min().item() > 0, (dead, z.grad)


# --- heads ---


def test_standardisation_gives_inputs_of_mean_zero_and_deviation_one() -> None:
    head = StatisticsHead(SMALL)
    inputs = 5 + 3 * torch.randn(64, 3072, generator=seeded(0))
    head.fit_standardisation(inputs.split(10))
    standard = (inputs - head.centre) / head.spread
    assert standard.mean(dim=0).abs().max().item() < 1e-4
    assert (standard.std(dim=0, correction=0) - 1).abs().max().item() < 1e-4


def test_a_constant_input_is_not_blown_up() -> None:
    head = StatisticsHead(SMALL)
    inputs = torch.randn(64, 3072, generator=seeded(0))
    inputs[:, 7] = 2.0
    head.fit_standardisation([inputs])
    share = (head.spread[7] / head.spread.mean()).item()
    assert 0.009 < share < 0.0102, share


def test_statistics_are_roots_of_means_and_deviations(vae: TextureVAE) -> None:
    features = fake_features()
    found = vae.head.inputs(features)
    assert found.shape == (3, 2 * sum(CHANNELS.values())) == (3, 3072)
    first = features["conv1_1"][:, 0].flatten(1)
    torch.testing.assert_close(found[:, 0], first.mean(dim=1).sqrt())
    torch.testing.assert_close(found[:, 64], first.std(dim=1, correction=0).sqrt())
    last = features["pool5"][:, -1].flatten(1)
    torch.testing.assert_close(found[:, -1], last.std(dim=1, correction=0).sqrt())


def test_latents_of_foreign_images_stay_bounded(vae: TextureVAE) -> None:
    mu, logvar = vae.encode(fake_features(1e12))
    beyond, _ = vae.encode(fake_features(1e14))
    assert torch.equal(mu, beyond), "ten standard deviations and more are alike"
    assert torch.isfinite(mu).all() and logvar.abs().max().item() <= 12


def test_posterior_starts_informative(vae: TextureVAE) -> None:
    mu, logvar = vae.encode(fake_features())
    assert mu.shape == logvar.shape == (3, 4)
    assert logvar.mean().item() == pytest.approx(-3.0, abs=1.0)


def test_statistics_are_nearly_blind_to_circular_shifts(vgg: VGG19, vae: TextureVAE) -> None:
    """Only nearly: VGG19 pads with zeros, so the border differs. A flattened pool5 is not."""
    fine, coarse = texture(128, 128, 1.0), texture(128, 128, 4.0)
    pictures = [fine, coarse, *(np.roll(p, (45, 70), axis=(0, 1)) for p in (fine, coarse))]
    features = vgg(torch.from_numpy(np.stack(pictures))[:, None])
    shares = []
    for inputs in (vae.head.inputs(features), features["pool5"].flatten(1)):
        other = (inputs[0] - inputs[1]).norm()
        shares.append([((inputs[i + 2] - inputs[i]).norm() / other).item() for i in (0, 1)])
    said = "a shift moves {} by {:.2f} and {:.2f} of the way to another texture"
    assert max(shares[0]) < 0.5, said.format("the statistics", *shares[0])
    assert max(shares[1]) > 0.8, said.format("pool5", *shares[1])


def test_statistics_head_takes_any_size_and_pool5_its_own_only(
    vgg: VGG19, vae: TextureVAE, paper: TextureVAE
) -> None:
    features = vgg(torch.from_numpy(texture(96, 64))[None, None])
    assert vae.encode(features)[0].shape == (1, 4)
    with pytest.raises(InputError, match=r"encodes 64 px patches only: pool5 is \(3, 2\)"):
        paper.encode(features)
    right = {name: f[..., : f.shape[2] * 2 // 3, :] for name, f in features.items()}
    assert paper.encode(right)[0].shape == (1, 4)


# --- settings ---


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latents": 0}, "latents must be an integer from 1 to 256, not 0"),
        ({"latents": 257}, "latents must be an integer from 1 to 256, not 257"),
        ({"latents": 8.0}, "latents must be an integer from 1 to 256, not 8.0"),
        ({"latents": True}, "latents must be an integer from 1 to 256, not True"),
        ({"hidden": -1}, "hidden must be an integer from 1 to 4096, not -1"),
        ({"patch_px": 100}, "patch_px must be a multiple of 32, not 100"),
        ({"patch_px": 16}, "patch_px must be an integer from 32 to 512, not 16"),
        ({"decoder": "gan"}, "decoder 'gan' is unknown; choose from ('texture', 'paper')"),
        ({"head": "pool4"}, "head 'pool4' is unknown; choose from ('statistics', 'pool5')"),
        ({"pooling": "mean"}, "pooling 'mean' is unknown; choose from ('average', 'max')"),
        ({"backbone": ["x"]}, "backbone ['x'] is unknown; choose from"),
        ({"backbone_sha256": "ab"}, "backbone_sha256 must be empty or 64 hexadecimal digits"),
        ({"channels": 8}, "channels must be a list of integers, not 8"),
        ({"channels": (8, 8)}, "decoder 'texture' takes 5 channels, not (8, 8)"),
        ({"channels": (8, 8, 8, 8, 0)}, "channels must be an integer from 1 to 2048, not 0"),
        ({"decoder": "paper", "channels": (8,) * 6}, "decoder 'paper' takes 5 channels"),
        ({"grain": 1}, "grain must be true or false, not 1"),
        ({"grain": True, "decoder": "paper"}, "grain needs the decoder 'texture'"),
        ({"latent": 8}, "unknown settings ['latent'] of ModelConfig"),
    ],
)
def test_bad_settings_are_refused_with_name_value_and_range(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ModelConfig.from_dict(settings)
    assert message in str(refused.value)


def test_settings_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigError, match="ModelConfig needs a mapping of settings, not 3"):
        ModelConfig.from_dict(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("config", [ModelConfig(), SMALL, PAPER])
def test_settings_survive_json(config: ModelConfig) -> None:
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_settings_do_not_change(vae: TextureVAE) -> None:
    with pytest.raises(AttributeError):
        vae.config.latents = 5  # type: ignore[misc]
    assert replace(SMALL, latents=5).latents == 5 and SMALL.latents == 4
    assert math.prod(ModelConfig(decoder="paper").channels) == 256 * 128 * 64 * 32 * 16


@pytest.mark.parametrize("size", [(4, 5), (1, 1), (1, 3), (2, 1)])
def test_the_gradient_of_wrapping_around_is_that_of_its_parts(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pad_circular, x)
    expected = torch.nn.functional.pad(x, [1] * 4, mode="circular")
    assert torch.equal(pad_circular(x), expected)
    assert torch.equal(pad_circular(x.detach()), expected)
