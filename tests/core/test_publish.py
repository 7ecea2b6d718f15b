"""Publishing copies a whole model or nothing."""

import json
import shutil
from pathlib import Path

import pytest

from core.calibrate import UNSEEN
from core.errors import CheckpointError
from core.labels import load_labels, save_labels
from core.publish import PARTS, publish
from core.seen import FILE as SEEN
from core.seen import save_seen
from tests.core.labels.made import made_labels


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(tiny_model, folder)
    (folder / "checkpoint").mkdir()
    (folder / "metrics.jsonl").write_text("{}\n")
    return folder


def test_only_what_is_used_is_copied_and_the_old_model_goes(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "assets" / "reference"
    out.mkdir(parents=True)
    (out / "stale.json").write_text("{}")
    size = publish(model, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(PARTS)
    assert size == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert [path.name for path in out.parent.iterdir()] == ["reference"]


def _other_weights(folder: Path) -> None:
    path = folder / "properties.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_hash": "0" * 64}))


@pytest.mark.parametrize(
    ("damage", "limit", "message"),
    [
        (lambda f: (f / "network.json").unlink(), 10**9, r"lacks network\.json"),
        (_other_weights, 10**9, "fitted on another model's latents"),
        (lambda f: None, 1000, "at most 1000 are published"),
    ],
)
def test_incomplete_foreign_or_too_large_is_refused(
    model: Path, tmp_path: Path, damage, limit: int, message: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.json").write_text("{}")
    damage(model)
    with pytest.raises(CheckpointError, match=message):
        publish(model, out, limit)
    assert [path.name for path in out.iterdir()] == ["old.json"]


def test_unseen_specimens_go_with_the_model_they_were_read_by(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model / "latents", model / UNSEEN)
    publish(model, tmp_path / "out")
    assert (tmp_path / "out" / UNSEEN / "latents.json").is_file()
    save_seen(model / UNSEEN, {"nobody": ({"graphite_pct": 9.0}, 0.1)}, "0" * 64)
    with pytest.raises(CheckpointError, match="of other specimens than the latents"):
        publish(model, tmp_path / "other")
    (model / UNSEEN / SEEN).unlink()
    about = model / UNSEEN / "latents.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"model_hash": "0" * 64}))
    with pytest.raises(CheckpointError, match=r"of another model; run core\.calibrate again"):
        publish(model, tmp_path / "other")


def test_labels_are_published_where_a_model_has_them(model: Path, tmp_path: Path) -> None:
    save_labels(model, made_labels("0" * 64))
    with pytest.raises(CheckpointError, match="labels of another model"):
        publish(model, tmp_path / "out")
    weights = json.loads((model / "manifest.json").read_text())["weights_sha256"]
    save_labels(model, made_labels(weights))
    publish(model, tmp_path / "out")
    assert load_labels(tmp_path / "out").model_hash == weights
