"""The questions of the page *Training*: data, preset or own settings, what to begin from, name."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.dataset import DataSet
from core.errors import InputError
from core.files import parse_json
from core.import_data.naming import plain
from core.jobs.estimate import Estimate, estimate
from core.jobs.picture_sizes import Sizes, count_patches, picture_sizes
from core.jobs.presets import (
    PRESETS,
    can_begin_from,
    held_out_count,
    holds_regions,
    preset_config,
    skipped_steps,
)
from core.jobs.queue import runner_works
from core.jobs.request import MOST_STARTS
from core.jobs.speed import Speed, known_speed
from core.model import ModelConfig
from core.train_config import TrainConfig
from core.workspace import ROOT, models_folder
from dashboard import address, data_session, state
from dashboard.errors import escape
from dashboard.permission import needs
from dashboard.wording import duration

PAGE = "training"  # in the address
NOTHING = ""
# Settings with a field of their own.
FIELDS = (
    "minutes",
    "steps",
    "batch",
    "learning_rate",
    "validation_fraction",
    "seed",
    "evaluate_every",
    "augment",
)
MODEL_FIELDS = ("latents", "backbone_sha256")  # the second is found, not chosen
LEFT_OUT = {
    "denoise": "the denoiser",
    "learn": "the network",
    "reference": "what is usual",
    "labels": "names of latents",
}
PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form says.

    Attributes:
        data: the data set.
        preset: its name.
        config: the settings.
        init: the model to begin from, None for none.
        denoise_minutes: for the denoiser, 0 for none.
        label_starts: patches to name latents from, 0 for no names.
        expected: how long it takes, None where the machine's speed is not known.
    """

    data: DataSet
    preset: str
    config: TrainConfig
    init: Path | None
    denoise_minutes: float
    label_starts: int
    expected: Estimate | None


def ask() -> Asked | None:
    """Show the questions; return the answers, None without a data set."""
    folders = data_session.data_sets()
    if not folders:
        st.info("**There is no data set yet.** Make one from your pictures and a table first:")
        st.page_link("views/data.py", label="Own data", icon=":material/upload_file:")
        return None
    left, right = st.columns(2)
    with left:
        chosen = address.selectbox("Data set", list(folders), PAGE, "data", "training_data")
    data = data_session.load(folders[chosen])
    with right:
        preset = address.selectbox(
            "Preset",
            list(PRESETS),
            PAGE,
            "preset",
            "training_preset",
            format_func=lambda name: PRESETS[name].label,
        )
        st.caption(PRESETS[preset].about)
    begun = _begin_from(preset, len(data.specimens))
    sizes = _sizes(str(data.root), data.manifest_sha256, data)
    config, denoise_minutes, starts = _settings(preset, data, begun, holds_regions(sizes))
    expected = _expected(data, sizes, preset, config, denoise_minutes, starts)
    return Asked(data, preset, config, begun, denoise_minutes, starts, expected)


def _begin_from(preset: str, specimens: int) -> Path | None:
    """Ask which model's weights to begin from; those of another make are not offered."""
    config = preset_config(preset, specimens, continued=True)
    fit = {m.id: m for m in state.models() if can_begin_from(m.folder, config)}
    if not fit:
        return None
    chosen = st.selectbox(
        "Begin from",
        [*fit, NOTHING],
        format_func=lambda name: fit[name].name if name else "nothing",
        key="training_begin",
        help="A decoder that knows one kind of microstructure learns yours far sooner than one "
        "that knows none. What is learned of settings and properties comes from your data alone.",
    )
    return fit[chosen].folder if chosen else None


def _settings(
    preset: str, data: DataSet, begun: Path | None, regions: bool
) -> tuple[TrainConfig, float, int]:
    """Ask for settings that differ from the preset's, the denoiser's minutes and labels' starts."""
    count = len(data.specimens)
    config = preset_config(preset, count, begun is not None, regions=regions)
    keys = f"{preset}_{'on' if begun else 'anew'}"
    with st.expander("All settings"):
        one, two, three = st.columns(3)
        minutes = one.number_input(
            "At most (min)", 0.1, 10_000.0, config.minutes, format="%g", key=f"minutes_{keys}"
        )
        steps = two.number_input("At most (steps)", 1, 10**6, config.steps, key=f"steps_{keys}")
        batch = three.number_input("Patches a step", 1, 256, config.batch, key=f"batch_{keys}")
        rate = one.number_input(
            "Learning rate", 1e-6, 0.1, config.learning_rate, format="%g", key=f"rate_{keys}"
        )
        out = two.number_input(
            "Specimens held out",
            0,
            max(count - 1, 0),
            min(held_out_count(count), max(count - 1, 0)),
            key=f"held_out_{count}_{keys}",
            help="Not trained on; the run is judged by them, and with three or more of them what "
            "is usual is measured.",
        )
        seed = three.number_input("Seed", 0, 2**31 - 1, 0, key=f"seed_{keys}")
        latents = one.number_input(
            "Latents",
            1,
            256,
            config.model.latents,
            key=f"latents_{keys}",
            disabled=begun is not None,
            help="Numbers that describe a patch; those of the model that is begun from.",
        )
        every = two.number_input(
            "Pictures every (steps)", 1, 10**5, config.evaluate_every, key=f"every_{keys}"
        )
        turned = three.checkbox(
            "Turn and flip patches",
            True,
            key=f"turn_{keys}",
            help="Not for materials with a direction: rolled, drawn, directionally solidified.",
        )
        denoise_minutes = three.number_input(
            "Denoiser, at most (min)",
            0.0,
            10_000.0,
            PRESETS[preset].denoise_minutes,
            format="%g",
            key=f"denoise_{keys}",
            help="It learns to finish what the decoder drafts: half tones become particles or go, "
            "and the grain is the camera's. With 0, pictures stay drafts.",
        )
        starts = one.number_input(
            "Name latents from (patches)",
            0,
            MOST_STARTS,
            PRESETS[preset].label_starts,
            key=f"starts_{keys}",
            help="Each latent is moved from so many patches, and from as many of other specimens; "
            "what changes in both names it. More find weaker effects and take longer. With 0, "
            "latents are numbers only.",
        )
        others = _others(config, keys + ("_regions" if config.region_every else ""))
    asked = preset_config(
        preset,
        count,
        begun is not None,
        regions=regions,
        minutes=float(minutes),
        steps=int(steps),
        batch=int(batch),
        learning_rate=float(rate),
        validation_fraction=min(out / count, 0.9),
        seed=int(seed),
        evaluate_every=int(every),
        augment=bool(turned),
        model=ModelConfig(latents=int(latents)),
    )
    return _with(asked, others), float(denoise_minutes), int(starts)


def _others(config: TrainConfig, keys: str) -> Mapping[str, Any]:
    """Ask for all settings that have no field of their own, as JSON; return what is given."""
    content = config.to_dict()
    model = {k: v for k, v in content["model"].items() if k not in MODEL_FIELDS}
    plain = {k: v for k, v in content.items() if k not in FIELDS} | {"model": model}
    text = st.text_area(
        "Everything else, as JSON",
        json.dumps(plain, indent=1),
        height=240,
        max_chars=20_000,
        key=f"others_{keys}",
        help="Loss, weights, decoder and so on, as in core/train_config.py. What is taken out "
        "keeps the preset's value.",
    )
    try:
        given = parse_json(text)
    except ValueError as error:
        raise InputError(f"everything else: this is no JSON: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("model", {}), dict):
        raise InputError("everything else: a JSON object is needed, and one for the model")
    own = {*FIELDS, *(f"model.{name}" for name in MODEL_FIELDS)}
    named = {*given, *(f"model.{name}" for name in given.get("model", {}))} & own
    if named:
        raise InputError(f"everything else: {sorted(named)[0]} has a field of its own above")
    return given


def _with(config: TrainConfig, others: Mapping[str, Any]) -> TrainConfig:
    """Return settings with some changed.

    Raises:
        ConfigError: one is unknown or out of its range.
    """
    content = config.to_dict()
    model = content["model"] | others.get("model", {})
    return TrainConfig.from_dict(content | dict(others) | {"model": model})


def _expected(
    data: DataSet,
    sizes: Sizes,
    preset: str,
    config: TrainConfig,
    denoise_minutes: float,
    starts: int,
) -> Estimate | None:
    """Say how long it will take and how that is known; offer to measure where it is not."""
    skipped = skipped_steps(data, config, denoise_minutes, starts)
    for step, why in skipped.items():
        st.caption(f"Left out: {LEFT_OUT[step]}; {why}.")
    speed = known_speed()
    if speed is None:
        busy = runner_works()
        budget = 60 * ((config.minutes or 0) + denoise_minutes)
        st.caption(
            f"The trainings take {duration(budget)} at most, and encoding comes after them. How "
            "long in all is not known until this machine's speed is measured."
        )
        if st.button(
            "Measure this machine's speed (half a minute)",
            key="training_speed",
            disabled=busy,
            help="Not while a job runs: it would be measured too slow." if busy else None,
        ):
            measure()
            st.rerun()
        return None
    patches = count_patches(sizes, config.model.patch_px, PRESETS[preset].encode_stride)
    count = len(data.specimens)
    out = round(config.validation_fraction * count)
    found = estimate(config, speed, patches, count, out, denoise_minutes, starts, skipped)
    st.caption(escape(_told(found, speed)))
    return found


def _told(found: Estimate, speed: Speed) -> str:
    parts = [f"{duration(found.seconds['train'])} of it for {found.steps} steps of training"]
    if seconds := found.seconds["denoise"]:
        parts.append(f"{duration(seconds)} for the denoiser")
    if seconds := found.seconds["labels"]:
        parts.append(f"up to {duration(seconds)} for names of latents")
    return (
        f"Expected: {duration(found.total_s)} in all, {', '.join(parts)}. From "
        f"{speed.train_patches_per_s:.3g} patches/s trained and "
        f"{speed.encode_patches_per_s:.3g} encoded on {speed.hardware}, measured {speed.measured}."
    )


@st.cache_data(max_entries=32, show_spinner="Reading the sizes of pictures…")
def _sizes(root: str, manifest: str, _data: DataSet) -> Sizes:
    return picture_sizes(_data)


@needs("train")
def measure() -> None:
    """Measure the machine's speed, in a process of its own.

    Raises:
        InputError: it failed; the message is its own.
        NotAllowedError: training is turned off.
    """
    with st.spinner("Training a fresh model for a few steps…"):
        done = subprocess.run(
            [sys.executable, "-m", "core.jobs.speed"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise InputError(said[-1] if said else f"it ended with status {done.returncode}")


def free_name(data: DataSet, taken: Collection[str]) -> str:
    """Return a name for a model of this data set that no model has, nor what is `taken`."""
    base = plain(data.name, "model")[:50]
    name, number = base, 2
    while name in {state.REFERENCE, *taken} or (models_folder() / name).exists():
        name, number = f"{base}_{number}", number + 1
    return name
