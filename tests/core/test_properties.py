"""Claims about property models: intervals, extrapolation, file, errors."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.errors import CheckpointError, InputError
from core.properties import PropertyModel, fit_properties
from core.regressor import left_out_patches


def make_table(specimens=40, labelled=None, noise=0.02, seed=0):
    """Specimens whose load is a bent function of two of six latents; the last latent is dead."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(specimens, 6))
    z[:, 5] = 0.01
    load = 300 + 60 * np.tanh(z[:, 0]) + 20 * z[:, 1]
    load = load * (1 + noise * rng.normal(size=specimens))
    if labelled is not None:
        load[labelled:] = np.nan
    names = np.array([f"s{i:02d}" for i in range(specimens)])
    owner = np.repeat(np.arange(specimens), 20)
    scatter = rng.normal(size=(owner.size, 6)) * [0.5, 0.5, 0.5, 0.5, 0.5, 0.001]
    return SimpleNamespace(
        mu=z[owner] + scatter,
        specimen=names[owner],
        specimens=pd.DataFrame({"load_n": load}, index=names),
        columns=(
            SimpleNamespace(name="load_n", unit="N", label="load", role="property", kind="numeric"),
        ),
        data_hash="d",
        model_hash="m",
    )


@pytest.fixture(scope="module")
def model():
    return fit_properties(make_table())


def test_bent_function_is_learned_to_its_noise(model):
    load = model.regressors[0]
    assert load.r2 > 0.8, load.r2
    assert load.mape is not None and load.mape < 0.05, load.mape


def test_dead_latents_do_not_matter(model):
    assert model.active == (0, 1, 2, 3, 4)
    a, b = np.zeros(6), np.zeros(6)
    b[5] = 100.0
    assert model.predict(a) == model.predict(b)


def test_intervals_cover_fresh_specimens(model):
    rng = np.random.default_rng(9)
    z = rng.normal(size=(400, 6))
    load = (300 + 60 * np.tanh(z[:, 0]) + 20 * z[:, 1]) * (1 + 0.02 * rng.normal(size=400))
    z = z + rng.normal(size=z.shape) * 0.5 / np.sqrt(20)
    answers = [model.predict(row)["load_n"] for row in z]
    covered = np.mean([a.low <= y <= a.high for a, y in zip(answers, load, strict=True)])
    assert 0.8 <= covered <= 0.98, covered


@pytest.mark.parametrize("count", [1, 4])
def test_intervals_of_few_patches_are_wider_and_cover(model, count):
    rng = np.random.default_rng(10)
    z = rng.normal(size=(400, 6))
    load = (300 + 60 * np.tanh(z[:, 0]) + 20 * z[:, 1]) * (1 + 0.02 * rng.normal(size=400))
    z = z + rng.normal(size=z.shape) * 0.5 / np.sqrt(count)
    answers = [model.predict(row, count)["load_n"] for row in z]
    covered = np.mean([a.low <= y <= a.high for a, y in zip(answers, load, strict=True)])
    assert 0.8 <= covered <= 0.99, covered
    many = model.predict(z[0])["load_n"]
    assert answers[0].value == many.value
    assert answers[0].high - answers[0].low > 1.1 * (many.high - many.low)


def test_between_two_counts_the_wider_interval_is_taken(model):
    load = model.regressors[0]
    assert [count for count, _ in load.half_widths] == [1, 4, 9, 16]
    widths = dict(load.half_widths)
    assert load.interval(5) == load.interval(4) == widths[4]
    assert load.interval(None) == load.half_width < widths[1]


def test_one_small_specimen_does_not_take_the_wide_intervals_away():
    table = make_table()
    kept = (table.specimen != "s00") | (np.arange(len(table.specimen)) == 0)
    table.mu, table.specimen = table.mu[kept], table.specimen[kept]  # s00 has one patch left
    load = fit_properties(table).regressors[0]
    assert [count for count, _ in load.half_widths] == [1, 4, 9, 16]
    assert load.interval(1) > load.interval(9)


def test_counts_that_few_specimens_have_are_not_calibrated():
    table = make_table()
    place = np.concatenate([np.arange(20)] * 40)
    kept = place < np.where(table.specimen < "s08", 20, 2)  # eight of forty have more than two
    table.mu, table.specimen = table.mu[kept], table.specimen[kept]
    load = fit_properties(table).regressors[0]
    assert [count for count, _ in load.half_widths] == [1]
    assert load.interval(9) == load.interval(1)


def test_few_labels_give_no_interval():
    model = fit_properties(make_table(labelled=8))
    prediction = model.predict(np.zeros(6))["load_n"]
    assert prediction.low is None and prediction.high is None


def test_far_from_the_data_the_prediction_is_a_constant(model):
    far = [model.predict(sign * np.full(6, 1e3))["load_n"].value for sign in (1, -1)]
    assert far[0] == pytest.approx(far[1], rel=1e-9)
    assert 200 < far[0] < 400


def test_many_predictions_equal_single_ones(model):
    z = np.random.default_rng(3).normal(size=(3, 6))
    many = model.predict_many(z)["load_n"]
    one = [model.predict(row)["load_n"].value for row in z]
    np.testing.assert_allclose(many, one, rtol=1e-12)


def test_units_scale_through():
    table = make_table()
    other = make_table()
    other.specimens["load_n"] *= 0.001
    a = fit_properties(table).predict(np.ones(6))["load_n"]
    b = fit_properties(other).predict(np.ones(6))["load_n"]
    np.testing.assert_allclose([b.value, b.low, b.high], [a.value / 1e3, a.low / 1e3, a.high / 1e3])


def test_values_of_both_signs_get_absolute_intervals():
    table = make_table()
    table.specimens["load_n"] -= 300
    load = fit_properties(table).regressors[0]
    assert not load.relative and load.mape is None


def test_file_round_trip_is_exact(model, tmp_path):
    model.save(tmp_path / "properties.json")
    again = PropertyModel.load(tmp_path / "properties.json")
    z = np.random.default_rng(4).normal(size=6)
    assert again.predict(z) == model.predict(z)
    assert again.regressors[0].r2 == model.regressors[0].r2


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.update(format="x"),
        lambda c: c.update(version=5),
        lambda c: c.pop("active"),
        lambda c: c.update(active=[99]),
        lambda c: c["regressors"][0]["dual"].pop(),
        lambda c: c["regressors"][0]["points"][0].__setitem__(0, None),
        lambda c: c["regressors"][0].update(colour=1),
        lambda c: c["regressors"][0]["left_out"].pop(),
        lambda c: c["regressors"][0].update(specimens=[]),
        lambda c: c["regressors"][0].pop("labels"),
        lambda c: c["regressors"][0].update(gamma=-1.0),
    ],
)
def test_damaged_file_is_refused(model, tmp_path, damage):
    path = tmp_path / "properties.json"
    model.save(path)
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError):
        PropertyModel.load(path)


def test_unusable_input_is_refused(model):
    with pytest.raises(InputError, match="shape"):
        model.predict(np.zeros(5))
    with pytest.raises(InputError, match="finite"):
        model.predict(np.full(6, np.nan))
    with pytest.raises(InputError, match="4 labelled specimens, 5 needed"):
        fit_properties(make_table(labelled=4))


def test_left_out_predictions_are_kept_and_do_not_know_their_label(model):
    load = model.regressors[0]
    assert load.specimens[:2] == ("s00", "s01") and len(load.specimens) == 40
    error = np.abs(load.left_out - load.labels) / load.labels
    assert load.mape == pytest.approx(error.mean())
    table = make_table()
    table.specimens.loc["s07", "load_n"] *= 1.2
    other = fit_properties(table).regressors[0]
    assert other.left_out[7] == pytest.approx(load.left_out[7], rel=1e-4)
    assert other.labels[7] == pytest.approx(1.2 * load.labels[7])


def test_patches_of_a_left_out_specimen_scatter_round_its_prediction(model):
    table = make_table()
    load = model.regressors[0]
    own = table.mu[table.specimen == "s03"][:, list(model.active)]
    found = left_out_patches(load, "s03", own)
    assert found.shape == (20,) and found.std() > 0
    mean = left_out_patches(load, "s03", own.mean(axis=0, keepdims=True))[0]
    assert mean == pytest.approx(load.left_out[3], rel=0.01), "widths are tried of its own median"
    with pytest.raises(InputError, match="none of the specimens"):
        left_out_patches(load, "s99", own)
