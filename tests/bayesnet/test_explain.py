"""Claims about explanations: nearest by latents, changes by measured descriptors."""

import numpy as np
import pandas as pd
import pytest

from bayesnet.explain import compare, compare_with_kept, nearest_specimens
from core.descriptors import SCALARS, describe
from core.errors import InputError
from core.field_descriptors import STRUCTURE, measure_fields
from core.specimen_descriptors import SpecimenDescriptors
from tests.core.stereology.drawn import lamellae


def discs(radius: int, step: int, size: int = 256) -> np.ndarray:
    """A field of round dark particles on a bright ground."""
    y, x = np.mgrid[:size, :size]
    gap = np.hypot((y % step) - step / 2, (x % step) - step / 2)
    rng = np.random.default_rng(0)
    field = np.where(gap < radius, 0.15, 0.65) + 0.02 * rng.normal(size=(size, size))
    return np.clip(field, 0, 1).astype(np.float32)


def test_a_specimen_is_nearest_to_its_own_mean(table):
    for name in ("c003", "c050"):
        z = table.mu[table.specimen == name].mean(axis=0)
        found = nearest_specimens(table, z)
        assert found[0].name == name and found[0].distance < 1e-3
        assert found[1].distance > found[0].distance
        assert len(found) == len(set(table.specimen))


def test_only_the_specimens_asked_for_are_considered(table):
    z = table.mu[table.specimen == "c003"].mean(axis=0)
    found = nearest_specimens(table, z, among={"c010", "c020"})
    assert {n.name for n in found} == {"c010", "c020"}
    with pytest.raises(InputError, match="none of these"):
        nearest_specimens(table, z, among={"x"})


def test_bigger_fewer_particles_are_named_with_their_measured_change():
    changes = {c.label: c for c in compare(discs(8, 32), discs(16, 64), um_per_px=1.0)}
    diameter = changes["Equivalent diameter, mean"]
    assert diameter.before == pytest.approx(16, abs=1.5)
    assert diameter.after == pytest.approx(32, abs=1.5)
    assert diameter.share == pytest.approx(2 * (32 - 16) / (32 + 16), abs=0.05)
    assert changes["Particle count"].share < -0.9
    assert abs(changes["Graphite area"].share) < 0.1
    shares = [abs(c.share) for c in changes.values() if c.share is not None]
    assert shares == sorted(shares, reverse=True)


def test_nothing_changes_from_a_field_to_itself():
    assert all(not c.share for c in compare(discs(8, 32), discs(8, 32), um_per_px=1.0))


@pytest.mark.parametrize(("um_per_px", "unit"), [(0.5, "µm"), (None, "px")])
def test_other_materials_change_in_what_any_material_has(um_per_px, unit):
    """Lamellae twice as wide: twice the spacing and chord, no graphite; also without a scale."""
    found = compare(lamellae(256, 5, 5), lamellae(256, 10, 10), um_per_px, kind="phases")
    changes = {c.label: c for c in found}
    assert "Graphite area" not in changes and "Mean spacing" in changes
    spacing = changes["Mean spacing"]
    true = np.pi / 2 * 10 * (um_per_px or 1)  # over all directions, Cauchy's pi / 2 of the period
    assert spacing.unit == unit and spacing.before == pytest.approx(true, rel=0.1)
    assert spacing.share == pytest.approx(2 / 3, abs=0.1)
    assert abs(changes["Dark phase area"].share) < 0.1


def test_a_specimen_of_another_scale_is_measured_at_its_own():
    (spacing,) = [
        change
        for change in compare(lamellae(256, 5, 5), lamellae(256, 10, 10), 0.5, 1.0, "phases")
        if change.label == "Mean spacing"
    ]
    assert abs(spacing.share) < 0.05


def test_without_a_scale_there_are_no_descriptors():
    with pytest.raises(InputError, match="scale"):
        compare(discs(8, 32), discs(8, 32), None)


def kept(um_per_px: float | None = 1.0, **values: float) -> SpecimenDescriptors:
    """Descriptors of a specimen "s1", and of "s2" that could not be measured."""
    names = list(values)
    frame = pd.DataFrame([list(values.values()), [np.nan] * len(names)], ["s1", "s2"], names)
    scalars = tuple(s for s in SCALARS if s.name in names)
    return SpecimenDescriptors(
        scalars=scalars, values=frame, um_per_px=um_per_px, data_hash="", note=""
    )


def test_what_is_kept_of_a_specimen_stands_before_the_change():
    known = kept(graphite_pct=10.0, diameter_um=16.0, grain_intercept_um=np.nan)
    changes = {c.label: c for c in compare_with_kept(known, "s1", discs(16, 64), 1.0)}
    assert set(changes) <= {s.label for s in known.scalars}, "nothing that is not kept"
    diameter = changes["Equivalent diameter, mean"]
    assert diameter.before == 16 and diameter.after == pytest.approx(32, abs=1.5)
    assert diameter.unit == "µm" and changes["Graphite area"].before == 10


def test_kept_descriptors_are_the_same_quantities_as_a_designs():
    """A specimen's field taken for the design of itself: nothing changes."""
    field = discs(8, 32)
    measured = {n: v for n, v in describe(field, 1.0).scalars().items() if v is not None}
    found = compare_with_kept(kept(1.0, **measured), "s1", field, 1.0)
    assert len(found) == len(measured) > 6 and all(c.before == c.after for c in found)


def test_a_design_in_another_material_is_measured_as_its_specimens_were():
    field = lamellae(256, 6, 10, noise=0.02)
    measured = measure_fields([field], 0.5, "phases")
    values = pd.DataFrame(measured, index=["s1"])
    known = SpecimenDescriptors(
        scalars=STRUCTURE, values=values, um_per_px=0.5, data_hash="0" * 64, note=""
    )
    same = compare_with_kept(known, "s1", field, 0.5)
    assert len(same) == len(STRUCTURE) and all(c.before == c.after for c in same)
    changes = {c.label: c for c in compare_with_kept(known, "s1", lamellae(512, 12, 20), 0.5)}
    assert changes["Mean spacing"].share == pytest.approx(2 / 3, abs=0.1), "twice as wide"


@pytest.mark.parametrize("name", ["s2", "unknown"])
def test_a_specimen_of_which_nothing_is_kept_has_no_changes(name):
    assert compare_with_kept(kept(graphite_pct=10.0), name, discs(8, 32), 1.0) == ()


@pytest.mark.parametrize(("data", "model"), [(None, 1.0), (1.0, None)])
def test_without_a_scale_the_share_of_graphite_is_compared(data, model):
    known = kept(data, graphite_pct=10.0, diameter_um=16.0)
    (share,) = compare_with_kept(known, "s1", discs(16, 64), model)
    assert share.label == "Graphite area" and share.after == pytest.approx(
        100 * np.pi / 16, rel=0.1
    )
