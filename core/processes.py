"""Several processes that train one model together, started by `torchrun` or `accelerate launch`.

The launcher starts the same command several times and tells each, by the environment variables
RANK, LOCAL_RANK and WORLD_SIZE, which one it is; torch.distributed joins them. Without a launcher
every function here leaves things as they are.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, distributed

from core.errors import ConfigError
from core.hardware import pick_device

Items = TypeVar("Items", bound=Sequence)


def launched() -> bool:
    """Tell whether a launcher started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the other processes for as long as the context lasts.

    Args:
        device: "auto", "cpu", "cuda" or another name that torch knows.

    Yields:
        The device for this process: with several GPUs, one each.

    Raises:
        ConfigError: the device is unknown, or not on this machine.
    """
    if not launched():
        yield device
        return
    on_gpu = pick_device(device).type == "cuda"
    if on_gpu:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield device
        distributed.barrier()  # so that none leaves while the first one still writes
    finally:
        distributed.destroy_process_group()


def place() -> tuple[int, int]:
    """Return which process this is, 0 for the first, and how many there are."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def shared(items: Items) -> Items:
    """Return this process's part of a batch: the whole of it where there is one process.

    Raises:
        ConfigError: the batch cannot be shared out in equal parts.
    """
    mine, count = place()
    part, rest = divmod(len(items), count)
    if rest or not part:
        raise ConfigError(
            f"a batch of {len(items)} cannot be shared by {count} processes in equal parts; choose "
            f"a batch that is a multiple of {count}, or another number of processes"
        )
    return items[mine * part : (mine + 1) * part]  # type: ignore[return-value]


@torch.no_grad()
def average(tensors: Sequence[Tensor]) -> None:
    """Replace float32 tensors, of equal shapes in every process, by their means over those."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat.div_(place()[1]))
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))


def largest(values: Sequence[float], device: torch.device) -> list[float]:
    """Return the largest of the processes' values, one by one."""
    held = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(held, distributed.ReduceOp.MAX)
    found: list[float] = held.tolist()
    return found
