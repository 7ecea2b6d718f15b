"""The paper's Table 1 on the reference castings: quality of reconstructions by size of the latent.

``python -m core.table1 --data DIR`` trains one model a cell (8, 16, 32 and 64 latents, both
decoders, 12,000 patches each), measures it and adds the cell to ``docs/results/table1.json``. A
cell that is there is not done again; one that was interrupted goes on from its checkpoint.
``--cells`` chooses some, ``--print`` shows the table beside the paper's.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.checkpoint import load_model
from core.dataset import DataSet, load_dataset
from core.errors import CheckpointError, ConfigError, MicroDesignError
from core.files import read_json
from core.metrics.catalogue import CATALOGUE, load_metrics
from core.metrics.measure import patch_metrics
from core.model import ModelConfig
from core.results import RESULTS, record, write_result
from core.summaries import mean_interval
from core.tables import table
from core.train_config import TrainConfig
from core.trainer import Trainer

LATENTS = (8, 16, 32, 64)
BUDGET = 12_000  # patches a cell
BATCH = 8
EACH = 9  # pairs a specimen: 108 over the twelve castings, the paper averages over 100
PAPER = {8: (0.6962, 0.7591), 16: (0.6995, 0.7609), 32: (0.7257, 0.7640), 64: (0.7031, 0.7592)}
WHY = (
    "The paper's micrographs are not public: these are synthetic castings of the same design, so "
    "columns compare with one another, not with the paper's. Its STSIM-2 averages over windows of "
    "7 x 7 px, ours is taken over the whole patch and is nearer to 1 throughout."
)
Decoder = Literal["texture", "paper"]
logger = logging.getLogger(__name__)


def cell_names() -> list[str]:
    """Return the names of all cells: decoder-latents."""
    return [f"{decoder}-{latents}" for decoder in ("paper", "texture") for latents in LATENTS]


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


def measure_cell(model: Path, data: DataSet, seed: int = 0) -> dict[str, Any]:
    """Measure a cell by the paper's protocol: on patches of micrographs that it has seen."""
    loaded = load_model(model)
    metrics, missing = load_metrics(loaded.vgg, loaded.config.patch_px)
    found = patch_metrics(loaded, data, metrics, seed, EACH)
    figures: dict[str, Any] = {}
    for name, arms in found.items():
        # Intervals over specimens: patches of one are no independent evidence.
        means = {arm: np.reshape(values, (-1, EACH)).mean(axis=1) for arm, values in arms.items()}
        figures[name] = {arm: mean_interval(values) for arm, values in means.items()}
    manifest = loaded.manifest
    return {
        "model_sha256": loaded.hash,
        "data_sha256": data.hash,
        "pairs": EACH * len(data.specimens),
        "patches_seen": manifest["patches_seen"],
        "seconds": manifest["seconds"],
        "hardware": manifest["hardware"],
        "active_latents": manifest["metrics"]["active_latents"],
        "kl_nats": manifest["metrics"]["kl_nats"],
        "metrics": figures,
        "not_available": missing,
    }


def table_text(content: dict[str, Any]) -> str:
    """Return the table beside the paper's, in Markdown."""
    rows = []
    for name in cell_names():
        decoder, latents = name.rsplit("-", 1)
        dists, stsim2 = PAPER[int(latents)]
        row = [decoder, latents]
        cell = content["cells"].get(name)
        for metric in CATALOGUE:
            found = (cell or {}).get("metrics", {}).get(metric.name)
            row.append(
                "not done" if cell is None else "not available" if found is None
                else f"{found['reconstruction']['mean']:.3f} "
                f"({found['same_specimen']['mean']:.3f}, {found['other_specimen']['mean']:.3f})"
            )  # fmt: skip
        rows.append([*row, f"{dists:.4f}", f"{stsim2:.4f}"])
    header = ["decoder", "latents", *(m.label for m in CATALOGUE), "paper's DISTS", "STSIM-2"]
    told = "Means; in brackets two patches of one casting, and of two castings."
    return "\n\n".join([table(header, rows), told, WHY])


def _kept(path: Path) -> dict[str, Any]:
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
    parser.add_argument("--print", action="store_true", help="only show what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    path = arguments.out / "table1.json"
    try:
        content = _kept(path)
        for name in [] if arguments.print else arguments.cells or cell_names():
            config = cell_config(name)
            if name in content["cells"]:
                continue
            data = load_dataset(arguments.data)
            logger.info("%s: %d steps", name, config.steps)
            model = train_cell(name, data, arguments.work / "table1" / name)
            content["cells"][name] = measure_cell(model, data)
            about = record("core.table1", [], model_sha256="", data_hash=data.hash)
            write_result("table1", about | {"cells": content["cells"]}, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    print(table_text(content))


if __name__ == "__main__":
    main()
