"""Fixtures of the browser tests."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing
from tests.e2e.server import chromium, dashboard, defects


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


@pytest.fixture(scope="module")
def served(workspace, vgg_weights, tmp_path_factory):
    """A dashboard started from the repository's root; its log must tell of no defect."""
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with dashboard(ROOT, log, MICRODESIGN_WORKSPACE=str(workspace)) as address:
        yield address
    assert not defects(log)
