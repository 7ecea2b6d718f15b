"""Train a denoiser for a model: `python -m core.denoiser --model DIR --data DIR [--minutes N]`.

It goes into the model's folder, beside the weights; the model's pictures are finished by it from
then on. What the run needs to go on (``--resume``) is kept in ``denoiser-training`` there.
"""

import argparse
import logging
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from core.checkpoint import load_model
from core.dataset import load_dataset
from core.denoiser.settings import DenoiserTraining
from core.denoiser.store import TRAINING
from core.denoiser.training import DenoiserTrainer
from core.errors import ConfigError, MicroDesignError, StorageError
from core.folders import remove_leftovers
from core.hardware import describe, pick_device
from core.locks import alone

logger = logging.getLogger(__name__)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.denoiser", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="trained model's folder")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--config", type=Path, help="JSON file of settings")
    parser.add_argument("--init", type=Path, help="model folder whose denoiser to start from")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--steps", type=int, help="instead of the config's")
    parser.add_argument("--minutes", type=float, help="instead of the config's")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--threads", type=int, help="CPU threads, all cores without")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    return parser.parse_args(argv)


def _start(arguments: argparse.Namespace) -> DenoiserTrainer:
    """Build the trainer that the command line asks for."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    given = DenoiserTraining()
    settings = DenoiserTraining.from_file(arguments.config) if arguments.config else given
    named = {name: getattr(arguments, name) for name in ("steps", "minutes", "seed")}
    settings = replace(settings, **{name: v for name, v in named.items() if v is not None})
    folder = arguments.model / TRAINING
    if not arguments.resume and (folder / "checkpoint" / "state.json").exists():
        raise ConfigError(f"{folder} holds a run already: give --resume, or remove it")
    loaded = load_model(arguments.model, str(pick_device(arguments.device)), backbone=False)
    trainer = DenoiserTrainer(loaded, load_dataset(arguments.data), settings)
    if arguments.resume:
        trainer.resume()
    elif arguments.init:
        begun = load_model(arguments.init, str(loaded.device), backbone=False).denoiser
        if begun is None:
            raise ConfigError(f"the model in {arguments.init} has no denoiser to begin from")
        trainer.begin_from(begun)
    logger.info(
        "%d specimens, %d parameters, %s, %s",
        *(len(trainer.pool.specimens), sum(p.numel() for p in trainer.network.parameters())),
        *(trainer.precision, describe(trainer.device)),
    )
    return trainer


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    trainer = None
    try:
        with alone(arguments.model / TRAINING):
            remove_leftovers(arguments.model / TRAINING, 0.0)
            trainer = _start(arguments)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, trainer.stop)
            state = trainer.run()
    except MicroDesignError as error:
        if trainer is not None:
            with suppress(StorageError):
                trainer.tell("failed", str(error))
        logger.error("error: %s", error)
        return 1
    if state == "stopped":
        logger.info("stopped at step %d; go on with --resume", trainer.step)
        return 128 + trainer.stop_signal
    logger.info("finished: %s", arguments.model)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
