"""Train a denoiser for a model: `python -m core.denoiser --model DIR --data DIR [--minutes N]`.

It goes into the model's folder, beside the weights; the model's pictures are finished by it from
then on. What the run needs to go on (``--resume``) is kept in ``denoiser-training`` there.
"""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from core.checkpoint import load_model
from core.dataset import load_dataset
from core.denoiser.settings import DenoiserTraining
from core.denoiser.store import TRAINING
from core.denoiser.training import DenoiserTrainer
from core.errors import ConfigError
from core.folders import remove_leftovers
from core.hardware import describe, pick_device
from core.locks import alone
from core.training_command import add_options, carried_out, given

logger = logging.getLogger(__name__)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.denoiser", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="trained model's folder")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--config", type=Path, help="JSON file of settings")
    parser.add_argument("--init", type=Path, help="model folder whose denoiser to start from")
    add_options(parser)
    return parser.parse_args(argv)


@contextmanager
def _started(arguments: argparse.Namespace) -> Iterator[DenoiserTrainer]:
    """Give the trainer that the command line asks for; its folder is ours meanwhile."""
    folder = arguments.model / TRAINING
    with alone(folder):
        remove_leftovers(folder, 0.0)
        yield _trainer(arguments, folder)


def _trainer(arguments: argparse.Namespace, folder: Path) -> DenoiserTrainer:
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    path = arguments.config
    settings = DenoiserTraining.from_file(path) if path else DenoiserTraining()
    settings = replace(settings, **given(arguments))
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
    return carried_out(_started(arguments), arguments.model)


if __name__ == "__main__":
    raise SystemExit(main())
