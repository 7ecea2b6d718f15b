"""What the commands that train something share: their options, and how a run ends."""

import argparse
import logging
import signal
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from core.errors import MicroDesignError, StorageError

logger = logging.getLogger(__name__)


class Run(Protocol):
    """A training that can be stopped: see `core.trainer.Trainer`."""

    step: int
    stop_signal: int

    def run(self) -> str:
        """Train to the end, or until stopped; return "finished" or "stopped"."""

    def stop(self, number: int, frame: FrameType | None = None) -> None:
        """Ask for a stop with a checkpoint; also a signal handler."""

    def tell(self, state: str, message: str = "", train: Mapping[str, Any] | None = None) -> None:
        """Write how far the run is."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every training."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--steps", type=int, help="instead of the config's")
    parser.add_argument("--minutes", type=float, help="instead of the config's")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--threads", type=int, help="CPU threads, all cores without")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives in place of the config's."""
    named = {name: getattr(arguments, name) for name in ("steps", "minutes", "seed")}
    return {name: value for name, value in named.items() if value is not None}


def carried_out(begun: AbstractContextManager[Run], kept: Path) -> int:
    """See a training through, until it ends or is interrupted; return the command's exit status.

    Args:
        begun: gives the training on entering, and holds what it needs meanwhile.
        kept: folder that it writes, to name.
    """
    training = None
    try:
        with begun as training:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, training.stop)
            state = training.run()
    except MicroDesignError as error:
        if training is not None:
            with suppress(StorageError):  # a full disk has no room for this either
                training.tell("failed", str(error))
        logger.error("error: %s", error)
        return 1
    if state == "stopped":
        logger.info("stopped at step %d; go on with --resume", training.step)
        return 128 + training.stop_signal
    logger.info("finished: %s", kept)
    return 0
