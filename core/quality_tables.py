"""Sentences on results that may be missing: one function a file of ``docs/results``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.files import read_json

Content = Mapping[str, Any]


def realism(content: Content) -> str:
    """Say how well a classifier tells generated crops from real ones, and by what."""
    found = content["realism"]
    families = sorted(found["by_family"].items(), key=lambda item: -item[1]["auc"])
    told = ", ".join(f"{name} {entry['auc']:.2f}" for name, entry in families)
    return (
        f"Generated or real, by `{content['command']}`: a classifier on {found['statistics']} "
        f"statistics that know nothing of VGG, judged on castings it has not seen, tells "
        f"{found['crop_px']} px crops of synthesised fields from real ones with AUC "
        f"{_interval(found['generated'], 'auc', 2)} (0.5 is a guess, 1 certain; "
        f"{found['crops_a_class']} crops a class); real crops from blurred ones with "
        f"{found['sanity_blurred']['auc']:.2f}, and two crops of one real field with "
        f"{found['chance_real_against_real']['auc']:.2f}. By one family of statistics alone: "
        f"{told}."
    )


def pixel_optimisation(content: Content) -> str:
    """Say how many iterations of L-BFGS on the pixels each model is worth."""
    found = content["pixel_optimisation"]
    curve = ", ".join(
        f"{entry['median']:.3f} after {n}" for n, entry in found["error_after_iterations"].items()
    )
    parts = []
    for name, entry in found["models"].items():
        said = "the model" if name == "model" else f'a model trained on loss "{entry["loss"]}"'
        worth, faster = entry["iterations_worth"], entry["times_faster"]
        least = "at least " if worth["median_is_least"] else ""
        parts.append(
            f"{said} ({entry['error']['median']:.3f}) is worth {least}"
            f"{_interval(worth, 'median', 0)} iterations and {least}"
            f"{_interval(faster, 'median', 0)} times faster"
        )
    return (
        f"Optimising the pixels of {found['patches']} patches by L-BFGS, by "
        f"`{content['command']}`: median error {curve} iterations. Against that, "
        f"{'; '.join(parts)} (medians with 95 % intervals)."
    )


OPTIONAL: dict[str, Callable[[Content], str]] = {
    "realism": realism,
    "pixel_optimisation": pixel_optimisation,
}


def optional_texts(results: Path) -> list[str]:
    """Return what there is to say of the results in `OPTIONAL` that are there.

    Raises:
        CheckpointError: a result is damaged.
        KeyError, TypeError: a result lacks a figure.
    """
    paths = {name: results / f"{name}.json" for name in OPTIONAL}
    return [OPTIONAL[name](read_json(path)) for name, path in paths.items() if path.is_file()]


def _interval(entry: Content, key: str, digits: int) -> str:
    low, high = entry["low"], entry["high"]
    return f"{entry[key]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
