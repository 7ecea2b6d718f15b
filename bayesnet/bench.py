"""Speed of one design beside optimisation of the pixels: ``python -m bayesnet.bench --model DIR``.

Writes ``docs/results/bench_design.json``. Everything is measured in one process and one run: a
*quick* design (query, one decoded patch, predicted back), a *whole* one (query, a 1024 px field,
16 patches of it encoded, its descriptors measured), what L-BFGS on the pixels of micrographs from
the model's data takes to the style error at which the network decodes a patch, so that the ratios
mean something on a noisy machine, and the fit of the network to the model's cached latents.
"""

import argparse
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesnet.fit_bench import fitting, streaming
from bayesnet.gaussian import Array
from bayesnet.network import Network
from bayesnet.pictures import read_back, synthesise_field
from bayesnet.query import most_probable
from core.bench import profile
from core.checkpoint import LoadedModel, load_model
from core.descriptors import describe
from core.encode import LatentTable, load_latents
from core.errors import InputError, MicroDesignError
from core.examples import load_examples
from core.patches import cut_at, spread_patches
from core.picture_style import style_errors
from core.pixel_descent import optimise_pixels
from core.properties import PropertyModel
from core.results import RESULTS, record, write_result
from core.scale import to_scale
from core.synthesis import reconstruct

FIELD_PX, FIELD_PATCHES = 1024, 16
BARS_S = {"quick_p50": 0.100, "quick_p95": 0.250, "whole": 4.0, "fit": 5.0}
FIT_ROWS, FITS, STREAM_ROWS = 13_000, 3, 1_000_000
PATCHES, ITERATIONS = 3, 80  # of optimisation of the pixels; a patch an example micrograph
logger = logging.getLogger(__name__)

Pictures = NDArray[np.float32]


def targets_of(network: Network, count: int) -> list[dict[str, float]]:
    """Return the properties of labelled specimens, spread over the data set, as targets.

    Raises:
        InputError: no specimen has all properties.
    """
    values = network.support.properties[:, network.outcome_places(network.properties)]
    known = values[np.isfinite(values).all(axis=1)]
    if not network.properties or len(known) == 0:
        raise InputError("no specimen has all properties, so there is nothing to ask for")
    rows = known[np.linspace(0, len(known) - 1, count).round().astype(int)]
    names = [node.column for node in network.properties]
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]


def timed(stages: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Run stages one after the other; return the seconds of each, and of all."""
    seconds = {}
    for name, stage in stages.items():
        start = time.perf_counter()
        stage()
        seconds[name] = time.perf_counter() - start
    return seconds | {"total": sum(seconds.values())}


class _Designer:
    """One model with its parts, and the design of the target that it is at."""

    def __init__(self, loaded: LoadedModel, network: Network, properties: PropertyModel) -> None:
        self.loaded, self.network, self.properties = loaded, network, properties
        self.table: LatentTable = load_latents(loaded.path / "latents")
        self.latents: Array = network.latent_mean
        self.pixels: Pictures = np.zeros((1, 1), dtype=np.float32)

    def ask(self, targets: Mapping[str, float]) -> None:
        self.latents = most_probable(self.network, targets).latents

    def decode(self, side: int, finished: bool = True) -> None:
        self.pixels = synthesise_field(self.loaded, self.table, self.latents, side, 0, finished)

    def predict(self, patches: int) -> None:
        read_back(self.loaded, self.properties, self.pixels, patches)

    def measure(self) -> None:
        describe(self.pixels, self.loaded.um_per_px or 1.0)

    def quick(self, targets: Mapping[str, float], finished: bool = True) -> dict[str, float]:
        """Query, decode one patch (and finish it, unless told not to), predict back."""
        side = self.loaded.config.patch_px
        return timed(
            {
                "query": lambda: self.ask(targets),
                "decode": lambda: self.decode(side, finished),
                "predict_back": lambda: self.predict(1),
            }
        )

    def whole(self, targets: Mapping[str, float]) -> dict[str, float]:
        """Query, a large field, patches of it encoded, its descriptors measured."""
        return timed(
            {
                "query": lambda: self.ask(targets),
                "synthesise": lambda: self.decode(FIELD_PX),
                "encode": lambda: self.predict(FIELD_PATCHES),
                "measure": self.measure,
            }
        )


def summed_up(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return median and 95th percentile of every stage, in seconds."""
    stages = {}
    for name in runs[0]:
        values = np.array([one[name] for one in runs])
        stages[name] = {
            "median": float(np.median(values)),
            "p95": float(np.quantile(values, 0.95)),
            "n": len(values),
        }
    return stages


def example_patches(loaded: LoadedModel) -> Pictures:
    """Return a patch of each of the model's first `PATCHES` example micrographs, (n, H, W).

    Raises:
        InputError: the model's folder holds no examples.
    """
    patches, size = [], loaded.config.patch_px
    for example in load_examples(loaded.path)[:PATCHES]:
        pixels, _ = to_scale(example.micrograph, loaded.um_per_px)
        patches.append(cut_at(pixels, spread_patches(pixels, size, 1), size))
    if not patches:
        raise InputError(f"{loaded.path} holds no example micrographs; run core.examples")
    return np.concatenate(patches)


def pixel_optimisation(loaded: LoadedModel, patches: Pictures, iterations: int) -> dict[str, Any]:
    """Optimise the pixels of patches (N, H, W) to the error of the network's own pictures."""
    made = reconstruct(loaded, patches, 0)
    errors = style_errors(loaded, patches, made).mean(axis=1)
    seconds, reached = [], 0
    for i, (patch, error) in enumerate(zip(patches, errors, strict=True)):
        descent = optimise_pixels(loaded.vgg, patch, iterations, i, stop_at=float(error))
        seconds.append(descent.seconds[-1])
        reached += descent.reach(float(error)) is not None
    return {
        "what": "L-BFGS on the pixels of a patch of an example micrograph, from noise, to the "
        "relative style error of the network's picture of it; where it is not reached the time is "
        "that of all iterations",
        "patches": len(patches),
        "reached": reached,
        "most_iterations": iterations,
        "style_error_median": float(np.median(errors)),
        "seconds_median": float(np.median(seconds)),
    }


def bench(
    loaded: LoadedModel,
    network: Network,
    properties: PropertyModel,
    *,
    rounds: int,
    fields: int,
    iterations: int,
) -> dict[str, Any]:
    """Measure quick and whole designs and the optimisation of pixels, in one process."""
    designer = _Designer(loaded, network, properties)
    asked = targets_of(network, rounds)
    designer.quick(asked[0])  # warms up
    quick = [designer.quick(one) for one in asked]
    whole = [designer.whole(one) for one in asked[:fields]]
    fit, stream = fitting(loaded.path, FIT_ROWS, FITS), streaming(loaded.path, STREAM_ROWS)
    pixels = pixel_optimisation(loaded, example_patches(loaded), iterations)
    found = {"quick": summed_up(quick), "whole": summed_up(whole)}
    if loaded.denoiser is not None:
        found["quick_draft"] = summed_up([designer.quick(one, finished=False) for one in asked])
    total = found["quick"]["total"]
    return {
        "what": "quick: query, decode at the patch's size, predict back (quick_draft: without the "
        "denoiser); whole: query, a 1024 px "
        "field synthesised, 16 patches encoded, descriptors measured; seconds, wall clock",
        "unit": "s",
        **found,
        "fit": fit,
        "stream": stream,
        "bars_s": BARS_S,
        "within": {
            "quick_p50": total["median"] <= BARS_S["quick_p50"],
            "quick_p95": total["p95"] <= BARS_S["quick_p95"],
            "whole": found["whole"]["total"]["median"] <= BARS_S["whole"],
            "fit": fit["structure_and_parameters"] <= BARS_S["fit"],
        },
        "pixel_optimisation": pixels,
        "times_faster_than_pixels": pixels["seconds_median"] / total["median"],
        "profile_quick": profile(lambda: designer.quick(asked[0])),
    }


def report(found: Mapping[str, Any]) -> str:
    """Return the figures as lines for the terminal."""
    lines = []
    for kind in [k for k in ("quick", "quick_draft", "whole") if k in found]:
        stages = found[kind]
        parts = [f"{n} {1000 * s['median']:.0f}" for n, s in stages.items() if n != "total"]
        total = stages["total"]
        lines.append(
            f"{kind}: median {1000 * total['median']:.0f} ms, 95th percentile "
            f"{1000 * total['p95']:.0f} ms ({', '.join(parts)} ms)"
        )
    missed = [name for name, good in found["within"].items() if not good]
    lines.append(f"bars missed: {', '.join(missed) or 'none'}")
    fit = found["fit"]
    lines.append(
        f"fit of {fit['nodes']} nodes to {fit['patches']} patches: structure and parameters "
        f"{fit['structure_and_parameters']:.1f} s, with calibrated intervals {fit['whole']:.1f} s"
    )
    stream = found["stream"]
    lines.append(
        f"a stream of {stream['patches']} patches: {stream['seconds']:.1f} s, at most "
        f"{stream['peak_mib']:.0f} MiB at once (all rows: {stream['all_rows_mib']:.0f} MiB)"
    )
    pixels = found["pixel_optimisation"]
    lines.append(
        "pixels of example micrographs to the same style error "
        f"{pixels['style_error_median']:.3f}: "
        f"{pixels['seconds_median']:.1f} s ({pixels['reached']} of {pixels['patches']} reach it), "
        f"{found['times_faster_than_pixels']:.0f} times as long as a quick design"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the speed of designs."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.bench", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=40, help="quick designs")
    parser.add_argument("--fields", type=int, default=5, help="whole designs")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="of pixels, at most")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    options = parser.parse_args(argv)
    if min(options.rounds, options.fields, options.iterations) < 1:
        parser.error("rounds, fields and iterations must be 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        loaded = load_model(options.model)
        network = Network.load(loaded.path / "network.json")
        properties = PropertyModel.load(loaded.path / "properties.json")
        numbers = {n: getattr(options, n) for n in ("rounds", "fields", "iterations")}
        given = ["--model", str(options.model)]
        given += [text for n, v in numbers.items() for text in (f"--{n}", str(v))]
        about = record(
            "bayesnet.bench",
            given,
            model_sha256=loaded.hash,
            denoiser_sha256=loaded.denoiser_hash,
            data_hash=network.data_hash,
        )
        found = bench(loaded, network, properties, **numbers)
        path = write_result("bench_design", about | found, options.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s\n%s", report(found), path)


if __name__ == "__main__":
    main()
