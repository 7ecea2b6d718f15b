"""The paper's Table 1 on the reference castings: quality of reconstructions by size of the latent.

``python -m core.table1 --data DIR`` trains one model a cell (8, 16, 32 and 64 latents, both
decoders, 12,000 patches each), measures it and adds the cell to ``docs/results/table1.json``. A
cell that is there is not done again; one that was interrupted goes on from its checkpoint.
``--cells`` chooses some, ``--print`` shows the table beside the paper's. With ``--real DIR``, a
folder with real micrographs of a superalloy, one more model is trained on some of its specimens and
measured on the others.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.checkpoint import load_model
from core.dataset import DataSet, load_dataset
from core.errors import CheckpointError, ConfigError, InputError, MicroDesignError
from core.files import read_json
from core.metrics.catalogue import load_metrics
from core.metrics.measure import patch_metrics
from core.model import ModelConfig
from core.results import RESULTS, record, write_result
from core.split import split_dataset
from core.summaries import mean_interval
from core.table1_text import BUDGET, REAL_CELL, RESULT, cell_names, table_text
from core.train_config import TrainConfig
from core.trainer import Trainer
from core.vgg import VGG19

BATCH = 8
EACH = 9  # pairs a specimen: 108 over the twelve castings, the paper averages over 100
REAL = "superalloy"
REAL_HELD_OUT = 0.4  # of the specimens
REAL_PAIRS = 100  # at least
Decoder = Literal["texture", "paper"]
logger = logging.getLogger(__name__)


def cell_config(name: str) -> TrainConfig:
    """Return a cell's training settings: the same for all but for decoder and latents.

    Raises:
        ConfigError: there is no such cell.
    """
    if name not in cell_names():
        raise ConfigError(f"there is no cell {name!r}; choose from {cell_names()}")
    decoder, latents = name.rsplit("-", 1)
    kind: Decoder = "paper" if decoder == "paper" else "texture"
    return TrainConfig(
        model=ModelConfig(decoder=kind, latents=int(latents)),
        batch=BATCH,
        steps=BUDGET // BATCH,
        validation_fraction=0.0,  # as in the paper, every micrograph is trained on
    )


def train_cell(name: str, data: DataSet, out: Path) -> Path:
    """Train a cell, or go on with it, and return its model folder.

    Raises:
        ConfigError: the folder holds a run of other settings.
    """
    trainer = Trainer(cell_config(name), data, out)
    if (out / "checkpoint").exists():
        trainer.resume()
    trainer.run()
    return out


def measure_cell(
    model: Path, data: DataSet, seed: int = 0, each: int = EACH, eye: VGG19 | None = None
) -> dict[str, Any]:
    """Measure a model over ``each`` pairs of patches of every specimen.

    A cell is measured by the paper's protocol, on patches of micrographs that it has seen.

    Args:
        model: its folder; data: the micrographs; seed: of the draw of pairs; each: pairs.
        eye: the network of the style error, the model's own for None.
    """
    loaded = load_model(model)
    metrics, missing = load_metrics(eye or loaded.vgg, loaded.config.patch_px)
    found = patch_metrics(loaded, data, metrics, seed, each)
    figures: dict[str, Any] = {}
    for name, arms in found.items():
        # Intervals over specimens: patches of one are no independent evidence.
        means = {arm: np.reshape(values, (-1, each)).mean(axis=1) for arm, values in arms.items()}
        figures[name] = {arm: mean_interval(values) for arm, values in means.items()}
    manifest = loaded.manifest
    return {
        "model_sha256": loaded.hash,
        "data_sha256": data.hash,
        "pairs": each * len(data.specimens),
        "patches_seen": manifest["patches_seen"],
        "seconds": manifest["seconds"],
        "hardware": manifest["hardware"],
        "active_latents": manifest["metrics"]["active_latents"],
        "kl_nats": manifest["metrics"]["kl_nats"],
        "metrics": figures,
        "not_available": missing,
    }


def load_superalloy(real: Path) -> DataSet:
    """Return the superalloy of a folder of real micrographs.

    Raises:
        InputError: the folder is no data set, or holds no superalloy.
    """
    data = load_dataset(real)
    rows = data.table["file"].str.startswith(f"{REAL}/")
    if not rows.any():
        raise InputError(f"{real} holds no micrographs in a folder {REAL!r}")
    return replace(data, name="Ni superalloy (real)", table=rows_of(data, rows))


def real_cell(data: DataSet, work: Path) -> dict[str, Any]:
    """Train on some of the specimens and measure on the others; split by specimen."""
    config = replace(cell_config(REAL_CELL), validation_fraction=REAL_HELD_OUT)
    held_out = split_dataset(data, config.validation_fraction, config.seed)[1]
    if len(held_out) < 2:
        raise InputError(
            f"{data.name} has {len(data.specimens)} specimens; four are needed, so that two can be "
            "held out and compared"
        )
    trainer = Trainer(config, data, work / REAL)
    if (work / REAL / "checkpoint").exists():
        trainer.resume()
    trainer.run()
    unseen = replace(data, table=rows_of(data, data.table["specimen"].isin(held_out)))
    each = -(-REAL_PAIRS // len(held_out))
    return {"held_out": list(held_out)} | measure_cell(work / REAL, unseen, each=each)


def rows_of(data: DataSet, wanted: pd.Series) -> pd.DataFrame:
    """Return some rows of a data set's table, numbered anew."""
    return data.table[wanted].reset_index(drop=True)


def cells_of(path: Path) -> dict[str, Any]:
    """Return the cells that are done.

    Raises:
        CheckpointError: the file is damaged.
    """
    content = read_json(path) if path.is_file() else {"cells": {}}
    if not isinstance(content, dict) or not isinstance(content.get("cells"), dict):
        raise CheckpointError(f"{path} is damaged: it holds no cells; delete it to begin anew")
    return content


def main(argv: Sequence[str] | None = None) -> None:
    """Train and measure the cells of Table 1 that are not done yet."""
    parser = argparse.ArgumentParser(prog="python -m core.table1", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="castings of the paper's design")
    parser.add_argument("--work", type=Path, default=Path("runs"), help="folder for the runs")
    parser.add_argument("--cells", nargs="*", help=f"some of {', '.join(cell_names())}")
    parser.add_argument("--real", type=Path, help=f"real micrographs with a folder {REAL}")
    parser.add_argument("--print", action="store_true", help="only show what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    path = arguments.out / f"{RESULT}.json"
    try:
        content = cells_of(path)
        for name in [] if arguments.print else arguments.cells or cell_names():
            config, content = cell_config(name), cells_of(path)
            if name in content["cells"]:
                continue
            data = load_dataset(arguments.data)
            logger.info("%s: %d steps", name, config.steps)
            model = train_cell(name, data, arguments.work / "table1" / name)
            found = measure_cell(model, data)
            content = cells_of(path)  # another job may have added its cell meanwhile
            content["cells"][name] = found
            about = record("core.table1", [], model_sha256="", data_hash=data.hash)
            content = about | {key: content[key] for key in ("cells", "real") if key in content}
            write_result(RESULT, content, arguments.out)
        if arguments.real and not arguments.print and "real" not in content:
            data = load_superalloy(arguments.real)
            about = record("core.table1", ["--real"], model_sha256="", data_hash=data.hash)
            found = real_cell(data, arguments.work / "table1")
            content = cells_of(path) | {"real": about | found}
            write_result(RESULT, about | content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    print(table_text(content))


if __name__ == "__main__":
    main()
