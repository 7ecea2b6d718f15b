"""Fixtures of the browser tests."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing
from tests.e2e.server import chromium, dashboard, defects

LONGEST_FIRST = ("test_own_data", "test_journeys", "test_accessibility")  # files


@pytest.fixture(scope="session")
def executable() -> str:
    """Where Chromium is."""
    found = chromium()
    if found is None:
        missing("no Chromium found; see tests/e2e/install_browser.sh")
    return found


@pytest.fixture(scope="session")
def workspace(request, tmp_path_factory) -> Path:
    """A workspace; with a tiny model in it where assets/reference holds none."""
    folder = tmp_path_factory.mktemp("workspace")
    if not (ROOT / "assets" / "reference" / "manifest.json").is_file():
        tiny = request.getfixturevalue("tiny_model")
        shutil.copytree(tiny, folder / "models" / "tiny")
    return folder


@pytest.fixture(scope="session")
def served(workspace, vgg_weights, tmp_path_factory):
    """A dashboard started from the repository's root, cut off from the network.

    Its log must tell of no defect, and it must not have tried to reach another machine.
    """
    folder = tmp_path_factory.mktemp("log")
    log, tried = folder / "log.txt", folder / "connections.txt"
    tried.touch()
    environment = {
        "MICRODESIGN_WORKSPACE": str(workspace),
        "MICRODESIGN_OFFLINE_LOG": str(tried),
        "PYTHONPATH": str(Path(__file__).parent / "offline"),
    }
    with dashboard(ROOT, log, **environment) as address:
        yield address
    assert not defects(log)
    assert tried.read_text(encoding="utf-8") == ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, so that no process ends with it alone."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    ours.sort(key=lambda item: places.get(item.path.stem, len(places)))
    items[:] = [item for item in items if item not in ours] + ours
