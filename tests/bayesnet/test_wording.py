"""What is asked for, and how far a value is from it, in words."""

import pytest

from bayesnet.wording import shortfall, wished


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (280.0, "280 MPa"),
        ((280.0, None), "at least 280 MPa"),
        ((None, 300.0), "at most 300 MPa"),
        ((1.0, 2.0), "1 to 2 MPa"),
        ((2.0, 2.0), "2 MPa"),
        ("lowest", "as low as possible"),
    ],
)
def test_wishes_are_said_in_words(wish, words):
    assert wished(wish, "MPa") == words


@pytest.mark.parametrize(
    ("value", "wish", "words"),
    [
        (250.0, (250.0, 300.0), "within"),
        (310.0, (250.0, 300.0), "+10 MPa (+3.3 %)"),
        (240.0, (250.0, None), "\u221210 MPa (\u22124.0 %)"),
        (240.0, 240.0, "+0 MPa (+0.0 %)"),
    ],
)
def test_a_value_is_held_against_the_nearer_end(value, wish, words):
    assert shortfall(value, wish, "MPa") == words
