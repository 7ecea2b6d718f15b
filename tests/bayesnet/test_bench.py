"""Claims about the bench: stages add up, bars are compared, targets are specimens' own."""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet import bench
from bayesnet.fit_bench import repeated
from bayesnet.network import Network
from core.checkpoint import load_model
from core.errors import InputError
from core.examples import load_examples
from core.latent_stream import open_latents
from core.properties import PropertyModel


def test_stages_run_in_order_and_add_up():
    done = []
    found = bench.timed({"a": lambda: done.append(1), "b": lambda: done.append(2)})
    assert done == [1, 2] and found["total"] == pytest.approx(found["a"] + found["b"])
    summed = bench.summed_up([{"total": 1.0}, {"total": 2.0}, {"total": 6.0}])
    assert summed["total"]["median"] == 2.0 and summed["total"]["n"] == 3


def test_targets_are_the_properties_of_specimens(network):
    found = bench.targets_of(network, 5)
    known = network.support.properties
    assert len(found) == 5 and list(found[0]) == ["uts_mpa", "ys_mpa"]
    for one in found:
        assert (np.abs(known - list(one.values())).sum(axis=1) == 0).any()
    blank = replace(network.support, properties=np.full(known.shape, np.nan))
    with pytest.raises(InputError, match="nothing to ask for"):
        bench.targets_of(replace(network, support=blank), 5)


def test_pixels_are_those_of_example_micrographs_and_not_of_the_network(tiny_model, tmp_path):
    loaded = load_model(tiny_model)
    found = bench.example_patches(loaded)
    assert len(found) == bench.PATCHES and found.shape[1:] == (loaded.config.patch_px,) * 2
    for patch, example in zip(found, load_examples(tiny_model), strict=False):
        pixels = example.micrograph.pixels
        windows = np.lib.stride_tricks.sliding_window_view(pixels, patch.shape)
        assert (windows[..., 0, :4] == patch[0, :4]).all(axis=-1).any()
    with pytest.raises(InputError, match="no example micrographs"):
        bench.example_patches(replace(loaded, path=tmp_path))


def test_repeated_rows_are_the_table_s_own_over_and_over(tiny_model):
    short = open_latents(tiny_model / "latents")
    rows, size = 2 * short.rows + 3, short.rows + 1
    chunks = list(repeated(short, rows).chunks(size))
    assert [len(chunk.mu) for chunk in chunks] == [size, size, 1], "as large as a real one's"
    (once,) = short.chunks()
    found = np.concatenate([chunk.mu for chunk in chunks])
    np.testing.assert_array_equal(found, np.resize(once.mu, found.shape))
    assert len(found) == rows == sum(len(chunk.specimen) for chunk in chunks)


def test_a_run_measures_every_stage_and_compares_with_the_bars(tiny_model, monkeypatch):
    monkeypatch.setattr(bench, "FIELD_PX", 128)
    monkeypatch.setattr(bench, "FIELD_PATCHES", 1)
    monkeypatch.setattr(bench, "PATCHES", 1)
    monkeypatch.setattr(bench, "FIT_ROWS", 300)
    monkeypatch.setattr(bench, "FITS", 1)
    monkeypatch.setattr(bench, "STREAM_ROWS", 500)
    parts = (
        load_model(tiny_model),
        Network.load(tiny_model / "network.json"),
        PropertyModel.load(tiny_model / "properties.json"),
    )
    found = bench.bench(*parts, rounds=2, fields=1, iterations=1)
    assert set(found["quick"]) == {"query", "decode", "predict_back", "total"}
    assert set(found["whole"]) == {"query", "synthesise", "encode", "measure", "total"}
    fit = found["fit"]
    assert fit["structure_and_parameters"] > 0 and fit["whole"] > 0
    assert fit["nodes"] > 5 and fit["patches"] == 300
    stream = found["stream"]
    assert stream["patches"] == 500 and stream["seconds"] > 0 and stream["peak_mib"] > 0
    assert found["within"]["fit"] == (fit["structure_and_parameters"] <= bench.BARS_S["fit"])
    for name, bar in bench.BARS_S.items():
        if name == "fit":
            continue
        kind, _, end = name.partition("_")
        total = found[kind]["total"]
        value = total["p95"] if end == "p95" else total["median"]
        assert found["within"][name] == (value <= bar)
    pixels = found["pixel_optimisation"]
    ratio = pixels["seconds_median"] / found["quick"]["total"]["median"]
    assert found["times_faster_than_pixels"] == pytest.approx(ratio)
    said = bench.report(found)
    assert f"fit of {fit['nodes']} nodes to {fit['patches']} patches" in said
    assert pixels["patches"] == 1 and "pixels of example micrographs" in said
    assert "quick: median" in said and "bars missed" in said
