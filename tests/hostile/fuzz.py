"""Property-based fuzzing: whatever comes, it is read, or refused in words and within the caps."""

import copy
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayesnet.demands import parse_demand
from bayesnet.evidence import check_evidence
from bayesnet.learn import NetworkConfig
from bayesnet.network import Network
from bayesnet.query import judge
from bayesnet.recipe import Recipe
from core.dataset import load_dataset
from core.encode import load_latents
from core.errors import MicroDesignError
from core.exports.spreadsheet import to_csv
from core.files import read_json
from core.images import Micrograph, read_image
from core.import_data.naming import PATTERNS, specimen_of
from core.import_data.sheet import Sheet, read_sheet
from core.jobs.request import load_request
from core.jobs.status import observed
from core.labels import load_labels
from core.manifest_table import build_table
from core.microscope_text import with_text_scale
from core.model import ModelConfig
from core.properties import PropertyModel
from core.reference_file import load_reference
from core.tensors import read_tensors
from core.train_config import TrainConfig
from tests.core.import_data.pictures import workbook
from tests.hostile import jobs, zips
from tests.hostile.case import MESSAGE_CAP, Case
from tests.hostile.exports import _runs
from tests.hostile.made import LEVELS, deep_levels, grey, packed, png, tiff
from tests.hostile.manifests import data_set
from tests.hostile.microscope_texts import hitachi, jeol
from tests.hostile.model_folder import copied, put
from tests.hostile.queries import network
from tests.recipes import make_recipe

EXTREMES = (0, 1, 7, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mangled(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with up to four things done to it: bytes changed, cut out, put in, cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == 1:
            order = draw(st.sampled_from(("little", "big")))
            data[place : place + 4] = draw(st.sampled_from(EXTREMES)).to_bytes(4, order)  # type: ignore[arg-type]
        elif kind == 2:
            del data[place : place + draw(st.integers(1, 64))]
        elif kind == 3:
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
        else:
            del data[place:]
    return bytes(data)


def _leaves(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    entries = content.items() if isinstance(content, dict) else ()
    entries = list(enumerate(content))[:3] if isinstance(content, list) else entries
    for key, value in entries:
        yield from _leaves(value, (*path, key))


@st.composite
def edits(draw: st.DrawFn, content: Any, paths: list[tuple[Any, ...]]) -> Any:
    """JSON content with up to two entries replaced by anything, or taken away."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 2))):
        *keys, last = draw(st.sampled_from(paths))
        place = content
        try:
            for key in keys:
                place = place[key]
            if draw(st.booleans()):
                place[last] = draw(JSON)
            else:
                del place[last]
        except (KeyError, IndexError, TypeError):  # the first edit took it away
            continue
    return content


def _case(
    name: str,
    category: str,
    strategy: Callable[[], st.SearchStrategy[Any]],
    read: Callable[[Any, Any], Any],
    right: Callable[[Any], None],
    count: int,
    make: Callable[[Path], Any] = lambda folder: None,
) -> Case:
    """Return a case that tries ``count`` examples, and returns how many it tried."""

    def act(given_by_make: Any) -> int:
        tried = 0

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy())
        def every(value: Any) -> None:
            nonlocal tried
            tried += 1
            try:
                found = read(given_by_make, value)
            except MicroDesignError as error:
                text = str(error)
                assert 0 < len(text) <= MESSAGE_CAP and text.isprintable(), repr(text)[:200]
                return
            right(found)

        every()
        return tried

    return Case(name=name, category=f"fuzz {category}", make=make, read=act)


def _picture(found: Micrograph) -> None:
    assert found.pixels.dtype == np.float32 and min(found.pixels.shape) >= 32
    assert np.isfinite(found.pixels).all() and 0 <= found.pixels.min() <= found.pixels.max() <= 1
    assert found.um_per_px is None or 0 < found.um_per_px <= 20
    assert all(note.isprintable() for note in found.notes), found.notes


def _files() -> Iterator[Case]:
    kinds = {
        "png": png(),
        "palette png": grey("PNG", bits=4),
        "jpeg": grey("JPEG", progressive=True),
        "bmp": grey("BMP"),
        "8-bit tiff": grey("TIFF", compression="tiff_lzw"),
        "16-bit tiff": tiff(deep_levels()),
        "deflated colour tiff": tiff(
            np.stack([deep_levels()] * 3, -1), photometric="rgb", compression="zlib"
        ),
        "float tiff": tiff(LEVELS.astype("float32")),
        "big tiff": tiff(deep_levels(), bigtiff=True),
    }
    for name, data in kinds.items():
        yield _case(
            name,
            "pictures",
            lambda d=data: mangled(d),
            lambda _, d: read_image(d, "a.png"),
            _picture,
            150,
        )
    yield _case(
        "any bytes",
        "pictures",
        lambda: st.binary(max_size=300),
        lambda _, d: read_image(d, "a.tif"),
        _picture,
        100,
    )
    yield _case(
        "any name",
        "pictures",
        lambda: st.text(max_size=200),
        lambda _, n: read_image(png(), n),
        _picture,
        100,
    )

    for name, text in {"JEOL": jeol(), "Hitachi": hitachi().decode().encode("utf-16")}.items():
        yield _case(
            f"{name}'s texts mangled",
            "pictures",
            lambda t=text: mangled(t),
            lambda plain, t: with_text_scale(plain, lambda: t),
            _picture,
            200,
            lambda folder: read_image(png(), "a.png"),
        )

    def cells(found: Sheet) -> None:
        assert {len(column) for column in found.columns.values()} == {len(found)}
        assert all(c.isprintable() for column in found.columns.values() for c in column)

    yield _case(
        "any text",
        "tables",
        lambda: st.text(max_size=300),
        lambda _, t: read_sheet(t.encode("utf-8", "surrogatepass"), "t.csv"),
        cells,
        200,
    )
    yield _case(
        "tables mangled",
        "tables",
        lambda: mangled("file;Härte;uts\na.png;180,5;430\nb.png;;7\n".encode("cp1252")),
        lambda _, d: read_sheet(d, "t.csv"),
        cells,
        200,
    )
    book = workbook([["file", "uts"], ["a.png", 430.5], ["b.png", 1]])
    yield _case(
        "Excel files mangled",
        "tables",
        lambda: mangled(book),
        lambda _, d: read_sheet(d, "t.xlsx"),
        cells,
        150,
    )
    patterns = st.text("a_*-{specimen}/", max_size=20) | st.sampled_from(sorted(PATTERNS))
    yield _case(
        "any pattern",
        "tables",
        lambda: st.tuples(st.text("ab_/", max_size=60), patterns),
        lambda _, v: specimen_of(*v),
        lambda found: None,
        150,
    )

    archive = packed({"a.png": png(), "in/t.csv": b"file\na.png\n"})
    for who, read in (("batch", zips.batch), ("import", zips.imported)):
        yield _case(
            f"zips mangled, {who}",
            "zips",
            lambda: mangled(archive),
            lambda _, d, r=read: r(d),
            lambda found: None,
            200,
        )

    good = "file,specimen,mg_wt,uts_mpa\na.png,s1,0.04,430\n"
    yield _case(
        "manifests mangled",
        "manifests",
        lambda: mangled(good.encode()),
        lambda _, d: build_table(d, None),
        lambda found: None,
        150,
    )

    def declared(root: Path, content: Any) -> Any:
        return _with(root / "dataset.json", content, lambda: load_dataset(root))

    whole = {
        "name": "n",
        "synthetic": True,
        "columns": [
            {"name": "mg_wt", "unit": "", "label": "x", "role": "process", "kind": "numeric"}
        ],
    }
    yield _case(
        "declarations edited",
        "manifests",
        lambda: edits(whole, _paths(whole)),
        declared,
        lambda found: None,
        150,
        data_set(good, whole),
    )


def _paths(content: Any) -> list[tuple[Any, ...]]:
    return [path for path in _leaves(content) if path]


def _with(path: Path, content: Any, read: Callable[[], Any]) -> Any:
    """Read with a file replaced by JSON, and put the file back as it was."""
    before, stamp = path.read_bytes(), path.stat()
    try:
        put(path, json.dumps(content).encode("utf-8"))
        return read()
    finally:
        put(path, before)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def _json() -> Iterator[Case]:
    yield _case(
        "any bytes",
        "JSON files",
        lambda: st.binary(max_size=100),
        _json_of,
        lambda found: json.dumps(found, allow_nan=False).encode() and None,
        100,
        lambda folder: folder,
    )
    yield _case(
        "any content",
        "JSON files",
        lambda: JSON.map(lambda c: json.dumps(c).encode()),
        _json_of,
        lambda found: json.dumps(found, allow_nan=False).encode() and None,
        150,
        lambda folder: folder,
    )
    recipe = make_recipe().to_json()
    recipe = json.loads(json.dumps(recipe))
    yield _case(
        "recipes edited",
        "JSON files",
        lambda: edits(recipe, _paths(recipe)),
        lambda _, c: Recipe.from_json(copy.deepcopy(c)),
        lambda found: json.dumps(found.to_json(), allow_nan=False) and None,
        200,
    )
    for name, read in {"request.json": load_request, "status.json": observed}.items():

        def make(folder: Path, n: str = name) -> tuple[Path, Any]:
            made = jobs._folder(folder)
            return made, json.loads((made / n).read_text())

        yield _case(
            f"{name} edited",
            "JSON files",
            lambda: st.tuples(
                st.sampled_from(
                    ("name", "data", "config", "state", "runner", "done", "queued", "x")
                ),
                JSON,
            ),
            lambda g, v, n=name, r=read: _with(g[0] / n, g[1] | {v[0]: v[1]}, lambda: r(g[0])),
            lambda found: None,
            100,
            make,
        )


def _json_of(folder: Path, data: bytes) -> Any:
    path = folder / "a.json"
    path.write_bytes(data)
    try:
        return read_json(path)
    finally:
        path.unlink()


def _models() -> Iterator[Case]:
    readers: dict[str, tuple[str, Callable[[Path], Any], int]] = {
        "latents": ("latents/latents.json", lambda f: load_latents(f / "latents"), 60),
        "property models": (
            "properties.json",
            lambda f: PropertyModel.load(f / "properties.json"),
            80,
        ),
        "references": ("reference.json", load_reference, 80),
        "labels": ("labels.json", load_labels, 80),
        "networks": ("network.json", lambda f: Network.load(f / "network.json"), 80),
    }
    for name, (file, read, count) in readers.items():

        def make(folder: Path, f: str = file) -> tuple[Path, Any, list[Any]]:
            made = copied(folder)
            content = json.loads((made / f).read_text())
            return made, content, _paths(content)

        yield _model_case(name, file, read, count, make)

    def tensors(folder: Path, data: bytes) -> Any:
        path = folder / "t.safetensors"
        path.write_bytes(data)
        try:
            return read_tensors(path, 2**20)
        finally:
            path.unlink()

    header = json.dumps({"a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    whole = len(header).to_bytes(8, "little") + header + bytes(4)
    yield _case(
        "tensors mangled",
        "models",
        lambda: mangled(whole),
        tensors,
        lambda found: None,
        150,
        lambda folder: folder,
    )


def _model_case(
    name: str, file: str, read: Callable[[Path], Any], count: int, make: Callable[[Path], Any]
) -> Case:
    """Return a case whose examples are edits by place and value of what ``make`` makes."""
    strategy = st.tuples(st.integers(0, 10**6), JSON, st.booleans())

    def edited(given_by_make: tuple[Path, Any, list[Any]], value: tuple[int, Any, bool]) -> Any:
        folder, content, paths = given_by_make
        *keys, last = paths[value[0] % len(paths)]
        changed = copy.deepcopy(content)
        place = changed
        for key in keys:
            place = place[key]
        if value[2]:
            place[last] = value[1]
        else:
            del place[last]
        return _with(folder / file, changed, lambda: read(folder))

    return _case(
        f"{name} edited", "models", lambda: strategy, edited, lambda found: None, count, make
    )


def _settings() -> Iterator[Case]:
    for config in (ModelConfig, TrainConfig, NetworkConfig):
        names = [field.name for field in fields(config)]

        def build(_: Any, values: dict[str, Any], c: Any = config) -> Any:
            return c.from_dict(values) if hasattr(c, "from_dict") else c(**values)

        strategy = st.dictionaries(st.sampled_from(names), JSON, max_size=4)
        unknown = st.dictionaries(st.text(max_size=8), JSON, max_size=2)
        if config is not NetworkConfig:
            strategy = strategy | unknown
        yield _case(
            f"{config.__name__} of anything",
            "settings",
            lambda s=strategy: s,
            build,
            lambda found: None,
            250,
        )


def _queries() -> Iterator[Case]:
    wish = JSON | st.tuples(st.floats() | st.none(), st.floats() | st.none()) | st.floats()
    yield _case(
        "any wish",
        "queries",
        lambda: wish,
        lambda _, w: parse_demand(w, "uts_mpa"),
        lambda d: None if d.low <= d.high else _wrong(d),
        250,
    )
    names = st.sampled_from(("uts_mpa", "ys_mpa", "mg_wt", "x"))
    settings_of = st.sampled_from(("mg_wt", "radius_mm", "ce_pct", "uts_mpa"))
    yield _case(
        "any evidence",
        "queries",
        lambda: st.tuples(
            st.dictionaries(names, wish, max_size=3), st.dictionaries(settings_of, wish, max_size=3)
        ),
        lambda n, v: check_evidence(n, *v),
        lambda e: None if np.isfinite(e.bounds).all() else _wrong(e),
        150,
        lambda f: network(),
    )
    value = st.floats(1e-6, 1e12)
    yield _case(
        "any two strengths, judged",
        "queries",
        lambda: st.tuples(value, value),
        lambda n, v: judge(n, {"uts_mpa": v[0], "ys_mpa": (None, v[1])}),
        lambda f: None if math.isfinite(f.distance) else _wrong(f),
        25,
        lambda f: network(),
    )
    cells = st.text(st.sampled_from("=+-@a1;,\t\n\"' |\u3000＝"), max_size=12) | st.text(
        max_size=12
    )
    yield _case(
        "any cell",
        "exports",
        lambda: st.lists(cells, min_size=1, max_size=3),
        lambda _, row: to_csv(["a"] * len(row), [row]),
        lambda text: None if not _runs(text) else _wrong(text),
        300,
    )


def _wrong(found: object) -> None:
    raise AssertionError(f"{found!r:.200}")


CASES = (*_files(), *_json(), *_models(), *_settings(), *_queries())
