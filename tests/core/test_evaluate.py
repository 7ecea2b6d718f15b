"""Claims about evaluating uploads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checkpoint import LoadedModel
from core.columns import Column
from core.errors import CheckpointError, InputError
from core.evaluate import (
    evaluate_image,
    far_apart,
    predict_together,
    similarity,
    with_structure,
)
from core.images import Micrograph
from core.metrics.catalogue import compare, load_metrics
from core.patches import cut_at, spread_patches
from core.picture_style import style_errors
from core.properties import READ_PATCHES, PropertyModel
from core.reference_file import Reference
from core.regressor import fit_regressor
from core.structure_model import StructureModel
from core.synthesis import encode_patches, encode_with_style
from tests.core.textures import texture


@pytest.fixture(scope="module")
def properties(tiny_model: Path) -> PropertyModel:
    return PropertyModel.load(tiny_model / "properties.json")


def micrograph(pixels: np.ndarray, um_per_px: float | None = 1.0) -> Micrograph:
    return Micrograph(pixels, "upload.png", um_per_px, ("read as grey",))


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
    corners = spread_patches(pixels, 128, READ_PATCHES)
    patches = cut_at(pixels, corners, 128)
    assert found.n_patches == len(corners) > 1
    np.testing.assert_array_equal(found.corners, corners[[0, -1]])
    np.testing.assert_array_equal(found.originals, patches[[0, -1]])
    mean = encode_patches(loaded, patches)[0].mean(axis=0)
    np.testing.assert_allclose(found.mean_latent, mean, rtol=1e-4, atol=1e-5)
    assert found.n_independent == 1, "they overlap"
    assert found.predictions == properties.predict(found.mean_latent, 1)
    assert set(found.predictions) == {"uts_mpa", "ys_mpa"}
    errors = style_errors(loaded, found.originals, found.reconstructions).mean(axis=1)
    assert found.style_error == pytest.approx(float(np.median(errors)), rel=1e-4)
    judged = reference.judge(*encode_with_style(loaded, patches), 1)
    assert found.distance == pytest.approx(judged.distance, rel=1e-4)
    assert found.notes == ("read as grey",)


def test_similarity_is_every_metric_of_the_patches_shown(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    found = evaluate_image(loaded, properties, reference, micrograph(texture(160, 224)))
    metrics, reasons = load_metrics(loaded.vgg, 128)
    expected = compare(metrics, found.originals, found.reconstructions)
    values, missing = similarity(loaded, found)
    assert list(values) == list(metrics) and missing == reasons
    for name, value in values.items():
        assert value.shape == (len(found.originals),)
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("shape", [(5, 5), (4, 6), (6, 4), (3, 7)])
def test_the_patches_shown_are_spread_over_rows_and_columns(shape: tuple[int, int]) -> None:
    """Evenly in the order of the rows they would lie in the columns at both edges alone."""
    rows, columns = (np.linspace(0, 160 * (n - 1), n) for n in shape)
    corners = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    places = far_apart(corners.astype(np.intp), 6)
    assert len(set(places.tolist())) == 6 and list(places) == sorted(places)
    found = np.stack(np.divmod(places, shape[1]), axis=1)
    for axis, count in enumerate(shape):
        lines = set(found[:, axis].tolist())
        assert len(lines) >= 3 and {0, count - 1} <= lines, f"{lines} of {count}"
        assert any(0 < line < count - 1 for line in lines)


def test_all_patches_are_shown_where_there_are_no_more() -> None:
    corners = np.array([[0, 0], [0, 96]], dtype=np.intp)
    assert far_apart(corners, 6).tolist() == [0, 1] and far_apart(corners, 1).tolist() == [0]


def test_without_a_reference_everything_but_the_verdict_is_there(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    given = micrograph(texture(160, 224))
    judged = evaluate_image(loaded, properties, reference, given)
    found = evaluate_image(loaded, properties, None, given)
    assert found.distance is None and found.unusual is None and found.graphite is None
    assert "not judged" in found.message
    assert found.predictions == judged.predictions
    np.testing.assert_array_equal(found.mean_latent, judged.mean_latent)
    np.testing.assert_array_equal(found.reconstructions, judged.reconstructions)


def test_verdict_follows_the_distance(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    pixels = texture(128, 128)
    far = replace(reference, limits=(1e-3, 1e-3), patch_limits=(1e-3, 1e-3))
    near = replace(reference, limits=(1e9, 1e9), patch_limits=(1e9, 1e9))
    outside = evaluate_image(loaded, properties, far, micrograph(pixels), n_patches=1)
    inside = evaluate_image(loaded, properties, near, micrograph(pixels), n_patches=1)
    assert outside.unusual and outside.distance > 1
    assert "Outside the reference data" in outside.message and outside.graphite is False
    assert "no graphite iron by its looks" in outside.message
    other = replace(far, graphite=False)
    outside = evaluate_image(loaded, properties, other, micrograph(pixels), n_patches=1)
    assert outside.graphite is None and "properties are indicative only" in outside.message
    assert not inside.unusual and inside.distance < 1
    assert "Like the reference data" in inside.message


def test_fields_of_one_specimen_are_predicted_from_all_their_patches(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    first, second = (
        evaluate_image(loaded, properties, reference, micrograph(texture(*shape)), n_patches=1)
        for shape in ((128, 128), (128, 384))
    )
    assert first.n_patches == 1 < second.n_patches
    assert predict_together(properties, [first]).predicted == first.predictions
    found = predict_together(properties, [first, second])
    mean = np.average(
        [first.mean_latent, second.mean_latent], axis=0, weights=[1, second.n_patches]
    )
    wanted = properties.predict(mean, first.n_independent + second.n_independent)
    for name, value in wanted.items():
        assert found.predicted[name].value == pytest.approx(value.value, rel=1e-5)
        assert found.predicted[name].low == pytest.approx(value.low, rel=1e-5)


def test_measured_structure_is_the_second_reader(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    rng = np.random.default_rng(0)
    areas = rng.uniform(5, 15, size=(12, 1))
    column = Column("uts_mpa", "MPa", "UTS", "property", "numeric")
    strengths = 500 - 10 * areas[:, 0] + rng.normal(size=12)
    scores = list((areas - 10)[:, None])
    regressor = fit_regressor(column, scores, strengths, [f"s{i}" for i in range(12)])
    structure = StructureModel(
        inputs=("graphite_pct",),
        centre=np.array([10.0]),
        scale=np.array([1.0]),
        field_mm2=0.1,
        specimen_mm2=0.1,
        regressors=(regressor,),
    )
    both = replace(properties, structure=structure)
    found = evaluate_image(loaded, both, reference, micrograph(texture(128, 128)), n_patches=1)
    assert found.reading is None
    seen = with_structure(found, both, ({"graphite_pct": 12.0}, 0.2))
    other = seen.reading.structure["uts_mpa"]
    assert abs(other.value - 380) < 5
    own = seen.reading.latents["uts_mpa"]
    assert own == found.predictions["uts_mpa"]
    low, high = sorted((own.value, other.value))
    assert low < seen.predictions["uts_mpa"].value < high
    assert seen.predictions["ys_mpa"] == found.predictions["ys_mpa"], "no structure tells it"
    for nothing in (with_structure(found, both, None), with_structure(found, None, ({}, 0.0))):
        assert nothing.predictions == found.predictions and nothing.reading is None


def test_a_reference_of_another_model_is_refused(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    other = replace(reference, model_hash="0" * 64)
    with pytest.raises(CheckpointError, match="measured for another model"):
        evaluate_image(loaded, properties, other, micrograph(texture(160, 224)))


def test_an_iron_outside_the_reference_data_gets_its_own_words(
    loaded: LoadedModel, properties: PropertyModel, reference: Reference
) -> None:
    y, x = np.mgrid[:160, :160]
    pixels = np.full((160, 160), 0.6, dtype=np.float32)
    for row, column in ((40, 40), (100, 120), (120, 40)):
        pixels[np.hypot(y - row, x - column) < 14] = 0.15
    far = replace(reference, limits=(1e-3, 1e-3), patch_limits=(1e-3, 1e-3))
    found = evaluate_image(loaded, properties, far, micrograph(pixels), n_patches=1)
    assert found.graphite is True
    wanted = "outside the reference data: strengths are indicative only"
    assert wanted in found.message and "graphite iron" in found.message


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
