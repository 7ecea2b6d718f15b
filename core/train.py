"""Train a texture VAE: `python -m core.train --data DIR --out DIR [--config FILE] [--resume]`.

OUT becomes a model folder (`core.checkpoint`) at each evaluation, and holds `metrics.jsonl`,
`progress.json` and `checkpoint/`. Everything random in a step follows from (seed, step): on one
machine with the same number of threads a resumed run equals an uninterrupted one bit for bit.

Several processes share a batch and do what one would have done (`core.parallel`), started by
`torchrun --standalone --nproc-per-node 2 -m core.train ...` or `accelerate launch`.
"""

import argparse
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from core.dataset import load_dataset
from core.errors import ConfigError
from core.folders import remove_leftovers
from core.hardware import describe
from core.locks import alone
from core.parallel import make_trainer
from core.processes import joined, place
from core.scale import scale_remarks
from core.train_config import TrainConfig, presets
from core.trainer import Trainer
from core.training_command import add_options, carried_out, given

logger = logging.getLogger(__name__)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, help="model folder to make")
    parser.add_argument("--config", default="reference", help=f"JSON file, or one of {presets()}")
    parser.add_argument("--init", type=Path, help="model folder whose weights to start from")
    add_options(parser)
    return parser.parse_args(argv)


@contextmanager
def _started(arguments: argparse.Namespace) -> Iterator[Trainer]:
    """Give the trainer that the command line asks for; its folder is ours meanwhile."""
    with joined(arguments.device) as device, ExitStack() as held:
        if place()[0]:
            logging.getLogger().setLevel(logging.WARNING)  # the first process reports
        else:
            held.enter_context(alone(arguments.out))
            remove_leftovers(arguments.out, 0.0)  # of a run that was killed: nobody writes now
        yield _trainer(arguments, device)


def _trainer(arguments: argparse.Namespace, device: str) -> Trainer:
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    config = replace(TrainConfig.from_file(arguments.config), **given(arguments))
    if not arguments.resume and (arguments.out / "checkpoint" / "state.json").exists():
        raise ConfigError(f"{arguments.out} holds a run already: give --resume or another --out")
    trainer = make_trainer(config, load_dataset(arguments.data), arguments.out, device)
    if arguments.resume:
        trainer.resume()
    elif arguments.init:
        trainer.begin_from(arguments.init)
    for line in (*trainer.data.described, *scale_remarks(trainer.data)):
        logger.info("%s", line)
    pool, vae = trainer.pool, trainer.vae
    logger.info(
        "%d patches of %d specimens, %d parameters, %s, %s",
        *(len(pool), len(pool.specimens), sum(p.numel() for p in vae.parameters())),
        *(trainer.precision, describe(trainer.device)),
    )
    return trainer


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    return carried_out(_started(arguments), arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
