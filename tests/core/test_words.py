"""Which columns in words can be learned from."""

import pandas as pd
import pytest

from core.words import plain_words, too_long, why_not


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["air", "water"] * 3, ""),
        (["air", " air ", "water", "water "], ""),  # outer spaces make no other word
        (["air"] * 5, "the same"),
        ([f"w{i}" for i in range(7)] * 2, "7 different words"),
        (["air", "air", "water"], "'water' stands for 1"),
        (["air", None, "", "water"], "known for 2 of 4"),
    ],
)
def test_words_that_can_be_learned_and_why_others_cannot(values, why):
    found = why_not(pd.Series(values))
    assert (why in found) if why else not found


def test_words_lose_outer_spaces_and_empty_ones_go():
    assert plain_words(pd.Series([" a ", None, "", "b"])).tolist() == ["a", "b"]


def test_a_name_is_short_and_plain():
    assert too_long(["a", "b" * 80]) == ""
    assert too_long(["a", "b" * 81]) == "b" * 81 and too_long(["a\n"]) == "a\n"
