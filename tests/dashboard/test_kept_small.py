"""What is kept of uploads is small, and what is large is read in its turn."""

import io
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from core.images import Micrograph, encode_png
from core.import_data.examine import Crop
from dashboard import caching, data_report, evaluations, measurements, state
from tests.core.import_data.pictures import png, source
from tests.dashboard.test_evaluate_page import iron


@pytest.fixture
def held(monkeypatch):
    """Watch a function of a module; returns whether each call had the turn."""
    found: list[bool] = []

    def watch(module, name):
        plain = getattr(module, name)

        def noted(*given):
            turn = state.lock()._current
            found.append(turn is not None and turn[1] == threading.get_ident())
            return plain(*given)

        monkeypatch.setattr(module, name, noted)
        return found

    return watch


def test_masks_come_back_as_they_were_and_are_kept_packed():
    mask = np.zeros((301, 203), bool)
    mask[40:90, 30:170] = True
    packed = measurements._packed(mask)
    np.testing.assert_array_equal(measurements._unpacked(packed, mask.shape), mask)
    assert len(packed) < mask.size / 100 and len(zlib.decompress(packed)) < mask.size / 7


def test_what_is_kept_of_a_measurement_holds_no_mask_and_pools_as_before(monkeypatch):
    monkeypatch.setattr(measurements, "OVERLAY_PX", 100)
    micrograph = Micrograph(iron().astype(np.float32), "a.png", 1.0, ())
    kept, _ = measurements._measure(("a",), micrograph, own=False)
    assert kept.field is not None and kept.field.graphite.size == 0
    found = measurements.measure(micrograph, own=False)
    assert found.field is not None and found.field.graphite.shape == micrograph.pixels.shape
    described = found.descriptors()
    assert described is not None and found.graphite_pct == pytest.approx(5.3, abs=0.3)
    assert described.scalars()["graphite_pct"] == pytest.approx(found.graphite_pct)
    assert Image.open(io.BytesIO(found.overlay)).width == 100


def test_an_upload_is_read_once_and_in_its_turn(held, monkeypatch):
    monkeypatch.setattr(caching.st, "session_state", {})
    turns = held(evaluations, "read_image")
    job = evaluations.Job("m", "a.png", encode_png(iron()))
    first, second = (evaluations.read(None, job) for _ in range(2))
    assert turns == [True] and first is second
    evaluations.read(None, job.at(2.0))
    assert turns == [True, True], "another scale, another result"


def test_a_crop_preview_is_read_once_for_what_it_shows(held):
    turns, file = held(data_report, "read_source"), source("p.png", png(0, 160, 1.0))
    for crop in (Crop(), Crop(), Crop(bottom=9)):
        assert data_report._cropped("digest", crop, 1.0, file, own=False).startswith(b"\x89PNG")
    assert turns == [True, True]
