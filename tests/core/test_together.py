"""Claims about what latents and measured structure say together, and how sure they are of it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core import calibrate as module
from core.calibrate import calibrate, fit_calibrated, intervals_from
from core.descriptors import SCALARS
from core.encode import LatentTable
from core.errors import CheckpointError
from core.properties import PropertyModel
from core.seen import FILE, Seen, as_kept, first_file, load_seen, save_seen
from core.specimen_descriptors import AREA, SpecimenDescriptors
from tests.core.test_calibrate import simulate

NAMES = ("graphite_pct", "nodularity_iso_pct", "grain_intercept_um")
FIELD_MM2 = 0.25
LEARNED, BLUR, SCATTER = 90, 0.3, 0.25


def truth(table: LatentTable, seed: int) -> np.ndarray:
    """Return what the simulated specimens are, (S, 3); the load hangs on the first two."""
    return np.random.default_rng(seed).normal(size=(len(table.specimens), 4))[:, :3]


def measured(table: LatentTable, seed: int) -> np.ndarray:
    """Return what is measured in two fields of each specimen, (S, 2, 3)."""
    z = truth(table, seed)
    rng = np.random.default_rng(100 + seed)
    return z[:, None] + SCATTER * rng.normal(size=(len(z), 2, 3))


def described(table: LatentTable, seed: int) -> SpecimenDescriptors:
    names, fields = list(table.specimens.index), measured(table, seed)
    each = pd.DataFrame(fields.reshape(-1, 3), index=np.repeat(names, 2), columns=list(NAMES))
    return SpecimenDescriptors(
        scalars=tuple(s for s in SCALARS if s.name in NAMES),
        values=pd.DataFrame(fields.mean(axis=1), index=names, columns=list(NAMES)),
        um_per_px=1.0,
        data_hash=table.data_hash,
        note="",
        fields=each.assign(**{AREA: FIELD_MM2}),
    )


def seen(table: LatentTable, seed: int) -> dict[str, Seen]:
    """What is measured in the first field of each specimen."""
    first = measured(table, seed)[:, 0].tolist()
    names = table.specimens.index
    return {
        n: (dict(zip(NAMES, f, strict=True)), FIELD_MM2) for n, f in zip(names, first, strict=True)
    }


@pytest.fixture(scope="module")
def learned() -> LatentTable:
    return simulate(LEARNED, 0.0, seed=1)


@pytest.fixture(scope="module")
def unseen() -> LatentTable:
    return simulate(200, BLUR, seed=2)


@pytest.fixture(scope="module")
def model(learned: LatentTable, unseen: LatentTable) -> PropertyModel:
    return fit_calibrated(learned, unseen, described(learned, 1), seen(unseen, 2))


def judged(model: PropertyModel, seed: int = 3) -> tuple[float, float, float]:
    """Return the share of fresh specimens in their interval, its width, and the error, relative."""
    fresh = simulate(400, BLUR, seed=seed)
    inside, widths, errors = [], [], []
    for name, one in seen(fresh, seed).items():
        mu = fresh.mu[fresh.specimen == name]
        reading = model.read(mu.mean(axis=0), len(mu), *one)
        if not reading.structure:
            continue
        told, true = reading.predicted["load_n"], fresh.specimens.loc[name, "load_n"]
        inside.append(told.low <= true <= told.high)
        widths.append((told.high - told.low) / told.value)
        errors.append(abs(told.value / true - 1))
    assert len(inside) > 300
    return float(np.mean(inside)), float(np.median(widths)), float(np.median(errors))


def test_the_interval_of_both_holds_for_fresh_specimens(model: PropertyModel) -> None:
    share, width, _ = judged(model)
    assert 0.85 <= share <= 0.95, share
    alike_share, alike_width, _ = judged(replace(model, together=()))
    assert alike_share > share and alike_width > 1.1 * width, "two that err apart are surer"
    (found,) = model.together
    assert found.share < 1
    assert (found.calibration.method, found.calibration.data_hash) == ("unseen", "d2")
    assert "both together on" in intervals_from(model)["load_n"]
    assert "narrow" not in intervals_from(model)["load_n"].split("both together")[1]


def test_both_are_nearer_than_either_alone(model: PropertyModel) -> None:
    fresh, own, structure, both = simulate(300, BLUR, seed=5), [], [], []
    for name, one in seen(fresh, 5).items():
        mu = fresh.mu[fresh.specimen == name]
        reading = model.read(mu.mean(axis=0), len(mu), *one)
        true = fresh.specimens.loc[name, "load_n"]
        if reading.structure:
            for errors, told in (
                (own, reading.latents),
                (structure, reading.structure),
                (both, reading.predicted),
            ):
                errors.append(told["load_n"].value / true - 1)
    assert np.std(both) < min(np.std(own), np.std(structure))


def test_without_unseen_specimens_those_left_out_say_how_sure(
    learned: LatentTable, unseen: LatentTable
) -> None:
    (alone,) = fit_calibrated(learned, None, described(learned, 1)).together
    assert (alone.calibration.method, alone.calibration.specimens) == ("left_out", LEARNED)
    assert 0 < alone.share < 1.5
    kept = fit_calibrated(learned, unseen, described(learned, 1))
    assert kept.together == (alone,), "nothing was measured in the unseen ones"
    assert "narrow" in intervals_from(kept)["load_n"].split("both together")[1]
    assert fit_calibrated(learned, unseen).together == ()


def test_few_and_unlabelled_specimens_change_nothing(
    model: PropertyModel, unseen: LatentTable, caplog: pytest.LogCaptureFixture
) -> None:
    few = dict(list(seen(unseen, 2).items())[:8])
    assert calibrate(model, unseen, few).together == model.together
    assert "load_n: how sure latents and structure are together stays" in caplog.text
    unlabelled = replace(unseen, specimens=unseen.specimens.assign(load_n=np.nan))
    assert calibrate(model, unlabelled, seen(unseen, 2)).together == model.together
    silent = {name: ({}, 0.0) for name in unseen.specimens.index}
    assert calibrate(model, unseen, silent).together == model.together


def test_nothing_is_measured_without_a_structure_or_a_scale(
    unseen: LatentTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = [({"graphite_pct": float(i)}, FIELD_MM2) for i in range(len(unseen.specimens))]
    monkeypatch.setattr(module, "seen_fields", lambda *given: each)
    structure, data = SimpleNamespace(inputs=NAMES), SimpleNamespace(specimens=unseen.specimens)
    assert list(module._seen(structure, data, 1.0)) == list(unseen.specimens.index)
    assert module._seen(None, data, 1.0) == module._seen(structure, data, None) == {}


def test_what_was_measured_is_kept_and_damage_refused(unseen: LatentTable, tmp_path: Path) -> None:
    kept = as_kept(seen(unseen, 2), NAMES)
    name = unseen.specimens.index[0]
    kept[name][0]["graphite_pct"] = None
    save_seen(tmp_path, kept, unseen.data_hash)
    assert load_seen(tmp_path, unseen) == kept
    assert load_seen(tmp_path / "none", unseen) == {}
    assert first_file(unseen, name) == unseen.file[0]
    with pytest.raises(CheckpointError, match="other specimens"):
        load_seen(tmp_path, replace(unseen, data_hash="other"))
    content = json.loads((tmp_path / FILE).read_text())
    row = content["specimens"][name]
    for damage in (
        {"format": 9},
        {"inputs": "graphite"},
        {"specimens": {name: row[:-1]}},
        {"specimens": {name: [-1.0, *row[1:]]}},
        {"specimens": {name: [*row[:-1], "8"]}},
        {"specimens": {name: None}},
        {"specimens": [row]},
    ):
        (tmp_path / FILE).write_text(json.dumps(content | damage))
        with pytest.raises(CheckpointError, match=r"damaged.*core\.calibrate"):
            load_seen(tmp_path, unseen)
    (tmp_path / FILE).write_text(json.dumps(content | {"specimens": {"nobody": row}}))
    with pytest.raises(CheckpointError, match="other specimens"):
        load_seen(tmp_path, unseen)
