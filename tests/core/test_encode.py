"""Claims about cached latents: they come back exactly, damage is refused, wrong data too."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.checkpoint import LoadedModel
from core.columns import Column
from core.encode import (
    LatentTable,
    encode_dataset,
    load_latents,
    main,
    patch_scatter,
    save_latents,
)
from core.errors import CheckpointError, InputError
from core.files import sha256_file
from core.synthesis import encode_patches
from tests.core.textures import make_textures


def make_table() -> LatentTable:
    """Seven patches of three specimens; awkward numbers, texts and gaps among the labels."""
    rng = np.random.default_rng(0)
    specimens = pd.DataFrame(
        {
            "mg_wt": [0.1 + 0.2, 1 / 3, np.nan],
            "inoculant": ["None", "07", "NA"],
            "uts_mpa": [412.123456789012345, 1e-300, 3.0],
        },
        index=pd.Index(["nan", "007", "b"], name="specimen"),
    )
    return LatentTable(
        mu=rng.standard_normal((7, 4)).astype(np.float32),
        logvar=rng.standard_normal((7, 4)).astype(np.float32),
        specimen=np.array(["007", "b", "nan", "b", "007", "007", "nan"]),
        file=np.array([f"{c}.png" for c in "bcacbba"]),
        corner=np.arange(14, dtype=np.int32).reshape(7, 2),
        specimens=specimens,
        columns=(
            Column("mg_wt", "wt%", "Magnesium", "process", "numeric"),
            Column("inoculant", "", "Inoculant", "process", "categorical"),
            Column("uts_mpa", "MPa", "Strength", "property", "numeric"),
        ),
        data_name="Awkward",
        data_hash="d" * 64,
        model_hash="m" * 64,
        synthetic=True,
    )


def test_latents_come_back_exactly(tmp_path: Path) -> None:
    table = make_table()
    save_latents(tmp_path, table)
    again = load_latents(tmp_path)
    for name in ("mu", "logvar", "corner", "specimen", "file"):
        found, expected = getattr(again, name), getattr(table, name)
        assert found.dtype.kind == expected.dtype.kind, name
        np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in ("columns", "data_name", "data_hash", "model_hash", "synthetic"):
        assert getattr(again, name) == getattr(table, name), name


def test_half_the_size_keeps_latents_to_one_part_in_two_thousand(tmp_path: Path) -> None:
    table = make_table()
    save_latents(tmp_path / "whole", table)
    save_latents(tmp_path / "half", table, half=True)
    again = load_latents(tmp_path / "half")
    for name in ("mu", "logvar"):
        found = getattr(again, name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, getattr(table, name), rtol=1 / 2000, atol=1e-6)
    np.testing.assert_array_equal(again.corner, table.corner)
    sizes = [(tmp_path / n / "latents.safetensors").stat().st_size for n in ("half", "whole")]
    assert sizes[0] == sizes[1] - 2 * 2 * table.mu.size


def test_labels_come_back_exactly_also_texts_that_look_like_gaps(tmp_path: Path) -> None:
    table = make_table()
    save_latents(tmp_path, table)
    pd.testing.assert_frame_equal(
        load_latents(tmp_path).specimens, table.specimens, check_exact=True, check_dtype=False
    )


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_latents(tmp_path / name, make_table())
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def _tensors(change: Callable) -> Callable:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / "latents.safetensors")
        change(tensors)
        save_file(tensors, folder / "latents.safetensors")
        _about(lambda a: a.update(sha256=sha256_file(folder / "latents.safetensors")))(folder)

    return damage


def _about(change: Callable) -> Callable:
    def damage(folder: Path) -> None:
        about = json.loads((folder / "latents.json").read_text())
        change(about)
        (folder / "latents.json").write_text(json.dumps(about))

    return damage


def _specimens(old: str, new: str) -> Callable:
    def damage(folder: Path) -> None:
        text = (folder / "specimens.csv").read_text()
        assert old in text
        (folder / "specimens.csv").write_text(text.replace(old, new))

    return damage


def _cut(folder: Path) -> None:
    data = (folder / "latents.safetensors").read_bytes()
    (folder / "latents.safetensors").write_bytes(data[:-10])


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "latents.json").unlink(),
        lambda f: (f / "latents.json").write_text("{"),
        lambda f: (f / "latents.json").write_text("[]"),
        lambda f: (f / "specimens.csv").unlink(),
        lambda f: (f / "specimens.csv").write_text("specimen\n"),
        lambda f: (f / "specimens.csv").write_text(""),
        lambda f: (f / "latents.safetensors").unlink(),
        _cut,
        _about(lambda a: a.update(format=2)),
        _about(lambda a: a.pop("data_hash")),
        _about(lambda a: a["specimens"].pop()),
        _about(lambda a: a["files"].pop()),
        _about(lambda a: a["columns"][0].update(colour="red")),
        _about(lambda a: a["columns"][0].update(role="wish")),
        _about(lambda a: a["columns"].pop()),
        _specimens("007", "008"),
        _specimens("mg_wt", "si_wt"),
        _tensors(lambda t: t.pop("corner")),
        _tensors(lambda t: t.pop("logvar")),
        _tensors(lambda t: t["mu"].fill_(torch.nan)),
        _tensors(lambda t: t["logvar"].fill_(torch.inf)),
        _tensors(lambda t: t.update(mu=t["mu"][:, 0].clone())),
        _tensors(lambda t: t.update(logvar=t["logvar"][:-1].clone())),
        _tensors(lambda t: t.update(corner=t["corner"][:-1].clone())),
        _tensors(lambda t: t["file"].fill_(9)),
        _tensors(lambda t: t["specimen"].fill_(-1)),
        _tensors(lambda t: t.update(file=t["file"].float())),
        _tensors(lambda t: t.update({n: v[:0].clone() for n, v in t.items()})),
    ],
)
def test_damaged_latents_are_refused(tmp_path: Path, damage: Callable) -> None:
    save_latents(tmp_path, make_table())
    damage(tmp_path)
    with pytest.raises(CheckpointError, match=r"latents|specimens\.csv"):
        load_latents(tmp_path)


def test_latents_of_another_run_are_refused(tmp_path: Path) -> None:
    save_latents(tmp_path, make_table())
    other = replace(make_table(), mu=make_table().mu + 1)
    save_latents(tmp_path / "other", other)
    (tmp_path / "other" / "latents.safetensors").replace(tmp_path / "latents.safetensors")
    with pytest.raises(CheckpointError, match=r"is not the file that latents\.json describes"):
        load_latents(tmp_path)


def test_scatter_is_that_of_the_nearest_specimens() -> None:
    mu = np.array([[0, 0], [2, 0], [10, 5], [10, 7], [50, 9]], dtype=np.float32)
    table = replace(make_table(), mu=mu, specimen=np.array(["a", "a", "b", "b", "c"]))
    near = patch_scatter(table, np.array([0.5, 0.0]), specimens=1)
    np.testing.assert_allclose(near, [[-1, 0], [1, 0]])
    two = patch_scatter(table, np.array([0.5, 0.0]), specimens=2)
    np.testing.assert_allclose(two, [[-1, 0], [1, 0], [0, -1], [0, 1]])


def test_every_patch_is_encoded_once_and_named(tiny_model, loaded: LoadedModel, tmp_path) -> None:
    data = make_textures(tmp_path / "data", 2, 2, 128, 200)
    table = encode_dataset(loaded, data, stride=72)
    assert table.mu.shape == table.logvar.shape == (8, 8) and table.mu.dtype == np.float32
    files = ("s0_0.png", "s0_1.png", "s1_0.png", "s1_1.png")
    assert table.file.tolist() == [file for file in files for _ in range(2)]
    assert table.specimen.tolist() == ["s0"] * 4 + ["s1"] * 4
    assert table.corner.tolist() == [[0, 0], [0, 72]] * 4
    last = data.read(3).pixels[:, 72:200]
    mu, logvar = encode_patches(loaded, last[None])
    np.testing.assert_allclose(table.mu[-1], mu[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(table.logvar[-1], logvar[0], rtol=1e-3, atol=1e-4)
    assert (table.data_hash, table.model_hash, table.synthetic) == (data.hash, loaded.hash, True)
    assert list(table.specimens) == ["grain_um", "route", "uts_mpa"]
    save_latents(tmp_path / "latents", table)
    pd.testing.assert_frame_equal(
        load_latents(tmp_path / "latents").specimens,
        table.specimens,
        check_exact=True,
        check_dtype=False,
        check_index_type=False,
    )


def test_image_smaller_than_a_patch_is_named(loaded: LoadedModel, tmp_path: Path) -> None:
    data = make_textures(tmp_path, 1, 1, 128, 100)
    with pytest.raises(InputError, match=r"s0_0\.png: the image is 100 x 128 px"):
        encode_dataset(loaded, data)


def test_command_line_writes_where_it_is_told(tiny_model: Path, tmp_path: Path) -> None:
    data = make_textures(tmp_path / "data", 2, 1, 128, 128)
    given = ["--model", str(tiny_model), "--data", str(data.root), "--out", str(tmp_path / "out")]
    main(given)
    table = load_latents(tmp_path / "out")
    assert len(table.mu) == 2 and table.data_hash == data.hash


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data": "absent"}, "manifest.csv"),
        ({"data": "small"}, "s0_0.png: the image is 64 x 64 px"),
        ({"model": "absent"}, "cannot read"),
        ({"stride": "0"}, "stride 0; each must be 1 px or more"),
    ],
)
def test_command_line_refuses_wrong_data_and_writes_nothing(
    tiny_model: Path, tmp_path: Path, capsys, wrong: dict[str, str], message: str
) -> None:
    good = make_textures(tmp_path / "data", 1, 1, 128, 128).root
    make_textures(tmp_path / "small", 1, 1, 64, 64)
    model = tmp_path / wrong["model"] if "model" in wrong else tiny_model
    data = tmp_path / wrong["data"] if "data" in wrong else good
    given = ["--model", str(model), "--data", str(data), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as left:
        main([*given, "--stride", wrong.get("stride", "128")])
    assert left.value.code == 2 and message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
