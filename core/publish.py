"""Publish a trained model: copy what is used of it, without checkpoints and logs.

``python -m core.publish --model DIR --out assets/reference`` replaces OUT as a whole.
"""

import argparse
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.calibrate import UNSEEN
from core.checkpoint import MANIFEST, WEIGHTS, load_model
from core.denoiser.store import ABOUT as DENOISER
from core.denoiser.store import WEIGHTS as DENOISER_WEIGHTS
from core.denoiser.store import has_denoiser, load_denoiser
from core.encode import load_latents, save_latents
from core.errors import CheckpointError, MicroDesignError
from core.files import finish_together
from core.folders import new_folder, recover_folder, replace_folder
from core.labels import FILE as LABELS
from core.labels import load_labels
from core.properties import PropertyModel
from core.reference_file import load_reference
from core.seen import load_seen

PARTS = (
    "manifest.json",
    "model.safetensors",
    "network.json",
    "properties.json",
    "reference.json",
    "reference.safetensors",
    "latents",
    "examples",
)
OPTIONAL = (UNSEEN, LABELS, DENOISER, DENOISER_WEIGHTS)  # copied where they are there
CARD_BYTES = 24_000  # kept free for the card that `core.card` writes beside it
MAX_BYTES = 20_000_000 - CARD_BYTES
logger = logging.getLogger(__name__)


def publish(model: Path, out: Path, max_bytes: int = MAX_BYTES) -> int:
    """Copy a complete model folder to ``out``; return its size in bytes.

    Latents are written in float16, which halves them.

    Args:
        model: the folder of a run with every part in `PARTS`, and perhaps those in `OPTIONAL`.
        out: replaced as a whole; left as it was when anything is wrong.
        max_bytes: largest size.

    Raises:
        CheckpointError: a part is missing, damaged or of another model, or they are too large.
        StorageError: ``out`` cannot be written.
    """
    recover_folder(out)
    if missing := [name for name in PARTS if not (model / name).exists()]:
        raise CheckpointError(f"{model} lacks {', '.join(missing)}; run make reference")
    finish_together(model, (WEIGHTS,), MANIFEST)
    finish_together(model, ("network.json",), "properties.json")
    loaded = load_model(model)
    if has_denoiser(model):
        finish_together(model, (DENOISER_WEIGHTS,), DENOISER)
        load_denoiser(model, loaded.hash)  # of this very model
    parts = [*PARTS, *(name for name in OPTIONAL if (model / name).exists())]
    for name, step in (("latents", "core.encode"), (UNSEEN, "core.calibrate")):
        if name in parts and load_latents(model / name).model_hash != loaded.hash:
            raise CheckpointError(f"{model / name} are of another model; run {step} again")
    if UNSEEN in parts:
        load_seen(model / UNSEEN, load_latents(model / UNSEEN))
    PropertyModel.load(model / "properties.json").require_model(loaded.hash)
    if (model / LABELS).exists():
        load_labels(model).require_model(loaded.hash)
    load_reference(model).require_model(loaded.hash)
    with new_folder(out.parent) as made:
        for name in parts:
            source = model / name
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, made / name)
            if name in ("latents", UNSEEN):
                save_latents(made / name, load_latents(source), half=True)
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        if size > max_bytes:
            raise CheckpointError(f"{model} has {size} bytes; at most {max_bytes} are published")
        replace_folder(made, out)
    return size


def main(argv: Sequence[str] | None = None) -> None:
    """Copy a trained model's parts to where the dashboard ships it from."""
    parser = argparse.ArgumentParser(prog="python -m core.publish", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        size = publish(arguments.model, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s: %.1f MB", arguments.out, size / 1e6)


if __name__ == "__main__":
    main()
