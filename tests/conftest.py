"""Fixtures that several packages share: VGG19's weights, tiny castings and a tiny model."""

import os
from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.vgg import load_vgg19
from tests.tiny import make_castings, make_model

ROOT = Path(__file__).resolve().parents[1]


def missing(reason: str) -> None:
    """Skip with the reason; in CI, where everything must be there, fail."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"in CI nothing may be missing: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def vgg_weights() -> None:
    """VGG19's weights are at hand (fetched where that is possible)."""
    try:
        load_vgg19()
    except CheckpointError as error:
        missing(f"VGG19's weights cannot be had: {error}")


@pytest.fixture(scope="session")
def tiny_castings(tmp_path_factory):
    """A data set of sixteen small castings."""
    return make_castings(tmp_path_factory.mktemp("tiny") / "castings")


@pytest.fixture(scope="session")
def tiny_model(vgg_weights, tiny_castings, tmp_path_factory) -> Path:
    """A complete model folder, `.../assets/reference`, with a random decoder."""
    folder = tmp_path_factory.mktemp("tiny") / "assets" / "reference"
    make_model(folder, tiny_castings)
    return folder


@pytest.fixture(scope="session")
def reference_model() -> Path:
    """The model that ships in `assets/reference`."""
    folder = ROOT / "assets" / "reference"
    if not (folder / "manifest.json").is_file():
        pytest.skip("assets/reference holds no model")
    return folder


def real_data() -> Path:
    """Where real micrographs may be: MICRODESIGN_REAL_DATA, else `../shared/data/micrographs`."""
    given = os.environ.get("MICRODESIGN_REAL_DATA")
    return Path(given) if given else ROOT.parent / "shared" / "data" / "micrographs"


@pytest.fixture(scope="session")
def real_micrographs() -> Path:
    """A folder with real micrographs."""
    folder = real_data()
    if not (folder / "castiron" / "ductile_sem.png").is_file():
        pytest.skip(f"no real micrographs in {folder}; set MICRODESIGN_REAL_DATA")
    return folder
