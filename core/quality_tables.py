"""Sentences on results that may be missing: one function a file of ``docs/results``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.files import read_json
from core.markdown import table

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
        f"{'; '.join(parts)} (medians with 95 % intervals). {_latents_moved(found)}"
    )


def _latents_moved(found: Content) -> str:
    moved = found["latents_moved"]
    return (
        f"Drafts of the model, before its denoiser, err by {moved['encoded']['median']:.3f} from "
        f"the encoder's latents, by {moved['best']['median']:.3f} from the latents that are best "
        f"for any noise, and by {moved['best_for_one_noise']['median']:.3f} from those that are "
        "best for one noise (medians)."
    )


def labels(found: Content) -> str:
    """Return how well latents could be named (`core.labels`), and the directions' names."""
    figures, plan = found["figures"], found["plan"]
    held, freedom = figures["stability"]["dimensions"], figures["independence"]["specimens"]
    entangled, sparse = figures["entanglement"], figures["size_and_sparsity"]
    rows = [[name, entry["label"]] for name, entry in found["directions"].items()]
    return "\n\n".join(
        [
            f"Latents named by `{found['command']}` ({plan['starts']} starts in each of two sets, "
            f"{plan['size_px']} px fields): {held['labelled']} of {held['directions']} have a "
            f"label, of effects that both sets of starts find. {_used(figures)}"
            f"{_percent(held['same_label'])} would have the very same label from either set alone; "
            "of the strongest effects that "
            f"the first set finds the second finds {_percent(held['strongest_effect_survives'])}, "
            f"of all {_percent(held['effects_survive'])}. One latent moves "
            f"{entangled['descriptors_a_dimension']:.1f} descriptors on average "
            f"(disentanglement {_share(entangled['disentanglement'])}, completeness "
            f"{_share(entangled['completeness'])}); over specimens the latents are worth "
            f"{_share(freedom['effective_dimensions'], 1)} independent ones. Large particles come "
            f"with few, as in the paper: {'yes' if sparse['shows'] else 'not shown'}.",
            table(["principal direction of the specimens", "what it does"], rows),
        ]
    )


def _used(figures: Content) -> str:
    """Say which of the latents that designs use have a label, "" where it was not measured."""
    used = figures.get("used_for_design")
    if used is None:
        return ""
    without = f" (without: {', '.join(used['unlabelled'])})" if used["unlabelled"] else ""
    return (
        f"Designs use {used['used']} of them ({used['criterion']}); of these {used['labelled']} "
        f"have a label{without}. "
    )


def retrained(content: Content) -> str:
    """Say how many labels recur in a model trained anew (`core.labels.recurrence`)."""
    found, anew, chance = content["figures"], content["retrained"], content["figures"]["by_chance"]
    ((title, well),) = ((n, one) for n, one in found.items() if n.startswith("correlated_"))
    least = title.removeprefix("correlated_").removesuffix("_or_more")
    every, directions = found["all_pairs"], found["directions"].values()
    along = ", ".join(f"{abs(one['correlation']):.2f}" for one in directions)
    told = [one["strongest_effect_recurs"] for one in directions]
    told, recur = [one for one in told if one is not None], sum(map(bool, told))
    return (
        f"Labels in a model trained from nothing with another seed ({anew['seed']}; "
        f"{anew['steps']} steps, pictures {'' if anew['finished_pictures'] else 'not '}finished), "
        f"by `{content['command']}`: latents are paired by their correlation over the same patches "
        f"(median {found['median_correlation_abs']:.2f}). Of the strongest effects of "
        f"{every['labelled']} named latents {_percent(every['strongest_effect_recurs'])} recur in "
        f"the counterpart (blind pairs: {_percent(chance['strongest_effect_recurs'])}); of "
        f"{every['labelled_on_either_side']} pairs with a name on either side "
        f"{_percent(every['same_label'])} have the very same one (blind: "
        f"{_percent(chance['same_label'])}). Of the {well['pairs']} pairs with a correlation of "
        f"{least} or more it is {_percent(well['strongest_effect_recurs'])} and "
        f"{_percent(well['same_label'])}. How axes lie in a latent space "
        "is chance; of the space itself, a linear map of these latents explains "
        f"{_percent(found['space']['of_the_other'])} of the variance of the other model's, on "
        f"specimens left out (the other way {_percent(found['space']['of_the_first'])}); the "
        f"specimens' principal directions recur with correlations of {along}, and of their "
        f"strongest effects {recur} of {len(told)}."
    )


OPTIONAL: dict[str, Callable[[Content], str]] = {
    "realism": realism,
    "pixel_optimisation": pixel_optimisation,
    "labels": labels,
    "retrained": retrained,
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


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.0f} %"


def _share(value: float | None, digits: int = 2) -> str:
    return "unknown" if value is None else f"{value:.{digits}f}"
