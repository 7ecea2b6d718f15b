"""What commands share that measure a model on data it has not seen."""

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.calibrate import load_unseen
from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, load_dataset
from core.errors import InputError
from core.properties import PropertyModel
from core.reference_file import FILE, load_reference
from core.results import RESULTS, given_words, record

LEAST_PAIRS = 100  # that figures are averaged over, as in the paper's Table 1


def unseen_parser(
    module: str, description: str | None, fields: int | None = LEAST_PAIRS
) -> argparse.ArgumentParser:
    """Return the command line of a measuring command: model, data, fields, seed, out.

    ``fields`` is how many the field test takes by default; None for a command without one.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="data the model has not seen")
    if fields is not None:
        parser.add_argument(
            "--fields", type=int, default=fields, help="specimens in the field test"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    return parser


@dataclass(frozen=True, slots=True)
class Unseen:
    """A model, data that it has not seen, and the beginning of the result.

    Attributes:
        loaded: the model.
        data: the data set.
        content: how the result is obtained (`core.results.record`) and what the data are.
    """

    loaded: LoadedModel
    data: DataSet
    content: dict[str, Any]


def open_unseen(module: str, arguments: argparse.Namespace) -> Unseen:
    """Load what the command line names (`unseen_parser`); the record holds all of it but --out.

    Of a folder with real micrographs (--real) it holds that one was given, not where it is.

    Raises:
        InputError: the model has seen the data (`require_unseen`).
        CheckpointError: the model cannot be read.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    loaded, data = load_model(arguments.model), load_dataset(arguments.data)
    require_unseen(loaded, data)
    named = {"real": "DIR"} if getattr(arguments, "real", None) is not None else {}
    argv = given_words(argparse.Namespace(**vars(arguments) | named), "out")
    content = record(
        module,
        argv,
        model_sha256=loaded.hash,
        denoiser_sha256=loaded.denoiser_hash,
        data_hash=data.hash,
    )
    content["data"] = {
        "name": data.name,
        "synthetic": data.synthetic,
        "images": len(data),
        "specimens": len(data.specimens),
    }
    return Unseen(loaded, data, content)


def require_unseen(loaded: LoadedModel, data: DataSet) -> None:
    """Refuse data that a model was trained on, or that its intervals or limits come from.

    On these the shares that intervals should cover and limits should leave out are met by
    construction. Files of older versions do not say what the limits come from.

    Raises:
        InputError: they are such data.
        CheckpointError: what the model's folder holds beside the weights is damaged.
    """
    if data.hash == loaded.manifest.get("data_hash"):
        raise InputError("these are the data that the model was trained on; give others")
    calibrated, properties = set(), loaded.path / "properties.json"
    if (kept := load_unseen(loaded.path)) is not None:
        calibrated.add(kept.data_hash)
    if properties.is_file():
        found = PropertyModel.load(properties).regressors
        calibrated |= {regressor.calibration.data_hash for regressor in found}
    if data.hash in calibrated:
        raise InputError("the model's intervals were calibrated on these data; give others")
    if (loaded.path / FILE).is_file() and data.hash == load_reference(loaded.path).data_hash:
        raise InputError("the model's limits on usual micrographs are from these data; give others")


def split_own(loaded: LoadedModel, data: DataSet) -> tuple[DataSet, DataSet]:
    """Return the parts of a model's own data set that it was trained on, and that it was not.

    Raises:
        InputError: it is another data set, or the model does not say what it was trained on.
    """
    trained = loaded.manifest.get("training_specimens")
    if data.hash != loaded.manifest.get("data_hash") or not isinstance(trained, list):
        raise InputError("held-out specimens are those of the data set that the model began from")
    own = data.table["specimen"].isin(trained)
    learned = replace(data, table=data.table[own].reset_index(drop=True))
    rest = data.table[~own].reset_index(drop=True)
    return learned, replace(data, table=rest, name=f"{data.name}, specimens held out of training")
