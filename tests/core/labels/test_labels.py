"""Latents with known effects get their names; the labels survive signs, order and the disk."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import CheckpointError, ConfigError, InputError
from core.json_values import rounded
from core.labels import (
    FILE,
    Plan,
    latent_title,
    load_labels,
    match_dimensions,
    recurring_labels,
    save_labels,
)
from core.labels.influence import influences
from core.labels.labels import DIGITS
from tests.core.labels.discs import LATENTS, PLAN, draw, label_discs, latent_table


def effect(direction, quantity: str):
    return next(e for e in direction.effects if e.quantity == quantity)


def test_known_effects_are_named_with_their_signs(discs):
    size, sparsity, light, idle = discs.dimensions
    assert ("diameter_um", 1) in size.named and ("graphite_pct", 1) in size.named, size.label
    assert ("particles_per_mm2", -1) in sparsity.named, sparsity.label
    assert not any(name == "diameter_um" for name, _ in sparsity.named), sparsity.label
    assert {("matrix_grey_pct", 1), ("contrast_pct", 1)} <= set(light.named), light.label
    assert not any(name == "graphite_grey_pct" for name, _ in light.named), light.label
    assert idle.label == "no clear effect"
    assert latent_title(discs, 2) == f"z2: {light.label}"


def test_effects_are_in_the_descriptors_own_unit(discs):
    found = effect(discs.dimensions[0], "diameter_um")
    assert found.slope == pytest.approx(2 * 0.8, rel=0.02), found  # the radius grows by 0.8 px
    assert found.low <= found.slope <= found.high
    assert found.standardised == pytest.approx(found.slope / discs.spreads["diameter_um"])
    assert found.monotonicity == pytest.approx(1.0)
    assert found.share > 0.95 and found.starts == 2 * PLAN.starts


def test_a_latent_that_does_nothing_has_slopes_of_zero(discs):
    for found in discs.dimensions[3].effects:
        assert found.slope == pytest.approx(0, abs=1e-9) and not found.recurs, found


def test_the_second_set_of_starts_finds_the_same(discs):
    found = discs.figures["stability"]["dimensions"]
    assert (found["directions"], found["labelled"], found["found_by_first_set"]) == (4, 3, 3)
    assert found["same_label"] == found["strongest_effect_survives"] == 1.0
    assert found["effects_survive"] > 0.8


def test_an_effect_of_one_set_of_starts_only_is_not_named():
    first_set = {PLAN.seed + n for n in range(PLAN.starts)}

    def half(z, seed):
        return draw(z if seed in first_set else z * [[1, 0, 1, 1]], seed)

    (sparsity,) = label_discs(decode=half, only=[1]).dimensions
    assert sparsity.set_clear[0] and not sparsity.set_clear[1]
    assert sparsity.label == "no clear effect"


def test_the_curve_follows_the_latent(discs):
    line = discs.dimensions[1].curves["particles_per_mm2"]
    assert len(line.mean) == len(PLAN.values)
    assert list(line.mean) == sorted(line.mean, reverse=True)
    assert all(a <= b for a, b in zip(line.low, line.high, strict=True))


def test_a_principal_direction_is_kept_apart_from_latents(discs):
    found = label_discs(plan=replace(PLAN, directions=1), only=[3])
    (direction,) = found.directions
    assert (direction.name, direction.kind, len(direction.vector)) == ("d1", "specimens", LATENTS)
    assert np.linalg.norm(direction.vector) == pytest.approx(1)
    assert 0.25 < direction.explained <= 1
    assert set(found.by_index) == {3} and set(discs.by_index) == {0, 1, 2, 3}


def test_only_active_latents_are_named():
    table = latent_table()
    table.mu[:, [0, 1, 3]] *= 0.01
    found = label_discs(table)
    assert [d.name for d in found.dimensions] == ["z2"]
    assert "matrix brightness +" in found.dimensions[0].label
    assert latent_title(found, 1) == "z1"
    with pytest.raises(InputError, match=r"z1 is no active latent; active are \[2\]"):
        label_discs(table, only=[1])
    table.mu[:] *= 0.01
    with pytest.raises(InputError, match="no latent is active"):
        label_discs(table)


def test_labels_of_a_permuted_and_turned_model_recur_after_matching(discs):
    """The same decoder, its latents in another order, two of them turned round."""
    order, signs = np.array([2, 0, 3, 1]), np.array([1, -1, 1, -1])
    table = latent_table()
    mu = (table.mu[:, order] * signs).astype(np.float32)
    other_table = replace(table, mu=mu, model_hash="b" * 64)

    def other_decode(z, seed):
        back = np.empty_like(z)
        back[:, order] = z * signs
        return draw(back, seed)

    other = label_discs(other_table, other_decode)
    assert other.by_index[1].named[0] == (discs.by_index[0].named[0][0], -1)
    match = match_dimensions(table, other_table)
    assert match.second.tolist() == [1, 3, 0, 2]
    assert match.correlation == pytest.approx([-1, -1, 1, 1])
    found = recurring_labels(discs, other, match)
    assert found["all_pairs"] == {
        "pairs": 4,
        "labelled_on_either_side": 3,
        "same_label": 1.0,
        "labelled": 3,
        "strongest_effect_recurs": 1.0,
    }
    assert found["correlated_0.5_or_more"] == found["all_pairs"]
    wrong = replace(match, second=np.roll(match.second, 1))
    assert recurring_labels(discs, other, wrong)["all_pairs"]["strongest_effect_recurs"] < 0.5


def test_a_latent_that_designs_hardly_use_is_told_from_one_without_a_name():
    """Latent 3 does nothing: whether that matters is asked of the properties."""
    for influence, title in ((0.5, "no clear effect"), (0.01, "no clear effect, hardly used in")):
        labels = label_discs(only=[2, 3], influence=np.array([1.0, 1.0, 0.3, influence]))
        light, idle = labels.dimensions
        assert idle.title.startswith(f"z3: {title}") and "hardly" not in light.title
        found = labels.figures["used_for_design"]
        assert found["labelled"] == 1 and found["used"] == 1 + (influence > 0.1)
        assert found["unlabelled"] == (["z3"] if influence > 0.1 else [])


def test_influence_is_what_properties_lose_without_a_latent():
    """The property is the first latent; 5 half widths are one of its deviations."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 1, (40, 3))

    class Model:
        regressors = (SimpleNamespace(column="y", half_width=0.2, relative=False),)
        structure = None

        def predict_many(self, latents):
            return {"y": 7 + latents[:, 0]}

        def shares(self, column):
            return None if self.structure is None else (0.25, 0.75)

    names = [f"s{i:02d}" for i in range(40)]
    found = influences(Model(), means, names, {})
    assert found == pytest.approx([5 * means[:, 0].std(), 0, 0])

    class Structure:
        """Reads three times the z-score of one descriptor, which latent 2 moves by 4 a unit."""

        inputs, scale = ("size",), np.array([8.0])

        def regressor(self, column):
            assert column == "y"
            points = np.zeros((40, 1))
            return SimpleNamespace(
                specimens=tuple(reversed(names)),
                points=points,
                half_width=0.1,
                values=lambda z: 3 * z[:, 0],
            )

    Model.structure = Structure()
    found = influences(Model(), means, names, {"size": np.array([0.0, 0.0, 4.0])})
    by_latents, by_structure = 0.25 * means[:, 0].std(), 0.75 * 3 * 0.5 * means[:, 2].std()
    assert found == pytest.approx([by_latents / 0.1, 0, by_structure / 0.1])
    Model.regressors = (SimpleNamespace(column="y", half_width=None, relative=False),)
    assert influences(Model(), means, names, {}) is None


def test_models_are_matched_on_the_same_patches_only():
    table = latent_table()
    with pytest.raises(InputError, match="other patches"):
        match_dimensions(table, replace(table, corner=table.corner + 1))


def test_labels_come_back_from_the_disk(discs, tmp_path):
    save_labels(tmp_path, discs)
    found = load_labels(tmp_path)
    assert [d.title for d in found.dimensions] == [d.title for d in discs.dimensions]
    one, other = found.dimensions[0].effects[0], discs.dimensions[0].effects[0]
    assert one.slope == pytest.approx(other.slope, rel=1e-5) and one.clear == other.clear
    assert found.figures["stability"] == rounded(discs.figures["stability"], DIGITS)
    found.require_model("a" * 64)
    with pytest.raises(CheckpointError, match=r"labels of another model; run python -m core\.labe"):
        found.require_model("b" * 64)


def _unknown_quantity(content):
    content["dimensions"][0]["named"][0][0] = "charm"


def _lost_effect(content):
    first = content["dimensions"][0]
    first["effects"] = [e for e in first["effects"] if e["quantity"] != first["named"][0][0]]


def _lost_curve(content):
    content["dimensions"][0]["curves"]["graphite_pct"]["mean"].pop()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: c.update(format=0), "no labels of format 1"),
        (lambda c: c.pop("spreads"), "damaged"),
        (lambda c: c.update(more=1), "damaged"),
        (lambda c: c.update(dimensions=3), "damaged"),
        (lambda c: c["dimensions"][0]["effects"][0].pop("slope"), "damaged"),
        (lambda c: c["dimensions"][0].update(kind="both"), "kind 'both'"),
        (_unknown_quantity, "names no effect"),
        (_lost_effect, "which has no effect"),
        (_lost_curve, "a curve of z0 has not 3 values"),
    ],
)
def test_damaged_labels_are_an_error_in_words(discs, tmp_path, damage, message):
    save_labels(tmp_path, discs)
    content = json.loads((tmp_path / FILE).read_text())
    damage(content)
    (tmp_path / FILE).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=message) as caught:
        load_labels(tmp_path)
    assert "core.labels" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"starts": 2}, "starts is 2; 3 to 1000"),
        ({"size_px": 100}, "multiple of 32"),
        ({"values": (1.0, -1.0, 0.0)}, "rising"),
    ],
)
def test_impossible_plans_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Plan(**settings)
