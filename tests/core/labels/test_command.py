"""The command on a tiny model: labels in its folder, figures in the results."""

import json
import shutil
from dataclasses import replace

import pytest

from core.checkpoint import load_model
from core.encode import load_latents
from core.errors import ConfigError, InputError
from core.labels import FILE, Plan, label_model, load_labels
from core.labels.__main__ import main
from core.quality_tables import labels as labels_text


@pytest.fixture
def model(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    return folder


def command(model, castings, *more: str) -> None:
    given = ("--starts", "3", "--size", "64", "--latents", "0", "--directions", "1")
    main(["--model", str(model), "--data", str(castings.root), *given, *more])


def test_labels_go_into_the_model_and_figures_into_the_results(model, tiny_castings, tmp_path):
    command(model, tiny_castings, "--out", str(tmp_path / "results"))
    labels = load_labels(model)
    labels.require_model(load_model(model, backbone=False).hash)
    assert [d.name for d in (*labels.dimensions, *labels.directions)] == ["z0", "d1"]
    assert labels.synthetic and labels.um_per_px == 1.0
    assert labels.plan["finishing"] is None, "drafts"
    found = json.loads((tmp_path / "results" / "labels.json").read_text())
    assert found["model_sha256"] == labels.model_hash
    assert found["dimensions"]["z0"]["label"] == labels.dimensions[0].label
    assert "--starts 3 --size 64" in found["command"] and "--out" not in found["command"]
    said = labels_text(found)
    assert "3 starts in each of two sets" in said and "| d1 |" in said

    work = str(tmp_path / "work")
    for _ in range(2):  # measured, then taken from where it was kept
        command(model, tiny_castings, "--work", work, "--out", str(tmp_path / "kept"))
        kept = json.loads((tmp_path / "kept" / "labels.json").read_text())
        assert kept == found


def test_what_cannot_be_labelled_is_said(model, tiny_castings, capsys):
    (model / "latents" / "latents.json").unlink()
    with pytest.raises(SystemExit) as left:
        command(model, tiny_castings)
    assert left.value.code == 2 and "cannot read" in capsys.readouterr().err
    assert not (model / FILE).exists()


def test_latents_of_another_model_or_data_set_are_refused(model, tiny_castings):
    loaded, table = load_model(model, backbone=False), load_latents(model / "latents")
    plan = Plan(starts=3, size_px=64)
    with pytest.raises(InputError, match="of another model"):
        label_model(loaded, replace(table, model_hash="0" * 64), tiny_castings, plan)
    with pytest.raises(InputError, match="of other data"):
        label_model(loaded, replace(table, data_hash="0" * 64), tiny_castings, plan)
    unscaled = replace(loaded, manifest=loaded.manifest | {"um_per_px": None})
    with pytest.raises(InputError, match="no scale"):
        label_model(unscaled, table, tiny_castings, plan)


def test_the_papers_decoder_makes_patches_only(model, tiny_castings):
    loaded, table = load_model(model, backbone=False), load_latents(model / "latents")
    paper = replace(loaded, config=replace(loaded.config, decoder="paper", channels=()))
    with pytest.raises(ConfigError, match=r"128 px only: give that size \(--size\)"):
        label_model(paper, table, tiny_castings, Plan(starts=3, size_px=64))
