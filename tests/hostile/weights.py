"""Weights that are missing, wrong, or of another model than the manifest says."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from core.checkpoint import LoadedModel, load_model
from core.errors import CheckpointError
from tests.hostile.case import Case
from tests.hostile.model_folder import Tensors, copied, edited, tensors, written

KIND, MANIFEST = "weights", "model manifests"
FILE, ABOUT = "model.safetensors", "manifest.json"


def _load(folder: Path) -> LoadedModel:
    return load_model(folder, backbone=False)


def _case(name: str, make: Callable[[Path], Path], says: str = "", **more: Any) -> Case:
    category = more.pop("category", KIND)
    return Case(
        name=name, category=category, make=make, read=_load, says=says, kind=CheckpointError, **more
    )


def _changed(change: Callable[[Tensors], Any]) -> Callable[[Path], Path]:
    return tensors(FILE, ABOUT, change, "weights_sha256")


def _first(found: Tensors) -> str:
    return sorted(name for name in found if name.startswith("decoder"))[0]


def _set(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path], Path]:
    def of(found: Tensors) -> None:
        found[_first(found)] = change(found[_first(found)])

    return _changed(of)


def _tensors() -> Iterator[Case]:
    yield _case("as they should be", copied)
    odd = "disagree on the tensors"
    yield _case("a tensor is missing", _changed(lambda t: t.pop(_first(t)) is None), odd)
    yield _case("a tensor too many", _changed(lambda t: t.update(x=torch.zeros(1))), odd)
    yield _case(
        "a tensor of another name", _changed(lambda t: t.update({"../../x": t.pop(_first(t))})), odd
    )
    yield _case("no tensor", _changed(lambda t: t.clear()), odd)
    yield _case("a tensor of one row more", _set(lambda t: torch.cat([t, t[:1]])), "is \\(")
    yield _case(
        "a tensor turned round",
        _set(
            lambda t: (
                t.reshape(t.shape[::-1]).contiguous()
                if t.dim() > 1 and t.shape != t.shape[::-1]
                else t.reshape(1, -1)
            )
        ),
        "is \\(",
    )
    yield _case(
        "a tensor without entries", _set(lambda t: torch.zeros((0, 3)).half()), "is \\(0, 3"
    )
    for dtype in (
        torch.float32,
        torch.float64,
        torch.bfloat16,
        torch.int8,
        torch.bool,
        torch.complex64,
        torch.float8_e4m3fn,
    ):
        yield _case(f"a tensor of {dtype}", _set(lambda t, d=dtype: t.to(d)), f"{dtype}, not")
    for value in ("nan", "inf", "-inf"):
        yield _case(
            f"a weight of {value}", _set(lambda t, v=value: t.clone().fill_(float(v))), "not finite"
        )


def _header(content: Any, data: bytes = b"") -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + data


def _files() -> Iterator[Case]:
    bad = "is damaged.*again"
    entry = {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}
    files: dict[str, bytes] = {
        "zero bytes": b"",
        "a pickle of torch": b"PK\x03\x04archive/data.pkl" + bytes(500),
        "a pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x94R\x94.",
        "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
        "a header of 200 MB that is not there": struct.pack("<Q", 2 * 10**8) + b"{}",
        "a header that is no JSON": _header(b"{" * 100),
        "a header nested deeply": _header(b"[" * 100_000),
        "data beyond the file": _header({"a": entry | {"data_offsets": [0, 2**40]}}, bytes(4)),
        "data before the file": _header({"a": entry | {"data_offsets": [-4, 0]}}, bytes(4)),
        "data shared by two tensors": _header({"a": entry, "b": entry}, bytes(4)),
        "a shape of another size": _header({"a": entry | {"shape": [3]}}, bytes(4)),
        "a shape beyond all memory": _header({"a": entry | {"shape": [2**40, 2**40]}}, bytes(4)),
        "a type that does not exist": _header({"a": entry | {"dtype": "X99"}}, bytes(4)),
        "a type that torch does not have": _header(
            {"a": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}}, bytes(4)
        ),
    }
    for what, data in files.items():
        yield _case(what, written(FILE, data), f"{bad}|sha256 differs")
        yield _case(f"{what}, the hash put right", _changed(lambda t, d=data: d), f"{bad}|disagree")
    yield _case(
        "another file than the manifest names",
        edited(ABOUT, "weights_sha256", value="0" * 64),
        "its sha256 differs",
    )
    yield _case("no hash in the manifest", edited(ABOUT, "weights_sha256"), "its sha256 differs")

    def cut(folder: Path) -> Path:
        made = copied(folder)
        data = (made / FILE).read_bytes()
        (made / FILE).unlink()
        (made / FILE).write_bytes(data[:-100])
        return made

    yield _case("cut off", cut, bad)

    def without(folder: Path) -> Path:
        made = copied(folder)
        (made / FILE).unlink()
        return made

    yield _case("no weights", without, "cannot read")

    def huge(folder: Path) -> Path:
        made = copied(folder)
        (made / FILE).unlink()
        with open(made / FILE, "wb") as stream:
            stream.truncate(2**34)
        return made

    yield _case("sixteen gigabytes", huge, "17179869184 bytes")
    yield _case("a device", lambda folder: _device(copied(folder)), "not a file")


def _device(made: Path) -> Path:
    (made / FILE).unlink()
    (made / FILE).symlink_to("/dev/zero")
    return made


def _manifests() -> Iterator[Case]:
    def case(name: str, says: str, *keys: Any, **value: Any) -> Case:
        return _case(name, edited(ABOUT, *keys, **value), says, category=MANIFEST)

    form = "not a model of format"
    yield case("another format", form, "format", value=2)
    yield case("a format of true", form, "format", value=[1])
    yield _case("a list", written(ABOUT, b"[]"), form, category=MANIFEST)
    yield _case("null", written(ABOUT, b"null"), form, category=MANIFEST)
    yield case("no settings", "disagree|backbone|is \\(", "config")
    for value in ([], "x", 3, None):
        yield case(f"settings that are {value!r}", "needs a mapping", "config", value=value)
    yield case("an unknown setting", "unknown settings", "config", "__class__", value="os.system")
    wrong = {
        "latents": [0, -1, 257, 10**18, 6.0, "6", None, True, [6]],
        "hidden": [10**9, 0],
        "patch_px": [100, 0, 10**6],
        "decoder": ["x", None, []],
        "backbone": ["../../x", 0],
        "backbone_sha256": ["x", "g" * 64, 0],
        "channels": [[10**9] * 5, [0] * 5, [8] * 4, "88888", [8, 8, 8, 8, None], {}],
        "grain": ["yes", 1, None],
    }
    for name, values in wrong.items():
        for value in values:
            shown = repr(value).replace("1000000000", "1e9")[:30]
            yield case(f"{name} is {shown}", name.split("_")[0], "config", name, value=value)
    for value in (7, 256):
        yield case(f"{value} latents instead of 6", "is \\(", "config", "latents", value=value)
    yield case(
        "channels of the widest kind, gigabytes",
        "asks for 339763200 parameters",
        "config",
        "channels",
        value=[2048] * 5,
    )
    yield case("another decoder", "disagree|takes 5|is \\(", "config", "decoder", value="paper")
    for name, values in {
        "um_per_px": ["1", -1, True, [1]],
        "synthetic": ["no", 1],
        "name": [{}, 5],
        "data_hash": [5],
        "training_specimens": ["all", [1]],
        "images": [-1, "9"],
    }.items():
        for value in values:
            yield case(f"{name} is {value!r}", f"damaged: {name}", name, value=value)
    yield case("a name of a MiB", "damaged: name", "name", value="x" * 2**20)


CASES = (*_tensors(), *_files(), *_manifests())
