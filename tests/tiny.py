"""A complete model folder in seconds: real code, tiny castings, a decoder with random weights.

Its pictures are noise; its latents are random projections of real VGG19 features, so that network
and property models are fitted to something that does tell castings apart.
"""

from pathlib import Path

import numpy as np
import torch

from bayesnet.learn import NetworkConfig, fit_network
from core.castings.design import Plan, space_filling_settings, write_design
from core.checkpoint import load_model, save_model
from core.dataset import DataSet, load_dataset
from core.encode import LatentTable, encode_dataset, save_latents
from core.examples import save_examples
from core.model import ModelConfig, TextureVAE
from core.patches import cut_patches
from core.properties import fit_properties
from core.reference_file import Reference, save_reference
from core.usual import fit_usual
from core.vgg import VGG19, load_vgg19

SPECIMENS, FIELD_PX, STRIDE_PX, LATENTS = 16, 160, 32, 8


def tiny_design(specimens: int = SPECIMENS, side_px: int = FIELD_PX) -> tuple[Plan, ...]:
    """Return the plans of small castings."""
    return tuple(
        Plan(
            specimen=f"t{i:02d}",
            settings=settings,
            seed=500_000 + i,
            n_fields=1,
            height_px=side_px,
            width_px=side_px,
        )
        for i, settings in enumerate(space_filling_settings(specimens, seed=5))
    )


def make_castings(folder: Path, specimens: int = SPECIMENS, side_px: int = FIELD_PX) -> DataSet:
    """Write and load a data set of small castings."""
    write_design(tiny_design(specimens, side_px), folder, "Tiny castings (synthetic)")
    return load_dataset(folder)


def make_model(folder: Path, data: DataSet, seed: int = 0) -> LatentTable:
    """Write a model folder with every part that the dashboard reads; return its latents."""
    torch.manual_seed(seed)
    vgg = load_vgg19()
    config = ModelConfig(
        latents=LATENTS, channels=(8, 8, 8, 8, 8), hidden=32, backbone_sha256=vgg.sha256
    )
    vae = TextureVAE(config)
    with torch.no_grad():
        vae.head.mu.weight.mul_(3.0)  # so that the random latents count as active
    inputs = _inputs(vae, vgg, data)
    vae.head.fit_standardisation([inputs])
    manifest = {
        "name": data.name,
        "data_name": data.name,
        "synthetic": data.synthetic,
        "data_hash": data.hash,
        "images": len(data),
        "specimens": len(data.specimens),
        "um_per_px": 1.0,
        "date": "2026-01-02",
    }
    save_model(folder, vae.eval(), manifest)
    table = encode_dataset(load_model(folder), data, STRIDE_PX)
    save_latents(folder / "latents", table)
    fit_network(table, NetworkConfig(regimes=(1,), factors=(2,))).save(folder / "network.json")
    fit_properties(table).save(folder / "properties.json")
    save_examples(folder, data)
    save_reference(folder, _reference(table, inputs.numpy()))
    return table


@torch.no_grad()
def _inputs(vae: TextureVAE, vgg: VGG19, data: DataSet) -> torch.Tensor:
    patches = np.concatenate([cut_patches(data.read(i).pixels, 128, 128) for i in range(len(data))])
    return vae.head.inputs(vgg(torch.from_numpy(patches)[:, None]))


def _reference(table: LatentTable, style: np.ndarray) -> Reference:
    """Return a reference with limits that castings stay well below; style is (S, 3072)."""
    return Reference(
        model_hash=table.model_hash,
        data_name=table.data_name,
        images=1,
        patches=1,
        style_reconstruction_median=0.15,
        style_reconstruction_p90=0.2,
        style_same_specimen=0.4,
        style_other_specimen=0.8,
        latent=fit_usual(table.mu, table.specimen),
        style=fit_usual(style, np.arange(len(style)), 4),
        limits=(5.0, 5.0),
        patch_limits=(9.0, 9.0),
        layer_limits=(1.0,) * 6,
        distances=(0.2, 0.4, 0.6, 0.8),
        graphite=True,
        metrics={
            "stsim2": {
                arm: {"mean": mean, "low": mean, "high": mean, "median": mean, "n": 1}
                for arm, mean in (
                    ("reconstruction", 0.983),
                    ("same_specimen", 0.972),
                    ("other_specimen", 0.961),
                )
            }
        },
    )
