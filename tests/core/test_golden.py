"""Numbers stay what they were: recorded values, whatever the process, the threads, the device.

Tolerances, as shares of a value (near zero, of one): descriptors 1e-6 (image libraries' last
digits); decoding, finishing and encoding 1e-3 (other processors sum in another order); three steps
of training 2e-2 (Adam makes a whole step of a gradient near zero, whichever its sign). On one
machine another process gives the same bits, another number of threads agrees to 1e-4, and a GPU to
1e-2 (it multiplies in TF32).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from core.workspace import ROOT
from tests.core.golden import (
    decoded_patch,
    drawn_descriptors,
    encoded_patches,
    finished_patch,
    recorded,
    training_steps,
)

DESCRIPTORS, ANY_MACHINE, TRAINING, THREADS, GPU = 1e-6, 1e-3, 2e-2, 1e-4, 1e-2


def agree(found: dict[str, Any], expected: dict[str, Any], tolerance: float) -> None:
    """Check numbers against others, to a share of their value or, near zero, of one."""
    assert set(found) == set(expected)
    for name, value in expected.items():
        if value is None:
            assert found[name] is None, name
        else:
            close = pytest.approx(value, rel=tolerance, abs=tolerance)
            assert found[name] == close, f"{name}: {found[name]} was {value}"


def computed_elsewhere(parts: Sequence[str], threads: int) -> dict[str, Any]:
    """Compute parts in a process of its own with so many threads."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "tests.core.golden", "--print", *parts]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(done.stdout)


def test_descriptors_of_a_drawn_picture_are_as_recorded():
    agree(drawn_descriptors(), recorded("drawn_descriptors"), DESCRIPTORS)


def test_recorded_descriptors_are_what_was_drawn():
    """The record is held against what the shapes are worth, so that it is no mere habit."""
    found, area = recorded("drawn_descriptors"), (300 * 1.5 / 1000) ** 2  # mm2
    discs = sum(3.14159265 / 4 * d**2 for d in (30.0, 44.0, 24.0, 36.0))
    whole = discs + 90 * 8 + 60 * 6 + 3.14159265 * 30 * 8
    assert found["graphite_pct"] == pytest.approx(100 * whole / 300**2, rel=0.05)
    assert found["particles_per_mm2"] == pytest.approx(7 / area, rel=1e-6)
    assert found["nodularity_jis_pct"] is not None and 40 < found["nodularity_jis_pct"] < 70
    assert found["flake_length_um"] == pytest.approx(1.5 * 78, rel=0.15)


def test_a_small_model_decodes_what_it_did():
    agree(decoded_patch(), recorded("decoded_patch"), ANY_MACHINE)


def test_a_small_denoiser_finishes_as_it_did():
    agree(finished_patch(), recorded("finished_patch"), ANY_MACHINE)


def test_a_small_model_encodes_what_it_did(vgg_weights):
    agree(encoded_patches(), recorded("encoded_patches"), ANY_MACHINE)


def test_a_small_model_learns_as_it_did(vgg_weights):
    agree(training_steps(), recorded("training_steps"), TRAINING)


def test_another_process_gives_the_same_bits_and_other_threads_agree(one_thread):
    here = {"decoded_patch": decoded_patch(), "finished_patch": finished_patch()}
    assert computed_elsewhere(list(here), 1) == here
    for part, found in computed_elsewhere(list(here), 2).items():
        agree(found, here[part], THREADS)


@pytest.mark.parametrize("compute", [decoded_patch, finished_patch, encoded_patches])
def test_a_gpu_agrees_with_the_processor(compute: Callable[[str], dict[str, Any]], vgg_weights):
    if not torch.cuda.is_available():
        pytest.skip("no GPU here: torch.cuda.is_available() is False")
    agree(compute("cuda"), compute("cpu"), GPU)
