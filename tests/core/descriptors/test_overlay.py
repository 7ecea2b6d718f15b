"""Claims about the outlines of graphite."""

import numpy as np

from core.descriptors import draw_overlay
from core.descriptors.overlay import CUT, NODULE, SMALL
from core.descriptors.particles import label_particles, measure_particles


def test_outlines_have_the_colour_of_their_kind_and_the_thickness_asked_for():
    y, x = np.mgrid[:100, :100]
    mask = np.hypot(y - 50, x - 50) < 15  # a nodule
    mask[:20, :12] = True  # cut by the border
    mask[80:84, 80:84] = True  # 4 um: too small to count
    particles = measure_particles(label_particles(mask), 1.0)
    pixels = np.where(mask, 0.2, 0.6)
    for line_px in (1, 3):
        drawn = draw_overlay(pixels, mask, particles, line_px)
        along = drawn[50, 35:52]  # from outside the nodule to its middle
        coloured = np.flatnonzero((along == NODULE).all(axis=1))
        assert len(coloured) == line_px and (along[-1] == 51).all()
    assert tuple(drawn[10, 11]) == CUT and tuple(drawn[81, 81]) == SMALL
    assert (drawn[0, 60] == 153).all(), "the matrix stays as it is"
