"""Claims about measuring how well descriptors are measured."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.castings import ProcessSettings, make_casting
from core.castings.descriptor_errors import casting_values, errors, main, measure_castings
from core.castings.real_irons import IRONS, measure_irons
from core.descriptors import SCALARS
from core.errors import InputError
from core.evidence_tables import evidence_text
from core.images import encode_png


def values(**given: float) -> dict[str, float | None]:
    return {scalar.name: given.get(scalar.name) for scalar in SCALARS}


def test_percentages_err_in_points_and_sizes_in_per_cent() -> None:
    found = [values(graphite_pct=10.5, diameter_um=22.0), values(graphite_pct=8.0)]
    true = [values(graphite_pct=10.0, diameter_um=20.0), values(graphite_pct=9.0, diameter_um=5.0)]
    figures = errors(found, true)
    assert set(figures) == {"graphite_pct", "diameter_um"}, (
        "what no casting has in both is left out"
    )
    area, size = figures["graphite_pct"], figures["diameter_um"]
    assert (area["unit"], area["error"]["median"], area["bias"]) == ("points", 0.75, -0.25)
    assert (size["unit"], size["error"]["n"]) == ("%", 1)
    assert size["error"]["median"] == pytest.approx(10.0)


def test_a_casting_is_held_against_its_true_mask_and_its_drawn_grains() -> None:
    settings = ProcessSettings(mg_wt=0.04, radius_mm=20.0, ce_pct=4.2)
    casting = make_casting(settings, 5, n_fields=1, height_px=320, width_px=320)
    found, true = casting_values(casting)
    field = casting.fields[0]
    assert true["graphite_pct"] == pytest.approx(100 * field.graphite.mean())
    assert true["grain_intercept_um"] == pytest.approx(0.72 * field.grain_size_um)
    assert found.graphite_pct == pytest.approx(true["graphite_pct"], abs=0.5)


def test_irons_that_are_absent_are_named_and_those_there_measured(tmp_path: Path) -> None:
    found, missing = measure_irons(IRONS, None)
    assert found == [] and set(missing) == {iron.file for iron in IRONS}
    (tmp_path / "castiron").mkdir()
    pixels = np.full((200, 200), 0.6)
    pixels[50:80, 50:80] = pixels[120:150, 100:130] = 0.1
    for iron in (IRONS[0], IRONS[-1]):
        (tmp_path / "castiron" / iron.file).write_bytes(encode_png(pixels))
    found, missing = measure_irons(IRONS, tmp_path)
    assert [one["file"] for one in found] == [IRONS[0].file, IRONS[-1].file]
    assert set(missing) == {iron.file for iron in IRONS[1:-1]}
    for one in found:
        area = one["descriptors"]["graphite_pct"]
        assert area["found"] == pytest.approx(100 * 1800 / 200**2, abs=0.5)
    count = found[0]["descriptors"]["inner_particles_per_mm2"]["found"]
    assert count == pytest.approx(2 / (200**2 * 1.16279**2 * 1e-6))


def test_command_writes_what_the_tables_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ProcessSettings(mg_wt=0.0, radius_mm=20.0, ce_pct=4.0)
    monkeypatch.setattr("core.castings.descriptor_errors.fresh_design", lambda n, seed: range(n))
    monkeypatch.setattr(
        "core.castings.descriptor_errors.cast",
        lambda i: make_casting(plan, i, n_fields=1, height_px=192, width_px=192),
    )
    main(["--castings", "2", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "descriptors.json").read_text())
    assert found["castings"]["n"] == 2 and len(found["not_available"]) == len(IRONS)
    text = "\n".join(evidence_text(tmp_path))
    assert "2 synthetic castings" in text and "Graphite area | points" in text
    assert "ductile_sem.png is not at hand" in text and "Weak: ferrite grains" in text
    with pytest.raises(InputError, match="1 castings: errors need at least two"):
        measure_castings(1)
