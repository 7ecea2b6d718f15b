"""Use a trained model on numpy arrays: encode patches, decode latents, synthesise fields.

Pictures are float32 (H, W) in [0, 1]; latents float32 (D,).
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.denoiser.sampling import finish
from core.errors import InputError
from core.hardware import pick_precision
from core.style_vector import style_vector

CHUNK = 8  # patches at once: more gains nothing on a CPU and takes memory

Pictures = NDArray[np.float32]
Latents = NDArray[np.floating]


@torch.no_grad()
def encode_patches(loaded: LoadedModel, patches: Pictures) -> tuple[Pictures, Pictures]:
    """Return mu and logvar of patches.

    Args:
        loaded: the model.
        patches: (N, H, W) in [0, 1]; H = W = 128 for the paper's head, any size of at least 32
            for the statistics head.

    Returns:
        mu and logvar, (N, D) float32 each.

    Raises:
        InputError: the patches have another shape or values that are not finite.
    """
    found = [
        torch.cat(loaded.vae.encode(loaded.vgg(chunk)), dim=1).cpu()
        for chunk in _chunks(loaded, patches)
    ]
    mu, logvar = torch.cat(found).chunk(2, dim=1)
    return mu.numpy(), logvar.numpy()


@torch.no_grad()
def encode_with_style(loaded: LoadedModel, patches: Pictures) -> tuple[Pictures, Pictures]:
    """Return mu (N, D) and style vectors (N, 3072) of patches, by one pass through VGG19.

    Arguments and errors as for `encode_patches`; see `core.style_vector`.
    """
    mu, style = [], []
    for chunk in _chunks(loaded, patches):
        features = loaded.vgg(chunk)
        mu.append(loaded.vae.encode(features)[0].cpu())
        style.append(style_vector(features).cpu())
    return torch.cat(mu).numpy(), torch.cat(style).numpy()


@torch.no_grad()
def decode_many(
    loaded: LoadedModel,
    z: Latents,
    height: int,
    width: int,
    seed: int,
    periodic: bool = True,
    finished: bool = True,
) -> Pictures:
    """Decode latents (N, [rows, columns,] D), all with the same noise: only z tells them apart.

    A model that has a denoiser (`core.denoiser`) finishes what it decodes, unless ``finished`` is
    False: then they are the decoder's drafts.

    Raises:
        InputError: z has another shape or is not finite, or the size is out of range.
        ConfigError: the decoder cannot make this size.
    """
    latents = _latents(loaded, z)
    made = []
    for one in latents.split(1):
        generator = torch.Generator().manual_seed(seed)
        made.append(_picture(loaded, one, (height, width), generator, periodic, finished))
    return torch.cat(made).numpy()


def _picture(
    loaded: LoadedModel,
    z: torch.Tensor,
    size: tuple[int, int],
    generator: torch.Generator,
    periodic: bool,
    finished: bool,
) -> torch.Tensor:
    """Decode and finish z (B, D[, rows, columns]), (B, *size) on the CPU."""
    made = loaded.vae.decode(z, *size, generator, periodic)
    if finished and loaded.denoiser is not None:
        precision = pick_precision("auto", made.device)
        network = loaded.denoiser.prepared(precision)
        made = finish(network, made, z, generator, periodic, precision)
    return made[:, 0].cpu()


def synthesise(
    loaded: LoadedModel,
    z: Latents,
    height: int,
    width: int,
    seed: int,
    periodic: bool = True,
    finished: bool = True,
) -> Pictures:
    """Synthesise one field of a microstructure.

    Args:
        loaded: the model.
        z: (D,) latents of the microstructure, or (rows, columns, D) for a field of cells with a z
            each (see `scatter_cells`).
        height, width: px; multiples of 32 where ``periodic``.
        seed: of the noise: where things are. Another seed, another field of the same material.
        periodic: whether opposite edges fit together.
        finished: as in `decode_many`.

    Returns:
        (height, width) in [0, 1].

    Raises:
        InputError: z has another shape or is not finite, or the size is out of range.
        ConfigError: the decoder cannot make this size.
    """
    z = np.asarray(z)[None]
    picture: Pictures = decode_many(loaded, z, height, width, seed, periodic, finished)[0]
    return picture


def scatter_cells(
    z: Latents, residuals: Latents, height: int, width: int, patch_px: int, seed: int
) -> NDArray[np.float32]:
    """Give each patch-sized cell of a field its own latents, scattered round z.

    A patch holds a handful of particles, so the patches of one specimen differ, and the decoder has
    learned patches: their mean z decodes to an average of all of them, which no specimen shows.

    Args:
        z: (D,) mean latents of the microstructure; the mean over the cells is exactly z.
        residuals: (N, D) differences of real patches from their specimen's mean, to draw from.
        height, width: of the field, px.
        patch_px: side of the patches that the model has learned.
        seed: of the draw.

    Returns:
        (rows, columns, D), cells of about ``patch_px``.

    Raises:
        InputError: there are no residuals to draw from.
    """
    if len(residuals) == 0:
        raise InputError("no patches to draw the scatter within a specimen from")
    rows, columns = (max(round(side / patch_px), 1) for side in (height, width))
    rng = np.random.default_rng(seed)
    count = rows * columns
    order = np.concatenate(
        [rng.permutation(len(residuals)) for _ in range(-(-count // len(residuals)))]
    )[:count]
    drawn = np.asarray(residuals)[order]
    cells = np.asarray(z) + drawn - drawn.mean(axis=0)
    return cells.reshape(rows, columns, -1).astype(np.float32)


def reconstruct(
    loaded: LoadedModel, patches: Pictures, seed: int, finished: bool = True
) -> Pictures:
    """Encode patches (N, H, W) and decode their posterior means, (N, H, W).

    Each patch has noise of its own, as textures at different places have; ``finished`` as in
    `decode_many`.
    """
    height, width = np.shape(patches)[-2:]
    return decode_patches(loaded, encode_patches(loaded, patches)[0], height, width, seed, finished)


@torch.no_grad()
def decode_patches(
    loaded: LoadedModel, mu: Latents, height: int, width: int, seed: int, finished: bool = True
) -> Pictures:
    """Decode latents (N, D) to patches (N, height, width), each with noise of its own.

    ``finished`` as in `decode_many`.

    Raises:
        InputError: the latents have another shape or are not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    made = [
        _picture(loaded, chunk, (height, width), generator, True, finished)
        for chunk in _latents(loaded, mu).split(CHUNK)
    ]
    return torch.cat(made).numpy()


def _chunks(loaded: LoadedModel, patches: Pictures) -> Iterator[torch.Tensor]:
    """Yield (B, 1, H, W) on the model's device."""
    patches = np.ascontiguousarray(patches, dtype=np.float32)
    if patches.ndim != 3 or len(patches) == 0:
        raise InputError(f"patches must be (N, H, W) with N >= 1, not {patches.shape}")
    if not np.isfinite(patches).all():
        raise InputError("patches hold values that are not finite")
    for chunk in torch.from_numpy(patches).unsqueeze(1).split(CHUNK):
        yield chunk.to(loaded.device)


def _latents(loaded: LoadedModel, z: Latents) -> torch.Tensor:
    z = np.asarray(z, dtype=np.float32)
    if z.ndim not in (2, 4) or z.shape[-1] != loaded.config.latents:
        raise InputError(f"latents must end in {loaded.config.latents} dimensions, not {z.shape}")
    if not np.isfinite(z).all():
        raise InputError("latents hold values that are not finite")
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(z, -1, 1))).to(loaded.device)
