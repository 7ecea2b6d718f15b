"""Check designs of the synthetic reference castings against the generator that made them.

``python -m bayesnet.verify --model DIR`` measures the closed loop. Imported by tests and
measurements, never by design.
"""

from bayesnet.verify.oracle import (
    TEST_SCATTER,
    GrainScale,
    cast_again,
    expected_strengths,
    fresh_castings,
    grain_scale,
    measure_picture,
    measured_castings,
    picture_strengths,
    reachable_strengths,
    scatter_distances,
)

__all__ = [
    "TEST_SCATTER",
    "GrainScale",
    "cast_again",
    "expected_strengths",
    "fresh_castings",
    "grain_scale",
    "measure_picture",
    "measured_castings",
    "picture_strengths",
    "reachable_strengths",
    "scatter_distances",
]
