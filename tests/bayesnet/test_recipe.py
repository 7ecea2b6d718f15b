"""A recipe survives its file, is replayed to the same pictures, and refuses what differs."""

import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bayesnet.comparison import compare_designs
from bayesnet.design import design
from bayesnet.design_files import picture_zip
from bayesnet.design_report import design_report
from bayesnet.library import load_design, save_design
from bayesnet.network import Network
from bayesnet.recipe import Recipe, RefinementRecord, load_recipe
from bayesnet.recording import parts_of, picture_text, record
from bayesnet.refine import refine
from bayesnet.replay import check_parts, compare, main, replay, write_design
from core.checkpoint import load_model
from core.encode import load_latents
from core.errors import CheckpointError, InputError
from core.images import read_image
from core.properties import PropertyModel
from tests.recipes import grey_noise, make_recipe

SAMPLE_PX = 128


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums in one order, and pictures read back from one patch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    patch = pytest.MonkeyPatch()
    patch.setattr("bayesnet.pictures.PREDICT_PATCHES", 1)
    yield
    patch.undo()
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def loaded_parts(tiny_model):
    """The tiny model, its network, property models and latents."""
    return (
        load_model(tiny_model),
        Network.load(tiny_model / "network.json"),
        PropertyModel.load(tiny_model / "properties.json"),
        load_latents(tiny_model / "latents"),
    )


@pytest.fixture(scope="module")
def made(loaded_parts):
    *parts, table = loaded_parts
    return design(
        *parts,
        {name: float(table.specimens[name].median()) for name in ("uts_mpa", "ys_mpa")},
        {"mg_wt": (0.001, None)},
        size_px=128,
        n_samples=1,
        sample_px=SAMPLE_PX,
        seed=3,
    )


@pytest.fixture(scope="module")
def recipe(made, loaded_parts, tiny_model) -> Recipe:
    loaded, network, *_ = loaded_parts
    return record(made, loaded, network, parts_of(tiny_model), SAMPLE_PX)


def saved(recipe: Recipe, folder: Path) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe.to_json(), allow_nan=False))
    return path


def test_a_recipe_comes_back_from_its_file_exactly(recipe, tmp_path):
    assert load_recipe(saved(recipe, tmp_path)) == recipe


@pytest.mark.parametrize("wish", [(280.0, None), (None, 300.0), (1.0, 2.0), "highest", "lowest"])
def test_ranges_and_extremes_come_back_too(recipe, tmp_path, wish):
    asked = replace(recipe, targets={"uts_mpa": wish})
    assert load_recipe(saved(asked, tmp_path)).targets == {"uts_mpa": wish}


def test_the_replay_is_the_same_picture_bit_for_bit(recipe, made, tiny_model, tmp_path, capsys):
    first, again = tmp_path / "first", tmp_path / "again"
    write_design(first, made, recipe)
    command = [str(first / "recipe.json"), "--out", str(again), "--model", str(tiny_model)]
    assert main(command) == 0
    assert "all 2 pictures are as recorded, bit for bit" in capsys.readouterr().out
    for name in ("picture.png", "picture.tif", "sample_1.png", "sample_1.tif"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    assert load_recipe(again / "recipe.json").pictures == recipe.pictures
    assert "Synthesised microstructure" in (again / "report.html").read_text()
    with zipfile.ZipFile(io.BytesIO(picture_zip(made, recipe))) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {p.name: p.read_bytes() for p in first.iterdir() if p.suffix in (".png", ".tif")}
    assert picture_zip(made, recipe) == picture_zip(made, recipe)


def test_a_refined_design_is_replayed_bit_for_bit(loaded_parts, made, tiny_model, tmp_path):
    loaded, network, properties, table = loaded_parts
    wanted = {name: 1.3 * p.value for name, p in made.main.predicted.items()}  # to be refined
    answer = made.answer
    moved = replace(made, targets=wanted, answer=replace(answer, conditioned_on=wanted))
    better = refine(loaded, network, properties, table, moved.main, wanted, answer.regimes, steps=1)
    found = record(moved, loaded, network, parts_of(tiny_model), SAMPLE_PX, refinement=better)
    assert found.refinement.steps == 1 and found.refinement.tried == 1
    assert set(found.refinement.aim) == set(wanted)
    asked = record(
        made,
        loaded,
        network,
        parts_of(tiny_model),
        SAMPLE_PX,
        refinement=refine(
            loaded,
            network,
            properties,
            table,
            made.main,
            answer.conditioned_on,
            answer.regimes,
            steps=2,
        ),
    )
    again = replay(load_recipe(saved(asked, tmp_path)), tiny_model)
    assert again.same, again.differences
    assert again.recipe.refinement == asked.refinement
    files = write_design(tmp_path / "out", again.design, again.recipe, again.refinement)
    assert "refined.png" in {path.name for path in files}
    other = replace(asked.refinement, picture=replace(asked.refinement.picture, sha256="0" * 64))
    same, differences = compare(replace(asked, refinement=other), again.recipe)
    assert not same and "refined picture differs" in differences[0]


def test_ranges_extremes_and_dropped_samples_are_replayed_bit_for_bit(
    loaded_parts, tiny_model, tmp_path
):
    loaded, network, properties, table = loaded_parts
    low = float(table.specimens["ys_mpa"].quantile(0.2))
    wishes = {"uts_mpa": "highest", "ys_mpa": (low, None)}
    options = {"size_px": 128, "n_samples": 3, "sample_px": SAMPLE_PX, "seed": 5}
    made = design(loaded, network, properties, wishes, {"mg_wt": (0.001, None)}, **options)
    assert isinstance(made.answer.conditioned_on["uts_mpa"], float)
    recipe = record(made, loaded, network, parts_of(tiny_model), SAMPLE_PX)
    assert recipe.samples == 3 and len(recipe.pictures) == 4 - made.dropped
    again = replay(load_recipe(saved(recipe, tmp_path)), tiny_model)
    assert again.same and again.design.dropped == made.dropped
    report = design_report(again.recipe, [p.pixels for p in again.design.pictures])
    assert "as high as possible" in report and "Designed for" in report


def test_another_seed_is_another_picture_and_said(recipe, tiny_model):
    other = replay(replace(recipe, seed=4, samples=0), tiny_model)
    same, differences = compare(recipe, other.recipe)
    assert not same
    assert differences[0] == "the picture differs, also in its 8-bit grey levels"
    assert "1 pictures instead of 2" in differences


def test_another_version_is_said_but_does_not_make_other_pictures(recipe):
    older = replace(recipe, versions={**recipe.versions, "torch": "1.0"})
    same, differences = compare(older, recipe)
    assert same and differences == (f"torch is {recipe.versions['torch']} here, was 1.0",)


@pytest.mark.parametrize(
    ("part", "remedy"),
    [
        ("model", "--model"),
        ("network", "--fitted"),
        ("properties", "--fitted"),
        ("latents", "anew"),
    ],
)
def test_another_part_is_refused_with_its_remedy(recipe, tiny_model, part, remedy):
    other = replace(recipe, parts={**recipe.parts, part: "0" * 64})
    with pytest.raises(CheckpointError, match=f"another {part} .*{remedy}"):
        check_parts(other, parts_of(tiny_model), tiny_model)


def test_another_models_recipe_ends_the_command_with_words(recipe, tiny_model, tmp_path, capsys):
    other = replace(recipe, parts={**recipe.parts, "model": "0" * 64})
    command = [str(saved(other, tmp_path)), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--model", str(tiny_model)])
    assert ended.value.code == 2
    assert "another model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_fit_elsewhere_is_used_where_it_is_named(recipe, tiny_model, tmp_path):
    fitted = tmp_path / "fitted"
    fitted.mkdir()
    for name in ("network.json", "properties.json"):
        shutil.copy(tiny_model / name, fitted / name)
    assert parts_of(tiny_model, fitted) == parts_of(tiny_model)
    (fitted / "network.json").write_text((fitted / "network.json").read_text() + " ")
    with pytest.raises(CheckpointError, match="another network"):
        replay(recipe, tiny_model, fitted)


def test_a_missing_part_is_named(tiny_model, tmp_path):
    with pytest.raises(CheckpointError, match=r"incomplete.*network\.json"):
        parts_of(tiny_model, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "other"}, "no recipe"),
        ({"version": 99}, "version 99"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"targets": {"uts_mpa": "strong"}}, "uts_mpa"),
        ({"targets": {"uts_mpa": [1, 2, 3]}}, "damaged"),
        ({"targets": {"unknown": 1.0}}, "unknown"),
        ({"process": {"mg_wt": "highest"}}, "mg_wt"),
        ({"parts": {}}, "damaged"),
        ({"parts": {"model": "../..", "network": "", "properties": "", "latents": ""}}, "SHA-256"),
        ({"pictures": []}, "no picture"),
        ({"verdict": "splendid"}, "splendid"),
        ({"extra": 1}, "extra"),
        ({"distance": True}, "distance"),
        ({"columns": 3}, "damaged"),
        ({"machine": None}, "damaged"),
        ({"calibration": {"uts_mpa": 3}}, "uts_mpa"),
    ],
)
def test_a_damaged_recipe_is_refused_with_the_reason(recipe, change, said):
    with pytest.raises(InputError, match=said):
        Recipe.from_json(json.loads(json.dumps({**recipe.to_json(), **change})))


def test_numbers_that_are_none_are_refused(recipe, tmp_path):
    path = saved(recipe, tmp_path)
    path.write_text(path.read_text().replace('"seed": 3', '"seed": NaN', 1))
    with pytest.raises(InputError, match="holds NaN, which is not a finite number"):
        load_recipe(path)
    path.write_text("[1, 2")
    with pytest.raises(InputError, match="JSON"):
        load_recipe(path)


def test_the_files_say_scale_seed_and_that_they_tile(recipe, made, tmp_path):
    write_design(tmp_path, made, recipe)
    for name in ("picture.png", "picture.tif"):
        found = read_image(tmp_path / name)
        assert found.um_per_px == pytest.approx(1.0, rel=1e-3)
        assert np.abs(found.pixels - made.main.pixels).max() <= 0.5 / 255 + 1e-6
    text = picture_text(recipe)
    assert text["Seed"] == "3" and text["Periodic"].startswith("yes")
    assert "synthetic" in text["Disclaimer"]
    assert "Ultimate tensile strength" in text["Description"]


def test_the_report_says_what_was_asked_found_and_made_with(recipe, made):
    text = design_report(
        recipe, [made.main.pixels, made.samples[0].picture.pixels], "<b>mine</b>\nsecond"
    )
    assert "&lt;b&gt;mine&lt;/b&gt;" in text and "<b>mine" not in text
    assert text.count("data:image/png;base64,") == 2
    assert recipe.parts["model"] in text and recipe.model["data_sha256"] in text
    assert "simulated" in text and "90 % interval" in text and "at least 0.001 wt%" in text
    assert "bayesnet.replay" in text and recipe.versions["torch"] in text
    assert "Ultimate tensile strength, calibrated on the 16 specimens learned from" in text
    assert "intervals may be too narrow" in text and "Further samples are those whose" in text


def test_what_the_report_reads_back_from_samples_has_intervals():
    """One property with an interval, one of too few specimens."""
    main = make_recipe().pictures[0]
    text = design_report(make_recipe(pictures=(main, main)), [grey_noise(), grey_noise(1)])
    read = "ultimate tensile strength 441 MPa (400 to 480 MPa)"
    assert f"Sample 1, seed 3. Read back from it, 90 % interval in brackets: {read}" in text
    assert "yield strength 275 MPa (no interval: too few specimens)" in text


def test_the_report_of_a_stand_in_shows_both_targets(recipe, made):
    stands_in = replace(recipe, verdict="infeasible", targets={"uts_mpa": 2000.0})
    text = design_report(stands_in, [made.main.pixels])
    assert "Designed for" in text and "2000 MPa" in text and "Not feasible." in text
    assert "Sample 1" not in text


def refinement():
    return RefinementRecord(
        steps=3,
        tried=2,
        aim={"uts_mpa": 12.5, "ys_mpa": -3.0},
        before=1.4,
        after=0.2,
        picture=replace(make_recipe().pictures[0], sha256="a" * 64),
    )


def test_a_refinement_survives_the_file_and_is_what_people_are_shown():
    recipe = make_recipe(refinement=refinement())
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert again.shown.sha256 == "a" * 64 and make_recipe().shown == make_recipe().pictures[0]
    report = design_report(again, [grey_noise()])
    assert "Refined: residual 1.40 before, 0.20 after 2 more pictures" in report
    assert picture_text(again)["Description"].endswith("refined")
    assert "are no independent check, and their intervals are too hopeful" in report
    for plain in (make_recipe(), make_recipe(refinement=replace(refinement(), tried=0))):
        assert "no independent check" not in design_report(plain, [grey_noise()])
    rows = dict(compare_designs([again, make_recipe()]))
    assert rows["Refined"][1] == "no" and "1.40" in rows["Refined"][0]


def test_recipes_of_the_first_version_still_load():
    content = make_recipe().to_json()
    del content["refinement"], content["calibration"]
    assert Recipe.from_json(content | {"version": 1}).refinement is None
    second = Recipe.from_json(content | {"version": 2, "refinement": None})
    assert second.calibration == {}
    assert "does not say on what they were calibrated" in design_report(second, [grey_noise()])
    with pytest.raises(InputError, match="refinement"):
        Recipe.from_json(content)


@pytest.mark.parametrize(
    "damage", [{"steps": -1}, {"aim": {"uts_mpa": "x"}}, {"after": float("nan")}, {"picture": {}}]
)
def test_a_damaged_refinement_is_refused(damage):
    content = make_recipe(refinement=refinement()).to_json()
    content["refinement"] |= damage
    with pytest.raises(InputError, match="damaged"):
        Recipe.from_json(content)


def test_a_refined_design_is_kept_beside_the_plain_one(tmp_path):
    plain, _ = save_design(tmp_path, make_recipe(), grey_noise())
    name, new = save_design(tmp_path, make_recipe(refinement=refinement()), grey_noise(1))
    assert new and name != plain
    assert load_design(tmp_path, name).recipe.refinement == refinement()
