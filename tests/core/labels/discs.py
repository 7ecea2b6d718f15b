"""A decoder whose latents are known: discs whose size, number and matrix follow z.

Latent 0 makes discs larger, latent 1 fewer, latent 2 the matrix lighter; latent 3 does nothing.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from core.encode import LatentTable
from core.labels import Labels, Plan, label_latents
from core.labels.quantities import measure_picture
from core.labels.traversals import Decode

LATENTS, SIDE_PX, CELL_PX = 4, 128, 32
SPECIMENS, PATCHES = 10, 3
PLAN = Plan(values=(-4.0, 0.0, 4.0), starts=3, size_px=SIDE_PX, directions=0)


def draw(z: np.ndarray, seed: int) -> np.ndarray:
    """Draw discs for latents (V, 4), (V, SIDE_PX, SIDE_PX); the seed says where they lie."""
    rng = np.random.default_rng(seed)
    side = SIDE_PX // CELL_PX
    order = rng.permutation(side * side)
    shift = rng.uniform(-2, 2, (side * side, 2))
    noise = rng.normal(0, 0.01, (SIDE_PX, SIDE_PX))
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    pictures = []
    for size, sparsity, light, _ in z:
        picture = 0.6 + 0.02 * light + noise
        radius = np.clip(9 + 0.8 * size, 5.6, 13)
        for cell in order[: int(np.clip(round(9 - 1.4 * sparsity), 3, 16))]:
            middle = CELL_PX * (np.array(divmod(cell, side)) + 0.5) + shift[cell]
            picture[np.hypot(y - middle[0], x - middle[1]) < radius] = 0.15
        pictures.append(np.clip(picture, 0, 1))
    return np.stack(pictures).astype(np.float32)


def latent_table(seed: int = 0) -> LatentTable:
    """Return random latents of specimens and their patches."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 0.8, (SPECIMENS, LATENTS))
    mu = np.repeat(mean, PATCHES, axis=0)
    mu += rng.normal(0, 0.4, mu.shape)
    names = [f"s{i:02d}" for i in range(SPECIMENS)]
    return LatentTable(
        mu=mu.astype(np.float32),
        logvar=np.zeros_like(mu, dtype=np.float32),
        specimen=np.repeat(names, PATCHES),
        file=np.repeat([f"{name}.png" for name in names], PATCHES),
        corner=np.tile([[0, 0], [0, 128], [128, 0]], (SPECIMENS, 1)).astype(np.int32),
        specimens=pd.DataFrame(index=pd.Index(names, name="specimen")),
        columns=(),
        data_name="Discs",
        data_hash="d" * 64,
        model_hash="a" * 64,
        synthetic=True,
    )


@cache
def measured_specimens() -> np.ndarray:
    """Measure a picture of each specimen, (S, Q)."""
    first = latent_table().mu[::PATCHES]
    return np.stack([measure_picture(draw(z[None], 50 + i)[0], 1.0) for i, z in enumerate(first)])


def label_discs(
    table: LatentTable | None = None,
    decode: Decode = draw,
    plan: Plan = PLAN,
    only: Sequence[int] | None = None,
    influence: np.ndarray | None = None,
) -> Labels:
    """Label the latents of the discs."""
    table = table or latent_table()
    known = None if influence is None else lambda dimensions: influence
    return label_latents(decode, table, measured_specimens(), plan, 1.0, only, known)
