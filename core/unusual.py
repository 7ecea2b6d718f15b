"""How unusual a micrograph is for a model, and in what: the verdict in plain words."""

from dataclasses import dataclass

LIMIT = 1.0  # distances are divided by their limits: 5 % of usual micrographs lie beyond
IN_WORDS = {
    "conv1_1": "grey levels and edges",
    "pool1": "detail of a few px",
    "pool2": "detail of some 15 px",
    "pool3": "shapes of some 40 px",
    "pool4": "shapes of some 100 px",
    "pool5": "arrangement over a whole patch",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How far a micrograph lies from what is usual for a model; 1.0 is the limit.

    Attributes:
        latent: distance of its latents (`core.usual`) over its limit.
        style: the same of its style vectors: what VGG19 sees.
        layer: of VGG19, the one in which it differs most beside usual micrographs.
        nearer: how many of the usual micrographs that the limits come from lie nearer.
        usual: how many those are.
    """

    latent: float
    style: float
    layer: str
    nearer: int
    usual: int

    @property
    def distance(self) -> float:
        """The larger of the two distances."""
        return max(self.latent, self.style)

    @property
    def unusual(self) -> bool:
        """Whether it is beyond the limit."""
        return self.distance > LIMIT

    @property
    def unlike_in(self) -> str:
        """Say in what the micrograph is beyond the limit, "" where it is not.

        >>> Judgement(latent=0.7, style=2.0, layer="pool3", nearer=99, usual=100).unlike_in
        'its texture as VGG19 sees it (2.0 times the limit; most in shapes of some 40 px)'
        """
        parts = []
        if self.style > LIMIT:
            parts.append(
                f"its texture as VGG19 sees it ({self.style:.1f} times the limit; most in "
                f"{IN_WORDS[self.layer]})"
            )
        if self.latent > LIMIT:
            parts.append(f"its latents ({self.latent:.1f} times the limit)")
        return " and ".join(parts)


def verdict(judgement: Judgement, graphite: bool | None) -> str:
    """Say in plain words whether a micrograph is like what the model has learned from.

    Args:
        judgement: how far it lies.
        graphite: whether it looks like a graphite iron; None where the reference data are none.
    """
    distance = f"distance {judgement.distance:.2f}, limit {LIMIT:.2f}"
    if not judgement.unusual:
        return (
            f"Like the reference data ({distance}; {judgement.nearer} of {judgement.usual} usual "
            "micrographs lie nearer)."
        )
    unlike = f"Unlike them in {judgement.unlike_in}."
    if graphite is None:
        return (
            f"Outside the reference data ({distance}): predicted properties are indicative only. "
            + unlike
        )
    if graphite:
        return (
            "A graphite iron by its looks, but outside the reference data: strengths are "
            f"indicative only ({distance}). {unlike}"
        )
    return (
        f"Outside the reference data ({distance}), and no graphite iron by its looks: predicted "
        f"strengths and figures of graphite mean nothing here. {unlike}"
    )
