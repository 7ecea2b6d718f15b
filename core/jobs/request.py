"""What a training job is asked to do, and the steps that this takes."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.denoiser.store import has_denoiser
from core.errors import CheckpointError, ConfigError
from core.files import read_json, write_json
from core.json_values import mapping, number, text, whole
from core.workspace import models_folder

FILE, CONFIG = "request.json", "config.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
STEPS = ("train", "denoise", "encode", "learn", "reference", "examples", "labels")
TRAVERSALS = "traversals"  # measured so far, in the job's folder
AFTERWARDS = ("labels",)  # on the complete model, where models are: it can be used meanwhile
TITLES = {
    "train": "Train the image model",
    "denoise": "Train the denoiser that finishes pictures",
    "encode": "Encode all pictures",
    "learn": "Fit the network and the property models",
    "reference": "Measure what is usual, on specimens held out",
    "examples": "Choose example pictures",
    "labels": "Name the latents by what they change",
}
NO_TIME = "no time is given to it, so pictures stay as the decoder drafts them"
NO_NAMES = "names are not asked for, so latents are numbers only"
FEWEST_STARTS, MOST_STARTS = 3, 1000  # that `core.labels` takes


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What is asked for.

    Attributes:
        name: of the model's folder.
        data: folder of the data set; ``data_name`` for people.
        preset: what the settings began from, for people.
        config: settings of the training (`core.train_config.TrainConfig.to_dict`).
        init: model folder whose weights to begin from, "" for none.
        device: auto, cpu or cuda.
        denoise_minutes: of training of the denoiser that finishes the model's pictures; 0 for none.
        label_starts: patches that latents are moved from to name them, in each of two sets; 0 for
            no names.
        encode_stride: px between the patches that are encoded.
        skipped: step -> why it is not done.
        estimate_s: how long it was expected to take, None where that is not known.
        expected_s: step -> how long it alone was expected to take; empty where that is not known.
    """

    name: str
    data: str
    data_name: str
    preset: str
    config: Mapping[str, Any]
    init: str = ""
    device: str = "auto"
    denoise_minutes: float = 0.0
    label_starts: int = 0
    encode_stride: int = 160
    skipped: Mapping[str, str] = field(default_factory=dict)
    estimate_s: float | None = None
    expected_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name == "reference":
            raise ConfigError(
                f"the model's name is {self.name[:80]!r}; letters, digits, _ - and . (60 at most), "
                "beginning with a letter or digit, and not 'reference'"
            )
        left_out = dict[str, str]()  # older jobs do not say
        if not self.denoise_minutes:
            left_out["denoise"] = NO_TIME
        if not self.label_starts:
            left_out["labels"] = NO_NAMES
        object.__setattr__(self, "skipped", left_out | dict(self.skipped))
        if unknown := sorted((set(self.skipped) | set(self.expected_s)) - set(STEPS)):
            raise ConfigError(f"there is no step {unknown[0]!r}; the steps are {STEPS}")
        for name in ("data", "init"):
            if (path := getattr(self, name)).startswith("-") or "\0" in path:
                raise ConfigError(f"{name} is {path[:80]!r}; a folder is needed")
        if not DEVICE.fullmatch(self.device):
            raise ConfigError(f"device is {self.device[:80]!r}; auto, cpu or cuda is needed")
        if not 0 <= self.denoise_minutes <= 10_000:
            raise ConfigError(f"denoise_minutes is {self.denoise_minutes}; 0 to 10000 min")
        if self.label_starts and not FEWEST_STARTS <= self.label_starts <= MOST_STARTS:
            raise ConfigError(
                f"label_starts is {self.label_starts}; 0 for no names, or {FEWEST_STARTS} to "
                f"{MOST_STARTS} patches"
            )
        if not 1 <= self.encode_stride <= 4096:
            raise ConfigError(f"encode_stride is {self.encode_stride}; 1 to 4096 px")

    def arguments(self, step: str, folder: Path, resume: bool) -> list[str]:
        """Return the arguments after ``python`` that do a step.

        Args:
            step: one of `STEPS`.
            folder: of the job.
            resume: go on from a checkpoint.
        """
        model = ["--model", str(folder / "model"), "--data", self.data]
        if step == "train":
            out = ["--data", self.data, "--out", str(folder / "model")]
            more = ["--config", str(folder / CONFIG), "--device", self.device]
            begin = ["--resume"] if resume else ["--init", self.init] if self.init else []
            return ["-m", "core.train", *out, *more, *begin]
        if step == "denoise":
            more = ["--minutes", f"{self.denoise_minutes:g}", "--device", self.device]
            knows = self.init and has_denoiser(Path(self.init))
            begin = ["--resume"] if resume else ["--init", self.init] if knows else []
            return ["-m", "core.denoiser", *model, *more, *begin]
        if step == "encode":
            return ["-m", "core.encode", *model, "--stride", str(self.encode_stride)]
        if step == "learn":
            return ["-m", "bayesnet.learn", *model]
        if step == "reference":
            own = ["--model", str(folder / "model"), "--training", self.data]
            return ["-m", "core.reference", *own, "--held-out"]
        if step == "labels":
            complete = ["--model", str(models_folder() / self.name), "--data", self.data]
            more = ["--starts", str(self.label_starts), *self._label_size()]
            kept = ["--work", str(folder / TRAVERSALS)]  # one that was stopped goes on
            return ["-m", "core.labels", *complete, *more, *kept]
        return ["-m", "core.examples", *model, "--spread"]

    def _label_size(self) -> list[str]:
        """Return the size to name latents at, where the decoder makes one size only."""
        model = self.config.get("model", {})
        return ["--size", str(model["patch_px"])] if model.get("decoder") == "paper" else []


def save_request(folder: Path, request: JobRequest) -> None:
    """Write a request, its training settings in a file of their own."""
    write_json(folder / CONFIG, dict(request.config))
    write_json(folder / FILE, asdict(request))


def load_request(folder: Path) -> JobRequest:
    """Read a request.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    content = read_json(folder / FILE)
    try:
        for name in ("name", "data", "data_name", "preset", "init", "device"):
            text(content.get(name, ""), name)
        whole(content.get("encode_stride", 1), "encode_stride")
        number(content.get("denoise_minutes", 0.0), "denoise_minutes", 0)
        whole(content.get("label_starts", 0), "label_starts")
        mapping(content.get("config"), "config")
        for step, why in mapping(content.get("skipped", {}), "skipped").items():
            text(why, step)
        if content.get("estimate_s") is not None:
            number(content["estimate_s"], "estimate_s", 0)
        for step, seconds in mapping(content.get("expected_s", {}), "expected_s").items():
            number(seconds, step, 0)
        return JobRequest(**content)
    except (TypeError, ValueError, AttributeError, ConfigError) as error:
        raise CheckpointError(
            f"{folder / FILE} is damaged: {error}; remove the job and submit it again"
        ) from error
