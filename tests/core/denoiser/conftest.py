"""A small denoiser with weights of its own, and a model folder that holds one."""

import shutil
from pathlib import Path

import pytest
import torch

from core.checkpoint import load_model
from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.store import save_denoiser

SMALL = DenoiserConfig(latents=8, channels=(8, 8), width=8, steps=3)


def random_denoiser(config: DenoiserConfig = SMALL, seed: int = 0, size: float = 0.1) -> Denoiser:
    """Return a denoiser all of whose layers have something to say."""
    torch.manual_seed(seed)
    network = Denoiser(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(size * torch.randn(parameter.shape))
    return network


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model with a denoiser."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    weights = load_model(folder, backbone=False).hash
    save_denoiser(folder, random_denoiser(), {"model_hash": weights, "steps": 7})
    return folder
