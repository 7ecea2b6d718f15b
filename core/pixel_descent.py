"""Making a texture without a network: the pixels of a noise picture are moved by L-BFGS.

Gatys, Ecker and Bethge 2015, arXiv:1505.07376, with the relative style error (`core.losses`) in
place of their sum of squares.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from core.errors import ConfigError
from core.gram import Statistics, style_statistics
from core.losses import relative_style_error
from core.vgg import VGG19

MEMORY = 10  # pairs that L-BFGS keeps
NOISE = 0.1  # standard deviation of the start's grey levels


@dataclass(frozen=True, slots=True)
class Descent:
    """What optimising the pixels of one patch gave.

    Attributes:
        pixels: (H, W) in [0, 1].
        errors, seconds, evaluations: after 0, 1, 2, ... iterations: relative style error, time and
            passes forwards and back through VGG19 since the start.
    """

    pixels: NDArray[np.float32]
    errors: tuple[float, ...]
    seconds: tuple[float, ...]
    evaluations: tuple[int, ...]

    def reach(self, error: float) -> int | None:
        """Return after how many iterations the error is this low; None where it never is."""
        return next((i for i, found in enumerate(self.errors) if found <= error), None)


class _Pixels:
    """Logits of a picture and its distance from a style, as L-BFGS wants it."""

    def __init__(self, vgg: VGG19, target: Statistics, start: Tensor) -> None:
        self.vgg, self.target = vgg, target
        self.logits = start.clamp(0.02, 0.98).logit().requires_grad_()
        self.evaluations = 0
        self._known: list[tuple[Tensor, Tensor, Tensor]] = []  # logits, error, gradient

    def __call__(self) -> Tensor:
        """Return the error and leave its gradient; what is known already costs no pass."""
        for logits, error, gradient in self._known:
            if torch.equal(logits, self.logits):
                self.logits.grad = gradient.clone()
                return error
        made = style_statistics(self.vgg(self.logits.sigmoid(), last="pool4"))
        error = relative_style_error(self.target, made).mean()
        self.logits.grad = torch.autograd.grad(error, self.logits)[0]
        self.evaluations += 1
        self._known.append((self.logits.detach().clone(), error.detach(), self.logits.grad.clone()))
        return error.detach()

    def forget(self) -> None:
        """Drop what the next iteration cannot ask for again: all but the pixels as they are."""
        self._known = [known for known in self._known if torch.equal(known[0], self.logits)]


def optimise_pixels(
    vgg: VGG19,
    patch: NDArray[np.float32],
    iterations: int,
    seed: int,
    stop_at: float = 0.0,
    least: int = 0,
) -> Descent:
    """Move the pixels of a noise picture until its style is that of a patch.

    Args:
        vgg: the backbone; average pooling is used whatever its own.
        patch: (H, W) in [0, 1].
        iterations: at most.
        seed: of the noise.
        stop_at: error to stop at.
        least: iterations to do all the same.

    Raises:
        ConfigError: ``iterations`` is below 1.
    """
    if iterations < 1:
        raise ConfigError(f"{iterations} iterations: one or more are needed")
    average = vgg.with_pooling("average")
    original = torch.from_numpy(np.ascontiguousarray(patch))[None, None]
    with torch.no_grad():
        target = style_statistics(average(original, last="pool4"))
    noise = torch.randn(original.shape, generator=Generator().manual_seed(seed))
    began = time.perf_counter()
    pixels = _Pixels(average, target, original.mean() + NOISE * noise)
    # One iteration a call, so that each is seen; the state lasts from call to call.
    optimiser = torch.optim.LBFGS(
        [pixels.logits],
        max_iter=1,
        max_eval=25,
        history_size=MEMORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    errors, seconds, evaluations = [float(pixels())], [time.perf_counter() - began], [1]
    while len(errors) <= iterations and (len(errors) <= least or errors[-1] > stop_at):
        optimiser.step(pixels)
        errors.append(float(pixels()))
        pixels.forget()
        seconds.append(time.perf_counter() - began)
        evaluations.append(pixels.evaluations)
    made = pixels.logits.detach().sigmoid()[0, 0].numpy()
    return Descent(made, tuple(errors), tuple(seconds), tuple(evaluations))
