"""Claims about what counts as data that a model has not seen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.calibrate import UNSEEN
from core.checkpoint import LoadedModel
from core.conformal import Calibration
from core.dataset import DataSet
from core.encode import load_latents, save_latents
from core.errors import InputError
from core.properties import PropertyModel
from core.reference_file import FILE, load_reference, save_reference
from core.unseen import require_unseen
from tests.core.textures import make_textures


@pytest.fixture
def folder(loaded: LoadedModel, tmp_path: Path) -> LoadedModel:
    """The tiny model in an otherwise empty folder, which says its weights."""
    (tmp_path / "manifest.json").write_text(json.dumps({"weights_sha256": loaded.hash}))
    return replace(loaded, path=tmp_path)


@pytest.fixture
def fresh(tmp_path: Path) -> DataSet:
    """Data that no part of the tiny model has seen."""
    return make_textures(tmp_path / "fresh", 2, 1, 128, 128)


def test_data_are_unseen_until_a_part_of_the_model_comes_from_them(
    loaded: LoadedModel, folder: LoadedModel, fresh: DataSet
) -> None:
    require_unseen(loaded, fresh)
    require_unseen(folder, fresh)
    own = replace(folder, manifest=folder.manifest | {"data_hash": fresh.hash})
    with pytest.raises(InputError, match="trained on"):
        require_unseen(own, fresh)


def test_data_that_intervals_were_calibrated_on_are_refused(
    loaded: LoadedModel, folder: LoadedModel, fresh: DataSet
) -> None:
    model = PropertyModel.load(loaded.path / "properties.json")
    used = Calibration(method="unseen", specimens=9, data_hash=fresh.hash)
    first, *rest = model.regressors
    calibrated = replace(model, regressors=(*rest, replace(first, calibration=used)))
    calibrated.save(folder.path / "properties.json")
    with pytest.raises(InputError, match="intervals were calibrated on these data"):
        require_unseen(folder, fresh)


def test_data_whose_latents_are_kept_for_calibration_are_refused(
    loaded: LoadedModel, folder: LoadedModel, fresh: DataSet
) -> None:
    """The network's intervals come from them, and those of few specimens' properties do not."""
    table = load_latents(loaded.path / "latents")
    save_latents(folder.path / UNSEEN, replace(table, data_hash=fresh.hash))
    with pytest.raises(InputError, match="intervals were calibrated on these data"):
        require_unseen(folder, fresh)


def test_data_that_limits_were_measured_on_are_refused_where_the_file_says_so(
    loaded: LoadedModel, folder: LoadedModel, fresh: DataSet
) -> None:
    reference = load_reference(loaded.path)
    save_reference(folder.path, replace(reference, data_hash=fresh.hash))
    with pytest.raises(InputError, match="limits on usual micrographs are from these data"):
        require_unseen(folder, fresh)
    older = json.loads((folder.path / FILE).read_text())
    del older["data_hash"]
    (folder.path / FILE).write_text(json.dumps(older))
    assert load_reference(folder.path).data_hash == ""
    require_unseen(folder, fresh)
