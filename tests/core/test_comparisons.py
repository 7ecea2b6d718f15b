"""Claims about comparing one change of the training settings at a time."""

import json
from pathlib import Path

import pytest
from torch import Tensor

from core import comparisons, table1
from core.checkpoint import read_config
from core.comparisons import BASE, CHANGES, changed, main
from core.errors import ConfigError
from core.train_config import TrainConfig
from tests.core.textures import make_textures


def test_each_differs_from_the_preset_in_what_it_names_alone():
    base, preset = changed(BASE, 50).to_dict(), TrainConfig.from_file("reference").to_dict()
    budget = {"steps", "evaluate_every", "ema_decay"}
    assert {k for k in base if base[k] != preset[k]} == budget
    for name, change in CHANGES.items():
        found = changed(name, 50).to_dict()
        flat = {**found, **found["model"]}
        differing = {k for k in flat if flat[k] != {**base, **base["model"]}[k]} - {"model"}
        assert differing == set(change), name
    with pytest.raises(ConfigError, match="no change 'more'"):
        changed("more")


def test_a_change_is_trained_measured_alike_and_not_done_again(
    vgg_weights, tmp_path: Path, monkeypatch, capsys
):
    eyes = []

    def one_metric(vgg, side_px):
        def grey(x: Tensor, y: Tensor) -> Tensor:
            return (x.mean(dim=(1, 2, 3)) - y.mean(dim=(1, 2, 3))).abs()

        eyes.append(vgg.pooling)
        return {"style": grey}, {"dists": "no weights"}

    monkeypatch.setattr(table1, "load_metrics", one_metric)
    monkeypatch.setattr("core.trainer.STANDARDISE_PATCHES", 2)
    monkeypatch.setattr(comparisons, "EACH", 1)
    make_textures(tmp_path / "data", 20, 1, 128, 256)
    given = ["--data", str(tmp_path / "data"), "--work", str(tmp_path), "--steps", "1"]
    given += ["--out", str(tmp_path), "--changes", "maximum pooling"]
    main(given)
    content = json.loads((tmp_path / "comparisons.json").read_text())
    assert list(content["cells"]) == ["maximum pooling"] and eyes == ["average"]
    found = content["cells"]["maximum pooling"]
    assert len(found["held_out"]) == 2 == found["pairs"], "a tenth of the specimens"
    assert read_config(tmp_path / "comparisons" / "maximum_pooling").pooling == "max"

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(comparisons, "compare_change", refuse)
    main(given)
    assert "| maximum pooling |" in capsys.readouterr().out
    given[given.index("1")] = "2"  # steps: another budget
    with pytest.raises(SystemExit):
        main(given)
    assert '"maximum pooling" was measured after 1 steps' in capsys.readouterr().err
    assert json.loads((tmp_path / "comparisons.json").read_text()) == content
