"""Claims about the closed loop's measurement: hand-worked errors, the oracle's scales, one turn."""

import json
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.verify import GrainScale, grain_scale, next_tests, oracle, picture_strengths
from bayesnet.verify.__main__ import choose_targets, main
from bayesnet.verify.closed_loop import castings_scatter, errors
from bayesnet.verify.picture import loop_svg
from core.castings import Morphology, strengths
from core.errors import InputError
from core.files import read_json
from tests.bayesnet.simulator import strengths as toy_strengths


def descriptors(**changes):
    plain = {
        "grain_intercept_um": 20.0,
        "graphite_pct": 10.0,
        "nodularity_iso_pct": 80.0,
        "particles_per_mm2": 150.0,
        "flake_length_um": 60.0,
    }
    return SimpleNamespace(**plain | changes)


def test_errors_are_counted_in_percent_and_in_test_scatters():
    targets = [{"uts_mpa": 400.0, "ys_mpa": 200.0}] * 3
    found = [
        {"uts_mpa": 412.0, "ys_mpa": 200.0},
        {"uts_mpa": 400.0, "ys_mpa": 196.0},
        {"uts_mpa": 388.0, "ys_mpa": float("nan")},
    ]
    figures = errors(targets, found)
    json.dumps(figures, allow_nan=False)
    assert figures["uts_mpa"]["percent"]["median"] == pytest.approx(3.0)
    assert figures["uts_mpa"]["test_scatters"]["median"] == pytest.approx(1.0)
    assert figures["uts_mpa"]["signed_percent_median"] == pytest.approx(0.0)
    assert figures["ys_mpa"]["percent"]["n"] == 2 and figures["ys_mpa"]["not_measurable"] == 1
    assert figures["ys_mpa"]["test_scatters"]["mean"] == pytest.approx(0.5)
    nothing = errors(targets[:1], [{"uts_mpa": 400.0, "ys_mpa": float("nan")}])
    assert nothing["ys_mpa"]["percent"] is None


def test_the_grain_scale_finds_a_power_law_and_needs_three_castings():
    castings = [
        (SimpleNamespace(morphology=SimpleNamespace(grain_size_um=2 * x**1.5)), descriptors())
        for x in (10.0, 20.0, 40.0)
    ]
    for (_, found), x in zip(castings, (10.0, 20.0, 40.0), strict=True):
        found.grain_intercept_um = x
    scale = grain_scale(castings)
    assert scale.slope == pytest.approx(1.5) and scale.size_um(30.0) == pytest.approx(2 * 30**1.5)
    castings[0][1].grain_intercept_um = None
    with pytest.raises(InputError, match="in 2 castings"):
        grain_scale(castings)


def test_a_picture_s_strengths_are_the_castings_relations_on_what_was_measured():
    grains = GrainScale(slope=1.0, offset=float(np.log(1.2)), castings=3)
    found = picture_strengths(descriptors(), grains)
    expected = strengths(
        Morphology(
            graphite_fraction=0.1,
            nodularity=0.8,
            particle_count_mm2=150.0,
            flake_length_um=60.0,
            grain_size_um=24.0,
        )
    )
    assert found["uts_mpa"] == pytest.approx(expected.uts_mpa)
    assert found["ys_mpa"] == pytest.approx(expected.ys_mpa)
    blind = picture_strengths(descriptors(grain_intercept_um=None, flake_length_um=None), grains)
    assert np.isnan(blind["ys_mpa"]) and np.isfinite(blind["uts_mpa"])


def test_the_picture_is_sound_svg_with_every_measured_point():
    text = loop_svg(
        {"UTS, MPa": ([400.0, 300.0], {"design": [390.0, np.nan], "refined": [401.0, 305.0]})},
        "a <title>",
    )
    root = ET.fromstring(text)
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 3 + 3, "the legend and three measured points"
    for circle in circles[:3]:
        assert 0 <= float(circle.get("cx")) <= float(root.get("width"))
    assert "target UTS, MPa" in text and "a &lt;title&gt;" in text


def test_proposed_tests_beat_random_ones_on_the_toy_foundry(network, monkeypatch):
    rng = np.random.default_rng(0)

    def cast(function, numbered):
        columns = [[s[n] for n in ("mg_wt", "radius_mm", "ce_pct")] for _, s in numbered]
        true = toy_strengths(*np.array(columns).T)
        return (true * (1 + rng.normal(size=true.shape) * [0.03, 0.02])).tolist()

    def truth(raw):
        mg, radius, ce = (raw[:, list(next_tests.PROCESS_RANGE).index(n)] for n in names)
        return dict(zip(("uts_mpa", "ys_mpa"), toy_strengths(mg, radius, ce).T, strict=True))

    names = ("mg_wt", "radius_mm", "ce_pct")
    monkeypatch.setattr(next_tests, "in_parallel", cast)
    targets = [{"uts_mpa": u, "ys_mpa": y} for u, y in ((400, 240), (250, 170), (430, 260))] * 3
    figures = next_tests.compare(network, targets, truth)
    json.dumps(figures, allow_nan=False)
    assert figures["proposed"]["n"] == len(targets)
    assert figures["proposed"]["mean"] < figures["random"]["mean"], figures
    assert figures["proposed"]["mean"] < figures["before"]["mean"], figures


def test_next_tests_are_a_result_of_their_own(network, monkeypatch, tmp_path):
    """With strengths that settings give exactly, in place of castings."""
    names = tuple(next_tests.PROCESS_RANGE)

    def cast(function, numbered):
        return [[s["mg_wt"] * 1e4 + 100, s["radius_mm"] + 100] for _, s in numbered]

    def truth(raw):
        mg, radius = (raw[:, names.index(n)] for n in ("mg_wt", "radius_mm"))
        return {"uts_mpa": mg * 1e4 + 100, "ys_mpa": radius + 100}

    castings = [{"uts_mpa": 300.4, "ys_mpa": 180.2}, {"uts_mpa": 250.0, "ys_mpa": 170.0}]
    monkeypatch.setattr(next_tests, "in_parallel", cast)
    monkeypatch.setattr(next_tests, "expected_strengths", lambda count: truth)
    monkeypatch.setattr(next_tests, "fresh_castings", lambda count: ([], castings[:count]))
    network.save(tmp_path / "network.json")
    given = ["--model", str(tmp_path), "--out", str(tmp_path)]
    assert next_tests.main([*given, "--targets", "2", "--oracle", "8"]) == 0
    content = json.loads((tmp_path / "next_tests.json").read_text())
    assert content["next_tests"]["proposed"]["n"] == 2
    assert content["model_sha256"] == network.model_hash
    assert "next_tests --model" in content["command"] and "--targets 2" in content["command"]
    for odd in (["--targets", "1"], ["--oracle", "0"]):
        with pytest.raises(SystemExit):
            next_tests.main([*given, *odd])
    assert next_tests.main(["--model", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2


def test_half_of_the_feasible_targets_are_off_what_castings_have():
    """Within two test scatters of a reachable pair, 3 % of UTS and 2 % of Ys each."""
    strengths = [{"uts_mpa": 300.0 + 10.4 * i, "ys_mpa": 200.0 + 4 * i} for i in range(9)]
    reach = {n: np.array([one[n] for one in strengths]) for n in ("uts_mpa", "ys_mpa")}
    feasible, beyond, kinds = choose_targets(strengths, reach, 6)
    assert kinds == {"castings": 5, "spread": 4, "within_test_scatters": 2.0}
    assert feasible[1] == {"uts_mpa": 321.0, "ys_mpa": 208.0}
    pairs = np.array([[t["uts_mpa"], t["ys_mpa"]] for t in feasible])
    far = oracle.scatter_distances(pairs, reach)
    assert (far[:5] < 0.1).all() and (far[5:] > 0.2).all() and (far[5:] < 2.1).all(), far
    assert len(beyond) == 6 and (oracle.scatter_distances(beyond, reach) > 4).all()


def test_castings_are_compared_with_what_their_settings_give():
    settings = [{"mg_wt": 0.01, "radius_mm": 20.0}, {"mg_wt": 0.02, "radius_mm": 40.0}]
    strengths = [{"uts_mpa": 110.0, "ys_mpa": 100.0}, {"uts_mpa": 360.0, "ys_mpa": 190.0}]

    def truth(raw):
        return {"uts_mpa": 1e4 * raw[:, 0], "ys_mpa": 5 * raw[:, 1]}  # 100 and 200, 100 and 200

    found = castings_scatter(settings, strengths, truth)
    assert found["castings"] == 2
    assert found["uts_mpa"]["percent"]["median"] == pytest.approx((10 + 80) / 2)
    assert found["ys_mpa"]["percent"]["median"] == pytest.approx((0 + 5) / 2)


def test_one_turn_of_the_loop_is_written_as_a_result(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(oracle.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(oracle, "FIELD_PX", 256)
    monkeypatch.setattr("bayesnet.pictures.PREDICT_PATCHES", 1)
    given = ["--targets", "1", "--infeasible", "2", "--oracle", "8", "--instrument", "8"]
    given += ["--next-tests", "0"]
    folders = ["--out", str(tmp_path), "--picture", str(tmp_path)]
    assert main(["--model", str(tiny_model), *given, *folders]) == 0
    found = read_json(tmp_path / "closed_loop_oracle.json")
    assert found["command"].startswith("python -m bayesnet.verify --model")
    assert "--infeasible 2 --oracle 8 --instrument 8 --next-tests 0" in found["command"]
    assert set(found["grain_scale"]) == {"slope", "offset", "castings"}
    assert found["feasible"]["targets_are"]["castings"] == 1
    assert found["feasible"]["targets"] == 1 and found["infeasible"]["targets"] == 2
    for arm in ("picture_measured", "refined_picture_measured", "recommended_settings_cast"):
        assert found["feasible"][arm]["uts_mpa"]["percent"]["n"] == 1, arm
    assert found["instrument"]["castings"] == 4
    assert found["instrument"]["uts_mpa"]["percent"]["median"] < 25
    assert found["castings"]["castings"] == 1 and found["castings"]["ys_mpa"]["percent"]["n"] == 1
    assert (tmp_path / "closed_loop.svg").read_text().startswith("<svg")
    assert main(["--model", str(tmp_path)]) == 2, "not a model"
