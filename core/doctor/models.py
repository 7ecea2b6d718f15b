"""Every model: whether it loads, its parts belong together, and it decodes a patch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.calibrate import UNSEEN
from core.checkpoint import LoadedModel, load_model
from core.denoiser.store import has_denoiser
from core.doctor.finding import Finding
from core.encode import load_latents
from core.errors import CheckpointError, MicroDesignError
from core.files import read_json
from core.folders import recover_folder
from core.labels import FILE as LABELS
from core.labels import load_labels
from core.properties import PropertyModel
from core.reference_file import load_reference
from core.seen import load_seen
from core.synthesis import synthesise
from core.weights import weights_path
from core.workspace import ROOT, models_folder, workspace

SHIPPED = ROOT / "assets" / "reference"
LEAST_CONTRAST = 1e-4  # standard deviation of a decoded patch's grey levels


def check_models(shipped: Path = SHIPPED) -> Iterator[Finding]:
    """Yield what is found of the shipped model and of each in the workspace."""
    yield from check_model("shipped model", shipped, "git checkout assets/reference")
    folder = models_folder()
    found = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    for path in found:
        if not path.name.startswith("."):
            name, remedy = f"model {path.name}", f"train it again, or remove {path}"
            yield from check_model(name, path, remedy)


def check_model(name: str, folder: Path, remedy: str) -> Iterator[Finding]:
    """Yield what is wrong with a model, or that nothing is.

    Args:
        name: for people.
        folder: of the model.
        remedy: what to do where the model itself is damaged.
    """
    try:
        loaded = load_model(folder, backbone=False)
        _check_decoding(loaded)
    except MicroDesignError as error:
        if recover_folder(folder):
            yield Finding(name, "warning", "a crash had left it beside its place; it is back")
            yield from check_model(name, folder, remedy)
            return
        yield Finding(name, "error", str(error), remedy)
        return
    wrong = [*_backbone(name, loaded), *_denoiser(name, loaded), *_parts(name, loaded)]
    yield from wrong
    if not wrong:
        yield Finding(name, "ok", f"loads, decodes, its parts fit; sha256 {loaded.hash[:12]}")


def _check_decoding(loaded: LoadedModel) -> None:
    """Decode a patch.

    Raises:
        CheckpointError: it is no picture.
    """
    side = loaded.config.patch_px
    made = synthesise(loaded, np.zeros(loaded.config.latents), side, side, seed=0)
    contrast = float(made.std())
    if not np.isfinite(made).all() or contrast < LEAST_CONTRAST:
        raise CheckpointError(
            f"it decodes no picture: grey levels {float(made.min()):.3g} to {float(made.max()):.3g}"
        )


def _backbone(name: str, loaded: LoadedModel) -> Iterator[Finding]:
    """Yield whether the installed backbone is another one than the model's."""
    if not weights_path(loaded.config.backbone).is_file():
        return  # `core.doctor.machine` says so
    try:
        _ = loaded.vgg
    except MicroDesignError as error:
        yield Finding(name, "error", str(error), "install the weights it was trained with")


def _denoiser(name: str, loaded: LoadedModel) -> Iterator[Finding]:
    """Yield whether the denoiser in the folder is one for other weights, and so not used."""
    if loaded.denoiser is None and has_denoiser(loaded.path):
        yield Finding(
            f"{name}: denoiser",
            "warning",
            "it was trained with other weights of the model and is not used",
            f"python -m core.denoiser --model {loaded.path} --data DIR",
        )


def _parts(name: str, loaded: LoadedModel) -> Iterator[Finding]:
    """Yield each part that is damaged or of another model."""
    folder, again = loaded.path, f"--model {loaded.path} --data DIR"
    own = workspace() / "networks" / (folder.name if folder != SHIPPED else "reference")
    parts: list[tuple[Path, Callable[[Path], None], str]] = [
        (folder / "latents", _latents_of(loaded), f"python -m core.encode {again}"),
        (folder / UNSEEN, _unseen_of(loaded), f"python -m core.calibrate {again}"),
        (folder / LABELS, _labels_of(loaded), f"python -m core.labels {again}"),
        (folder / "reference.json", _reference_of(loaded), f"python -m core.reference {again}"),
    ]
    for where in (folder, own):
        fit = f"python -m bayesnet.learn {again}" if where == folder else f"remove {own}"
        parts.append((where / "network.json", _network_of(loaded), fit))
        parts.append((where / "properties.json", _properties_of(loaded), fit))
    for path, check, remedy in parts:
        if not path.exists():
            continue  # a part that a model may do without; the pages say what is missing
        try:
            check(path)
        except MicroDesignError as error:
            yield Finding(f"{name}: {path.name}", "error", str(error), remedy)


def _unseen_of(loaded: LoadedModel) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        _latents_of(loaded)(path)
        load_seen(path, load_latents(path))

    return check


def _latents_of(loaded: LoadedModel) -> Callable[[Path], None]:
    return lambda path: _same(load_latents(path).model_hash, loaded, path)


def _labels_of(loaded: LoadedModel) -> Callable[[Path], None]:
    return lambda path: load_labels(path.parent).require_model(loaded.hash)


def _reference_of(loaded: LoadedModel) -> Callable[[Path], None]:
    return lambda path: load_reference(path.parent).require_model(loaded.hash)


def _properties_of(loaded: LoadedModel) -> Callable[[Path], None]:
    return lambda path: PropertyModel.load(path).require_model(loaded.hash)


def _network_of(loaded: LoadedModel) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        content = read_json(path)
        found = content.get("model_hash") if isinstance(content, dict) else None
        _same(found, loaded, path)

    return check


def _same(found: object, loaded: LoadedModel, path: Path) -> None:
    if found != loaded.hash:
        raise CheckpointError(f"{path} belongs to another model than {loaded.path}")
