"""Claims about the verdict on an unusual micrograph."""

import pytest

from core.unusual import IN_WORDS, Judgement, verdict
from core.vgg import CHANNELS


def judged(latent: float, style: float, layer: str = "pool3") -> Judgement:
    return Judgement(latent=latent, style=style, layer=layer, nearer=93, usual=100)


def test_the_larger_distance_decides() -> None:
    assert judged(0.5, 0.9).distance == 0.9 and not judged(0.5, 0.9).unusual
    assert judged(1.2, 0.9).unusual and judged(0.2, 1.1).unusual
    assert not judged(1.0, 1.0).unusual, "the limit itself is usual"


@pytest.mark.parametrize(
    ("latent", "style", "said", "unsaid"),
    [
        (0.9, 2.0, "its texture as VGG19 sees it (2.0 times", "latents"),
        (3.0, 0.9, "its latents (3.0 times", "VGG19"),
        (3.0, 2.0, "most in shapes of some 40 px) and its latents", "nothing"),
    ],
)
def test_it_says_in_what(latent: float, style: float, said: str, unsaid: str) -> None:
    words = verdict(judged(latent, style), True)
    assert said in words and unsaid not in words


def test_words_follow_what_the_picture_shows() -> None:
    usual = verdict(judged(0.5, 0.6), True)
    assert usual.startswith("Like the reference data") and "93 of 100" in usual
    iron = verdict(judged(3.0, 2.0), True)
    assert "outside the reference data: strengths are indicative only" in iron
    foreign = verdict(judged(3.0, 2.0), False)
    assert "no graphite iron by its looks" in foreign and "mean nothing" in foreign
    other = verdict(judged(3.0, 2.0), None)
    assert "graphite" not in other and "indicative only" in other


def test_every_layer_has_words() -> None:
    assert list(IN_WORDS) == list(CHANNELS)
