"""What one change of the training settings gives, everything else equal.

``python -m core.comparisons --data DIR`` trains a model from nothing for each of `CHANGES`, by the
preset "reference" but for that change and the budget, and measures its reconstructions on patches
of specimens that were held out. It adds each to ``docs/results/comparisons.json`` as it comes; one
that is there is not done again, one that was interrupted goes on from its checkpoint. ``--print``
shows the table.

All are measured alike: the relative style error in the same network with average pooling, whatever
the model was trained with, and metrics that know nothing of VGG19. So short a training says which
way a change goes at first, and not where it ends.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.dataset import DataSet, load_dataset
from core.errors import ConfigError, InputError, MicroDesignError
from core.markdown import table
from core.metrics.catalogue import CATALOGUE
from core.results import RESULTS, given_words, record, write_result
from core.split import split_dataset
from core.table1 import cells_of, measure_cell, rows_of
from core.train_config import TrainConfig
from core.trainer import Trainer
from core.vgg import CONV_LAYERS, STYLE_LAYERS, load_vgg19

RESULT = "comparisons"
STEPS, AVERAGED = 200, 0.98  # optimisation steps; decay of the averaged weights in so short a run
EACH = 4  # pairs a held-out specimen
BASE = "as the preset"
CHANGES: Mapping[str, Mapping[str, Any]] = {
    BASE: {},
    "equation 2 as printed": {"loss": "eq2", "style_weight": 1.0, "grey_weight": 0.0},
    "plain errors in place of their roots": {"loss": "mixture"},
    "plain errors, raw Gram matrices alone": {"loss": "relative"},
    "plain errors, mean-removed Gram matrices alone": {"loss": "centred"},
    "maximum pooling": {"pooling": "max"},
    "pooling layers alone, without conv1_1": {"style_layers": STYLE_LAYERS[1:]},
    "convolution layers in place of pooling layers": {
        "style_layers": (STYLE_LAYERS[0], *CONV_LAYERS)
    },
    "a diversity term": {"diversity_weight": 0.1},
    "half a nat of each latent free": {"free_bits": 0.5},
    "sliced Wasserstein beside it": {"wasserstein_weight": 1.0},
    "a third of the KL's weight": {"kl_weight": 1 / 3},
    "KL at full weight from the start": {"kl_warm_up": 0},
    "last weights in place of averaged ones": {"ema_decay": 0.0},
}
SHOWN = [metric for metric in CATALOGUE if not metric.fields_only]
logger = logging.getLogger(__name__)


def changed(name: str, steps: int = STEPS) -> TrainConfig:
    """Return the settings with one change.

    Raises:
        ConfigError: there is no such change.
    """
    if name not in CHANGES:
        raise ConfigError(f"there is no change {name!r}; choose from {', '.join(CHANGES)}")
    base = TrainConfig.from_file("reference")
    change = {"ema_decay": AVERAGED} | dict(CHANGES[name])
    model = replace(base.model, pooling=change.pop("pooling", base.model.pooling))
    return replace(base, model=model, steps=steps, evaluate_every=steps, **change)


def compare_change(name: str, data: DataSet, work: Path, steps: int) -> dict[str, Any]:
    """Train with one change and measure on the specimens held out."""
    config = changed(name, steps)
    trainer = Trainer(config, data, work)
    if (work / "checkpoint").exists():
        trainer.resume()
    trainer.run()
    held_out = split_dataset(data, config.validation_fraction, config.seed)[1]
    unseen = replace(data, table=rows_of(data, data.table["specimen"].isin(held_out)))
    eye = load_vgg19(config.model.backbone, "average")
    budget = {"steps": steps, "learned_sha256": data.hash, "held_out": list(held_out)}
    return budget | measure_cell(work, unseen, each=EACH, eye=eye)


def require_alike(cells: Mapping[str, Mapping[str, Any]], steps: int, data: DataSet) -> None:
    """Refuse to put cells of another budget or of other data beside new ones.

    Raises:
        InputError: there is such a cell.
    """
    for name, cell in cells.items():
        if (cell.get("steps"), cell.get("learned_sha256")) != (steps, data.hash):
            raise InputError(
                f'"{name}" was measured after {cell.get("steps")} steps, on data '
                f"{str(cell.get('learned_sha256'))[:12]}; {steps} steps on {data.hash[:12]} cannot "
                "stand beside it. Give the same, or another folder with --out and --work"
            )


def comparison_text(content: Mapping[str, Any]) -> str:
    """Return the table in Markdown: means, 95 % intervals over specimens in brackets."""
    rows = []
    for name in CHANGES:
        if (found := content["cells"].get(name)) is None:
            continue
        cells = []
        for metric in SHOWN:
            if (values := found["metrics"].get(metric.name)) is None:
                cells.append("not available")
                continue
            one = values["reconstruction"]
            cells.append(f"{one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})")
        rows.append([name, *cells, f"{found['kl_nats']:.0f}"])
    return table(["change", *(metric.label for metric in SHOWN), "KL, nats"], rows)


def main(argv: Sequence[str] | None = None) -> None:
    """Train and measure the changes that are not done yet."""
    parser = argparse.ArgumentParser(prog="python -m core.comparisons", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="castings to learn")
    parser.add_argument("--steps", type=int, default=STEPS, help="optimisation steps of each")
    parser.add_argument("--work", type=Path, default=Path("runs"), help="folder for the runs")
    parser.add_argument("--changes", nargs="*", help="some of them, by name")
    parser.add_argument("--print", action="store_true", help="only show what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    path = arguments.out / f"{RESULT}.json"
    try:
        content = cells_of(path)
        for name in [] if arguments.print else arguments.changes or CHANGES:
            changed(name)
            data, content = load_dataset(arguments.data), cells_of(path)
            require_alike(content["cells"], arguments.steps, data)
            if name in content["cells"]:
                continue
            logger.info("%s", name)
            folder = arguments.work / RESULT / name.replace(" ", "_")
            found = compare_change(name, data, folder, arguments.steps)
            content = cells_of(path)  # another job may have added its own meanwhile
            content["cells"][name] = found
            given = given_words(arguments, "out", "work", "changes", "print")
            about = record("core.comparisons", given, model_sha256="", data_hash=data.hash)
            content = about | {"cells": content["cells"]}
            write_result(RESULT, content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    print(comparison_text(content))


if __name__ == "__main__":
    main()
