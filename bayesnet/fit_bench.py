"""Time and memory of fitting the network: a part of `bayesnet.bench`."""

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from bayesnet.choice import NetworkConfig
from bayesnet.learn import fit_network, structure_and_parameters
from bayesnet.levels import Levels, build_levels
from core.bench import seconds
from core.calibrate import load_unseen
from core.checkpoint import read_config
from core.latent_stream import CHUNK, LatentChunk, LatentStream, open_latents
from core.specimen_descriptors import load_descriptors


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated(LatentStream):
    """The rows of a table of latents over and over, until there are ``rows`` of them."""

    short: LatentStream

    def chunks(self, size: int = CHUNK) -> Iterator[LatentChunk]:
        """Yield the rows, ``size`` at a time as a table of so many rows would be read."""
        (whole,) = self.short.chunks(self.short.rows)
        for start in range(0, self.rows, size):
            rows = np.arange(start, min(start + size, self.rows)) % self.short.rows
            yield LatentChunk(
                whole.mu[rows], whole.specimen[rows], whole.file[rows], whole.corner[rows]
            )


def repeated(short: LatentStream, rows: int) -> Repeated:
    """Return a stream of ``rows`` rows."""
    known = {f.name: getattr(short, f.name) for f in fields(short)}
    return Repeated(**known | {"rows": rows}, short=short)


def fitting(model: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Measure fits of the network to a model's cached latents, repeated to ``rows`` patches."""
    table, unseen = repeated(open_latents(model / "latents"), rows), load_unseen(model)
    descriptors = load_descriptors(model / "latents")
    config = NetworkConfig(patch_px=read_config(model).patch_px)

    def levels() -> Levels:
        return build_levels(table, config.active_variance, config.patch_px, descriptors)

    parts = seconds(lambda: structure_and_parameters(levels(), config), rounds)
    whole = seconds(lambda: fit_network(table, config, descriptors, unseen), rounds)
    return {
        "what": "from cached latents, repeated to so many patches; structure and parameters: "
        "arcs, regimes and hidden factors chosen on left-out specimens, all conditionals fitted; "
        "whole: the same, and surfaces and intervals calibrated on specimens that nothing was "
        "fitted to",
        "unit": "s",
        "patches": rows,
        "nodes": len(levels().nodes),
        "rounds": rounds,
        "structure_and_parameters": float(np.median(parts)),
        "whole": float(np.median(whole)),
    }


def streaming(model: Path, rows: int) -> dict[str, Any]:
    """Measure time and memory of a fit to a long stream of latents, read in chunks."""
    table = repeated(open_latents(model / "latents"), rows)
    config = NetworkConfig(patch_px=read_config(model).patch_px)

    def fit() -> None:
        structure_and_parameters(
            build_levels(table, config.active_variance, config.patch_px, None), config
        )

    begun = time.perf_counter()
    fit()
    taken = time.perf_counter() - begun
    tracemalloc.start()  # slows it down, so the time is that of the fit before
    fit()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "what": "structure and parameters from a stream of patches, read in chunks; most memory "
        "that numpy and Python hold at once, beside that of all rows at once",
        "patches": rows,
        "seconds": taken,
        "peak_mib": peak / 2**20,
        "all_rows_mib": rows * read_config(model).latents * 4 / 2**20,
    }
