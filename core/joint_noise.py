"""Noise of one batch that several processes share.

What is random in a training step follows from (seed, step). Where a batch is spread over processes
(`core.parallel`), each draws the noise of the whole batch and takes its own rows, so that the
result does not depend on how many processes there are.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor


class JointGenerator(Generator):
    """A CPU generator that knows which of ``count`` equal shares of a batch is its own."""

    place: int
    count: int

    @classmethod
    def of_share(cls, place: int, count: int, seed: int) -> "JointGenerator":
        """Return the generator, seeded, of share ``place`` (0, 1, ...) of ``count``."""
        made = cls()
        made.manual_seed(seed)
        made.place, made.count = place, count
        return made


def draw_normal(shape: Sequence[int], generator: Generator | None) -> Tensor:
    """Draw normal noise, float32, whose first dimension counts pictures or latents of a batch.

    Args:
        shape: (B, ...), B of this share.
        generator: where it comes from and where it is drawn; for a `JointGenerator` the rows are
            those of its share of the whole batch. None draws from torch's global generator.
    """
    device = "cpu" if generator is None else generator.device
    if not isinstance(generator, JointGenerator):
        return torch.randn(tuple(shape), generator=generator, device=device, dtype=torch.float32)
    whole = (shape[0] * generator.count, *shape[1:])
    first = generator.place * shape[0]
    rows = torch.randn(whole, generator=generator, dtype=torch.float32)
    return rows[first : first + shape[0]]
