"""How fast each weight learns: the schedule, and the parameters' shares of the learning rate."""

import math
from typing import Any

from torch import nn

from core.model import TextureVAE

# Part of the model -> share; the first that fits. The strength of the grain is hundredths of a grey
# level, and the sum of 256 inputs.
_SHARES = {"head": 0.1, "mapping": 0.1, "grain.strength": 0.003, "affine": 0.3}


def falling_rate(
    progress: float, step: int, peak: float, warm_up: int, final_fraction: float
) -> float:
    """Return the learning rate at ``progress`` (0 to 1) of the schedule.

    It reaches ``peak`` after ``warm_up`` steps, then falls along a cosine to ``final_fraction``.
    """
    cosine = 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    scale = final_fraction + (1 - final_fraction) * cosine
    return peak * scale * min(1.0, (step + 1) / max(warm_up, 1))


def rate_groups(vae: TextureVAE) -> list[dict[str, Any]]:
    """Return the parameters that learn, with their share of the learning rate.

    A step of Adam moves each weight by about the learning rate, so the output of a linear layer by
    that times its inputs (3072 in the head): such layers go slower.
    """
    shares: dict[float, list[nn.Parameter]] = {}
    for name, parameter in vae.named_parameters():
        if not parameter.requires_grad:
            continue
        share = next((v for part, v in _SHARES.items() if f".{part}." in f".{name}"), 1.0)
        shares.setdefault(share, []).append(parameter)
    return [{"params": parameters, "share": share} for share, parameters in shares.items()]
