"""The metrics that results and pages show, with what each is called and which way is better."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.metrics.dists import DISTS, why_not_available
from core.vgg import VGG19

CHUNK = 8  # pictures compared at once
Pictures = NDArray[np.float32]
Comparison = Callable[[Tensor, Tensor], Tensor]  # (B, 1, H, W), (B, 1, H, W) -> (B,)


@dataclass(frozen=True, slots=True)
class Metric:
    """How one metric is named.

    Attributes:
        name: its key in results.
        label: for people.
        higher_is_better: a similarity; otherwise a distance, 0 for equal pictures.
        about: what it compares, in one sentence.
        fields_only: whether a patch is too small a sample for it.
    """

    name: str
    label: str
    higher_is_better: bool
    about: str
    fields_only: bool = False


CATALOGUE = (
    Metric(
        "style",
        "Relative style error",
        False,
        "Gram matrices of VGG19 features; what the model is trained on.",
    ),
    Metric(
        "portilla_simoncelli",
        "Portilla-Simoncelli distance",
        False,
        "Joint statistics of a steerable pyramid; knows nothing of VGG.",
    ),
    Metric(
        "two_point",
        "Two-point correlation distance",
        False,
        "How likely two points at a distance both lie in the dark phase; knows nothing of VGG.",
        fields_only=True,  # `core.metrics.two_point` says why
    ),
    Metric(
        "stsim2",
        "STSIM-2",
        True,
        "Subband statistics of a steerable pyramid, over the whole picture (Zujovic et al. 2013).",
    ),
    Metric(
        "dists",
        "DISTS (torchmetrics), 1 − distance",
        True,
        "Structure and texture in VGG16 features; compares aligned pixels (Ding et al. 2020).",
    ),
)


def load_metrics(vgg: VGG19, side_px: int) -> tuple[dict[str, Comparison], dict[str, str]]:
    """Return what can be computed here, name -> function, and why the rest cannot, name -> reason.

    Args:
        vgg: the backbone of the style error.
        side_px: smallest side of the pictures to come, a multiple of 16.
    """
    # Imported here: plenoptic takes seconds, and most of the program needs no metrics.
    from core.metrics import portilla, stsim, style, two_point

    found: dict[str, Comparison] = {}
    missing: dict[str, str] = {}
    for name, least_px, metric in (
        ("style", style.LEAST_PX, style.RelativeStyleError(vgg)),
        ("portilla_simoncelli", portilla.LEAST_PX, portilla.PortillaSimoncelliDistance()),
        ("two_point", two_point.REPORTED_FROM_PX, two_point.TwoPointDistance()),
        ("stsim2", stsim.LEAST_PX, stsim.STSIM2()),
    ):
        if side_px >= least_px:
            found[name] = metric
        else:
            missing[name] = f"needs pictures of {least_px} px or more, not {side_px}"
    if reason := why_not_available():
        missing["dists"] = reason
    else:
        found["dists"] = DISTS()
    return found, missing


@torch.no_grad()
def compare(
    metrics: Mapping[str, Comparison], first: Pictures, second: Pictures
) -> dict[str, NDArray[np.float64]]:
    """Compare pictures (N, H, W) with originals (N, H, W) by every metric, each (N,)."""
    found: dict[str, list[Tensor]] = {name: [] for name in metrics}
    pairs = [torch.from_numpy(np.ascontiguousarray(p)).unsqueeze(1) for p in (first, second)]
    for x, y in zip(*(p.split(CHUNK) for p in pairs), strict=True):
        for name, metric in metrics.items():
            found[name].append(metric(x, y).double())
    return {name: torch.cat(values).numpy() for name, values in found.items()}
