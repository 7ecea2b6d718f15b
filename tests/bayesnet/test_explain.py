"""Claims about explanations: nearest by latents, changes by measured descriptors."""

import numpy as np
import pytest

from bayesnet.explain import compare, nearest_specimens
from core.errors import InputError


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


def test_without_a_scale_there_are_no_descriptors():
    with pytest.raises(InputError, match="scale"):
        compare(discs(8, 32), discs(8, 32), None)
