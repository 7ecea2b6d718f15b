"""Claims about the two files of a fit: both old or both new, whatever happens in between."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bayesnet.fit_files import NETWORK, PROPERTIES, write_fit
from bayesnet.network import Network
from bayesnet.recording import parts_of
from core.files import NEXT, finish_together, sha256_file
from core.properties import PropertyModel


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A model's folder of one's own."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def parts(folder: Path, note: str) -> tuple[Network, PropertyModel]:
    network, fitted = Network.load(folder / NETWORK), PropertyModel.load(folder / PROPERTIES)
    return replace(network, notes=(note,)), replace(fitted, notes=(note,))


def notes(folder: Path) -> set[str]:
    network, fitted = Network.load(folder / NETWORK), PropertyModel.load(folder / PROPERTIES)
    return {*network.notes, *fitted.notes}


def test_a_crash_between_the_two_files_leaves_a_whole_fit(folder, monkeypatch):
    write_fit(folder, *parts(folder, "old"))
    with monkeypatch.context() as crashed:
        crashed.setattr("core.files.finish_together", lambda *_: None)
        write_fit(folder, *parts(folder, "new"))
    waiting = folder / (NETWORK + NEXT)
    assert waiting.is_file() and notes(folder) == {"new"}
    assert parts_of(folder)["network"] == sha256_file(waiting)
    finish_together(folder, (NETWORK,), PROPERTIES)
    assert not waiting.exists() and notes(folder) == {"new"}


def test_a_network_of_a_fit_that_never_came_to_count_is_left_aside(folder):
    write_fit(folder, *parts(folder, "old"))
    network, _ = parts(folder, "new")
    network.save(folder / (NETWORK + NEXT))
    assert notes(folder) == {"old"}
    write_fit(folder, *parts(folder, "newer"))
    assert notes(folder) == {"newer"} and not list(folder.glob(f"*{NEXT}"))


def test_a_fit_without_property_models_takes_those_of_another_away(folder):
    network, _ = parts(folder, "unlabelled")
    write_fit(folder, network, None)
    assert Network.load(folder / NETWORK).notes == ("unlabelled",)
    assert not (folder / PROPERTIES).exists()
