"""Saved designs come back whole, damaged ones are said to be, and no name is taken as a path."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from bayesnet.comparison import compare_designs
from bayesnet.library import (
    MAX_NOTE,
    archive,
    delete_design,
    list_designs,
    load_design,
    save_design,
    set_note,
)
from bayesnet.recipe import Recipe, load_recipe
from core.errors import InputError, StorageError
from core.images import read_image
from tests.recipes import grey_noise, make_recipe


@pytest.fixture
def library(tmp_path):
    return tmp_path / "workspace" / "designs"


def test_a_saved_design_comes_back(library):
    name, new = save_design(library, make_recipe(), grey_noise(), "  for the pump \n")
    (one,), damaged = list_designs(library)
    assert new and not damaged and one.id == name
    assert one.recipe == make_recipe() and one.note == "for the pump"
    assert np.abs(one.pixels - grey_noise()).max() <= 0.5 / 255 + 1e-6
    found = read_image(one.picture, "picture.png")
    assert found.um_per_px == pytest.approx(1.0, rel=1e-3)
    assert {p.name for p in one.folder.iterdir()} == {"recipe.json", "picture.png", "note.txt"}


def test_the_same_design_is_kept_once_and_another_seed_beside_it(library):
    name, _ = save_design(library, make_recipe(), grey_noise(), "first")
    again = save_design(library, make_recipe(created="2026-05-05T00:00:00+00:00"), grey_noise())
    assert again == (name, False)
    assert load_design(library, name).note == "first"
    assert save_design(library, make_recipe(seed=4), grey_noise(1))[1]
    assert len(list_designs(library)[0]) == 2


def test_notes_are_replaced_and_bounded(library):
    name, _ = save_design(library, make_recipe(), grey_noise())
    set_note(library, name, "ümlaut")
    assert load_design(library, name).note == "ümlaut"
    with pytest.raises(InputError, match=str(MAX_NOTE + 1)):
        set_note(library, name, "x" * (MAX_NOTE + 1))


def test_deleting_leaves_nothing_and_only_once(library):
    name, _ = save_design(library, make_recipe(), grey_noise())
    delete_design(library, name)
    assert list(library.iterdir()) == []
    with pytest.raises(InputError, match="no saved design"):
        delete_design(library, name)


@pytest.mark.parametrize(
    "name",
    ["..", "../..", ".", "", "20260101-000000-abcdefgh", "/etc", "20260101-000000-012345\n"],
)
def test_a_name_is_never_taken_as_a_path(library, name):
    library.mkdir(parents=True)
    (library / "20260101-000000-01234567").mkdir()
    for act in (load_design, delete_design, lambda f, n: set_note(f, n, "x")):
        with pytest.raises(InputError, match="no saved design"):
            act(library, name)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("recipe.json", b"{", "JSON"),
        ("recipe.json", b"{}", "no recipe"),
        ("recipe.json", None, "recipe.json"),
        ("picture.png", None, "lost its picture"),
        ("note.txt", b"\xff\xfe\xff", "note"),
    ],
)
def test_damaged_entries_are_listed_as_damaged_and_can_be_deleted(library, file, content, said):
    name, _ = save_design(library, make_recipe(), grey_noise())
    other, _ = save_design(library, make_recipe(seed=9), grey_noise())
    path = library / name / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    saved, (broken,) = list_designs(library)
    assert [one.id for one in saved] == [other]
    assert broken.id == name and said in broken.why
    delete_design(library, name)
    assert list_designs(library)[1] == ()


def test_a_lost_note_is_no_damage_and_strange_folders_are_left_alone(library):
    name, _ = save_design(library, make_recipe(), grey_noise())
    (library / name / "note.txt").unlink()
    (library / "notes of mine").mkdir()
    (library / ".new-half").mkdir()
    saved, damaged = list_designs(library)
    assert saved[0].note == "" and not damaged


def test_a_save_that_fails_leaves_nothing(library, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bayesnet.library.write_json", full)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        save_design(library, make_recipe(), grey_noise())
    assert list(library.iterdir()) == []


def test_an_empty_library_is_no_error(tmp_path):
    assert list_designs(tmp_path / "nowhere") == ((), ())


def test_the_archive_holds_a_recipe_that_can_be_replayed(library, tmp_path):
    name, _ = save_design(library, make_recipe(), grey_noise(), "<i>note</i>")
    data = archive([load_design(library, name)])
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert {n.split("/")[1] for n in packed.namelist()} == {
            "recipe.json",
            "picture.png",
            "note.txt",
            "report.html",
        }
        (tmp_path / "r.json").write_bytes(packed.read(f"{name}/recipe.json"))
        assert load_recipe(tmp_path / "r.json") == make_recipe()
        assert "&lt;i&gt;note&lt;/i&gt;" in packed.read(f"{name}/report.html").decode()


def row(recipes: list[Recipe], what: str) -> list[str]:
    return dict(compare_designs(recipes))[what]


def test_designs_are_compared_with_units_intervals_and_limits():
    other = make_recipe(targets={"ys_mpa": (280.0, None)}, designed_for={"ys_mpa": (280.0, None)})
    both = [make_recipe(), other]
    assert row(both, "Ultimate tensile strength, asked for") == ["430 MPa", "free"]
    assert row(both, "Yield strength, asked for") == ["280 MPa", "at least 280 MPa"]
    found = row(both, "Ultimate tensile strength, found")
    assert found == ["441 MPa (400 to 480 MPa), +11 MPa (+2.6 %)", "441 MPa (400 to 480 MPa)"]
    ys = row(both, "Yield strength, found")
    assert "too few specimens" in ys[0]
    assert ys[1].endswith("\u22125 MPa (\u22121.8 %)")  # from the end of the range
    settings = row(both, "Magnesium, recommended")[0]
    assert settings == "0.04 wt% (0.035 to 0.045 wt%), limit: at least 0.03 wt%"
    assert row(both, "Field")[0] == "128 × 128 µm (128 × 128 px)"


def test_designs_of_other_data_have_gaps_in_words():
    bare = replace(make_recipe().pictures[0], predicted={})
    other = make_recipe(
        columns=(), targets={}, process={}, designed_for={}, recommended={}, pictures=(bare,)
    )
    both = [make_recipe(), other]
    assert row(both, "Yield strength, found")[1] == "not given"
    assert row(both, "Yield strength, asked for")[1] == "not given"
    assert row(both, "Magnesium, recommended")[1] == "not given"


def test_a_stand_in_says_both_targets():
    one = make_recipe(verdict="infeasible", targets={"uts_mpa": 2000.0})
    assert row([one], "Ultimate tensile strength, asked for") == ["2000 MPa; designed for 430 MPa"]
    assert row([one], "Verdict") == ["Not feasible"]


def test_recipes_of_tests_are_recipes():
    content = json.loads(json.dumps(make_recipe().to_json()))
    assert Recipe.from_json(content) == make_recipe()
