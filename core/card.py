"""The model card and the README's tables, made from the measured results.

``python -m core.card --model DIR`` writes ``DIR/card.md`` and fills the README between its markers.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.denoiser.store import about_denoiser, denoiser_hash, identity
from core.errors import CheckpointError, MicroDesignError
from core.files import read_json, write_text
from core.markdown import table
from core.oracle_table import RESULT
from core.result_tables import MEASURED, ON_A_MODEL, WITHOUT_PICTURES, results_text
from core.results import RESULTS, ROOT

LOOP_PICTURE = "../../docs/images/closed_loop.svg"  # from assets/reference
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
logger = logging.getLogger(__name__)


def check_results(model: Path, results: Path) -> None:
    """Refuse results that were measured on another model, or with another denoiser.

    Those of the same denoiser whose steps have changed since are told by `results_text`.

    Raises:
        CheckpointError: a result is missing or of another model.
    """
    own = str(read_json(model / "manifest.json")["weights_sha256"])
    about = about_denoiser(model, own)
    known = [None] if about is None else [identity(about), about["weights_sha256"]]
    there = [name for name in ON_A_MODEL if (results / f"{name}.json").is_file()]
    for name in (*MEASURED, *there):
        found = read_json(results / f"{name}.json")
        if found.get("model_sha256") != own:
            raise CheckpointError(
                f"{results / name}.json was measured on another model than {model}: "
                "run make measure"
            )
        if name not in WITHOUT_PICTURES and found.get("denoiser_sha256") not in known:
            raise CheckpointError(
                f"{results / name}.json was measured with another denoiser than {model} has: "
                "run make measure"
            )


def _before(began_from: Mapping[str, Any]) -> list[list[str]]:
    """Return the row on the run whose weights this one began from, none where there was none."""
    if not began_from:
        return []
    said = f"weights sha256 {began_from['weights_sha256'][:16]}"
    if "training" in began_from:
        earlier = began_from["training"]
        said += (
            f", of a run of {began_from['steps']} steps with loss {earlier['loss']}, style weight "
            f"{earlier['style_weight']:g}, rate {earlier['learning_rate']:g}"
        )
    return [["Began from", said]]


def _denoiser(model: Path, model_hash: str) -> list[list[str]]:
    """Return the row on what finishes the model's pictures, none where there is nothing."""
    about = about_denoiser(model, model_hash)
    if about is None:
        return []
    config, earlier = about["config"], about.get("earlier")
    said = (
        f"{about['parameters']} parameters, {about['steps']} steps of {about['training']['batch']} "
        f"crops{' and a lesson' if about['training'].get('lesson_weight') else ''}, "
        f"{about['seconds'] / 60:.0f} min on {about['hardware']}"
    )
    if earlier:
        said += (
            f", from weights of {earlier['steps']} steps, {earlier['seconds'] / 60:.0f} min on "
            f"{earlier['hardware']}"
        )
    said += (
        f"; takes out noise of "
        f"{config['coarse']:g} and {config['start']:g} (grey levels 0 to 1) in "
        f"{config['coarse_steps']} and {config['steps']} steps; sha256 "
        f"{about['weights_sha256'][:16]}"
    )
    return [["Denoiser", said]]


def card_text(model: Path, results: Path) -> str:
    """Return the model card, in Markdown.

    Raises:
        CheckpointError: the manifest or a result is missing, damaged or of another model.
    """
    check_results(model, results)
    manifest = read_json(model / "manifest.json")
    training = manifest["training"]
    rows = [
        [
            "Data",
            f"{manifest['data_name']}, {manifest['specimens']} specimens, "
            f"{manifest['images']} images",
        ],
        [
            "Split",
            f"{len(manifest['training_specimens'])} specimens trained on, the others validated on",
        ],
        [
            "Scale",
            f"{manifest['um_per_px']} um per px, patches of {manifest['config']['patch_px']} px",
        ],
        [
            "Model",
            f"{manifest['config']['latents']} latents, {manifest['config']['decoder']} decoder, "
            f"{manifest['parameters']} parameters",
        ],
        [
            "Training",
            f"{manifest['steps']} steps of {training['batch']} patches, "
            f"{manifest['seconds'] / 60:.0f} min on {manifest['hardware']}, "
            f"{manifest['precision']}",
        ],
        *_before(manifest.get("began_from") or {}),
        [
            "Loss",
            f"{training['loss']}, style weight {training['style_weight']:g}, grey levels "
            f"{training['grey_weight']:g} of it, KL weight {training['kl_weight']:g}",
        ],
        [
            "Backbone",
            f"VGG19, {manifest['config']['backbone']}, sha256 "
            f"{manifest['config']['backbone_sha256'][:16]}",
        ],
        ["Weights", f"sha256 {manifest['weights_sha256'][:16]}"],
        *_denoiser(model, manifest["weights_sha256"]),
    ]
    synthetic = (
        "**Synthetic.** It learned from simulated cast-iron micrographs and computed strengths. It "
        "shows how the method works; its numbers are not those of a real foundry."
        if manifest["synthetic"]
        else "Trained on the user's micrographs."
    )
    limits = (
        "Not tested: pearlitic or etched irons, other magnifications than its own, other alloys. "
        "Micrographs outside the reference data are flagged; strengths predicted for them are "
        "indicative only."
    )
    return (
        "\n\n".join(
            [
                "# Model card",
                synthetic,
                table(["", ""], rows),
                "## Figures",
                results_text(results, denoiser_hash(model, manifest["weights_sha256"])),
                *_loop_picture(results),
                "## Limits",
                limits,
            ]
        )
        + "\n"
    )


def _loop_picture(results: Path) -> list[str]:
    """Return the picture of the closed loop where it was measured."""
    if not (results / f"{RESULT}.json").is_file():
        return []
    return ["![Measured strengths of designs against their targets](" + LOOP_PICTURE + ")"]


def fill_readme(readme: Path, text: str) -> None:
    """Put ``text`` between the README's markers.

    Raises:
        CheckpointError: the markers are missing.
    """
    content = readme.read_text(encoding="utf-8")
    if BEGIN not in content or END not in content:
        raise CheckpointError(f"{readme} lacks the markers {BEGIN} and {END}")
    head, rest = content.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    write_text(readme, f"{head}{BEGIN}\n{text}\n{END}{tail}")


def main(argv: Sequence[str] | None = None) -> None:
    """Write the model card and the README's tables from the measured results."""
    parser = argparse.ArgumentParser(prog="python -m core.card", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        write_text(arguments.model / "card.md", card_text(arguments.model, RESULTS))
        weights = str(read_json(arguments.model / "manifest.json")["weights_sha256"])
        shown = results_text(RESULTS, denoiser_hash(arguments.model, weights))
        fill_readme(ROOT / "README.md", shown)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", arguments.model / "card.md")


if __name__ == "__main__":
    main()
