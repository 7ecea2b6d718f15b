"""Latents, property models, references, labels and examples of a model, edited or exchanged."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from core.checkpoint import load_model
from core.encode import load_latents
from core.errors import CheckpointError
from core.examples import load_examples
from core.labels import load_labels
from core.properties import PropertyModel
from core.reference_file import load_reference
from tests.hostile.case import Case
from tests.hostile.model_folder import GONE, copied, edited, tensors, written

READERS: dict[str, Callable[[Path], Any]] = {
    "latents": lambda folder: load_latents(folder / "latents"),
    "property models": lambda folder: PropertyModel.load(folder / "properties.json"),
    "references": load_reference,
    "labels": load_labels,
    "examples": load_examples,
    "denoisers": lambda folder: load_model(folder, backbone=False),
}
BAD = "damaged.*again"


def _case(category: str, name: str, make: Callable[[Path], Path], says: str = "") -> Case:
    return Case(
        name=name,
        category=category,
        make=make,
        read=READERS[category],
        says=says,
        kind=CheckpointError,
    )


def _entries(category: str, file: str, changes: list[tuple[Any, ...]]) -> Iterator[Case]:
    """Yield a case for each (name, keys..., value): the entry at the keys has that value."""
    yield _case(category, "as they should be", copied)
    for name, *keys, value in changes:
        yield _case(category, name, edited(file, *keys, value=value), BAD)
    for what, data in {
        "a list": b"[]",
        "a text": b'"x"',
        "null": b"null",
        "nothing": b"",
        "an empty object": b"{}",
    }.items():
        if (category, what) not in {("examples", "a list"), ("examples", "an empty object")}:
            yield _case(category, f"{what} for the file", written(file, data), file.split("/")[-1])


def _latents() -> Iterator[Case]:
    about = "latents/latents.json"
    yield from _entries(
        "latents",
        about,
        [
            ("no list of files", "files", GONE),
            ("files that are an object", "files", {}),
            ("files that are lists", "files", [["a"]]),
            ("fewer files than there are", "files", ["a"]),
            ("specimens that are numbers", "specimens", list(range(24))),
            ("a specimen twice", "specimens", 1, "c000"),
            ("no specimen", "specimens", []),
            (
                "a column too many",
                "columns",
                [{"name": "x", "unit": "", "label": "x", "role": "process", "kind": "numeric"}],
            ),
            ("a column with a method", "columns", 0, "__init__", 1),
            ("a column that is a text", "columns", 0, "x"),
            ("a column of an unknown role", "columns", 0, "role", "admin"),
            ("a name that is a list", "data_name", []),
            ("a hash that is a number", "model_hash", 5),
            ("synthetic that is a word", "synthetic", "no"),
        ],
    )
    yield _case("latents", "another format", edited(about, "format", value=99), "of format 1")
    yield _case(
        "latents", "a wrong hash", edited(about, "sha256", value="0" * 64), "run core.encode"
    )

    def case(name: str, change: Callable[[dict[str, torch.Tensor]], Any]) -> Case:
        return _case("latents", name, tensors("latents/latents.safetensors", about, change), BAD)

    yield case("no mu", lambda t: t.pop("mu") is None)
    yield case("mu of one dimension", lambda t: t.update(mu=t["mu"][:, 0].contiguous()))
    yield case("mu of another length", lambda t: t.update(mu=t["mu"][:-1].contiguous()))
    half = tensors("latents/latents.safetensors", about, lambda t: t.update(mu=t["mu"].half()))
    yield _case("latents", "mu of float16, as published", half)
    for dtype in (torch.float64, torch.bfloat16, torch.int64, torch.bool):
        yield case(f"mu of {dtype}", lambda t, d=dtype: t.update(mu=t["mu"].to(d)))
    for value in ("nan", "inf"):
        yield case(f"mu with {value}", lambda t, v=value: t["mu"].__setitem__((0, 0), float(v)))
        yield case(f"logvar with {value}", lambda t, v=value: t["logvar"].__setitem__(0, float(v)))
    for number in (-1, 10**6):
        yield case(f"specimen number {number}", lambda t, n=number: t["specimen"].fill_(n) is None)
        yield case(f"file number {number}", lambda t, n=number: t["file"].fill_(n) is None)
    yield case(
        "specimen numbers that are floats", lambda t: t.update(specimen=t["specimen"].float())
    )
    yield case(
        "corners of three numbers",
        lambda t: t.update(corner=torch.zeros((len(t["mu"]), 3), dtype=torch.int32)),
    )
    yield case("no patch", lambda t: {n: v[:0].contiguous() for n, v in t.items()})
    rows = "latents/specimens.csv"
    head = "specimen,mg_wt,radius_mm,ce_pct,uts_mpa,ys_mpa\n"
    for what, text in {
        "nothing": "",
        "a header alone": head,
        "another table": "a,b\n1,2\n",
        "words for numbers": head + "c000,x,x,x,x,x\n",
        "infinity": head + "".join(f"c{i:03d},1,1,1,inf,1\n" for i in range(24)),
        "a quote that is never closed": head + '"c000,1',
        "a column twice": head.replace("ys_mpa", "uts_mpa"),
    }.items():
        yield _case("latents", f"specimens.csv of {what}", written(rows, text.encode()), BAD)
    yield _case("latents", "specimens.csv in UTF-16", written(rows, head.encode("utf-16")), BAD)

    def gone(folder: Path) -> Path:
        made = copied(folder)
        (made / rows).unlink()
        return made

    yield _case("latents", "no specimens.csv", gone, "cannot read")


def _denoisers() -> Iterator[Case]:
    file, about = "denoiser.safetensors", "denoiser.json"
    kind = "denoisers"
    yield _case(kind, "as they should be", copied)
    for name, values in {
        "channels": [[], [10**9], [512] * 5, [512] * 6, "8", [8, "8"], None, {}],
        "width": [0, 10**9, "8", None, 8.0],
        "latents": [0, 10**18, "6", True],
        "steps": [0, 10**9, "4", None],
        "coarse_steps": [0, 10**9, 0.5],
        "start": [0, -1, "x", None, [1], 99],
        "highest": [0, 10**6, "x", True],
        "lowest": [0, -1.0, 5],
        "coarse": [-1, 0.001, 99, "x", None],
    }.items():
        for value in values:
            what = f"{name} is {value!r}"[:50]
            yield _case(kind, what, edited(about, "config", name, value=value), "denoiser.json")
    for name, value in {
        "format": [2],
        "config": [1],
        "weights_sha256": "0" * 64,
        "steps": "many",
        "parameters": -1,
        "seconds": "long",
    }.items():
        yield _case(kind, f"{name} is {value!r}"[:50], edited(about, name, value=value), "denoiser")
    for what, data in {"nothing": b"", "a list": b"[]", "a text": b'"x"', "null": b"null"}.items():
        yield _case(kind, f"{what} for the file", written(about, data), about)
        yield _case(kind, f"{what} for the weights", written(file, data), "damaged.*again|sha256")

    def changed(name: str, change: Callable[[dict[str, torch.Tensor]], Any], says: str) -> Case:
        return _case(kind, name, tensors(file, about, change, "weights_sha256"), says)

    one, odd = "inlet.weight", "disagree on the tensors"
    yield changed("a tensor is missing", lambda t: t.pop(one) is None, odd)
    yield changed("a tensor too many", lambda t: t.update(x=torch.zeros(1)), odd)
    yield changed("no tensor", lambda t: t.clear(), odd)
    yield changed(
        "a row more", lambda t: t.update({one: torch.cat([t[one], t[one][:1]])}), "is \\("
    )
    yield changed("another dtype", lambda t: t.update({one: t[one].float()}), "float32, not")
    for value in ("nan", "inf"):
        yield changed(
            f"a weight of {value}", lambda t, v=value: t[one].fill_(float(v)) is None, "not finite"
        )


def _properties() -> Iterator[Case]:
    file, one = "properties.json", ("regressors", 0)
    yield from _entries(
        "property models",
        file,
        [
            ("no regressors", "regressors", GONE),
            ("regressors that are a text", "regressors", "x"),
            ("a regressor that is null", *one, None),
            ("a regressor with a method", *one, "__class__", "x"),
            *(
                (f"{name} is {value!r}", *one, name, value)
                for name in ("gamma", "scale", "centre", "penalty", "r2", "rmse")
                for value in ("x", None, [])
            ),
            ("gamma is 0", *one, "gamma", 0),
            ("gamma is negative", *one, "gamma", -1.0),
            ("scale is 0", *one, "scale", 0.0),
            ("a half width that is a text", *one, "half_width", "wide"),
            ("a half width below 0", *one, "half_width", -5.0),
            ("half widths that are texts", *one, "half_widths", [["1", "2"]]),
            ("half widths that are single", *one, "half_widths", [[1]]),
            ("relative that is a word", *one, "relative", "no"),
            ("a label that is a list", *one, "label", []),
            ("a unit that is null", *one, "unit", None),
            ("a column that is a number", *one, "column", 5),
            ("one property twice", "regressors", 1, "column", "uts_mpa"),
            ("points of one dimension", *one, "points", [1.0]),
            ("points of unequal length", *one, "points", [[1.0], [1.0, 2.0]]),
            ("points of texts", *one, "points", [["x"]]),
            ("fewer points than weights", *one, "points", 0, GONE),
            ("fewer weights than points", *one, "dual", [1.0]),
            ("labels of another number", *one, "labels", [1.0]),
            ("calibrated by magic", *one, "calibration", "method", "magic"),
            ("calibration that is a list", *one, "calibration", []),
            ("calibrated on a text", *one, "calibration", "specimens", "9"),
            ("active latents beyond all", "active", [10**6]),
            ("active latents below 0", "active", [-1]),
            ("no active latent", "active", []),
            ("active latents that are texts", "active", "01"),
            ("half a dimension", "dimensions", 6.5),
            ("dimensions that are a text", "dimensions", "6"),
            ("notes that are numbers", "notes", [1]),
            ("a hash that is null", "model_hash", None),
        ],
    )
    yield _case("property models", "another version", edited(file, "version", value=[]), "again")


def _references() -> Iterator[Case]:
    file, about = "reference.json", "reference.safetensors"
    yield from _entries(
        "references",
        file,
        [
            ("an unknown entry", "x", 1),
            ("no limits", "limits", GONE),
            ("limits of 0", "limits", [0, 0]),
            ("limits below 0", "limits", [-1.0, 5.0]),
            ("three limits", "limits", [1, 1, 1]),
            ("limits that are texts", "limits", ["5", "nan"]),
            ("limits that are a text", "patch_limits", "55"),
            ("five layers", "layer_limits", [1.0] * 5),
            ("distances in disorder", "distances", [0.5, 0.1]),
            ("distances that are texts", "distances", ["0.1"]),
            ("a style that is a text", "style_reconstruction_median", "low"),
            ("a style below 0", "style_same_specimen", -1),
            ("images that are a text", "images", "many"),
            ("half a patch", "patches", 0.5),
            ("graphite that is a word", "graphite", "yes"),
            ("metrics that are a list", "metrics", []),
            ("metrics that are texts", "metrics", {"a": {"b": {"mean": "x"}}}),
            ("a name that is an object", "data_name", {}),
        ],
    )
    yield _case(
        "references", "another format", edited(file, "format", value="2"), "another version"
    )
    yield _case(
        "references", "a wrong hash", edited(file, "sha256", value=""), "run core.reference"
    )

    def case(name: str, change: Callable[[dict[str, torch.Tensor]], Any]) -> Case:
        return _case("references", name, tensors(about, file, change), BAD)

    yield case("no axes", lambda t: t.pop("latent.axes") is None)
    yield case("axes of another shape", lambda t: t.update({"latent.axes": torch.eye(2)}))
    yield case("axes of NaN", lambda t: t["latent.axes"].fill_(float("nan")) is None)
    yield case("a spread of 0", lambda t: t["style.spread"].fill_(0) is None)
    yield case("variances below 0", lambda t: t["latent.between"].fill_(-1) is None)
    yield case(
        "an offset that is one number", lambda t: t.update({"latent.offset": torch.tensor(1.0)})
    )
    yield case(
        "components of one dimension", lambda t: t.update({"style.components": torch.ones(9)})
    )
    yield case(
        "style vectors of another length",
        lambda t: t.update(
            {
                "style.centre": torch.ones(5),
                "style.spread": torch.ones(5),
                "style.components": torch.zeros((1, 5)),
            }
        ),
    )


def _labels() -> Iterator[Case]:
    one = ("dimensions", 0)
    yield from _entries(
        "labels",
        "labels.json",
        [
            ("an unknown entry", "x", 1),
            ("no dimensions", "dimensions", GONE),
            ("dimensions that are a text", "dimensions", "x"),
            ("a dimension that is null", *one, None),
            *(
                (f"{name} is {value!r}", *one, name, value)
                for name in ("explained", "sd_patches", "low", "high")
                for value in ("x", None, [])
            ),
            ("an index that is a text", *one, "index", "0"),
            ("half an index", *one, "index", 0.5),
            ("an index below 0", *one, "index", -1),
            ("an unknown kind", *one, "kind", "admin"),
            ("a name that is an object", *one, "name", {}),
            ("a name for an effect of nothing", *one, "named", [["<script>", 1]]),
            ("an effect of sign 7", *one, "named", [["nodularity_iso_pct", 7]]),
            ("named effects that are numbers", *one, "named", [1]),
            ("effects that are texts", *one, "effects", ["x"]),
            ("an effect without a slope", *one, "effects", 0, "slope", GONE),
            ("an effect whose slope is a text", *one, "effects", 0, "slope", "1.5"),
            ("an effect that is clear in words", *one, "effects", 0, "clear", "yes"),
            ("an effect on nothing", *one, "effects", 0, "quantity", "x"),
            ("curves that are a list", *one, "curves", []),
            (
                "a curve of other length",
                *one,
                "curves",
                {"nodularity_iso_pct": {"mean": [1.0], "low": [1.0], "high": [1.0]}},
            ),
            ("a vector of texts", "directions", 0, "vector", ["x"]),
            ("spreads that are texts", "spreads", {"nodularity_iso_pct": "1"}),
            ("spreads that are a list", "spreads", []),
            ("no values in the plan", "plan", {}),
            ("a plan that is null", "plan", None),
            ("a scale that is a text", "um_per_px", "1"),
            ("synthetic that is a word", "synthetic", "no"),
            ("figures that are a text", "figures", "x"),
            ("a hash that is a number", "model_hash", 5),
        ],
    )


def _examples() -> Iterator[Case]:
    file = "examples/examples.json"
    yield from _entries(
        "examples",
        file,
        [
            ("an entry that is a text", 0, "x"),
            ("an entry without a file", 0, "file", GONE),
            ("a file that is a number", 0, "file", 5),
            ("a file that leads elsewhere", 0, "file", "../../../etc/passwd"),
            ("a file that is not there", 0, "file", "b.png"),
            ("a file without a name", 0, "file", ".."),
            ("a look that is a list", 0, "look", []),
            ("a scale that is a text", 0, "um_per_px", "1"),
            ("a scale of 0", 0, "um_per_px", 0),
            ("settings that are a list of texts", 0, "settings", ["ab", "c"]),
            ("settings that are texts", 0, "settings", {"x": "1"}),
        ],
    )
    yield _case("examples", "a picture that is none", written("examples/a.png", b"<svg>"), BAD)


CASES = (*_latents(), *_denoisers(), *_properties(), *_references(), *_labels(), *_examples())
