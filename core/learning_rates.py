"""How fast each weight learns: the parameters in groups with their share of the learning rate."""

from typing import Any

from torch import nn

from core.model import TextureVAE

# Part of the model -> share; the first that fits. The strength of the grain is hundredths of a grey
# level, and the sum of 256 inputs.
_SHARES = {"head": 0.1, "mapping": 0.1, "grain.strength": 0.003, "affine": 0.3}


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
