"""A denoiser's training: crops with noise of every strength, and what was in them without it.

The loss is Karras et al. 2022's (arXiv:2206.00364, equation 8), weighted so that every strength
counts the same at the start. Everything random in a step follows from (seed, step).
"""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from types import FrameType
from typing import Any

import torch
from torch import Generator, Tensor, nn

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.denoiser.crops import CropPool, Crops, read_micrographs
from core.denoiser.lessons import WEIGHTS, Lesson, LessonPool, compare, finished_lesson
from core.denoiser.network import Denoiser
from core.denoiser.settings import DenoiserTraining
from core.denoiser.store import TRAINING, LoadedDenoiser, save_denoiser
from core.errors import ConfigError, TrainingError
from core.hardware import describe, pick_precision
from core.training_log import TrainingLog
from core.training_state import load_state, save_state

VALIDATION_CROPS = 32
VALIDATION_NOISE = (0.01, 0.03, 0.06, 0.1, 0.2, 0.4)  # those that are learned of these
VALIDATION_LESSONS = 12  # patches and regions in turn
MEASURED_CROPS = 256
EARLIER = ("weights_sha256", "steps", "seconds", "hardware", "earlier")  # is recorded of what came


class DenoiserTrainer:
    """One training run: network, average, optimiser and crops, stepped and checkpointed."""

    def __init__(self, loaded: LoadedModel, data: DataSet, settings: DenoiserTraining) -> None:
        """Read the micrographs and the latents of their cells; measure their grey levels.

        Args:
            loaded: the model whose drafts are to be finished.
            data: what it was trained on, or of the same material.
            settings: of the run.

        Raises:
            ConfigError: the model makes patches only.
            InputError: an image is smaller than a patch.
        """
        if loaded.config.decoder != "texture":
            raise ConfigError("a denoiser finishes fields; this model's decoder makes patches only")
        if settings.denoiser.latents != loaded.config.latents:
            shape = replace(settings.denoiser, latents=loaded.config.latents)
            settings = replace(settings, denoiser=shape)
        self.loaded, self.data, self.settings = loaded, data, settings
        self.folder = Path(loaded.path) / TRAINING
        self.device = loaded.device
        self.precision = pick_precision(settings.precision, self.device)
        micrographs = read_micrographs(loaded, data, self.folder)
        trained_on = set(loaded.manifest.get("training_specimens") or data.specimens.index)
        train = [one for one in micrographs if one.specimen in trained_on] or micrographs
        held = [one for one in micrographs if one.specimen not in trained_on]
        about = loaded.manifest.get("training")
        # What the model has learned of directions, its denoiser must not forget.
        turned = about.get("augment") is not False if isinstance(about, dict) else True
        drawn = (settings.crop_px, settings.seed, turned)
        self.pool = CropPool(train, *drawn)
        self.validated_on = "held-out specimens" if held else "training specimens"
        self.validation = CropPool(held or train, *drawn).sample(VALIDATION_CROPS)
        self.lessons = LessonPool(train, *drawn[1:])
        self.held_lessons = LessonPool(held or train, *drawn[1:])
        torch.manual_seed(settings.seed)
        network = Denoiser(settings.denoiser)
        grey = self.pool.sample(MEASURED_CROPS).pixels
        network.centre.fill_(float(grey.mean()))
        network.spread.fill_(max(float(grey.std()), 1e-3))
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            settings.learning_rate,
            (0.9, 0.99),
            weight_decay=settings.weight_decay,
        )
        self.step, self.seconds = 0, 0.0
        self.latest: dict[str, Any] = {}
        self.earlier: dict[str, Any] = {}  # of the denoiser whose weights `begin_from` took
        self.stop_signal = 0
        self.log = TrainingLog(self.folder)

    def begin_from(self, denoiser: LoadedDenoiser) -> None:
        """Start from the weights of a trained denoiser; grey levels stay those of the data.

        Raises:
            ConfigError: it has another shape; the message says which.
        """
        own, then = (n.config.to_dict() for n in (self.network, denoiser.network))
        shape = ("latents", "channels", "width")
        if odd := [f"{n} is {then[n]}, not {own[n]}" for n in shape if own[n] != then[n]]:
            raise ConfigError(f"the denoiser to begin from differs: {'; '.join(odd)}")
        for network in (self.network, self.ema):
            kept = {name: b.clone() for name, b in network.named_buffers()}
            network.load_state_dict(denoiser.network.state_dict())
            network.load_state_dict(kept, strict=False)
        self.earlier = {n: denoiser.about[n] for n in EARLIER if n in denoiser.about}

    def train_step(self) -> float:
        """Do one step of the optimiser; return its loss.

        Raises:
            TrainingError: the loss or the gradient is not finite; the weights are left as they are.
        """
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate(self.progress, self.step)
        generator = Generator().manual_seed(settings.seed * 1_000_003 + self.step)
        crops = self.pool.batch(self.step, settings.batch)
        count = len(crops.pixels)
        # Spread evenly, so that a step's loss does not depend on which strengths it has drawn.
        place = (torch.rand(1, generator=generator) + torch.arange(count) / count) % 1
        low, high = (math.log(v) for v in (settings.denoiser.lowest, settings.denoiser.highest))
        noise = torch.exp(low + (high - low) * place)
        loss = self._errors(self.network, crops, noise, generator).mean()
        if settings.lesson_weight and self.progress >= settings.lessons_from:
            loss = loss + settings.lesson_weight * self._lesson()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), settings.grad_clip)
        figures = (loss.item(), norm.item())
        if not all(map(math.isfinite, figures)):
            raise TrainingError(
                f"step {self.step}: loss {figures[0]}, gradient norm {figures[1]}. The last "
                "checkpoint is kept; train anew with a lower learning_rate"
            )
        self.optimiser.step()
        self._average()
        self.step += 1
        return figures[0]

    def _lesson(self) -> Tensor:
        """Return the loss of the step's lesson."""
        generator = Generator().manual_seed(self.settings.seed * 1_000_003 + self.step + 2**40)
        terms = self._compared(self.network, self.lessons.lesson(self.step), generator)
        return torch.stack([weight * terms[name] for name, weight in WEIGHTS.items()]).sum()

    def _compared(
        self, network: Denoiser, lesson: Lesson, generator: Generator
    ) -> dict[str, Tensor]:
        made = finished_lesson(self.loaded, network, lesson, generator, self.precision)
        originals = lesson.pixels.to(self.device)
        return compare(self.loaded.vgg, originals, made, generator, self.precision)

    def _errors(
        self, network: Denoiser, crops: Crops, noise: Tensor, generator: Generator
    ) -> Tensor:
        """Return the weighted squared error of each crop, (B,)."""
        drawn = torch.randn(crops.pixels.shape, generator=generator)
        pixels, cells, noise, drawn = (
            x.to(self.device) for x in (crops.pixels, crops.cells, noise, drawn)
        )
        shares = replace(
            crops.shares,
            rows=crops.shares.rows.to(self.device),
            columns=crops.shares.columns.to(self.device),
        )
        noisy = pixels + noise.view(-1, 1, 1, 1) * drawn
        lower = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=lower):
            found = network(noisy, noise, cells, shares)
        spread = network.spread
        weight = (noise.square() + spread.square()) / (noise * spread).square()
        return (found - pixels).square().mean(dim=(1, 2, 3)) * weight

    @torch.no_grad()
    def _average(self) -> None:
        """Move the kept weights towards the current ones; faster in the first steps."""
        decay = min(self.settings.ema_decay, (1 + self.step) / (10 + self.step))
        average: list[Tensor] = list(self.ema.parameters())
        current: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(average, current, 1 - decay)

    @property
    def progress(self) -> float:
        """Share of the schedule done, 0 to 1."""
        share = self.step / self.settings.steps
        if self.settings.minutes is not None:
            share = max(share, self.seconds / (60 * self.settings.minutes))
        return min(share, 1.0)

    def run(self) -> str:
        """Train to the end, or until `stop`; return "finished" or "stopped".

        Raises:
            TrainingError: a step was not finite; the last checkpoint is as it was.
        """
        settings, losses = self.settings, list[float]()
        self.log.cut(self.step, last=self.progress >= 1)
        started, last_save = time.monotonic() - self.seconds, time.monotonic()
        while self.progress < 1 and not self.stop_signal:
            losses.append(self.train_step())
            self.seconds = time.monotonic() - started
            if self.step % settings.log_every == 0:
                self._report("train", {"loss": fmean(losses)})
                losses = []
            if self.step % settings.evaluate_every == 0 and self.progress < 1:
                self.evaluate()
            if time.monotonic() - last_save > 60 * settings.checkpoint_minutes:
                self.save()
                last_save = time.monotonic()
        self.save()
        state = "finished" if self.progress >= 1 else "stopped"
        if state == "finished":
            self.evaluate()
            self.export()
        self.tell(state)
        return state

    @torch.no_grad()
    def evaluate(self) -> None:
        """Measure the averaged weights: the weighted error at a few strengths of noise."""
        shape = self.settings.denoiser
        found = {}
        for strength in VALIDATION_NOISE:
            if not shape.lowest <= strength <= shape.highest:
                continue
            generator = Generator().manual_seed(self.settings.seed)
            noise = torch.full((len(self.validation.pixels),), strength)
            errors = self._errors(self.ema, self.validation, noise, generator)
            found[f"noise_{strength:g}"] = float(errors.mean())
        if self.settings.lesson_weight:
            found |= self._lessons_evaluated()
        self.latest = found
        self._report("validation", found)

    def _lessons_evaluated(self) -> dict[str, float]:
        """Measure finished patches and regions: their mean relative style error, and noise."""
        by_kind: dict[str, list[dict[str, Tensor]]] = {"patches": [], "regions": []}
        for number in range(VALIDATION_LESSONS):
            generator = Generator().manual_seed(self.settings.seed + number)
            terms = self._compared(self.ema, self.held_lessons.lesson(number), generator)
            by_kind["regions" if number % 2 else "patches"].append(terms)
        return {
            f"{name}_of_{kind}": fmean(float(terms[name]) for terms in found)
            for kind, found in by_kind.items()
            for name in ("relative", "neighbourhoods", "noise")
        }

    def export(self) -> None:
        """Write the averaged weights into the model's folder."""
        save_denoiser(
            self.loaded.path,
            self.ema,
            {
                "model_hash": self.loaded.hash,
                "data_name": self.data.name,
                "data_hash": self.data.hash,
                "synthetic": self.data.synthetic,
                "training": self.settings.to_dict(),
                "training_specimens": self.pool.specimens,
                "validated_on": self.validated_on,
                "precision": self.precision,
                "hardware": describe(self.device),
                "steps": self.step,
                "seconds": round(self.seconds, 1),
                "earlier": self.earlier,
                "metrics": self.latest,
            },
        )

    def _about(self) -> dict[str, Any]:
        """Return what a checkpoint must have been made with."""
        return {
            "settings": self.settings.to_dict(),
            "model_hash": self.loaded.hash,
            "data_hash": self.data.hash,
            "precision": self.precision,
        }

    def save(self) -> None:
        """Write a checkpoint (atomic; a kill leaves this one or the one before)."""
        done = {"step": self.step, "seconds": self.seconds, "latest": self.latest}
        done["earlier"] = self.earlier
        save_state(
            self.folder / "checkpoint",
            self.network,
            self.ema,
            self.optimiser,
            self._about() | done,
        )

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises:
            CheckpointError: there is none, or it is damaged.
            ConfigError: it was made with another model, other settings or data.
        """
        about = load_state(
            self.folder / "checkpoint", self.network, self.ema, self.optimiser, self._about()
        )
        self.step, self.seconds = int(about["step"]), float(about["seconds"])
        self.latest, self.earlier = about["latest"], dict(about["earlier"])

    def stop(self, number: int, frame: FrameType | None = None) -> None:
        """Ask `run` to save and stop after the current step (a signal handler)."""
        self.stop_signal = number

    def _report(self, kind: str, figures: dict[str, float]) -> None:
        times = {
            "seconds": self.seconds,
            "patches_per_s": self.step * self.settings.batch / max(self.seconds, 1e-9),
            "seconds_left": self.seconds * (1 - self.progress) / max(self.progress, 1e-9),
        }
        record = self.log.report(kind, self.step, self.settings.steps, figures, **times)
        if kind == "train":
            self.tell("running", train=record)

    def tell(self, state: str, message: str = "", train: Mapping[str, Any] | None = None) -> None:
        """Write `progress.json`."""
        self.log.state(
            state,
            message,
            step=self.step,
            steps=self.settings.steps,
            progress=round(self.progress, 5),
            validation=self.latest,
            train=dict(train or {}),
        )
