"""Claims about statistics gathered in chunks: those of the whole table, in bounded memory."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from bayesnet.levels import build_levels
from bayesnet.patch_statistics import gather, pooled_scatter, union_patches
from core.errors import InputError
from tests.bayesnet.simulator import simulate


def cut(table, size):
    """Return the rows of a table in chunks, as often as asked."""

    def chunks():
        for start in range(0, len(table.mu), size):
            rows = slice(start, start + size)
            yield SimpleNamespace(
                mu=table.mu[rows],
                specimen=table.specimen[rows],
                file=table.file[rows],
                corner=table.corner[rows],
            )

    return chunks


@pytest.fixture(scope="module")
def small():
    table = simulate(specimens=12, dimensions=10, dead=2)
    order = np.random.default_rng(1).permutation(len(table.mu))  # specimens in no order
    rows = {n: getattr(table, n)[order] for n in ("mu", "specimen", "file", "corner")}
    return SimpleNamespace(**{**vars(table), **rows, "mu": rows["mu"] + 1000.0})


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_chunks_give_the_statistics_of_the_whole_table(small, size):
    found = gather(cut(small, size), 128)
    frame = small.mu.astype(np.float64)
    for i, name in enumerate(found.names):
        own = frame[small.specimen == name]
        assert found.counts[i] == len(own)
        np.testing.assert_allclose(found.means[i], own.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(found.squares[i], own.var(axis=0) * len(own), rtol=1e-7)
    np.testing.assert_allclose(found.variance(), frame.var(axis=0), rtol=1e-7)
    whole = gather(cut(small, len(frame)), 128)
    np.testing.assert_array_equal(found.independent, whole.independent)


@pytest.mark.parametrize("size", [50, 10_000])
def test_the_scatter_is_that_of_ledoit_and_wolf(small, size):
    found = gather(cut(small, 10_000), 128)
    active = np.arange(8)
    place = {name: i for i, name in enumerate(found.names)}
    owner = [place[name] for name in small.specimen]
    spread = (small.mu - found.means[owner])[:, active]
    theirs = ledoit_wolf(spread, assume_centered=True)[0]
    degrees = len(spread) / (len(spread) - len(found.names))
    ours = pooled_scatter(cut(small, size), found, active)
    np.testing.assert_allclose(ours, theirs * degrees, rtol=1e-6, atol=1e-9)


def test_rows_of_specimens_left_out_do_not_count(small):
    found = gather(cut(small, 30), 128)
    fewer = found.of(list(found.names[:5]))
    kept = np.isin(small.specimen, fewer.names)
    alone = SimpleNamespace(
        **{n: getattr(small, n)[kept] for n in ("mu", "specimen", "file", "corner")}
    )
    active = np.arange(8)
    np.testing.assert_allclose(
        pooled_scatter(cut(small, 30), fewer, active),
        pooled_scatter(cut(alone, 10_000), gather(cut(alone, 10_000), 128), active),
        rtol=1e-9,
    )


def test_patches_that_overlap_by_half_cover_one_and_a_half():
    assert union_patches(np.array([[0, 0], [0, 8]]), 128) == 1.5
    assert union_patches(np.array([[3, 5], [3, 5]]), 128) == 1.0
    assert union_patches(np.array([[0, 0], [8, 8]]), 128) == 1.75


def test_a_long_stream_is_gathered_in_the_memory_of_a_chunk():
    """60,000 rows of 64 latents would be 29 MiB in float64; a chunk of 2,048 is 1 MiB."""
    rng = np.random.default_rng(0)
    size, pool = 2048, rng.normal(size=(2048, 64)).astype(np.float32)
    names = np.array([f"s{i:02d}" for i in range(50)])

    def chunks():
        for start in range(0, 60_000, size):
            owner = (np.arange(start, start + size) // 100) % 50
            corner = np.stack([np.arange(size) % 40 * 64, np.arange(size) % 30 * 64], axis=1)
            yield SimpleNamespace(
                mu=pool + owner[:, None], specimen=names[owner], file=names[owner], corner=corner
            )

    tracemalloc.start()
    found = gather(chunks, 128)
    cov = pooled_scatter(chunks, found, np.arange(64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.counts.sum() == 30 * 2048
    assert np.abs(cov - np.eye(64)).max() < 0.2
    assert peak < 16 * 2**20, f"{peak / 2**20:.0f} MiB"


def test_levels_do_not_depend_on_the_chunks(monkeypatch, small):
    table = small
    whole = build_levels(table)
    monkeypatch.setattr("bayesnet.levels._chunks_of", lambda table: cut(table, 333))
    parts = build_levels(table)
    for name in ("process", "latents", "properties", "latent_mean", "within", "noise"):
        np.testing.assert_allclose(
            getattr(parts, name), getattr(whole, name), rtol=1e-6, atol=1e-8, err_msg=name
        )
    assert [n.node for n in parts.nodes] == [n.node for n in whole.nodes]


def test_values_that_are_not_finite_are_refused(small):
    bad = SimpleNamespace(**{**vars(small), "mu": np.full_like(small.mu, np.nan)})
    with pytest.raises(InputError, match="finite"):
        gather(cut(bad, 100), 128)
    with pytest.raises(InputError, match="finite"):
        gather(lambda: (), 128)
