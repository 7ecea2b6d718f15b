"""Claims about telling generated from real: known AUCs, unseen castings, and the sanity arm."""

import json
from pathlib import Path

import numpy as np
import pytest

from core import realism
from core.checkpoint import LoadedModel
from core.errors import ConfigError, InputError
from core.realism import Crops, collect, inner_crops, judge, main, report, tell_apart
from tests.core.textures import make_textures

NAMES = ("grey levels: a", "grey levels: b", "gradients: a", "gradients: b")


@pytest.fixture
def quick(monkeypatch):
    """A small forest and few draws."""
    monkeypatch.setattr(realism, "TREES", 20)
    monkeypatch.setattr(realism, "DRAWS", 60)


def noise(castings: int, crops: int, seed: int, statistics: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((castings, crops, statistics))


def crops(shift: float, blur: float, castings: int = 25) -> Crops:
    """Return crops whose last statistic is ``shift`` higher in generated ones."""
    real, made = noise(castings, 2, 0), noise(castings, 2, 1)
    made[..., 3] += shift
    return Crops(NAMES, real, made, noise(castings, 1, 2) + np.array([0, 0, blur, 0]))


def test_equal_distributions_are_told_apart_by_chance_only(quick):
    found = tell_apart(noise(40, 2, 0), noise(40, 2, 1), seed=0)
    assert found["low"] < 0.5 < found["high"] and 0.35 < found["auc"] < 0.65, found
    assert found["castings"] == 40


def test_a_shift_gives_the_auc_that_theory_says(quick):
    """Two normals a distance d apart: AUC = Phi(d / sqrt 2); 1.5 gives 0.856."""
    second = noise(150, 2, 1, 1) + 1.5
    found = tell_apart(noise(150, 2, 0, 1), second, seed=0)
    assert found["auc"] == pytest.approx(0.856, abs=0.04)
    assert found["low"] < found["auc"] < found["high"] < found["low"] + 0.15


def test_a_casting_that_is_recognised_does_not_help(quick):
    """Crops of a casting are alike, and their labels are drawn by casting: nothing to learn."""
    marks = np.repeat(np.random.default_rng(0).standard_normal((40, 1, 8)) * 5, 2, axis=1)
    found = tell_apart(marks[:20] + noise(20, 2, 1, 8) / 100, marks[20:], seed=0)
    assert 0.2 < found["auc"] < 0.8, found


def test_verdict_names_the_family_that_tells(quick):
    found = judge(crops(shift=3.0, blur=9.0), seed=0)
    json.dumps(found, allow_nan=False)
    assert found["generated"]["auc"] > 0.9 and found["sanity_blurred"]["auc"] > 0.95
    assert found["chance_real_against_real"]["auc"] < 0.75
    assert found["crops_a_class"] == 50
    grey, gradients = (found["by_family"][name] for name in ("grey levels", "gradients"))
    assert gradients["auc"] > 0.9 > 0.7 > grey["auc"]
    first = gradients["most_telling"][0]
    assert first["name"] == "gradients: b" and first["auc_alone"] > 0.9
    assert first["generated_median"] - first["real_median"] == pytest.approx(3, abs=0.6)
    text = report(found)
    assert text.index("gradients alone") < text.index("grey levels alone")


def test_a_classifier_blind_to_blur_gives_no_figure(quick):
    with pytest.raises(InputError, match=r"blurred ones with AUC 0\.\d+ only"):
        judge(crops(shift=3.0, blur=0.0), seed=0)


def test_too_few_castings_are_refused():
    with pytest.raises(InputError, match="4 castings are too few: 5"):
        tell_apart(noise(4, 2, 0), noise(4, 2, 1), 0)


def test_crops_are_of_the_inside():
    field = np.zeros((512, 512), dtype=np.float32)
    field[32:-32, 32:-32] = 1
    field[32, 32], field[479, 479] = 0.25, 0.75
    first, second = inner_crops(field)
    assert first.shape == second.shape == (256, 256)
    assert first.min() == 0.25 == first[0, 0] and second[-1, -1] == 0.75
    with pytest.raises(InputError, match="has no inside of 256 px"):
        inner_crops(field[:300])


def test_patches_only_have_no_fields_to_judge(loaded: LoadedModel, tiny_castings):
    from dataclasses import replace

    paper = replace(loaded, config=replace(loaded.config, decoder="paper"))
    with pytest.raises(ConfigError, match="makes patches only"):
        collect(paper, tiny_castings, 5, 0)


def test_command_line_judges_fields_of_castings_and_writes_how(
    quick, tiny_model: Path, tmp_path: Path, monkeypatch, caplog
):
    """A random decoder's pictures are told from textures at once."""
    monkeypatch.setattr("core.fields.FIELD_PX", 160)
    monkeypatch.setattr(realism, "CROP_PX", 128)
    monkeypatch.setattr(realism, "MARGIN_PX", 16)
    monkeypatch.setattr(realism, "BLUR_PX", 2.0)
    monkeypatch.setattr(realism, "SANITY_AUC", 0.6)  # six castings of six grain sizes teach little
    make_textures(tmp_path / "data", 6, 2, 160, 160)
    given = ["--model", str(tiny_model), "--data", str(tmp_path / "data"), "--castings", "6"]
    main([*given, "--out", str(tmp_path)])
    content = json.loads((tmp_path / "realism.json").read_text())
    assert content["command"].startswith("python -m core.realism --model")
    assert content["command"].endswith("--seed 0 --castings 6")
    found = content["realism"]
    assert found["crops_a_class"] == 12 and found["generated"]["auc"] > 0.9
    assert "12 crops a class: the measure wants 300" in caplog.text


def test_data_trained_on_are_refused(tiny_model: Path, tiny_castings, tmp_path: Path, capsys):
    given = ["--model", str(tiny_model), "--data", str(tiny_castings.root), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main(given)
    assert left.value.code == 2 and "data that the model was trained on" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
