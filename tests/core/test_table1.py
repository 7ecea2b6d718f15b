"""Claims about repeating the paper's Table 1, with cells of a few patches."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import Tensor

from core import table1
from core.checkpoint import LoadedModel
from core.errors import ConfigError, InputError
from core.table1 import EACH, cell_config, main, measure_cell
from core.table1_text import cell_names, table_text
from tests.core.textures import make_textures


def grey_difference(x: Tensor, y: Tensor) -> Tensor:
    return (x.mean(dim=(1, 2, 3)) - y.mean(dim=(1, 2, 3))).abs()


@pytest.fixture
def quick(monkeypatch):
    """One metric that takes no time."""
    found = {"style": grey_difference}, {"dists": "no weights"}
    monkeypatch.setattr(table1, "load_metrics", lambda vgg, side_px: found)


def test_cells_differ_in_decoder_and_latents_only():
    configs = {name: cell_config(name) for name in cell_names()}
    assert len(configs) == 8
    assert {c.steps * c.batch for c in configs.values()} == {12_000}
    shapes = {(c.model.decoder, c.model.latents) for c in configs.values()}
    assert len(shapes) == 8
    others = {
        json.dumps({k: v for k, v in c.to_dict().items() if k != "model"}) for c in configs.values()
    }
    assert len(others) == 1
    with pytest.raises(ConfigError, match="no cell 'texture-7'"):
        cell_config("texture-7")


def test_a_cell_is_measured_over_pairs_of_every_casting(
    quick, loaded: LoadedModel, tiny_model: Path, tmp_path: Path, monkeypatch
):
    about = {"patches_seen": 1, "seconds": 1.0, "hardware": "a machine"}
    about["metrics"] = {"active_latents": 5, "kl_nats": 2.0}
    known = loaded.manifest | about
    monkeypatch.setattr(
        table1, "load_model", lambda path: _with_manifest(loaded, known)
    )  # fmt: skip
    data = make_textures(tmp_path, 3, 1, 128, 384)
    found = measure_cell(tiny_model, data)
    assert found["pairs"] == 3 * EACH and found["active_latents"] == 5
    arms = found["metrics"]["style"]
    assert {arm: entry["n"] for arm, entry in arms.items()} == dict.fromkeys(arms, 3)
    assert arms["same_specimen"]["mean"] >= 0
    json.dumps(found, allow_nan=False)


def _with_manifest(loaded: LoadedModel, manifest: dict) -> LoadedModel:
    from dataclasses import replace

    return replace(loaded, manifest=manifest)


def test_a_cell_is_trained_measured_and_not_done_again(
    quick, vgg_weights, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setattr(table1, "BUDGET", 2)
    monkeypatch.setattr(table1, "BATCH", 1)
    monkeypatch.setattr("core.trainer.STANDARDISE_PATCHES", 2)
    monkeypatch.setattr("core.table1.EACH", 1)
    make_textures(tmp_path / "paper", 2, 1, 128, 256)
    given = ["--data", str(tmp_path / "paper"), "--work", str(tmp_path)]
    given += ["--out", str(tmp_path / "results"), "--cells", "paper-8"]
    main(given)
    content = json.loads((tmp_path / "results" / "table1.json").read_text())
    assert list(content["cells"]) == ["paper-8"]
    assert content["cells"]["paper-8"]["patches_seen"] == 2

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(table1, "train_cell", refuse)
    main(given)
    assert "not done" in capsys.readouterr().out

    def beside(name: str, *_: object) -> Path:
        """Stand for a training during which another job adds its cell."""
        written = json.loads((tmp_path / "results" / "table1.json").read_text())
        written["cells"]["paper-32"] = written["cells"]["paper-8"]
        (tmp_path / "results" / "table1.json").write_text(json.dumps(written))
        return tmp_path / "table1" / "paper-8"

    monkeypatch.setattr(table1, "train_cell", beside)
    main([*given[:-1], "paper-16"])
    cells = json.loads((tmp_path / "results" / "table1.json").read_text())["cells"]
    assert list(cells) == ["paper-8", "paper-32", "paper-16"], "another job's cell is kept"


def test_a_real_alloy_is_measured_on_specimens_that_were_held_out(
    quick, vgg_weights, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setattr(table1, "BUDGET", 2)
    monkeypatch.setattr(table1, "BATCH", 1)
    monkeypatch.setattr(table1, "REAL_PAIRS", 3)
    monkeypatch.setattr("core.trainer.STANDARDISE_PATCHES", 2)
    real = tmp_path / "real"
    make_textures(real, 6, 1, 128, 256)
    (real / "superalloy").mkdir()
    manifest = pd.read_csv(real / "manifest.csv")
    for name in manifest["file"][:5]:  # the sixth is of another alloy
        (real / name).rename(real / "superalloy" / name)
    manifest.loc[:4, "file"] = "superalloy/" + manifest["file"][:5]
    manifest.to_csv(real / "manifest.csv", index=False)
    given = ["--data", str(real), "--work", str(tmp_path), "--out", str(tmp_path), "--cells"]
    monkeypatch.setattr(table1, "cell_names", lambda: ["texture-32"])
    (tmp_path / "table1.json").write_text('{"cells": {"texture-32": {"metrics": {}}}}')
    main([*given, "texture-32", "--real", str(real)])
    content = json.loads((tmp_path / "table1.json").read_text())
    found = content["real"]
    assert list(content["cells"]) == ["texture-32"] and found["patches_seen"] == 2
    known = set(manifest["specimen"][:5])
    assert len(found["held_out"]) == 2 and set(found["held_out"]) < known
    trained = json.loads((tmp_path / "table1" / "superalloy" / "manifest.json").read_text())
    assert set(trained["training_specimens"]) == known - set(found["held_out"])
    assert found["pairs"] == 4 and found["metrics"]["style"]["reconstruction"]["n"] == 2
    assert "On 2 specimens that this model has not seen." in capsys.readouterr().out


def test_a_folder_without_the_alloy_is_refused_in_words(tmp_path: Path):
    make_textures(tmp_path, 2, 1, 128, 128)
    with pytest.raises(InputError, match="no micrographs in a folder 'superalloy'"):
        table1.load_superalloy(tmp_path)


def test_a_damaged_table_is_refused_in_words(tmp_path: Path, capsys):
    (tmp_path / "table1.json").write_text("[]")
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(tmp_path), "--out", str(tmp_path), "--print"])
    assert stopped.value.code == 2 and "holds no cells" in capsys.readouterr().err


def test_table_stands_beside_the_paper_s():
    mean = {"mean": 0.5}
    arms = {"reconstruction": {"mean": 0.123}, "same_specimen": mean, "other_specimen": mean}
    text = table_text({"cells": {"texture-64": {"metrics": {"style": arms}}}})
    (row,) = (line for line in text.splitlines() if line.startswith("| texture | 64"))
    assert "0.123 (0.500, 0.500)" in row and "not available" in row
    assert row.rstrip(" |").endswith("0.7031 | 0.7592")
    assert text.count("not done") == 7 * 4 and "Two-point" not in text, "of fields only"
    assert np.isclose(float(row.split("|")[-2]), 0.7592)
