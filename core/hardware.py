"""Which device and precision to compute with, and how to name the machine in records."""

import os
import platform
from pathlib import Path

import torch

from core.errors import ConfigError

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")  # bytes, or "max" (Linux, cgroup v2)


def pick_device(name: str) -> torch.device:
    """Return the device for "auto", "cpu", "cuda" or another name that torch knows.

    Raises:
        ConfigError: unknown, or not on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device {name!r} is unknown; use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' was asked for, but torch finds no GPU here; use auto")
    return device


def pick_precision(wanted: str, device: torch.device) -> str:
    """Return "float32" or "bfloat16" for the wanted precision; "auto" takes the faster one.

    bfloat16 pays on GPUs and on CPUs with instructions for it; emulated, as on AVX2 machines, it
    is many times slower than float32.
    """
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16"
    flags = _cpu_flags()
    return "bfloat16" if {"avx512_bf16", "amx_bf16"} & flags else "float32"


def describe(device: torch.device) -> str:
    """Name the machine that computes, e.g. "AMD EPYC, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_cpu_name()}, {torch.get_num_threads()} of {os.cpu_count()} threads"


def memory_bytes() -> int | None:
    """Return the bytes of memory of the machine or its container, the lesser; None if unknown."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not a system that tells
        return None
    try:
        limit = CONTAINER_LIMIT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        limit = "max"
    return min(whole, int(limit)) if limit.isdigit() else whole


def _cpuinfo(key: str) -> str:
    """Return the first value of ``key`` in Linux's table of processors, "" elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def _cpu_flags() -> set[str]:
    return set(_cpuinfo("flags").split())


def _cpu_name() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()
