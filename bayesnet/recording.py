"""Write down what a design was made from: the recipe, and what its files say about themselves."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

import core
from bayesnet.design import Design
from bayesnet.network import Network
from bayesnet.pictures import Picture
from bayesnet.recipe import NO_PART, PictureRecord, Recipe, RefinementRecord
from bayesnet.refine import Refinement
from bayesnet.storage import counting
from bayesnet.wording import wished
from core.checkpoint import LoadedModel, versions
from core.columns import Column, Role
from core.denoiser.store import denoiser_hash
from core.encode import ABOUT
from core.errors import CheckpointError
from core.files import read_json, sha256_file
from core.hardware import describe
from core.images import to_uint8
from core.regressor import Prediction


def parts_of(model: Path, fitted: Path | None = None) -> dict[str, str]:
    """Return the SHA-256 of every part of a model folder that a design depends on.

    Args:
        model: the model folder.
        fitted: where network and property models are, the model folder by default.

    Raises:
        CheckpointError: a part is missing.
    """
    fitted = fitted or model
    try:
        manifest, latents = (read_json(model / n) for n in ("manifest.json", f"latents/{ABOUT}"))
        return {
            "model": str(manifest["weights_sha256"]),
            "network": sha256_file(counting(fitted / "network.json")),
            "properties": sha256_file(fitted / "properties.json"),
            "latents": str(latents["sha256"]),
            "denoiser": denoiser_hash(model, str(manifest["weights_sha256"])) or NO_PART,
        }
    except (OSError, KeyError, TypeError) as error:
        raise CheckpointError(f"the model in {model} is incomplete: {error}") from error


def record(
    design: Design,
    loaded: LoadedModel,
    network: Network,
    parts: Mapping[str, str],
    sample_px: int,
    name: str | None = None,
    refinement: Refinement | None = None,
) -> Recipe:
    """Return a design's recipe.

    Args:
        design: made with exactly these parts, its samples ``sample_px`` px wide.
        loaded: the model.
        network: of the model.
        parts: see `parts_of`.
        sample_px: side of the samples.
        name: of the model for people; the one in its manifest by default.
        refinement: of the design, where it was refined.
    """
    manifest, found = loaded.manifest, design.answer.feasibility
    return Recipe(
        targets=dict(design.targets),
        process=dict(design.process),
        seed=design.main.seed,
        size_px=len(design.main.pixels),
        samples=len(design.samples) + design.dropped,
        sample_px=sample_px,
        parts=dict(parts),
        model={
            "name": str(name or manifest.get("name") or "unnamed"),
            "data_name": str(manifest.get("data_name") or "unnamed"),
            "data_sha256": str(manifest.get("data_hash") or ""),
            "synthetic": bool(network.synthetic or manifest.get("synthetic")),
        },
        columns=_columns(network),
        verdict=found.verdict,
        distance=float(found.distance),
        message=found.message,
        nearest=None if found.nearest is None else dict(found.nearest),
        designed_for=dict(design.answer.conditioned_on),
        recommended={
            k: Prediction(v.value, v.low, v.high) for k, v in design.answer.process.items()
        },
        pictures=tuple(_picture(p) for p in design.pictures),
        refinement=None if refinement is None else _refined(refinement),
        calibration=dict(design.calibration),
        periodic=loaded.config.decoder != "paper",
        um_per_px=design.um_per_px,
        versions={"microdesign": core.__version__, **versions()},
        machine={"hardware": describe(loaded.device), "threads": torch.get_num_threads()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _columns(network: Network) -> tuple[Column, ...]:
    found = []
    for node in network.nodes:
        role: Role = "process" if node.role == "process" else "property"  # descriptors too
        if node.role != "latent":
            found.append(Column(node.column, node.unit, node.label, role, "numeric"))
    return tuple(found)


def _picture(picture: Picture) -> PictureRecord:
    height, width = picture.pixels.shape
    return PictureRecord(
        shape=(height, width),
        seed=picture.seed,
        sha256=hashlib.sha256(picture.pixels.astype("<f4").tobytes()).hexdigest(),
        sha256_8bit=hashlib.sha256(to_uint8(picture.pixels).tobytes()).hexdigest(),
        latents=tuple(float(v) for v in np.asarray(picture.z)),
        predicted=dict(picture.predicted),
    )


def _refined(found: Refinement) -> RefinementRecord:
    return RefinementRecord(
        steps=found.steps,
        tried=len(found.attempts) - 1,
        aim=dict(found.aim),
        before=float(found.before),
        after=float(found.residual),
        picture=_picture(found.picture),
    )


def picture_text(recipe: Recipe, place: int = 0, *, refined: bool | None = None) -> dict[str, str]:
    """Return what the file of a design's picture says about itself (PNG text, ImageJ's Info).

    The first place is the picture shown, refined where the design was, unless ``refined`` says.

    No date: a replay's files are those of the design, byte for byte.
    """
    named = recipe.named
    asked = ", ".join(
        f"{named[n].label if n in named else n} {wished(w, named[n].unit if n in named else '')}"
        for n, w in recipe.designed_for.items()
    )
    text: dict[str, Any] = {
        "Description": f"Microstructure synthesised by MicroDesign for {asked}",
        "Software": f"MicroDesign {recipe.versions['microdesign']}",
        "Seed": str(recipe.pictures[place].seed),
        "Periodic": "yes: opposite edges fit together" if recipe.periodic else "no",
        "Model": f"{recipe.model['name']}, weights sha256 {recipe.parts['model']}",
    }
    if place == 0 and recipe.refinement is not None and refined is not False:
        text["Description"] += ", refined"
    if recipe.synthetic:
        text["Disclaimer"] = "The model was trained on synthetic micrographs and strengths"
    return text
