"""Charts of descriptors hold the data that they were given."""

import pytest

from dashboard.descriptor_figures import two_point_chart


def test_two_point_statistics_stand_over_distance_with_the_level_of_chance():
    figure = two_point_chart([0.0, 0.5, 1.0], [0.1, 0.05, 0.02])
    assert list(figure.data[0].x) == [0.0, 0.5, 1.0]
    assert list(figure.data[0].y) == [0.1, 0.05, 0.02]
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == pytest.approx(0.01)
    assert figure.layout.xaxis.title.text == "Distance (µm)"
    assert figure.layout.yaxis.title.text == "S2 (1)"
    assert figure.layout.plot_bgcolor is None
