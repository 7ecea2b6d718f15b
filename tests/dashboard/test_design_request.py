"""A request survives the address, and a damaged address says what was not understood."""

from types import SimpleNamespace

import numpy as np
import pytest

from dashboard.design_request import SAMPLES, DesignRequest, default_request, from_query, parameter


def column(name: str, unit: str = "MPa"):
    return SimpleNamespace(column=name, label=name, unit=unit, mean=1.0, low=0.0, high=2.0)


def stand_in(properties, process, support):
    """A network without descriptors, as far as requests ask."""
    return SimpleNamespace(
        properties=properties,
        outcomes=properties,
        descriptors=(),
        process=process,
        support=support,
        outcome_places=lambda nodes: [properties.index(node) for node in nodes],
    )


NETWORK = stand_in(
    properties=(column("uts_mpa"), column("ys_mpa")),
    process=(column("mg_wt", "wt%"), column("radius_mm", "mm")),
    support=SimpleNamespace(
        properties=np.array([[300.0, 200.0], [432.16, 281.3], [500.0, 330.0], [np.nan, 1.0]])
    ),
)


def test_the_default_is_a_specimen_of_the_data():
    assert dict(default_request(NETWORK).targets) == {"uts_mpa": 500.0, "ys_mpa": 330.0}


def test_an_empty_address_gives_the_default_without_a_note():
    assert from_query({}, NETWORK) == (default_request(NETWORK), [])


@pytest.mark.parametrize(
    "process",
    [(), (("mg_wt", (0.03, 0.03)),), (("mg_wt", (None, 0.04)), ("radius_mm", (10.0, None)))],
)
def test_a_request_comes_back_from_its_address(process):
    request = DesignRequest((("uts_mpa", 430.5), ("ys_mpa", 280.0)), process, 7, 768)
    assert from_query(request.to_query(), NETWORK) == (request, [])


@pytest.mark.parametrize(
    "wish", ["highest", "lowest", (250.0, None), (None, 300.0), (250.0, 300.0)]
)
def test_every_form_of_target_comes_back_from_its_address(wish):
    request = DesignRequest((("uts_mpa", wish), ("ys_mpa", 280.0)), (), 7, 768)
    assert from_query(request.to_query(), NETWORK) == (request, [])


def test_a_property_that_is_not_asked_for_is_not_made_up():
    request = DesignRequest((("ys_mpa", 280.0),), (), 7, 768)
    assert from_query(request.to_query(), NETWORK) == (request, [])
    request, notes = from_query({"uts_mpa": "400", "ys_mpa": "strong"}, NETWORK)
    assert dict(request.targets) == {"uts_mpa": 400.0, "ys_mpa": 330.0}
    assert len(notes) == 1 and "330 is used" in notes[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uts_mpa", "strong"),
        ("uts_mpa", "nan"),
        ("uts_mpa", "inf"),
        ("mg_wt", ".."),
        ("mg_wt", "low..high"),
        ("seed", "-1"),
        ("seed", "1e3"),
        ("seed", "9999999999"),
        ("size", "511"),
        ("samples", "4"),
    ],
)
def test_a_damaged_parameter_is_named_and_replaced_by_the_default(name, value):
    request, notes = from_query({name: value}, NETWORK)
    assert request == default_request(NETWORK)
    assert len(notes) == 1
    assert name in notes[0]


def test_parameters_of_other_pages_and_models_are_left_alone():
    assert from_query({"hv": "300", "model": "mine"}, NETWORK) == (default_request(NETWORK), [])


@pytest.mark.parametrize("name", ["map_x", "map_y"])
def test_the_maps_axes_are_no_columns(name):
    assert parameter(name) == f"column.{name}"


@pytest.mark.parametrize("samples", SAMPLES)
def test_a_number_of_samples_comes_back_from_its_address(samples):
    request = DesignRequest((("ys_mpa", 280.0),), (), 7, 768, samples)
    assert from_query(request.to_query(), NETWORK) == (request, [])


def test_one_number_in_both_fields_fixes_a_setting():
    request = DesignRequest((), (("mg_wt", (0.03, 0.03)), ("radius_mm", (None, 40.0))))
    assert request.limits() == {"mg_wt": 0.03, "radius_mm": (None, 40.0)}


def test_columns_named_like_controls_keep_their_own_place_in_the_address():
    network = stand_in(
        properties=(column("seed"),),
        process=(column("size"),),
        support=SimpleNamespace(properties=np.array([[1.0], [2.0]])),
    )
    request = DesignRequest((("seed", 3.0),), (("size", (1.0, None)),), 7, 768)
    query = request.to_query()
    assert (query["seed"], query["size"]) == ("7", "768")
    assert from_query(query, network)[0] == request
