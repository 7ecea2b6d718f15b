"""Claims about reading latents in chunks: the rows of the table, and refusals."""

import json

import numpy as np
import pandas as pd
import pytest

from core.columns import Column
from core.encode import LatentTable, load_latents, save_latents
from core.errors import CheckpointError
from core.latent_stream import open_latents


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    rows, names = 23, np.array(["b", "a", "c"])
    owner = rng.integers(0, 3, rows)
    table = LatentTable(
        mu=rng.normal(size=(rows, 5)).astype(np.float32),
        logvar=np.zeros((rows, 5), np.float32),
        specimen=names[owner],
        file=np.array([f"{names[i]}.png" for i in owner]),
        corner=rng.integers(0, 500, (rows, 2)).astype(np.int32),
        specimens=pd.DataFrame({"uts_mpa": [1.5, np.nan, 3.25]}, index=["b", "a", "c"]),
        columns=(Column("uts_mpa", "MPa", "Strength", "property", "numeric"),),
        data_name="made",
        data_hash="d" * 64,
        model_hash="m" * 64,
        synthetic=True,
    )
    save_latents(tmp_path, table)
    return tmp_path


@pytest.mark.parametrize("size", [1, 10, 100])
def test_chunks_are_the_rows_of_the_table(folder, size):
    stream, table = open_latents(folder), load_latents(folder)
    chunks = list(stream.chunks(size))
    assert [len(c.mu) for c in chunks] == [min(size, 23 - start) for start in range(0, 23, size)]
    for name in ("mu", "specimen", "file", "corner"):
        whole = np.concatenate([getattr(c, name) for c in chunks])
        np.testing.assert_array_equal(whole, getattr(table, name))
    pd.testing.assert_frame_equal(stream.specimens, table.specimens)
    for name in ("columns", "data_name", "data_hash", "model_hash", "synthetic"):
        assert getattr(stream, name) == getattr(table, name)


def test_chunks_of_half_precision_are_those_of_the_table(folder):
    save_latents(folder, load_latents(folder), half=True)
    table, chunks = load_latents(folder), list(open_latents(folder).chunks(10))
    whole = np.concatenate([c.mu for c in chunks])
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, table.mu)


def test_damaged_files_are_refused(folder):
    about = json.loads((folder / "latents.json").read_text())
    (folder / "latents.json").write_text(json.dumps(about | {"specimens": ["b"]}))
    with pytest.raises(CheckpointError, match="out of range"):
        list(open_latents(folder).chunks())
    (folder / "latents.json").write_text(json.dumps(about | {"format": 9}))
    with pytest.raises(CheckpointError, match="format"):
        open_latents(folder)
    (folder / "latents.json").write_text(json.dumps(about))
    (folder / "latents.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged"):
        open_latents(folder)
