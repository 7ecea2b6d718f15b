"""`core.train` in float64: `python -m tests.core.train_in_double --data DIR --out DIR ...`.

Two ways of adding up the same step agree in it to 1e-15. In float32 they agree to 1e-6 before the
kinks of ReLU, and where a feature lies so near to zero that rounding decides its sign, gradients
differ by parts in a thousand: how far apart two float32 runs come after some steps is a matter of
the processor's convolutions.
"""

from collections.abc import Callable

import torch

from core import decoders, train, trainer


def in_double(put: Callable[[object, str, object], None] = setattr) -> None:
    """Have trainers compute in float64; ``put`` sets an attribute of a module (`setattr`)."""
    load, style_in_strips = trainer.load_vgg19, decoders.style_in_strips
    put(trainer, "load_vgg19", lambda *which: load(*which).double())
    put(trainer, "accelerate", lambda vgg: vgg)  # Winograd's convolutions are float32 only
    put(decoders, "style_in_strips", lambda x, *rest: style_in_strips(x, *rest).to(x.dtype))
    torch.set_default_dtype(torch.float64)


if __name__ == "__main__":
    in_double()
    raise SystemExit(train.main())
