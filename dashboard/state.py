"""Where models live, and their parts, loaded once and shared by all sessions."""

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from bayesnet.fit_files import NETWORK, PROPERTIES
from bayesnet.network import Network
from core.allocator import Trim
from core.checkpoint import PICTURE_PARTS, LoadedModel, load_model
from core.encode import LatentTable, load_latents
from core.errors import CheckpointError, InputError
from core.examples import Example, load_examples
from core.exports.spreadsheet import model_cells
from core.files import read_json
from core.measured_columns import Kind
from core.properties import PropertyModel
from core.reference_file import Reference, load_reference
from core.turns import Turns
from core.workspace import workspace as core_workspace
from dashboard import places

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"
REFERENCE = "reference"
FITTED = (NETWORK, PROPERTIES)
logger = logging.getLogger(__name__)


def workspace() -> Path:
    """Return the folder for everything that users make: MICRODESIGN_WORKSPACE, or `workspace/`."""
    return core_workspace()


@dataclass(frozen=True)
class Model:
    """A model folder as the pages see it.

    Attributes:
        id: what the address calls it.
        folder: with `manifest.json`.
        manifest: its content.
    """

    id: str
    folder: Path
    manifest: dict[str, Any] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its name for people."""
        given = str(self.manifest.get("name") or "")
        if self.id == REFERENCE:
            return "Reference model"
        return f"{self.id}: {given}" if given else self.id

    @property
    def place(self) -> str:
        """Its folder in commands that pages show, without where that lies on the server."""
        return places.shown(self.folder)

    @property
    def synthetic(self) -> bool:
        """Whether it was trained on simulated micrographs."""
        return bool(self.manifest.get("synthetic"))

    @property
    def cells(self) -> tuple[str, str]:
        """What a table of its predictions says of it (`core.exports.spreadsheet.MODEL_HEADER`)."""
        return model_cells(self.name, self.manifest)

    @property
    def synthetic_label(self) -> str:
        """What its synthetic data are called."""
        return "synthetic reference castings" if self.id == REFERENCE else "synthetic data"

    @property
    def um_per_px(self) -> float | None:
        """Scale of its micrographs."""
        scale = self.manifest.get("um_per_px")
        return float(scale) if isinstance(scale, (int, float)) and scale > 0 else None

    @property
    def fitted_folder(self) -> Path:
        """Where a network that was fitted in the dashboard is kept."""
        return workspace() / "networks" / self.id

    @property
    def refitted(self) -> bool:
        """Whether a network fitted in the dashboard, to this very model's latents, is kept."""
        try:
            about = read_json(self.fitted_folder / NETWORK)
        except CheckpointError:
            return False
        return isinstance(about, dict) and about.get("model_hash") == self.weights

    @property
    def weights(self) -> str | None:
        """The hash of the model's weights."""
        return self.manifest.get("weights_sha256")

    def part(self, name: str) -> Path:
        """Return a part's path: of the fit made in the dashboard, else the model's own."""
        fitted = name in FITTED and self.refitted
        return (self.fitted_folder if fitted else self.folder) / name

    def key(self, *names: str) -> tuple[str, ...]:
        """Return what changes when one of these parts is replaced; part of every cache key."""
        parts = [self.part(name) for name in names or ("manifest.json",)]
        return tuple(map(stamped, parts))


def stamped(path: Path) -> str:
    """Return a path and what changes when its file is replaced; part of cache keys."""
    try:
        status = path.stat()
    except OSError:
        return f"{path}@missing"
    return f"{path}@{status.st_mtime_ns}-{status.st_size}"


def models() -> tuple[Model, ...]:
    """Return the models that are there: the reference model, then the workspace's by name."""
    return tuple(model for model in _installed().values() if isinstance(model, Model))


def damaged_models() -> dict[str, str]:
    """Return the models that cannot be offered because their manifest is damaged: id -> why."""
    return {
        name: str(found) for name, found in _installed().items() if not isinstance(found, Model)
    }


def _installed() -> dict[str, Model | CheckpointError]:
    folders = {REFERENCE: ASSETS / REFERENCE}
    made = workspace() / "models"
    if made.is_dir():
        for folder in sorted(made.iterdir()):
            if re.fullmatch(r"[A-Za-z0-9][\w.-]*", folder.name) and folder.name not in folders:
                folders[folder.name] = folder
    found: dict[str, Model | CheckpointError] = {}
    for name, folder in folders.items():
        path = folder / "manifest.json"
        if not path.is_file():
            continue
        try:
            manifest = read_json(path)
            if not isinstance(manifest, dict):
                raise CheckpointError(f"{path} is damaged: it holds no settings")
            found[name] = Model(name, folder, manifest)
        except CheckpointError as error:
            found[name] = error
    return found


@st.cache_resource(show_spinner=False)
def lock() -> Turns:
    """Return the gate around inference: two at once are slower than one after the other."""
    return Turns(tidy=Trim())


def loaded(model: Model) -> LoadedModel:
    """Load the model, once; its backbone at the first use, so that a first picture comes sooner.

    Raises:
        CheckpointError: the folder is damaged.
    """
    return _load(str(model.folder), model.key("manifest.json", *PICTURE_PARTS))


@st.cache_resource(max_entries=2, show_spinner=False)
def _load(folder: str, key: tuple[str, ...]) -> LoadedModel:
    return load_model(Path(folder), backbone=False)


def network(model: Model) -> Network | None:
    """Return the model's network, None where none was fitted."""
    path = model.part("network.json")
    return _network(model.key("network.json"), str(path)) if path.is_file() else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _network(key: tuple[str, ...], path: str) -> Network:
    return Network.load(Path(path))


def properties(model: Model) -> PropertyModel | None:
    """Return the model's property predictors, None where none were fitted."""
    path = model.part("properties.json")
    return _properties(model.key("properties.json"), str(path)) if path.is_file() else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _properties(key: tuple[str, ...], path: str) -> PropertyModel:
    return PropertyModel.load(Path(path))


def latents(model: Model) -> LatentTable:
    """Return the latents of the model's training set.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    return _latents(model.key("latents/latents.json"), str(model.folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _latents(key: tuple[str, ...], folder: str) -> LatentTable:
    return load_latents(Path(folder) / "latents")


def reference(model: Model) -> Reference:
    """Return what is usual for the model.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    return _reference(model.key("reference.json"), str(model.folder))


def measured_kind(model: Model) -> Kind:
    """Return what is measured on the model's pictures: graphite where it is known to have some."""
    try:
        return "graphite" if reference(model).graphite else "phases"
    except CheckpointError:
        return "phases"


@st.cache_resource(max_entries=4, show_spinner=False)
def _reference(key: tuple[str, ...], folder: str) -> Reference:
    return load_reference(Path(folder))


def examples(model: Model) -> tuple[Example, ...]:
    """Return the model's example micrographs, none where it has none."""
    return _examples(model.key("examples/examples.json"), str(model.folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _examples(key: tuple[str, ...], folder: str) -> tuple[Example, ...]:
    return load_examples(Path(folder))


def example(model: Model, look: str) -> Example:
    """Return the example of a look.

    Raises:
        InputError: the model has no such example.
    """
    for one in examples(model):
        if one.look == look:
            return one
    raise InputError(f"the model has no example {look!r}")


def latent_folders(model: Model) -> dict[str, Path]:
    """Return the data sets whose latents are at hand for this model: title -> folder.

    These are the model's own training set and the folders in the workspace's `latents/` that were
    encoded with this model.
    """
    folders = [model.folder / "latents"]
    cached = workspace() / "latents"
    folders += sorted(cached.iterdir()) if cached.is_dir() else []
    found = {}
    for folder in folders:
        if not (folder / "latents.json").is_file():
            continue
        try:
            about = read_json(folder / "latents.json")
        except CheckpointError:
            logger.warning("%s is damaged and left out", folder / "latents.json")
            continue
        if isinstance(about, dict) and about.get("model_hash") in (None, model.weights):
            own = folder == model.folder / "latents"
            found["the model's training set" if own else folder.name] = folder
    return found
