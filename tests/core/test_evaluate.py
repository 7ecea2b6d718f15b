"""Claims about evaluating uploads and about the reference that says what is usual."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checkpoint import LoadedModel
from core.encode import load_latents
from core.errors import CheckpointError, InputError
from core.evaluate import evaluate_image
from core.images import Micrograph
from core.properties import PropertyModel
from core.reference import (
    FIELD_PATCHES,
    FILE,
    Reference,
    _limits,
    _whitening,
    cut_at,
    load_reference,
    main,
    measure_reference,
    patch_distances,
    sample_pairs,
    save_reference,
    spread_patches,
    style_errors,
)
from core.synthesis import encode_patches
from tests.core.textures import make_textures, texture


@pytest.fixture(scope="module")
def properties(tiny_model: Path) -> PropertyModel:
    return PropertyModel.load(tiny_model / "properties.json")


@pytest.fixture(scope="module")
def reference(tiny_model: Path) -> Reference:
    return load_reference(tiny_model)


def micrograph(pixels: np.ndarray, um_per_px: float | None = 1.0) -> Micrograph:
    return Micrograph(pixels, "upload.png", um_per_px, ("read as grey",))


# --- evaluating an upload ---


def test_property_models_of_another_model_are_refused(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    other = replace(properties, model_hash="0" * 64)
    with pytest.raises(CheckpointError, match="fitted on another model's latents"):
        evaluate_image(loaded, other, reference, micrograph(texture(160, 224)))


def test_evaluation_is_that_of_the_patches_it_names(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    pixels = texture(160, 224)
    found = evaluate_image(loaded, properties, reference, micrograph(pixels), n_patches=2)
    assert found.name == "upload.png" and found.um_per_px == 1.0
    np.testing.assert_array_equal(found.pixels, pixels)
    corners = spread_patches(pixels, 128, FIELD_PATCHES)
    patches = cut_at(pixels, corners, 128)
    assert found.n_patches == len(corners) > 1
    np.testing.assert_array_equal(found.corners, corners[[0, -1]])
    np.testing.assert_array_equal(found.originals, patches[[0, -1]])
    mean = encode_patches(loaded, patches)[0].mean(axis=0)
    np.testing.assert_allclose(found.mean_latent, mean, rtol=1e-4, atol=1e-5)
    assert found.predictions == properties.predict(found.mean_latent, found.n_patches)
    assert set(found.predictions) == {"uts_mpa", "ys_mpa"}
    errors = style_errors(loaded, found.originals, found.reconstructions).mean(axis=1)
    assert found.style_error == pytest.approx(float(np.median(errors)), rel=1e-4)
    assert found.distance == pytest.approx(reference.distance(loaded, patches), rel=1e-4)
    assert found.notes == ("read as grey",)


def test_verdict_follows_the_distance(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    pixels = texture(128, 128)
    far = replace(reference, limits=(1e-3, 1e-3), patch_limits=(1e-3, 1e-3))
    near = replace(reference, limits=(1e9, 1e9), patch_limits=(1e9, 1e9))
    outside = evaluate_image(loaded, properties, far, micrograph(pixels), n_patches=1)
    inside = evaluate_image(loaded, properties, near, micrograph(pixels), n_patches=1)
    assert outside.unusual and outside.distance > 1
    assert "Outside the reference data" in outside.message and "indicative" in outside.message
    assert not inside.unusual and inside.distance < 1
    assert "Like the reference data" in inside.message


@pytest.mark.parametrize(("um_per_px", "side"), [(0.5, 256), (2.0, 64), (1.5, 96)])
def test_image_of_another_scale_is_resampled_to_the_models(
    loaded: LoadedModel,
    properties: PropertyModel,
    reference: Reference,
    um_per_px: float,
    side: int,
) -> None:
    """A structure of 16 px period at the model's scale has it again after resampling."""
    period = 16 / um_per_px
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(side) / period)
    pixels = np.tile(wave, (side, 1)).astype(np.float32)
    if min(pixels.shape) * um_per_px < 128:
        pixels = np.tile(pixels, (2, 2))
    given = micrograph(pixels, um_per_px)
    found = evaluate_image(loaded, properties, reference, given, n_patches=1)
    assert found.pixels.shape == tuple(round(n * um_per_px) for n in pixels.shape)
    assert found.um_per_px == 1.0 and found.pixels.dtype == np.float32
    note = f"resampled from {um_per_px:g} to 1 um per px"
    assert found.notes == ("read as grey", note)
    row = found.pixels[64, :128] - found.pixels[64, :128].mean()
    peak = int(np.abs(np.fft.rfft(row))[1:].argmax()) + 1
    assert peak == 8, f"128 px hold {peak} periods instead of 8"


def test_scale_within_two_percent_is_left_alone(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    pixels = texture(128, 128)
    found = evaluate_image(loaded, properties, reference, micrograph(pixels, 1.015), n_patches=1)
    assert found.pixels is pixels and found.notes == ("read as grey",)


def test_unknown_scale_is_said_to_be_assumed(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    given = micrograph(texture(128, 128), None)
    found = evaluate_image(loaded, properties, reference, given, n_patches=1)
    assert found.um_per_px is None
    assert found.notes[-1] == "scale not known: taken to be the model's, 1.0 um per px"


@pytest.mark.parametrize(
    ("shape", "um_per_px", "message"),
    [
        ((127, 400), 1.0, "upload.png is 400 x 127 px at the model's scale; at least 128 x 128"),
        ((128, 128), 0.5, "upload.png is 64 x 64 px at the model's scale; at least 128 x 128"),
        ((128, 128), 5.1, "5.1 um per px, the model 1: more than a factor of 5 apart"),
        ((128, 128), 0.19, "0.19 um per px, the model 1: more than a factor of 5 apart"),
        ((1500, 1200), 5.0, "too large at the model's scale; crop it first"),
    ],
)
def test_unusable_micrograph_is_refused(
    loaded: LoadedModel,
    properties: PropertyModel,
    reference: Reference,
    shape: tuple[int, int],
    um_per_px: float,
    message: str,
) -> None:
    given = micrograph(np.full(shape, 0.5, dtype=np.float32), um_per_px)
    with pytest.raises(InputError) as refused:
        evaluate_image(loaded, properties, reference, given)
    assert message in str(refused.value)


# --- patches spread over a micrograph ---


@pytest.mark.parametrize("shape", [(128, 128), (128, 4000), (640, 640), (1532, 2048)])
def test_patches_spread_over_the_whole_micrograph(shape: tuple[int, int]) -> None:
    corners = spread_patches(np.zeros(shape, dtype=np.float32), 128, FIELD_PATCHES)
    assert 1 <= len(corners) <= FIELD_PATCHES
    assert len(np.unique(corners, axis=0)) == len(corners)
    assert (corners >= 0).all() and (corners + 128 <= shape).all()
    assert corners[0].tolist() == [0, 0]
    if min(shape) >= 640:
        reach = (corners.max(axis=0) + 128) / shape
        assert len(corners) == FIELD_PATCHES and (reach > 0.7).all(), reach


def test_micrograph_smaller_than_a_patch_has_none() -> None:
    with pytest.raises(InputError, match="300 x 100 px is smaller than a patch of 128 px"):
        spread_patches(np.zeros((100, 300), dtype=np.float32), 128, 9)


def test_pairs_of_patches_do_not_overlap(tmp_path: Path) -> None:
    data = make_textures(tmp_path, 2, 1, 80, 96)
    first, second = sample_pairs(data, 32, np.random.default_rng(0))
    assert first.shape == second.shape == (2, 32, 32)
    for index in range(2):
        pixels = data.read(index).pixels
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (32, 32))
        places = [
            np.argwhere((windows == patch).all(axis=(2, 3)))[0]
            for patch in (first[index], second[index])
        ]
        assert np.abs(places[0] - places[1]).max() >= 32, places


def test_narrow_micrograph_with_room_for_two_patches_gives_them(tmp_path: Path) -> None:
    """Windows in the middle of 34 x 70 px have no partner; the outer ones do."""
    data = make_textures(tmp_path, 1, 1, 34, 70)
    for seed in range(20):
        assert sample_pairs(data, 32, np.random.default_rng(seed))[0].shape == (1, 32, 32)


def test_specimen_without_room_for_two_patches_is_named(tmp_path: Path) -> None:
    data = make_textures(tmp_path, 1, 1, 40, 60)
    with pytest.raises(InputError, match="micrograph of s0 has no room for two 32 px patches"):
        sample_pairs(data, 32, np.random.default_rng(0))


# --- distances ---


def test_whitening_makes_the_latents_a_unit_ball() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((4, 4))
    mu = rng.standard_normal((20_000, 4)) @ mixing + 3
    mean, whitening = _whitening(mu)
    white = (mu - mean) @ whitening.T
    np.testing.assert_allclose(np.cov(white.T), np.eye(4), atol=0.02)


def test_distances_are_mahalanobis_of_latents_and_rms_of_features(loaded: LoadedModel) -> None:
    patches = np.stack([texture(128, 128, g) for g in (1.0, 3.0)])
    mu = encode_patches(loaded, patches)[0].astype(float)
    mean, whitening = mu.mean(axis=0), np.diag(np.arange(1.0, 9.0))
    found = patch_distances(loaded, patches, mean, whitening)
    expected = np.sqrt((((mu - mean) * np.arange(1, 9)) ** 2).sum(axis=1))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-3)
    assert found.shape == (2, 2) and (found[:, 1] > 0).all() and (found[:, 1] <= 30).all()


def test_distance_is_the_larger_of_the_two_ratios_and_falls_with_the_limits(
    loaded: LoadedModel, reference: Reference
) -> None:
    patches = np.stack([texture(128, 128, 2.0, seed) for seed in range(FIELD_PATCHES)])
    mean = patch_distances(loaded, patches, reference.latent_mean, reference.latent_whitening).mean(
        axis=0
    )

    def distance(*limits: float) -> float:
        return replace(reference, limits=limits).distance(loaded, patches)

    assert distance(*mean) == pytest.approx(1.0)
    assert distance(mean[0] / 2, mean[1]) == pytest.approx(2.0)
    assert distance(mean[0], mean[1] / 3) == pytest.approx(3.0)
    assert distance(10 * mean[0], 5 * mean[1]) == pytest.approx(0.2)


def test_few_patches_are_judged_by_wider_limits(loaded: LoadedModel, reference: Reference) -> None:
    patch = texture(128, 128)[None]
    reference = replace(reference, limits=(1.0, 1.0), patch_limits=(2.0, 2.0))
    nine = reference.distance(loaded, np.repeat(patch, FIELD_PATCHES, axis=0))
    four = reference.distance(loaded, np.repeat(patch, 4, axis=0))
    one = reference.distance(loaded, patch)
    assert one == pytest.approx(nine / 2, rel=1e-3)
    share = (1 / 2 - 1 / 3) / (1 - 1 / 3)
    assert four == pytest.approx(nine / (1 + share), rel=1e-3)


def test_five_percent_of_usual_fields_exceed_the_limits() -> None:
    rng = np.random.default_rng(0)
    fields = rng.gamma(9.0, [0.5, 3.0], (2000, 2))
    singles = rng.gamma(2.0, [2.0, 9.0], (2000, 2))
    limits, patch_limits = _limits(fields, singles)
    for sample, limit in ((fields, limits), (singles, patch_limits)):
        share = float(((sample / limit).max(axis=1) > 1).mean())
        assert share == pytest.approx(0.05, abs=0.002)


# --- the file ---


def test_reference_comes_back_exactly(reference: Reference, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = replace(reference, latent_mean=rng.random(8), latent_whitening=rng.random((8, 8)))
    save_reference(tmp_path, given)
    again = load_reference(tmp_path)
    for name in Reference.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(given, name), err_msg=name)
    assert again.distance_threshold == 1.0


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.pop("limits"),
        lambda c: c.pop("images"),
        lambda c: c.update(limits=[1.0]),
        lambda c: c.update(patch_limits=None),
        lambda c: c.update(latent_mean=["x"]),
        lambda c: c.update(latent_whitening=[[1.0], [1.0, 2.0]]),
        lambda c: c["latent_mean"].__setitem__(0, None),
        lambda c: c.update(extra=1),
    ],
)
def test_damaged_reference_is_refused(
    reference: Reference, tmp_path: Path, damage: Callable
) -> None:
    save_reference(tmp_path, reference)
    content = json.loads((tmp_path / FILE).read_text())
    damage(content)
    (tmp_path / FILE).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"reference\.json is damaged"):
        load_reference(tmp_path)


def test_missing_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot read .*reference\.json"):
        load_reference(tmp_path)


# --- measuring a reference ---


def test_reference_is_measured_on_fresh_micrographs(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.reference.FIELD_PATCHES", 2)
    data = make_textures(tmp_path, 3, 1, 128, 384)
    found = measure_reference(loaded, data, seed=1)
    assert (found.data_name, found.images, found.patches) == ("Textures", 3, 3)
    assert 0 < found.style_same_specimen < found.style_other_specimen
    assert 0 < found.style_reconstruction_median <= found.style_reconstruction_p90
    latents = load_latents(loaded.path / "latents").mu
    np.testing.assert_allclose(found.latent_mean, latents.mean(axis=0), atol=1e-5)
    assert min(found.limits) > 0 and min(found.patch_limits) > 0
    save_reference(tmp_path, found)
    assert load_reference(tmp_path).limits == found.limits


def test_reference_on_the_models_own_data_is_refused(
    loaded: LoadedModel, tiny_castings, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="other data than the model's own"):
        measure_reference(loaded, tiny_castings)
    two = make_textures(tmp_path, 2, 1, 128, 256)
    with pytest.raises(InputError, match="2 specimens: a reference needs at least three"):
        measure_reference(loaded, two)


def test_command_line_refuses_and_keeps_the_reference(
    tiny_model: Path, tiny_castings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tiny_model / FILE).read_bytes()
    with pytest.raises(SystemExit) as left:
        main(["--model", str(tiny_model), "--data", str(tiny_castings.root)])
    assert left.value.code == 2 and "other data than the model's own" in capsys.readouterr().err
    assert (tiny_model / FILE).read_bytes() == before
