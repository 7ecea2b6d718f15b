"""Numbers that stay true: what is computed for `tests/core/golden.json`, and how that is written.

``python -m tests.core.golden --write`` records them anew, ``--print NAME ...`` computes some; do
it only for a change that is meant to change numbers, and say so in `docs/experiments.md`.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from core.denoiser.sampling import finish
from core.descriptors import describe
from core.files import read_json, write_json
from core.model import ModelConfig, TextureVAE
from core.objective import objective, read_originals
from core.train_config import TrainConfig
from core.vgg import load_vgg19
from tests.core.denoiser.conftest import SMALL, random_denoiser
from tests.core.descriptors.drawn import disc, lamella, picture, worm
from tests.core.textures import texture

FILE = Path(__file__).with_name("golden.json")
SIDE = 300
CONFIG = ModelConfig(latents=4, channels=(8, 8, 8, 8, 8), hidden=8, patch_px=64)


def drawn_descriptors() -> dict[str, float | None]:
    """Measure a drawn picture: discs of three sizes, two flakes and a worm, 1.5 um a px."""
    discs = [((50, 60), 30.0), ((60, 180), 44.0), ((140, 240), 24.0), ((230, 70), 36.0)]
    shapes = [disc(SIDE, centre, diameter) for centre, diameter in discs]
    shapes += [lamella(SIDE, (250, 190), 90.0, 8.0, 0.3), lamella(SIDE, (190, 150), 60.0, 6.0, 1.2)]
    shapes.append(worm(SIDE, 30.0, 8.0)[:, :])
    found = describe(picture(shapes), 1.5)
    return dict(found.scalars())


def _model() -> TextureVAE:
    torch.manual_seed(11)
    vae = TextureVAE(CONFIG)
    vae.head.fit_standardisation([torch.rand(16, len(vae.head.centre))])
    return vae.eval()


def _patches(count: int = 2) -> Tensor:
    patches = [texture(64, 64, 1.0 + i, seed=i) for i in range(count)]
    return torch.from_numpy(np.stack(patches))[:, None]


@torch.no_grad()
def decoded_patch(device: str = "cpu") -> dict[str, float]:
    """Decode a fixed latent with a fixed model: moments and pixels."""
    return _moments_and_pixels(_draft(device)[0])


@torch.no_grad()
def finished_patch(device: str = "cpu") -> dict[str, float]:
    """Finish what `decoded_patch` decodes with a fixed denoiser: moments and pixels."""
    draft, z = _draft(device)
    shape = replace(SMALL, latents=CONFIG.latents)
    network = random_denoiser(shape, seed=13, size=0.05).to(device)  # contradicts it here and there
    return _moments_and_pixels(finish(network, draft, z, Generator().manual_seed(7)))


def _draft(device: str) -> tuple[Tensor, Tensor]:
    """Decode a fixed latent with a fixed model; return (1, 1, 96, 64) and the latent (1, 4)."""
    z = torch.linspace(-1.5, 1.5, 4)[None].to(device)
    return _model().to(device).decode(z, 96, 64, Generator().manual_seed(5)), z


def _moments_and_pixels(made: Tensor) -> dict[str, float]:
    """Return the mean, the standard deviation and three pixels of a picture (1, 1, 96, 64)."""
    levels = made.cpu()[0, 0].double()
    pixels = {f"pixel_{y}_{x}": float(levels[y, x]) for y, x in ((0, 0), (31, 17), (95, 63))}
    return {"mean": float(levels.mean()), "sd": float(levels.std()), **pixels}


@torch.no_grad()
def encoded_patches(device: str = "cpu") -> dict[str, float]:
    """Encode two textures with VGG19 and a fixed head."""
    vgg, vae = load_vgg19().to(device), _model().to(device)
    mu, logvar = vae.encode(vgg(_patches().to(device)))
    named = {f"mu_{i}_{j}": float(mu[i, j]) for i in range(2) for j in range(4)}
    return named | {f"logvar_{i}": float(logvar[i].double().mean()) for i in range(2)}


def training_steps() -> dict[str, float]:
    """Train a fixed model for three steps on two textures: the loss terms of each."""
    vgg, vae = load_vgg19(), _model().train()
    config = TrainConfig(model=CONFIG, batch=2, precision="float32")
    adam, found = torch.optim.Adam(vae.parameters(), 1e-3), {}
    for step in range(3):
        originals = read_originals(config, vgg, vae, _patches(), "float32")
        noise = Generator().manual_seed(step)
        loss, terms, _ = objective(config, vgg, vae, originals, noise, "float32", 1.0)
        adam.zero_grad()
        loss.backward()
        adam.step()
        found |= {f"{name}_{step}": float(value) for name, value in terms.items()}
    return found


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "drawn_descriptors": drawn_descriptors,
    "decoded_patch": decoded_patch,
    "finished_patch": finished_patch,
    "encoded_patches": encoded_patches,
    "training_steps": training_steps,
}


def recorded(part: str) -> dict[str, Any]:
    """Return the recorded numbers of a part."""
    found: dict[str, Any] = read_json(FILE)[part]
    return found


def main(argv: list[str] | None = None) -> None:
    """Compute the numbers; print them, or record them."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.golden", description=main.__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--print", choices=list(PARTS), nargs="+", default=[])
    arguments = parser.parse_args(argv)
    if arguments.write:
        write_json(FILE, {name: compute() for name, compute in PARTS.items()})
    if arguments.print:
        print(json.dumps({name: PARTS[name]() for name in arguments.print}))


if __name__ == "__main__":
    main()
