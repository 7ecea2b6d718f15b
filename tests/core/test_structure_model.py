"""Claims about properties from measured structure: what is learned, when it is silent, its file."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.columns import Column
from core.conformal import Calibration
from core.descriptors import SCALARS
from core.errors import CheckpointError
from core.properties import PropertyModel
from core.regressor import Prediction, fit_regressor
from core.results import ROOT
from core.specimen_descriptors import AREA, SpecimenDescriptors
from core.structure_model import StructureModel, fit_structure
from core.together import Together

FIELD_MM2 = 0.25
UTS = Column("uts_mpa", "MPa", "Tensile strength", "property", "numeric")
NAMES = ("graphite_pct", "nodularity_iso_pct", "grain_intercept_um")


def strength(values):
    """Strength, MPa, from graphite area, nodularity and grains."""
    graphite, nodularity, grains = np.moveaxis(np.asarray(values, dtype=float), -1, 0)
    return 300 - 8 * graphite + 2 * nodularity + 400 / np.sqrt(grains)


def specimens(count=40, scatter=0.02, seed=0):
    """Specimens with two fields each, which scatter round the specimen by a share."""
    rng = np.random.default_rng(seed)
    low, high = np.array([4.0, 10.0, 16.0]), np.array([13.0, 95.0, 32.0])
    true = low + (high - low) * rng.random((count, 3))
    fields = true[:, None] * (1 + scatter * rng.normal(size=(count, 2, 3)))
    names = [f"s{i:02d}" for i in range(count)]
    values = pd.DataFrame(fields.mean(axis=1), index=names, columns=list(NAMES))
    each = pd.DataFrame(fields.reshape(-1, 3), index=np.repeat(names, 2), columns=list(NAMES))
    found = SpecimenDescriptors(
        scalars=tuple(s for s in SCALARS if s.name in NAMES),
        values=values,
        um_per_px=1.0,
        data_hash="d",
        note="",
        fields=each.assign(**{AREA: FIELD_MM2}),
    )
    labels = pd.DataFrame({"uts_mpa": strength(true)}, index=names)
    return found, labels


@pytest.fixture(scope="module")
def model():
    return fit_structure(*specimens(), [UTS])


def read(model, values, area_mm2=2 * FIELD_MM2):
    return model.predict(dict(zip(NAMES, values, strict=True)), area_mm2)


def test_it_learns_a_relation_and_its_intervals_hold_for_new_specimens(model):
    found, labels = specimens(count=60, seed=1)
    inside, errors = [], []
    for name, row in found.values.iterrows():
        if not (told := read(model, row)):
            continue
        true = labels.loc[name, "uts_mpa"]
        inside.append(told["uts_mpa"].low <= true <= told["uts_mpa"].high)
        errors.append(abs(told["uts_mpa"].value / true - 1))
    assert len(inside) > 50 and np.median(errors) < 0.02
    assert 0.8 <= np.mean(inside) <= 1.0


def test_less_area_gives_a_wider_interval_and_too_little_none(model):
    middle = (8.0, 60.0, 24.0)
    widths = []
    for area in (2 * FIELD_MM2, FIELD_MM2, FIELD_MM2 / 4):
        one = read(model, middle, area)["uts_mpa"]
        widths.append(one.high - one.low)
    assert widths[0] <= widths[1] and widths[2] == pytest.approx(2 * widths[1])
    assert read(model, middle, FIELD_MM2 / 9) == {} and not model.can_read(FIELD_MM2 / 9)


def test_it_is_silent_without_a_descriptor_and_outside_its_data(model):
    assert read(model, (8.0, None, 24.0)) == {}
    assert read(model, (8.0, 60.0, 90.0)) == {}
    assert model.predict({}, 1.0) == {}


def test_what_cannot_be_learned_gives_no_model():
    found, labels = specimens()
    assert fit_structure(replace(found, um_per_px=None), labels, [UTS]) is None
    assert fit_structure(replace(found, fields=None), labels, [UTS]) is None
    assert fit_structure(found, labels.iloc[:8], [UTS]) is None, "nine specimens are needed"
    assert fit_structure(found, labels, [replace(UTS, derived=True)]) is None
    assert fit_structure(found, labels.assign(uts_mpa=400.0), [UTS]) is None
    gone = replace(found, values=found.values.assign(nodularity_iso_pct=np.nan))
    assert fit_structure(gone, labels, [UTS]).inputs == ("graphite_pct", "grain_intercept_um")


def test_units_and_column_order_do_not_matter(model):
    found, labels = specimens()
    order = list(reversed(NAMES))
    turned = replace(
        found,
        scalars=tuple(reversed(found.scalars)),
        values=found.values[order] * 1000,
        fields=(found.fields[order] * 1000).assign(**{AREA: FIELD_MM2}),
    )
    other = fit_structure(turned, labels, [UTS])
    at = dict(zip(NAMES, (8.0, 60.0, 24.0), strict=True))
    there = other.predict({name: 1000 * v for name, v in at.items()}, 1.0)["uts_mpa"]
    assert there.value == pytest.approx(model.predict(at, 1.0)["uts_mpa"].value, rel=1e-4)


def test_the_file_keeps_it_exactly_and_damage_is_refused(model):
    content = model.to_json()
    again = StructureModel.from_json(content)
    assert read(again, (8.0, 60.0, 24.0)) == read(model, (8.0, 60.0, 24.0))
    for name, value in (
        ("centre", [1.0]),
        ("scale", [0.0, 1.0, 1.0]),
        ("inputs", "graphite"),
        ("field_mm2", None),
        ("regressors", [{}]),
        ("regressors", 2 * content["regressors"]),
        ("inputs", ["graphite_pct"] * 3),
    ):
        with pytest.raises((KeyError, TypeError, ValueError)):
            StructureModel.from_json(content | {name: value})


def properties(structure, shift=0.0):
    """Property models on one latent that says the strength, off by ``shift``."""
    rng = np.random.default_rng(2)
    z = rng.uniform(-2, 2, size=(40, 1))
    labels = 400 + 50 * z[:, 0] * (1 + 0.1 * rng.normal(size=40)) + shift
    names = [f"s{i}" for i in range(40)]
    regressor = fit_regressor(UTS, list(z[:, None]), labels, names)
    return PropertyModel(
        dimensions=1,
        active=(0,),
        regressors=(regressor,),
        data_hash="d",
        model_hash="m",
        notes=(),
        structure=structure,
    )


def test_two_readers_are_weighed_and_the_surer_one_counts_more(model):
    both = properties(model)
    at = dict(zip(NAMES, (8.0, 60.0, 24.0), strict=True))
    reading = both.read([0.5], None, at, 2 * FIELD_MM2)
    own, other = reading.latents["uts_mpa"], reading.structure["uts_mpa"]
    told = reading.predicted["uts_mpa"]
    assert min(own.value, other.value) < told.value < max(own.value, other.value)
    nearer = abs(told.value - other.value) < abs(told.value - own.value)
    surer = model.regressors[0].half_width < both.regressors[0].half_width
    assert nearer == surer
    weights = both.shares("uts_mpa")
    alike = sum(w * (p.high - p.value) for w, p in zip(weights, (own, other), strict=True))
    assert told.high - told.value == pytest.approx(alike), "no more is claimed unless it is known"
    found = Calibration(method="left_out", specimens=40)
    sure = replace(both, together=(Together(column="uts_mpa", share=0.7, calibration=found),))
    told = sure.read([0.5], None, at, 2 * FIELD_MM2).predicted["uts_mpa"]
    assert told.high - told.value == pytest.approx(0.7 * alike)


def test_without_structure_the_latents_speak_alone(model):
    alone = properties(None).read([0.5], None, {}, 0.0)
    assert alone.structure == {} and alone.predicted == alone.latents
    silent = properties(model).read([0.5], None, {"graphite_pct": 8.0}, 1.0)
    assert silent.structure == {} and silent.predicted == alone.latents
    assert isinstance(silent.predicted["uts_mpa"], Prediction)


def test_property_models_keep_their_structure_in_their_file(tmp_path, model):
    path = tmp_path / "properties.json"
    found = Calibration(method="left_out", specimens=40)
    sure = (Together(column="uts_mpa", share=0.7, calibration=found),)
    both = replace(properties(model), together=sure)
    both.save(path)
    at = dict(zip(NAMES, (8.0, 60.0, 24.0), strict=True))
    again = PropertyModel.load(path)
    assert again.read([0.5], 1, at, 1.0) == both.read([0.5], 1, at, 1.0)
    assert again.together == sure
    for wrong in (2 * sure, (replace(sure[0], column="ys_mpa"),), (replace(sure[0], share=-1.0),)):
        replace(both, together=wrong).save(path)
        with pytest.raises(CheckpointError, match="damaged"):
            PropertyModel.load(path)
    properties(None).save(path)
    assert PropertyModel.load(path).structure is None


def test_the_shipped_model_reads_structure_and_is_surer_by_it():
    shipped = PropertyModel.load(ROOT / "assets" / "reference" / "properties.json")
    own = {r.column: r for r in shipped.regressors}
    for regressor in shipped.structure.regressors:
        assert regressor.half_width < own[regressor.column].half_width
        assert len(regressor.specimens) == 120
    assert {r.column for r in shipped.structure.regressors} == set(own)
