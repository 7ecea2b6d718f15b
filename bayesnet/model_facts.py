"""What is known of a model, as a list of facts: what it learned from, how good it is, its limits.

Facts come from the model's own files and say "not recorded" or "not measured" where a file is
silent. Two models' facts are put side by side by `compare_models`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayesnet.categories import groups, label_of
from bayesnet.network import Network
from bayesnet.nodes import Node
from core.calibrate import intervals_from
from core.conformal import MIN_INTERVAL
from core.labels import Labels
from core.properties import PropertyModel
from core.reference import Reference
from core.regressor import Regressor
from core.wording import number, quantity

NOT_RECORDED, NOT_MEASURED = "not recorded", "not measured"
SECTIONS = ("Data", "Pictures", "Latents", "Properties", "Process settings", "Model", "Limits")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: the section it belongs to, what it is about, and what is known."""

    section: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelParts:
    """A model's files, as far as they are there.

    Attributes:
        manifest: content of `manifest.json`.
        network, properties, reference, labels: None where they are missing.
        denoiser: content of `denoiser.json`, also where it is for other weights.
    """

    manifest: Mapping[str, Any]
    network: Network | None
    properties: PropertyModel | None
    reference: Reference | None
    labels: Labels | None = None
    denoiser: Mapping[str, Any] | None = None


def model_facts(parts: ModelParts) -> list[Fact]:
    """Return what is known of a model, section by section."""
    return [
        *_data(parts),
        *_pictures(parts),
        *_latents(parts.labels),
        *_properties(parts),
        *_settings(parts.network),
        *_model(parts.manifest),
        *_limits(parts),
    ]


def compare_models(models: Sequence[Sequence[Fact]]) -> list[tuple[str, str, list[str]]]:
    """Return (section, what, a text for each model) for every fact that one of them has."""
    by_model = [{(f.section, f.what): f.text for f in facts} for facts in models]
    keys = list(dict.fromkeys(key for facts in by_model for key in facts))
    keys.sort(key=lambda key: SECTIONS.index(key[0]))
    return [
        (section, what, [facts.get((section, what), "none") for facts in by_model])
        for section, what in keys
    ]


def _data(parts: ModelParts) -> list[Fact]:
    about = parts.manifest
    kind = {True: "synthetic: simulated micrographs and properties", False: "measured"}
    trained = about.get("training_specimens")
    specimens = about.get("specimens")
    split = NOT_RECORDED
    if isinstance(trained, list) and isinstance(specimens, int):
        split = f"{len(trained)} specimens trained on, {specimens - len(trained)} held out"
    scale = about.get("um_per_px")
    rows = {
        "Data set": str(about.get("data_name") or NOT_RECORDED),
        "Kind": kind.get(about.get("synthetic"), NOT_RECORDED),  # type: ignore[arg-type]
        "Amount": f"{specimens} specimens, {about.get('images', '?')} micrographs"
        if specimens
        else NOT_RECORDED,
        "Split": split,
        "Scale": f"{scale:g} µm per px" if isinstance(scale, (int, float)) else "not known",
        "Data, sha256": str(about.get("data_hash") or NOT_RECORDED)[:16],
    }
    return [Fact("Data", what, text) for what, text in rows.items()]


def _pictures(parts: ModelParts) -> list[Fact]:
    metrics, reference = parts.manifest.get("metrics") or {}, parts.reference
    held_out = metrics.get("relative")
    rows = {
        "Style error, held-out patches": NOT_MEASURED
        if held_out is None
        else f"{held_out:.3f} ({parts.manifest.get('validated_on') or 'held-out'})",
        "Style error, new micrographs": NOT_MEASURED,
    }
    if reference is not None:
        rows["Style error, new micrographs"] = (
            f"{reference.style_reconstruction_median:.3f} median, 90 % below "
            f"{reference.style_reconstruction_p90:.3f}; {reference.images} micrographs of "
            f"{reference.data_name}"
        )
        rows["Two real patches, one specimen"] = f"{reference.style_same_specimen:.3f}"
        rows["Two real patches, two specimens"] = f"{reference.style_other_specimen:.3f}"
    rows["Finished by"] = _finished_by(parts.denoiser, parts.manifest)
    latents = (parts.manifest.get("config") or {}).get("latents")
    if parts.network is not None:
        rows["Active latents"] = f"{len(parts.network.latents)} of {latents}"
    return [Fact("Pictures", what, text) for what, text in rows.items()]


def _finished_by(denoiser: Mapping[str, Any] | None, manifest: Mapping[str, Any]) -> str:
    """Say what finishes the decoder's drafts."""
    if denoiser is None:
        return "nothing: pictures are as the decoder drafts them"
    if denoiser.get("model_hash") != manifest.get("weights_sha256"):
        return (
            "nothing: the denoiser in the folder was trained with other weights of the model and "
            "is left out; train it again with python -m core.denoiser"
        )
    config = denoiser["config"]
    earlier = denoiser.get("earlier") or {}
    minutes = sum(float(part.get("seconds") or 0.0) for part in (denoiser, earlier)) / 60
    return (
        f"a denoiser ({denoiser.get('parameters')} parameters, {minutes:.0f} min of training); "
        f"noise of {config['coarse']:g} and {config['start']:g} of the grey scale, taken out in "
        f"{config['coarse_steps']} and {config['steps']} steps"
    )


def _latents(labels: Labels | None) -> list[Fact]:
    """Say how many latents have a name, and how far they go together."""
    if labels is None:
        return [Fact("Latents", "Names", f"{NOT_MEASURED}: core.labels was not run")]
    stability, figures = labels.figures["stability"]["dimensions"], labels.figures
    starts = labels.plan.get("starts")
    named = f"{stability['labelled']} of {stability['directions']}"
    if starts:
        named += f"; by effects that two sets of {starts} starting patches both find"
    rows = {"Named": named}
    if used := figures.get("used_for_design"):
        without = ", ".join(used["unlabelled"])
        rows["Used by designs"] = f"{used['used']}, of which {used['labelled']} have a name" + (
            f" (without: {without})" if without else ""
        )
    own = figures["independence"].get("specimens")
    if own:
        rows["Worth, over specimens"] = (
            f"{own['effective_dimensions']:.1f} independent ones: latents go together"
        )
    return [Fact("Latents", what, text) for what, text in rows.items()]


def _properties(parts: ModelParts) -> list[Fact]:
    if parts.properties is None:
        return [Fact("Properties", "Predicted", "none: no property has five labelled specimens")]
    nodes = {n.column: n for n in parts.network.properties} if parts.network else {}
    facts, said = [], intervals_from(parts.properties)
    alone = parts.properties.structure is not None
    for one in parts.properties.regressors:
        mape = "" if one.mape is None else f" ({100 * one.mape:.1f} % on average)"
        error = f"{quantity(one.rmse, one.unit)} root mean square{mape}, R² {one.r2:.2f}"
        facts.append(Fact("Properties", f"{one.label}, error on left-out specimens", error))
        facts.append(
            Fact(
                "Properties",
                f"{one.label}, 90 % interval",
                _half_width(one, said[one.column], alone),
            )
        )
        if one.column in nodes:
            facts.append(Fact("Properties", f"{one.label}, range", _range(nodes[one.column])))
        labelled = f"{len(one.points)} specimens"
        facts.append(Fact("Properties", f"{one.label}, labelled", labelled))
    return facts


def _half_width(one: Regressor, calibrated: str, alone: bool) -> str:
    """Say how wide the interval of latents is, ``alone`` where structure is read too."""
    if one.half_width is None:
        return calibrated
    size = 100 * one.half_width if one.relative else one.half_width
    unseen = one.calibration.method == "unseen"
    patches = f"all patches of a {'micrograph' if unseen else 'specimen'}"
    wide = quantity(size, "%" if one.relative else one.unit)
    by = " by latents alone" if alone else ""
    return f"± {wide} from {patches}{by}; {calibrated}"


def _settings(network: Network | None) -> list[Fact]:
    if network is None:
        return [Fact("Process settings", "Network", "not fitted: no designs")]
    facts = []
    left_out = network.calibration.get("process", {})
    for members in groups(network.process).values():
        words = ", ".join(network.process[i].level for i in members)
        label = label_of(network.process[members[0]])
        facts.append(Fact("Process settings", f"{label}, words", words))
    for node in network.process:
        if node.group:
            continue
        facts.append(Fact("Process settings", f"{node.label}, range", _range(node)))
        text = _covered(left_out.get(node.column, {}))
        facts.append(Fact("Process settings", f"{node.label}, 90 % interval covers", text))
    return facts or [Fact("Process settings", "Settings", "none in the data: no recommendations")]


def _covered(entry: Mapping[str, Any]) -> str:
    """Say what share of left-out specimens a setting's interval holds, as it is and widened."""
    plain, factor = entry.get("coverage_90_design"), entry.get("widening_90")
    if plain is None or factor is None:
        return NOT_MEASURED
    text = f"{100 * plain:.0f} % of left-out specimens"
    if factor == 1:
        return f"{text}; not widened"
    widened = entry.get("coverage_90_widened")  # not in older networks
    on_the_same = "" if widened is None else f", then {100 * widened:.0f} % of the same specimens"
    return f"{text}; widened by {number(factor)}{on_the_same}"


def _model(about: Mapping[str, Any]) -> list[Fact]:
    config = about.get("config") or {}
    minutes = about.get("seconds")
    steps = about.get("steps")
    training = NOT_RECORDED
    if steps and minutes:
        training = f"{steps} steps, {minutes / 60:.0f} min on {about.get('hardware', 'unknown')}"
    rows = {
        "Decoder": str(config.get("decoder", NOT_RECORDED)),
        "Patch": f"{config['patch_px']} px" if "patch_px" in config else NOT_RECORDED,
        "Parameters": f"{about['parameters']:,}" if "parameters" in about else NOT_RECORDED,
        "Training": training,
        "Date": str(about.get("date") or NOT_RECORDED)[:10],
        "Weights, sha256": str(about.get("weights_sha256") or NOT_RECORDED)[:16],
    }
    return [Fact("Model", what, text) for what, text in rows.items()]


def _limits(parts: ModelParts) -> list[Fact]:
    """Say what the model was not tested for, from what its files hold."""
    about, network = parts.manifest, parts.network
    scale = about.get("um_per_px")
    limits = [
        (
            "Material",
            "Not tested on any material, etching or microscope other than those of its data set.",
        ),
        (
            "Magnification",
            f"Not tested at scales other than {scale:g} µm per px; others are resampled to it."
            if isinstance(scale, (int, float))
            else "The scale of its micrographs is not known: sizes are in px only.",
        ),
        (
            "Range",
            "Properties and settings outside the ranges above are not extrapolated: such targets "
            "are judged infeasible, such limits are refused.",
        ),
    ]
    if about.get("synthetic"):
        limits.append(("Reality", "Its figures are of simulated castings, not of a real foundry."))
    if parts.reference is None:
        limits.append(("Unusual micrographs", "Cannot be told: core.reference was not run."))
    if network is not None and len(network.specimens) < MIN_INTERVAL:
        few = f"Only {len(network.specimens)} specimens: no intervals can be given."
        limits.append(("Intervals", few))
    return [Fact("Limits", what, text) for what, text in limits]


def _range(node: Node) -> str:
    return f"{number(node.low)} to {quantity(node.high, node.unit)}"
