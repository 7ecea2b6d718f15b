"""Speed and memory beside this machine's own limits: ``python -m core.bench --data DIR``.

Writes ``docs/results/bench_model.json``. Everything is measured in one process and one run, so that
the shares mean something on a noisy machine; absolute times are orders of magnitude.
"""

import argparse
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity
from torch.profiler import profile as watch
from torch.utils.flop_counter import FlopCounterMode

from core.bench_sharing import sharing
from core.checkpoint import LoadedModel, load_model
from core.dataset import load_dataset
from core.errors import MicroDesignError
from core.hardware import describe, pick_device
from core.patches import cut_patches
from core.results import RESULTS, record, write_result
from core.synthesis import encode_patches, synthesise
from core.train_config import TrainConfig
from core.trainer import Trainer

PEAK_SIDES = (1024, 2048, 3072)
MICROGRAPH_PX = (1532, 2048)  # the paper's
DECODE_PX = (128, 512, 1024)
ROUNDS = 5
SHOWN = 12  # operators in the profile
logger = logging.getLogger(__name__)


def seconds(action: Callable[[], object], rounds: int = ROUNDS, device: str = "cpu") -> list[float]:
    """Return how long an action takes, each of ``rounds`` times after one to warm up."""

    def finish() -> None:
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    found = []
    for turn in range(rounds + 1):
        finish()
        start = time.perf_counter()
        action()
        finish()
        if turn:
            found.append(time.perf_counter() - start)
    return found


def peak_flops(precision: str, device: str = "cpu") -> float:
    """Return the best rate of matrix products here, FLOP/s, in the precision of the step."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    best = 0.0
    for side in PEAK_SIDES:
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        fastest = min(seconds(lambda a=a, b=b: a @ b, device=device))  # type: ignore[misc]
        best = max(best, 2 * side**3 / fastest)
    return best


def necessary_flops(trainer: Trainer) -> float:
    """Return the arithmetic that a step needs, FLOP: all products of its passes, once.

    Counted by torch on the plain network: a faster algorithm for the same convolution (Winograd)
    counts as the convolution that it replaces. Passes shared by ``repeats`` steps count in part.
    """
    plain, before = trainer.vgg, trainer.step
    repeats = trainer.config.repeats
    trainer.vgg = trainer.validation.average
    trainer.step -= before % repeats  # the visit's first step: with the pass over the originals
    counted = []
    for _ in range(repeats):
        with FlopCounterMode(display=False) as counter:
            trainer.train_step()
        counted.append(counter.get_total_flops())
    trainer.vgg = plain
    return float(np.mean(counted))


def profile(action: Callable[[], object], device: str = "cpu") -> list[dict[str, Any]]:
    """Return the operators that an action spends most of its time in, each with its share of it.

    The time is that spent in an operator itself, not in those that it calls; the shares are of
    the time in all operators.
    """
    on_device = device.startswith("cuda")
    if not on_device:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else it complains that there is no GPU
    kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_device
    with watch(activities=kinds, acc_events=True) as watched:
        action()
    times = {
        event.key: (
            event.self_device_time_total if on_device else event.self_cpu_time_total,
            event.count,
        )
        for event in watched.key_averages()
    }
    total = sum(time for time, _ in times.values())
    most = sorted(times.items(), key=lambda item: -item[1][0])[:SHOWN]
    return [
        {"operator": name, "share": spent / total, "calls": count} for name, (spent, count) in most
    ]


def training(trainer: Trainer, rounds: int) -> dict[str, Any]:
    """Measure the training step against the best matrix products of the same process."""
    device = trainer.device.type
    repeats = trainer.config.repeats

    def visit() -> None:
        for _ in range(repeats):
            trainer.train_step()

    flops = necessary_flops(trainer)
    peaks = [peak_flops(trainer.precision, device)]
    found = [s / repeats for s in seconds(visit, rounds, device)]
    peaks.append(peak_flops(trainer.precision, device))
    step, peak = float(np.median(found)), max(peaks)
    return {
        "what": "one optimisation step; share = the products it needs, over its time, over the "
        "best matrix-product rate before and after it in this process, same precision",
        "precision": trainer.precision,
        "patches_per_step": trainer.config.batch,
        "seconds_per_step": step,
        "patches_per_s": trainer.config.batch / step,
        "necessary_gflop_per_step": flops / 1e9,
        "peak_gflop_per_s": peak / 1e9,
        "share_of_peak": flops / step / peak,
        "profile": profile(visit, device),
    }


def inference(loaded: LoadedModel, rounds: int) -> dict[str, Any]:
    """Measure encoding of a micrograph of the paper's size, and decoding at several sizes.

    ``decode`` is the decoder's draft; ``finished``, of a model with a denoiser, the picture.
    """
    size = loaded.config.patch_px
    pixels = np.random.default_rng(0).random(MICROGRAPH_PX, dtype=np.float32)
    patches = cut_patches(pixels, size, size)
    encode = float(np.median(seconds(lambda: encode_patches(loaded, patches), min(rounds, 2))))
    figures: dict[str, Any] = {
        "encode_micrograph_2048x1532": {
            "seconds": encode,
            "patches": len(patches),
            "patches_per_s": len(patches) / encode,
        }
    }
    z = np.zeros(loaded.config.latents, dtype=np.float32)
    kinds = {"decode": False} if loaded.denoiser is None else {"decode": False, "finished": True}
    for kind, finished in kinds.items():
        for side in DECODE_PX:
            make = partial(synthesise, loaded, z, side, side, 0, finished=finished)
            found = seconds(make, rounds)
            figures[f"{kind}_{side}_px"] = {
                "median_s": float(np.median(found)),
                "p95_s": float(np.quantile(found, 0.95)),
                "n": len(found),
            }
    return figures


def peak_memory_gib() -> float:
    """Return the largest resident memory of this process so far, GiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**30 if sys.platform == "darwin" else 2**20)


def report(content: dict[str, Any]) -> str:
    """Return the figures as lines for the terminal."""
    found, step = content["inference"], content["training"]
    encoded = found["encode_micrograph_2048x1532"]
    lines = [
        f"training: {step['patches_per_s']:.1f} patches/s, {step['seconds_per_step']:.2f} s a step "
        f"of {step['patches_per_step']}, {step['precision']}",
        f"products needed: {step['necessary_gflop_per_step']:.0f} GFLOP a step, "
        f"{100 * step['share_of_peak']:.0f} % of the {step['peak_gflop_per_s']:.0f} GFLOP/s that "
        "matrix products reach here",
        "the step's time by operator:",
        *(
            f"  {100 * entry['share']:4.1f} %  {entry['operator']} ({entry['calls']} calls)"
            for entry in step["profile"]
        ),
        f"encoding 2048 x 1532 px: {encoded['seconds']:.2f} s, "
        f"{encoded['patches_per_s']:.1f} patches/s",
        *(
            f"decoding {side} px: median {1000 * found[f'decode_{side}_px']['median_s']:.0f} ms, "
            f"95th percentile {1000 * found[f'decode_{side}_px']['p95_s']:.0f} ms"
            for side in DECODE_PX
        ),
        "a patch beside another process, times as long as alone: "
        + ", ".join(
            f"{name} {one['times_alone'][0]:.2f}"
            for name, one in content["sharing"]["cases"].items()
        ),
        f"peak memory: {content['peak_memory_inference_gib']:.2f} GiB encoding and decoding, "
        f"{content['peak_memory_all_gib']:.2f} GiB with training",
    ]
    if (device := content["peak_device_memory_gib"]) is not None:
        lines.append(f"peak memory of the GPU: {device:.2f} GiB")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure speed and memory of training, encoding and decoding."""
    parser = argparse.ArgumentParser(prog="python -m core.bench", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="data set to train on")
    parser.add_argument("--config", default="finish", help="training settings")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error(f"--rounds {arguments.rounds}: one or more is needed")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        device = pick_device(arguments.device)
        loaded, data = load_model(arguments.model, str(device)), load_dataset(arguments.data)
        given = ["--model", str(arguments.model), "--data", str(arguments.data)]
        given += ["--config", arguments.config, "--device", device.type]
        given += ["--rounds", str(arguments.rounds)]
        content = record(
            "core.bench",
            given,
            model_sha256=loaded.hash,
            denoiser_sha256=loaded.denoiser_hash,
            data_hash=data.hash,
        )
        content["hardware"] = describe(device)
        content["inference"] = inference(loaded, arguments.rounds)
        content["peak_memory_inference_gib"] = peak_memory_gib()
        content["sharing"] = sharing(arguments.model, arguments.rounds)
        config = replace(TrainConfig.from_file(arguments.config), validation_patches=1)
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(config, data, Path(folder), str(device))
            content["training"] = training(trainer, arguments.rounds)
        content["peak_memory_all_gib"] = peak_memory_gib()
        content["peak_device_memory_gib"] = (
            torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else None
        )
        path = write_result("bench_model", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s\n%s", report(content), path)


if __name__ == "__main__":
    main()
