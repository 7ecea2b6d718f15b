"""Settings that nobody should ask for, and those that look like settings and are none."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bayesnet.learn import NetworkConfig
from core.errors import CheckpointError, ConfigError
from core.image_limits import ImageLimits
from core.jobs.presets import preset_config
from core.labels import Plan
from core.model import ModelConfig
from core.train_config import TrainConfig
from tests.hostile.case import Case, equal

KIND = "settings"
NAN, INF = float("nan"), float("inf")


def _case(name: str, read: Callable[[Any], Any], says: str, **more: Any) -> Case:
    more.setdefault("kind", ConfigError)
    return Case(name=name, category=KIND, read=read, says=says, **more)


def _training() -> Iterator[Case]:
    wrong: dict[str, list[Any]] = {
        "steps": [0, -1, 1.5, "9", True, 10**9],
        "minutes": [0, NAN, INF, "x"],
        "batch": [0, 10**6],
        "learning_rate": [0, NAN, INF, "1e-3", True],
        "loss": ["x", None, []],
        "style_layers": [[], ["x"], "pool1", [[]], 5],
        "kl_weight": [-1, NAN],
        "ema_decay": [1.0, -0.1],
        "seed": [-1, 2**31],
        "augment": [1, "no"],
        "validation_fraction": [1.0, -0.1, NAN],
        "precision": ["float8"],
        "model": [None, [], "x", {"latents": -1}],
        "__class__": ["x"],
    }
    for name, values in wrong.items():
        for value in values:
            yield _case(
                f"training: {name} is {value!r}",
                lambda _, n=name, v=value: TrainConfig.from_dict({n: v}),
                "model|latents|mapping" if name == "model" else name.split("_")[0] or "unknown",
            )
    for value in ([], "x", None, 5):
        yield _case(
            f"training settings that are {value!r}",
            lambda _, v=value: TrainConfig.from_dict(v),
            "needs a mapping",
        )
    yield _case(
        "training settings with keys that are no texts",
        lambda _: TrainConfig.from_dict({1: 2, None: 3}),
        "unknown settings",
    )

    def file(data: bytes) -> Callable[[Path], str]:
        def make(folder: Path) -> str:
            (folder / "c.json").write_bytes(data)
            return str(folder / "c.json")

        return make

    for what, data in {"a list": b"[]", "an unknown setting": b'{"x": 1}'}.items():
        yield _case(f"a file of {what}", TrainConfig.from_file, "mapping|unknown", make=file(data))
    for what, data in {"NaN": b'{"steps": NaN}', "nothing": b"", "noise": b"\xff"}.items():
        yield _case(
            f"a file of {what}",
            TrainConfig.from_file,
            "not valid JSON",
            make=file(data),
            kind=CheckpointError,
        )
    for name in ("../presets/finish", "/etc/passwd", "", "nothing"):
        yield _case(
            f"settings named {name!r}",
            lambda _, n=name: TrainConfig.from_file(n),
            "cannot read|not valid JSON",
            kind=CheckpointError,
        )
    yield _case(
        "a preset that is not there", lambda _: preset_config("../x", 9, False), "no preset"
    )
    yield _case(
        "written and read again",
        lambda _: TrainConfig.from_dict(json.loads(json.dumps(TrainConfig().to_dict()))),
        "",
        right=equal(TrainConfig()),
    )


def _others() -> Iterator[Case]:
    wrong: dict[str, list[Any]] = {
        "regimes": [(), (0,), (9,), 3, "123", (1.5,), (True,), None, (1,) * 1000],
        "factors": [(), (-1,), (65,), "2", None, ("x",)],
        "folds": [1, 21, 2.5, "5", None],
        "active_variance": [-1, 10, NAN, "x", None, True],
        "patch_px": [0, -1, 0.5, "x", 10**9],
        "seed": [-1, "x", None],
    }
    for name, values in wrong.items():
        for value in values:
            shown = repr(value)[:20]
            yield _case(
                f"network: {name} is {shown}",
                lambda _, n=name, v=value: NetworkConfig(**{n: v}),
                name,
            )
    yield _case(
        "model settings with keys that are no texts",
        lambda _: ModelConfig.from_dict({("a",): 1}),
        "unknown settings",
    )
    yield _case(
        "a backbone's hash of letters",
        lambda _: ModelConfig(backbone_sha256="z" * 64),
        "64 hexadecimal",
    )
    for value in (0, -1, 1.5, "x", True):
        yield _case(
            f"limits of {value!r} px", lambda _, v=value: ImageLimits(max_pixels=v), "max_pixels"
        )
    yield _case("a traversal that goes back", lambda _: Plan(values=(3.0, 2.0, 1.0)), "rising")


CASES = (*_training(), *_others())
