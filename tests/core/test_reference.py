"""Claims about the reference that says what is usual."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checkpoint import LoadedModel
from core.encode import load_latents
from core.errors import CheckpointError, InputError
from core.reference import (
    FIELD_PATCHES,
    FILE,
    Reference,
    _limits,
    _whitening,
    load_reference,
    main,
    measure_reference,
    patch_distances,
    save_reference,
)
from core.synthesis import encode_patches
from tests.core.textures import make_textures, texture

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


def test_reference_on_held_out_specimens_leaves_them_out_of_what_is_usual(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.reference.FIELD_PATCHES", 2)
    data = make_textures(tmp_path, 4, 1, 128, 384)
    manifest = loaded.manifest | {"data_hash": data.hash, "training_specimens": ["s0"]}
    own = replace(loaded, manifest=manifest)
    table = load_latents(loaded.path / "latents")
    names = np.array([f"s{i % 4}" for i in range(len(table.mu))])
    monkeypatch.setattr(
        "core.reference.load_latents", lambda folder: replace(table, specimen=names)
    )
    found = measure_reference(own, data, held_out=True)
    assert (found.data_name, found.images) == ("Textures, specimens held out of training", 3)
    np.testing.assert_allclose(found.latent_mean, table.mu[names == "s0"].mean(axis=0), atol=1e-5)
    with pytest.raises(InputError, match="that the model began from"):
        measure_reference(loaded, data, held_out=True)
    few = replace(loaded, manifest=manifest | {"training_specimens": ["s0", "s1"]})
    with pytest.raises(InputError, match="2 specimens: a reference needs at least three"):
        measure_reference(few, data, held_out=True)
