"""What a recipe keeps of pictures, without their pixels."""

from dataclasses import dataclass

from core.regressor import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRecord:
    """A picture of a design, without its pixels.

    Attributes:
        shape: height and width, px.
        seed: of the decoder's noise.
        sha256: of the pixels as little-endian float32, row by row.
        sha256_8bit: of the pixels as the PNG has them.
        latents: (D,) that its cells scatter round.
        predicted: properties predicted back from the picture.
    """

    shape: tuple[int, int]
    seed: int
    sha256: str
    sha256_8bit: str
    latents: tuple[float, ...]
    predicted: dict[str, Prediction]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinementRecord:
    """How a design was refined (`bayesnet.refine`); size and seed are those of its picture.

    Attributes:
        steps: pictures tried at most; tried: pictures that were.
        aim: by how much the aim was shifted at last, by property, in its unit.
        before, after: residuals.
        picture: the refined one.
    """

    steps: int
    tried: int
    aim: dict[str, float]
    before: float
    after: float
    picture: PictureRecord
