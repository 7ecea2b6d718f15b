"""Claims about the reference that says what is usual."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from core.checkpoint import LoadedModel, load_model
from core.encode import encode_dataset, save_latents
from core.errors import CheckpointError, InputError
from core.files import sha256_file, write_json
from core.properties import READ_PATCHES
from core.reference import joint_limits, main, measure_reference
from core.reference_file import (
    FILE,
    SPACES,
    TENSORS,
    Reference,
    layer_distances,
    load_reference,
    save_reference,
)
from core.style_vector import layer_slices, style_vector
from core.synthesis import encode_with_style
from core.usual import UsualSpace
from core.vgg import CHANNELS
from tests.core.textures import make_textures, texture


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_style_vectors_are_roots_of_means_and_deviations(layout: torch.memory_format) -> None:
    """Against numpy in double precision, with large means, in both memory formats."""
    sides = zip(CHANNELS.items(), (64, 32, 16, 8, 4, 2), strict=True)
    rng = np.random.default_rng(0)
    maps = {n: 30 + rng.normal(size=(2, count, side, side)) for (n, count), side in sides}
    features = {
        n: torch.tensor(m).float().contiguous(memory_format=layout) for n, m in maps.items()
    }
    parts = [f(m, axis=(2, 3)) for m in maps.values() for f in (np.mean, np.std)]
    expected = np.sqrt(np.concatenate(parts, axis=1))
    np.testing.assert_allclose(style_vector(features).numpy(), expected, rtol=1e-5)


@pytest.fixture(scope="module")
def read(loaded: LoadedModel) -> tuple[np.ndarray, np.ndarray]:
    """Latents and style vectors of `READ_PATCHES` patches of one texture."""
    patches = np.stack([texture(128, 128, 2.0, seed) for seed in range(READ_PATCHES)])
    return encode_with_style(loaded, patches)


# --- distances ---


def test_distance_is_the_larger_of_the_two_ratios_and_falls_with_the_limits(
    reference: Reference, read: tuple[np.ndarray, np.ndarray]
) -> None:
    mu, style = read
    own = (
        reference.latent.distance(mu, READ_PATCHES),
        reference.style.distance(style, READ_PATCHES),
    )

    def distance(*limits: float) -> float:
        return replace(reference, limits=limits).judge(mu, style).distance

    assert distance(*own) == pytest.approx(1.0)
    assert distance(own[0] / 2, own[1]) == pytest.approx(2.0)
    assert distance(own[0], own[1] / 3) == pytest.approx(3.0)
    assert distance(10 * own[0], 5 * own[1]) == pytest.approx(0.2)


def test_limits_between_one_patch_and_twenty_five_go_with_one_over_root_n(
    reference: Reference, read: tuple[np.ndarray, np.ndarray]
) -> None:
    mu, style = read
    reference = replace(reference, limits=(1.0, 1e9), patch_limits=(2.0, 1e9))
    for count, limit in ((1, 2.0), (4, 1 + (1 / 2 - 1 / 5) / (1 - 1 / 5)), (25, 1.0)):
        found = reference.judge(mu, style, independent=count).latent
        assert found == pytest.approx(reference.latent.distance(mu, count) / limit, rel=1e-6)


def test_usual_micrographs_that_lie_nearer_are_counted(
    reference: Reference, read: tuple[np.ndarray, np.ndarray]
) -> None:
    distance = reference.judge(*read).distance
    known = (0.1 * distance, 0.9 * distance, 1.1 * distance)
    found = replace(reference, distances=known).judge(*read)
    assert (found.nearer, found.usual) == (2, 3)


def test_the_layer_that_is_farthest_off_is_named(reference: Reference) -> None:
    space = reference.style
    for layer, part in layer_slices().items():
        vectors = np.repeat(space.centre[None], 2, axis=0)
        vectors[:, part] += 3 * space.spread[part]
        off = layer_distances(space, vectors)
        assert off.max() == pytest.approx(3.0) and np.sum(off > 1e-6) == 1
        mu = np.zeros((2, len(reference.latent.centre)))
        assert reference.judge(mu, vectors).layer == layer


def test_five_percent_of_usual_fields_exceed_the_limits() -> None:
    rng = np.random.default_rng(0)
    distances = rng.gamma(9.0, [0.5, 3.0], (2000, 2))
    later = rng.gamma(9.0, [0.5, 3.0], (20_000, 2))
    limits = joint_limits(distances)
    for sample in (distances, later):
        share = float(((sample / limits).max(axis=1) > 1).mean())
        assert share == pytest.approx(0.05, abs=0.012)


def test_the_limit_of_few_micrographs_is_the_largest() -> None:
    """19 exceed it in 1 of 20 cases; with fewer, none of those measured may lie beyond."""
    distances = np.stack([np.arange(1.0, 19.0), np.full(18, 0.5)], axis=1)
    limits = joint_limits(distances)
    assert limits[0] == pytest.approx(18.0) and limits[1] >= 0.5


# --- the file ---


def test_reference_comes_back_exactly(reference: Reference, tmp_path: Path) -> None:
    save_reference(tmp_path, reference)
    again = load_reference(tmp_path)
    for field in fields(Reference):
        if field.name not in SPACES:
            assert getattr(again, field.name) == getattr(reference, field.name), field.name
    for space in SPACES:
        for name in UsualSpace.__slots__:
            given, found = (getattr(getattr(r, space), name) for r in (reference, again))
            np.testing.assert_array_equal(found, given, err_msg=f"{space}.{name}")


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.pop("limits"),
        lambda c: c.pop("images"),
        lambda c: c.update(limits=[1.0]),
        lambda c: c.update(limits=[1.0, 0.0]),
        lambda c: c.update(patch_limits=None),
        lambda c: c.update(layer_limits=[1.0] * 5),
        lambda c: c.update(distances=["x"]),
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


def test_reference_of_an_older_version_is_refused_in_words(tmp_path: Path) -> None:
    write_json(tmp_path / FILE, {"data_name": "Old", "latent_mean": [0.0], "limits": [1, 1]})
    with pytest.raises(
        CheckpointError, match=r"another version of MicroDesign.*run core\.reference"
    ):
        load_reference(tmp_path)


def test_other_tensors_than_those_described_are_refused(
    reference: Reference, tmp_path: Path
) -> None:
    save_reference(tmp_path, reference)
    (tmp_path / TENSORS).write_bytes(save({"latent.centre": torch.zeros(3)}))
    with pytest.raises(CheckpointError, match=r"is not the file that reference\.json describes"):
        load_reference(tmp_path)
    content = json.loads((tmp_path / FILE).read_text())
    write_json(tmp_path / FILE, content | {"sha256": sha256_file(tmp_path / TENSORS)})
    with pytest.raises(CheckpointError, match=r"reference\.json is damaged"):
        load_reference(tmp_path)
    (tmp_path / TENSORS).unlink()
    with pytest.raises(CheckpointError, match=r"cannot read .*reference\.safetensors"):
        load_reference(tmp_path)


# --- measuring a reference ---


@pytest.fixture(scope="module")
def trained_on_textures(loaded: LoadedModel, tmp_path_factory) -> tuple[LoadedModel, Path]:
    """The tiny model as if it were trained on three textures; returns it and their folder."""
    folder = tmp_path_factory.mktemp("trained")
    data = make_textures(folder / "data", 3, 1, 128, 256)
    model = folder / "model"
    model.mkdir()
    manifest = json.loads((loaded.path / "manifest.json").read_text())
    write_json(model / "manifest.json", manifest | {"data_hash": data.hash})
    (model / "model.safetensors").write_bytes((loaded.path / "model.safetensors").read_bytes())
    found = load_model(model)
    save_latents(model / "latents", encode_dataset(found, data, 128))
    return found, folder / "data"


def test_a_reference_is_measured_and_tells_foreign_textures(
    trained_on_textures: tuple[LoadedModel, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.reference.READ_PATCHES", 2)
    model, data = trained_on_textures
    usual = make_textures(tmp_path, 3, 1, 128, 384)
    arguments = ["--model", str(model.path), "--data", str(usual.root), "--training", str(data)]
    main(arguments)
    found = load_reference(model.path)
    assert (found.data_name, found.images, found.patches) == ("Textures", 3, 3)
    assert found.model_hash == model.hash and not found.graphite
    assert found.data_hash == usual.hash
    assert 0 < found.style_same_specimen < found.style_other_specimen
    assert 0 < found.style_reconstruction_median <= found.style_reconstruction_p90
    assert len(found.distances) == 3 and found.distances[-1] == pytest.approx(1.0)

    def distance(*pictures: np.ndarray) -> float:
        return found.judge(*encode_with_style(model, np.stack(pictures))).distance

    near = distance(texture(128, 128, 2.0, 900), texture(128, 128, 2.0, 901))
    checks = np.kron(np.indices((16, 16)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.float32)
    assert distance(checks, checks.T) > 2 * near


def test_reference_on_the_wrong_data_is_refused(
    loaded: LoadedModel, tiny_castings, tmp_path: Path
) -> None:
    two = make_textures(tmp_path / "two", 2, 1, 128, 256)
    with pytest.raises(InputError, match="other data than the model's own"):
        measure_reference(loaded, tiny_castings, tiny_castings)
    with pytest.raises(InputError, match="not the data set that the model was trained on"):
        measure_reference(loaded, two, two)
    with pytest.raises(InputError, match="2 specimens: a reference needs at least three"):
        measure_reference(loaded, two, tiny_castings)


def test_command_line_refuses_and_keeps_the_reference(
    tiny_model: Path, tiny_castings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tiny_model / FILE).read_bytes()
    castings = str(tiny_castings.root)
    with pytest.raises(SystemExit) as left:
        main(["--model", str(tiny_model), "--data", castings, "--training", castings])
    assert left.value.code == 2 and "other data than the model's own" in capsys.readouterr().err
    assert (tiny_model / FILE).read_bytes() == before


def test_reference_on_held_out_specimens_leaves_them_out_of_what_is_usual(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.reference.READ_PATCHES", 2)
    data = make_textures(tmp_path, 6, 1, 128, 384)
    trained = ["s0", "s1", "s2"]
    manifest = loaded.manifest | {"data_hash": data.hash, "training_specimens": trained}
    own = replace(loaded, manifest=manifest)
    table = encode_dataset(own, data, 128)
    monkeypatch.setattr("core.reference.load_latents", lambda folder: table)
    found = measure_reference(own, None, data)
    assert (found.data_name, found.images) == ("Textures, specimens held out of training", 3)
    learned = np.isin(table.specimen, trained)
    np.testing.assert_allclose(found.latent.centre, table.mu[learned].mean(axis=0), atol=1e-5)
    with pytest.raises(InputError, match="not the data set that the model was trained on"):
        measure_reference(loaded, None, data)
    silent = {k: v for k, v in manifest.items() if k != "training_specimens"}
    with pytest.raises(InputError, match="that the model began from"):
        measure_reference(replace(loaded, manifest=silent), None, data)
    few = replace(loaded, manifest=manifest | {"training_specimens": [*trained, "s3"]})
    with pytest.raises(InputError, match="2 specimens: a reference needs at least three"):
        measure_reference(few, None, data)
