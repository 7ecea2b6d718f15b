"""Claims about refinement: on a decoder of known bias it finds the target; it never makes worse."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet import refine as module
from bayesnet.pictures import Picture
from bayesnet.query import most_probable
from bayesnet.refine import refine
from core.errors import InputError
from core.properties import Reading
from core.regressor import Prediction

TARGET = {"uts_mpa": 400.0, "ys_mpa": 240.0}


@pytest.fixture
def biased(network, monkeypatch):
    """A decoder whose pictures read back as a blunted, shifted image of their latents."""
    names = [n.column for n in network.properties]
    at = np.array([i for i, n in enumerate(network.nodes) if n.column in names])
    latents = network.positions("latent")

    def make(gain: float, shift: tuple[float, float]):
        calls = []

        def field(loaded, table, z, size_px, seed):
            calls.append(seed)
            return np.asarray(z, dtype=float)[None]  # the picture is its latents

        def back(loaded, properties, pixels, patches=None, described=None):
            mean, cov = network.design_joints[regime]
            slopes = np.linalg.solve(cov[np.ix_(latents, latents)], cov[np.ix_(latents, at)])
            nodes = network.latents
            z = (pixels[0][[n.index for n in nodes]] - [n.mean for n in nodes]) / [
                n.scale for n in nodes
            ]
            found = mean[at] + (z - mean[latents]) @ slopes
            wanted = [(TARGET[n.column] - n.mean) / n.scale for n in network.properties]
            found = wanted + gain * (found - wanted)
            values = [n.mean + n.scale * v for n, v in zip(network.properties, found, strict=True)]
            read = {
                name: Prediction(v + s, v + s - 25, v + s + 25)
                for name, v, s in zip(names, values, shift, strict=True)
            }
            return Reading(read, read, {})

        monkeypatch.setattr(module, "synthesise_field", field)
        monkeypatch.setattr(module, "read_back", back)
        return calls

    answer = most_probable(network, TARGET)
    regime = int(np.argmax(answer.regimes))
    start = Picture(answer.latents[None], answer.latents, 7, {})
    return SimpleNamespace(make=make, answer=answer, start=start)


def run(network, biased, **options):
    answer = biased.answer
    return refine(None, network, None, None, biased.start, TARGET, answer.regimes, **options)


@pytest.mark.parametrize("gain", [0.35, 0.6, 1.0])
def test_a_biased_decoder_is_aimed_off_for(network, biased, gain):
    names = [n.column for n in network.properties]
    shift = tuple({"uts_mpa": -30.0, "ys_mpa": 18.0}[name] for name in names)
    calls = biased.make(gain, shift)
    found = run(network, biased, steps=6)
    assert found.improved and found.residual < 0.45 < found.before, found.attempts
    assert set(calls) == {7}, "the seed is kept: only latents move"
    assert not np.array_equal(found.picture.z, biased.start.z)
    assert found.attempts[0].residual == found.before
    assert found.residual == min(a.residual for a in found.attempts)


def test_a_good_picture_is_left_alone(network, biased):
    calls = biased.make(1.0, (1.0, -1.0))
    found = run(network, biased)
    assert not calls and len(found.attempts) == 1 and not found.improved
    np.testing.assert_array_equal(found.picture.z, biased.start.z)


def test_it_takes_no_more_pictures_than_allowed_and_never_returns_a_worse_one(network, biased):
    calls = biased.make(-0.5, (60.0, 60.0))  # moves the wrong way
    found = run(network, biased, steps=2)
    assert len(calls) == 2 and len(found.attempts) == 3
    assert found.residual <= found.before


@pytest.mark.parametrize("measurable", [True, False])
def test_a_picture_that_cannot_be_measured_does_not_win_by_that(
    network, biased, monkeypatch, measurable
):
    names = [n.column for n in network.properties]
    biased.make(0.6, tuple({"uts_mpa": -30.0, "ys_mpa": 18.0}[name] for name in names))
    back, read = module.read_back, []

    def measured(*given, **options):
        reading = back(*given, **options)
        read.append(reading)
        seen = reading.predicted if measurable or len(read) == 1 else {}
        return Reading(reading.predicted, reading.latents, seen)

    monkeypatch.setattr(module, "read_back", measured)
    found = run(network, biased, steps=3)
    assert len(found.attempts) > 1 and min(a.residual for a in found.attempts) < found.before
    assert found.improved == measurable
    assert np.array_equal(found.picture.z, biased.start.z) != measurable


def test_a_picture_in_which_a_wish_cannot_be_read_is_stepped_back_from(
    network, biased, monkeypatch
):
    names = [n.column for n in network.properties]
    biased.make(0.6, tuple({"uts_mpa": -30.0, "ys_mpa": 18.0}[name] for name in names))
    back, read = module.read_back, []

    def measured(*given, **options):
        read.append(back(*given, **options))
        if len(read) != 2:  # the first picture, and all after the second
            return read[-1]
        known = {n: p for n, p in read[-1].predicted.items() if n != "ys_mpa"}
        return Reading(known, known, {})

    monkeypatch.setattr(module, "read_back", measured)
    found = run(network, biased, steps=4)
    start, far, half = (a.z for a in found.attempts[:3])
    np.testing.assert_allclose(half - start, (far - start) / 2)
    assert "ys_mpa" not in found.attempts[1].predicted and found.improved
    assert set(found.picture.predicted) == set(names) and found.residual < found.before


def test_a_picture_that_can_be_read_takes_the_place_of_one_that_cannot(
    network, biased, monkeypatch
):
    biased.make(0.6, (40.0, 40.0))
    back, read = module.read_back, []

    def measured(*given, **options):
        read.append(back(*given, **options))
        if len(read) > 1:
            return read[-1]
        known = {"uts_mpa": read[-1].predicted["uts_mpa"]}
        return Reading(known, known, {})

    monkeypatch.setattr(module, "read_back", measured)
    found = run(network, biased, steps=2)
    assert found.improved and "ys_mpa" in found.picture.predicted
    assert "ys_mpa" not in found.attempts[0].predicted


def test_a_wish_that_nothing_predicts_is_refused(network, biased):
    biased.make(1.0, (0.0, 0.0))
    with pytest.raises(InputError, match="at least one"):
        run(network, biased, steps=0)
    with pytest.raises(InputError, match="read back from pictures"):
        refine(None, network, None, None, biased.start, {"hardness": 3.0}, biased.answer.regimes)
