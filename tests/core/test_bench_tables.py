"""Claims about what the README says of speed."""

from pathlib import Path

import pytest

from core.bench_tables import bench_text
from core.errors import CheckpointError
from core.results import write_result

MODEL = {
    "command": "python -m core.bench",
    "hardware": "a machine",
    "training": {
        "patches_per_s": 9.64,
        "precision": "bfloat16",
        "share_of_peak": 0.174,
        "peak_gflop_per_s": 2198.4,
        "profile": [{"operator": "aten::bmm", "share": 0.134}] * 7,
    },
    "inference": {
        "encode_micrograph_2048x1532": {"seconds": 6.31},
        "decode_128_px": {"median_s": 0.0214},
        "decode_1024_px": {"median_s": 0.74},
    },
    "peak_memory_inference_gib": 1.24,
    "peak_memory_all_gib": 2.96,
}
DESIGN = {
    "command": "python -m bayesnet.bench",
    "hardware": "a machine",
    "quick": {"total": {"median": 0.0871, "p95": 0.1109}},
    "whole": {"total": {"median": 2.31, "p95": 2.6}},
    "bars_s": {"quick_p50": 0.1, "quick_p95": 0.25, "whole": 4.0, "fit": 5.0},
    "fit": {"nodes": 75, "patches": 12960, "structure_and_parameters": 2.34, "whole": 6.1},
    "stream": {"patches": 1_000_000, "seconds": 11.7, "peak_mib": 61.2},
    "pixel_optimisation": {"seconds_median": 21.6, "reached": 2, "patches": 3},
    "times_faster_than_pixels": 248.2,
}


def test_speed_stands_beside_the_machine_s_own_limit(tmp_path: Path) -> None:
    assert bench_text(tmp_path) == []
    write_result("bench_model", MODEL, tmp_path)
    (text,) = bench_text(tmp_path)
    assert "9.6 patches/s in bfloat16, 17 % of the 2198 GFLOP/s" in text
    assert text.count("bmm 13 %") == 5
    assert "micrograph 6.3 s; decoding 21 ms at 128 px, 740 ms at 1024 px;" in text


def test_how_processes_share_the_cores_stands_beside_openmp_s_default(tmp_path: Path) -> None:
    times = {"beside_job": 2.94, "beside_own": 9.5, "default_beside": 33.4, "default_alone": 0.98}
    cases = {name: {"times_alone": [value]} for name, value in times.items()}
    write_result("bench_model", MODEL | {"sharing": {"cases": cases}}, tmp_path)
    (text,) = bench_text(tmp_path)
    assert "2.9 times as long as alone, beside another process 9.5 times;" in text
    assert "33.4 times (alone 0.98 times)." in text


def test_designs_stand_beside_their_bars(tmp_path: Path) -> None:
    write_result("bench_design", DESIGN, tmp_path)
    (text,) = bench_text(tmp_path)
    assert "87 ms (95th percentile 111 ms; bars 100 ms and 250 ms)" in text
    assert "2.3 s (bar 4)" in text and "22 s, 248 times as long (2 of 3 reach it)" in text
    assert "75 nodes to 12960 patches takes 2.3 s" in text and "(bar 5), 6.1 s" in text
    assert "stream of 1,000,000 patches 12 s in 61 MiB" in text


def test_drafts_stand_beside_finished_pictures(tmp_path: Path) -> None:
    finished = {"finished_128_px": {"median_s": 0.0431}}
    write_result("bench_model", MODEL | {"inference": MODEL["inference"] | finished}, tmp_path)  # type: ignore[operator]
    draft = {"quick_draft": {"total": {"median": 0.0661, "p95": 0.0809}}}
    write_result("bench_design", DESIGN | draft, tmp_path)
    model, design = bench_text(tmp_path)
    assert "740 ms at 1024 px; finished by the denoiser, in all, 43 ms at 128 px; memory" in model
    assert "250 ms; with the decoder's draft 66 ms and 81 ms)" in design


def test_a_damaged_result_says_what_to_run(tmp_path: Path) -> None:
    write_result("bench_design", {"command": "x"}, tmp_path)
    with pytest.raises(CheckpointError, match="run make bench"):
        bench_text(tmp_path)
