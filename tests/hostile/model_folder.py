"""A small model folder with every part, made once in the process; copies have one part edited."""

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save

from bayesnet.learn import NetworkConfig, fit_network
from core.checkpoint import save_model
from core.columns import Column
from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.store import save_denoiser
from core.encode import LatentTable, save_latents
from core.files import sha256_file, write_bytes, write_json
from core.images import encode_png
from core.labels import save_labels
from core.model import ModelConfig, TextureVAE
from core.properties import fit_properties
from core.reference_file import Reference, save_reference
from core.usual import UsualSpace, fit_usual
from tests.bayesnet.simulator import simulate
from tests.core.labels.made import made_labels
from tests.core.textures import texture

LATENTS, SPECIMENS = 6, 24
CONFIG = ModelConfig(latents=LATENTS, channels=(8, 8, 8, 8, 8), hidden=8, backbone_sha256="0" * 64)
STYLE = 3072


def latent_table(model_hash: str) -> LatentTable:
    """Return latents of a simulated foundry."""
    found = simulate(specimens=SPECIMENS, dimensions=LATENTS, patches=8, dead=1)
    columns = tuple(Column(c.name, c.unit, c.label, c.role, c.kind) for c in found.columns)
    return LatentTable(
        mu=found.mu,
        logvar=np.full_like(found.mu, -3),
        specimen=found.specimen,
        file=found.file,
        corner=found.corner.astype(np.int32),
        specimens=found.specimens,
        columns=columns,
        data_name="A foundry (synthetic)",
        data_hash="d" * 64,
        model_hash=model_hash,
        synthetic=True,
    )


@cache
def whole() -> Path:
    """Return a model folder with every part."""
    folder = Path(mkdtemp(prefix="whole-")) / "model"
    torch.manual_seed(0)
    manifest = {"name": "A model", "data_name": "A foundry", "synthetic": True, "um_per_px": 1.0}
    save_model(folder, TextureVAE(CONFIG).eval(), manifest)
    table = latent_table(sha256_file(folder / "model.safetensors"))
    denoiser = Denoiser(DenoiserConfig(latents=LATENTS, channels=(8, 8), width=8))
    save_denoiser(folder, denoiser, {"model_hash": table.model_hash})
    save_latents(folder / "latents", table)
    network = fit_network(table, NetworkConfig(regimes=(1,), factors=(2,), folds=3))
    network.save(folder / "network.json")
    fit_properties(table).save(folder / "properties.json")
    save_labels(folder, made_labels(table.model_hash, LATENTS))
    save_reference(folder, _reference(table))
    write_bytes(folder / "examples" / "a.png", encode_png(texture(48, 48, 2.0, 0)))
    entry = {"look": "a", "file": "a.png", "specimen": "s", "um_per_px": 1.0, "settings": {"x": 1}}
    write_json(folder / "examples" / "examples.json", [entry])
    return folder


def _reference(table: LatentTable) -> Reference:
    ones = np.ones(STYLE)
    style = UsualSpace(ones, ones, np.zeros((1, STYLE)), np.zeros(2), np.eye(2), np.ones(2))
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
        style=style,
        limits=(5.0, 5.0),
        patch_limits=(9.0, 9.0),
        layer_limits=(1.0,) * 6,
        distances=(0.2, 0.4),
        graphite=True,
    )


def copied(folder: Path) -> Path:
    """Return a copy of the whole model folder; files are linked, so replace what is changed."""
    made = folder / "model"
    shutil.copytree(whole(), made, copy_function=os.link)
    return made


def put(path: Path, data: bytes) -> None:
    """Replace a file, not what it is linked to."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


GONE = object()


def edited(name: str, *keys: Any, value: Any = GONE) -> Callable[[Path], Path]:
    """Return what makes a model folder one of whose JSON files has one entry changed, or gone."""

    def make(folder: Path) -> Path:
        made = copied(folder)
        content = json.loads((made / name).read_text(encoding="utf-8"))
        place = content
        for key in keys[:-1]:
            place = place[key]
        if value is GONE:
            del place[keys[-1]]
        else:
            place[keys[-1]] = copy.deepcopy(value)
        put(made / name, json.dumps(content).encode())
        return made

    return make


def written(name: str, data: bytes) -> Callable[[Path], Path]:
    """Return what makes a model folder one of whose files has another content."""

    def make(folder: Path) -> Path:
        made = copied(folder)
        put(made / name, data)
        return made

    return make


Tensors = dict[str, torch.Tensor]


def tensors(
    name: str, about: str, change: Callable[[Tensors], Any], key: str = "sha256"
) -> Callable[[Path], Path]:
    """Return what makes a model folder with tensors changed, and their hash put right."""

    def make(folder: Path) -> Path:
        made = copied(folder)
        found = load((made / name).read_bytes())
        changed = change(found)
        found = changed if isinstance(changed, (bytes, dict)) else found
        data = found if isinstance(found, bytes) else save(found)
        put(made / name, data)
        content = json.loads((made / about).read_text(encoding="utf-8"))
        content[key] = hashlib.sha256(data).hexdigest()
        put(made / about, json.dumps(content).encode())
        return made

    return make
