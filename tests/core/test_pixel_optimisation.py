"""Claims about optimising pixels, and about how many iterations of it a network is worth."""

import json
from pathlib import Path

import numpy as np
import pytest

from core import pixel_optimisation
from core.checkpoint import load_model
from core.errors import ConfigError, InputError
from core.latent_descent import optimise_latents
from core.metrics.style import relative_style_error
from core.picture_style import style_errors
from core.pixel_descent import Descent, optimise_pixels
from core.pixel_optimisation import choose_patches, compare, main, report
from core.synthesis import decode_patches, encode_patches
from core.vgg import VGG19
from tests.core.textures import make_textures, texture


def descent(errors: tuple[float, ...], second: float = 2.0) -> Descent:
    count = len(errors)
    seconds = tuple(second * i for i in range(count))
    return Descent(np.zeros((1, 1), np.float32), errors, seconds, tuple(range(1, count + 1)))


def test_descent_comes_down_and_its_last_error_is_that_of_its_pixels(vgg: VGG19):
    patch = texture(32, 32, 2.0)
    found = optimise_pixels(vgg, patch, iterations=6, seed=0)
    assert len(found.errors) == len(found.seconds) == len(found.evaluations) == 7
    assert found.errors[-1] < 0.5 * found.errors[0], found.errors
    assert all(b <= a for a, b in zip(found.errors, found.errors[1:], strict=False)), found.errors
    assert list(found.seconds) == sorted(found.seconds)
    import torch

    x, y = (torch.from_numpy(p)[None, None] for p in (patch, found.pixels))
    assert relative_style_error(vgg, x, y).item() == pytest.approx(found.errors[-1], rel=1e-3)


def test_no_pass_is_made_twice(vgg: VGG19, monkeypatch):
    """What the line search has seen costs nothing again: about one pass an iteration."""
    passes = []
    original = VGG19.forward
    monkeypatch.setattr(
        VGG19, "forward", lambda self, *a, **k: passes.append(1) or original(self, *a, **k)
    )
    found = optimise_pixels(vgg, texture(32, 32, 2.0), iterations=5, seed=0)
    assert found.evaluations[-1] == len(passes) - 1, "all but the original's"
    assert list(found.evaluations) == sorted(set(found.evaluations)), "each iteration makes some"


def test_descent_stops_where_it_is_asked_to_but_not_before_the_least(vgg: VGG19):
    patch = texture(32, 32, 2.0)
    full = optimise_pixels(vgg, patch, iterations=6, seed=0)
    stopped = optimise_pixels(vgg, patch, 6, 0, stop_at=full.errors[2])
    assert stopped.errors == full.errors[: full.reach(full.errors[2]) + 1]
    longer = optimise_pixels(vgg, patch, 6, 0, stop_at=1e9, least=4)
    assert longer.errors == full.errors[:5]
    with pytest.raises(ConfigError, match="0 iterations"):
        optimise_pixels(vgg, patch, 0, 0)


def test_iterations_worth_and_times_are_as_worked_by_hand():
    """Errors 0.5, 0.3 and 0.1 are reached after 1, 2 and 3 iterations of 2 s."""
    descents = [descent((1.0, 0.5, 0.3, 0.1))] * 3
    found = compare(np.array([0.5, 0.3, 0.1]), 0.5, descents)
    assert found["iterations_worth"]["median"] == 2
    assert (found["iterations_worth"]["low"], found["iterations_worth"]["high"]) == (1, 3)
    assert found["times_faster"]["median"] == 8, "4 s against half a second"
    assert not found["iterations_worth"]["median_is_least"] and found["not_reached"] == 0


def test_what_is_never_reached_is_said_to_be_at_least():
    descents = [descent((1.0, 0.5, 0.3))] * 4
    found = compare(np.array([0.01, 0.02, 0.5, 0.4]), 1.0, descents)
    assert found["not_reached"] == 2 and found["iterations_worth"]["median_is_least"]
    single = compare(np.array([0.01, 0.5, 0.5, 0.5]), 1.0, descents)
    assert single["not_reached"] == 1 and not single["iterations_worth"]["median_is_least"]


def test_patches_are_of_as_many_specimens(tmp_path: Path):
    data = make_textures(tmp_path, 4, 1, 64, 96)
    found = choose_patches(data, 3, 32, None, seed=0)
    assert found.shape == (3, 32, 32)
    np.testing.assert_array_equal(found, choose_patches(data, 3, 32, None, seed=0))
    roughness = np.abs(np.diff(found, axis=2)).mean(axis=(1, 2))
    assert (np.diff(roughness) < 0).all(), "one of each grain size, in order"
    with pytest.raises(InputError, match="5 patches of 4 specimens"):
        choose_patches(data, 5, 32, None, 0)


def test_command_line_compares_two_models(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pixel_optimisation, "CURVE", (1, 2))
    monkeypatch.setattr(pixel_optimisation, "TIMINGS", 1)
    make_textures(tmp_path / "data", 2, 1, 128, 140)
    given = ["--model", str(tiny_model), "--data", str(tmp_path / "data"), "--patches", "1"]
    given += [
        "--iterations",
        "3",
        "--latent-steps",
        "2",
        "--also",
        str(tiny_model),
        "--out",
        str(tmp_path),
    ]
    main(given)
    content = json.loads((tmp_path / "pixel_optimisation.json").read_text())
    assert "--patches 1 --iterations 3 --latent-steps 2 --also" in content["command"]
    found = content["pixel_optimisation"]
    assert set(found["models"]) == {"model", "also"}
    errors = [found["models"][name]["error"]["median"] for name in ("model", "also")]
    assert errors[0] == errors[1], "the same model twice"
    assert found["models"]["also"]["model_sha256"] == content["model_sha256"]
    assert set(found["error_after_iterations"]) == {"1", "2"}
    assert "iterations" in report(found) and "from the best ones" in report(found)


def test_a_model_that_is_not_there_is_refused_in_words(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_textures(tmp_path / "data", 2, 1, 128, 140)
    given = ["--model", str(tiny_model), "--data", str(tmp_path / "data"), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main([*given, "--also", str(tmp_path / "nowhere")])
    assert left.value.code == 2 and "cannot read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*given, "--latent-steps", "0"])
    assert "--latent-steps must be 1 or more, not 0" in capsys.readouterr().err


def test_latents_are_moved_to_where_the_error_is_less(tiny_model: Path):
    """For one noise by construction; the encoder's are told with the seed's own noise."""
    loaded = load_model(tiny_model)
    patches = np.stack([texture(128, 128, grain, 1) for grain in (1.0, 4.0)])
    found = optimise_latents(loaded, patches, 5, seed=3)
    assert (found.best_noise < found.encoded).all(), (found.best_noise, found.encoded)
    drafts = decode_patches(loaded, encode_patches(loaded, patches)[0], 128, 128, 3)
    expected = style_errors(loaded, patches, drafts).mean(axis=1)
    np.testing.assert_allclose(found.encoded, expected, rtol=1e-3)
    with pytest.raises(ConfigError, match="0 steps"):
        optimise_latents(loaded, patches, 0, seed=3)
