"""Recipes and saved designs, edited or exchanged."""

import copy
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from bayesnet.library import (
    Damaged,
    archive,
    delete_design,
    list_designs,
    load_design,
    save_design,
    set_note,
)
from bayesnet.recipe import load_recipe
from core.errors import InputError
from tests.hostile.case import Case, equal
from tests.recipes import grey_noise, make_recipe

RECIPE, LIBRARY = "recipes", "saved designs"
GONE = object()


@cache
def _whole() -> str:
    return json.dumps(make_recipe().to_json())


def _edited(*keys: Any, value: Any = GONE) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        content = json.loads(_whole())
        place = content
        for key in keys[:-1]:
            place = place[key]
        if value is GONE:
            del place[keys[-1]]
        else:
            place[keys[-1]] = copy.deepcopy(value)
        path = folder / "recipe.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return make


def _changes() -> Iterator[tuple[Any, ...]]:
    picture = ("pictures", 0)
    yield "an unknown entry", "__class__", "x"
    yield "no targets", "targets", GONE
    yield "targets that are a list", "targets", [1]
    yield "a target of a text", "targets", "uts_mpa", "430"
    yield "a target of true", "targets", "uts_mpa", True
    yield "a target of three limits", "targets", "uts_mpa", [1, 2, 3]
    yield "a target of nothing known", "targets", "x", 1.0
    yield "a limit of a text", "process", "mg_wt", [None, "x"]
    yield "limits of something else", "process", {"<script>": 1.0}
    for name in ("seed", "size_px", "samples", "sample_px"):
        for value in (-1, 0.5, "1", None, True, 2**31):
            yield f"{name} is {value!r}", name, value
    yield "a million samples", "samples", 10**6
    yield "parts that are a list", "parts", []
    yield "a part that is no hash", "parts", "model", "../../etc/passwd"
    yield "a part too few", "parts", "network", GONE
    yield "columns that are texts", "columns", ["x"]
    yield "a column with a method", "columns", 0, "__init__", "x"
    yield "a column of an unknown role", "columns", 0, "role", "admin"
    yield "a verdict of its own", "verdict", "certain"
    yield "a distance that is a text", "distance", "near"
    yield "a message that is an object", "message", {}
    yield "a date that is a number", "created", 5
    yield "nearest of texts", "nearest", {"uts_mpa": "x"}
    yield "recommended that are numbers", "recommended", {"mg_wt": 1.0}
    yield "recommended without ends", "recommended", {"mg_wt": {"value": 1.0}}
    yield "no picture", "pictures", []
    yield "pictures that are a text", "pictures", "x"
    yield "a picture of one side", *picture, "shape", [128]
    yield "a picture below 0", *picture, "shape", [-1, 128]
    yield "a picture without a hash", *picture, "sha256", "x" * 64
    yield "latents of texts", *picture, "latents", ["x"]
    yield "predictions of lists", *picture, "predicted", {"uts_mpa": [1, 2, 3]}
    yield "a scale that is a text", "um_per_px", "1"
    yield "periodic that is a word", "periodic", "yes"
    yield "versions that are a list", "versions", []
    yield "a version that is an object", "versions", "torch", {}
    yield "a machine that is a text", "machine", "x"
    yield "threads that are a text", "machine", "threads", "2"
    yield "a model that is a list", "model", []
    yield "a model without a name", "model", "name", GONE
    yield "a model named by a list", "model", "name", []
    yield "synthetic that is a word", "model", "synthetic", "no"
    yield "designed for a list", "designed_for", [1]


def _recipes() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], Any], says: str, **more: Any) -> Case:
        return Case(name=name, category=RECIPE, make=make, read=load_recipe, says=says, **more)

    def written(data: bytes) -> Callable[[Path], Path]:
        def make(folder: Path) -> Path:
            (folder / "recipe.json").write_bytes(data)
            return folder / "recipe.json"

        return make

    for name, *keys, value in _changes():
        yield case(name, _edited(*keys, value=value), "the recipe is damaged")
    yield case("another version", _edited("version", value=99), "has version 99; this program")
    yield case("a version of a list", _edited("version", value=[1]), "has version")
    yield case("another format", _edited("format", value="x"), "no recipe of a design; export one")
    yield case("a list", written(b"[]"), "no recipe")
    yield case("NaN for a target", written(_whole().replace("430.0", "NaN").encode()), "NaN")
    yield case(
        "a number of 400 digits",
        written(_whole().replace("430.0", "9" * 400).encode()),
        "400 digits",
    )
    yield case("nested deeply", written(b"[" * 10**5), "nested too deeply")
    yield case("5 MiB", written(b" " * (5 * 2**20)), "at most 4194304")
    yield case("a folder", lambda folder: folder, "cannot read")
    yield case("a device", lambda folder: Path("/dev/zero"), "not a file")
    yield case(
        "as it should be",
        written(_whole().encode()),
        "",
        right=lambda found: equal(make_recipe())(found),
    )
    script = "<script>alert(1)</script>"
    yield case(
        "a script for a label is a text",
        _edited("columns", 1, "label", value=script),
        "",
        right=lambda found: equal(script)(found.columns[1].label),
    )


def _saved(folder: Path) -> tuple[Path, str]:
    library = folder / "designs"
    name, _ = save_design(library, make_recipe(), grey_noise(), "a note")
    return library, name


def _with(change: Callable[[Path], Any]) -> Callable[[Path], tuple[Path, str]]:
    def make(folder: Path) -> tuple[Path, str]:
        library, name = _saved(folder)
        change(library / name)
        return library, name

    return make


def _replace(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(data)


def _pipe(name: str) -> Callable[[Path], Any]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return change


def _read(given: tuple[Path, str]) -> Any:
    library, name = given
    saved = load_design(library, name)
    return saved, saved.pixels, archive([saved])


def _listed(given: tuple[Path, str]) -> tuple[Damaged, ...]:
    return list_designs(given[0])[1]


def _library() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], Any], says: str = "", **more: Any) -> Case:
        more.setdefault("read", _read)
        return Case(name=name, category=LIBRARY, make=make, says=says, **more)

    yield case("as it should be", _saved)
    changes = {
        "a recipe that is no JSON": (_replace("recipe.json", b"<html>"), "not valid JSON"),
        "a recipe of nothing": (_replace("recipe.json", b""), "not valid JSON"),
        "a recipe that is a pipe": (_pipe("recipe.json"), "not a file"),
        "no recipe": (lambda f: (f / "recipe.json").unlink(), "cannot read"),
        "no picture": (lambda f: (f / "picture.png").unlink(), "has lost its picture"),
        "a picture that is a page": (_replace("picture.png", b"<html>"), "save it as PNG"),
        "a picture that is a pipe": (_pipe("picture.png"), "has lost its picture"),
        "a note that is a pipe": (_pipe("note.txt"), "note of design .* cannot be read"),
        "a note of noise": (_replace("note.txt", b"\xff\xfe\x00"), "note of design .* cannot"),
        "a note of 2 MiB": (_replace("note.txt", b"x" * 2**21), "note of design .* cannot"),
    }
    for name, (change, says) in changes.items():
        yield case(name, _with(change), says)
        if "picture that is a page" not in name:
            yield case(
                f"{name}, in the list",
                _with(change),
                read=_listed,
                right=lambda damaged: equal(1)(len(damaged)),
            )
    for name in (
        "../x",
        "",
        "/etc",
        "20260102-030405-00000000",
        "20260102-030405-0000000a\n",
        "a\0",
    ):
        for what, act in {"opened": load_design, "deleted": delete_design}.items():
            yield case(
                f"{name!r} is {what}",
                _saved,
                "there is no saved design",
                read=lambda given, n=name, a=act: a(given[0], n),
            )
    yield case(
        "a note too long", _saved, "at most 4000", read=lambda given: set_note(*given, "x" * 5000)
    )

    def linked(folder: Path) -> tuple[Path, str]:
        library, _ = _saved(folder)
        (folder / "outside").mkdir()
        (folder / "outside" / "kept").write_text("x")
        other = "20260102-030405-0000000a"
        (library / other).symlink_to(folder / "outside")
        return library, other

    yield case(
        "a link to a folder, in the list",
        linked,
        read=_listed,
        right=lambda damaged: equal(1)(len(damaged)),
    )

    def spared(given: tuple[Path, str]) -> bool:
        try:
            load_design(*given)
        except InputError:
            return (given[0].parent / "outside" / "kept").exists()
        return False

    yield case("a link to a folder leads to no design", linked, read=spared, right=equal(True))


CASES = (*_recipes(), *_library())
