"""A training run: stepped, evaluated, exported and checkpointed.

The loss is `core.objective`'s. One VGG19 pass over the originals, without gradient, gives both the
encoder's input and the style targets; a second one takes the gradient through the reconstruction.
The weights exported are an exponential average.

Everything random in a step follows from (seed, step).
"""

import copy
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from types import FrameType
from typing import Any

import torch
from torch import Generator, Tensor, nn

from core.checkpoint import load_model, save_model
from core.critic import RATE, WARM_UP, Critic
from core.dataset import DataSet
from core.decoders import GRAIN_PX, TextureDecoder
from core.errors import ConfigError, TrainingError
from core.grain import measure_grain
from core.hardware import describe, pick_device, pick_precision
from core.learning_rates import rate_groups
from core.model import TextureVAE
from core.objective import Made, Originals, critic_objective, objective, read_originals
from core.patch_pool import PatchPool
from core.previews import COUNT as PREVIEW_PATCHES
from core.previews import Previews
from core.scale import common_scale
from core.split import split_dataset
from core.train_config import TrainConfig
from core.training_log import TrainingLog
from core.training_state import Learners, differences, load_state, save_state
from core.validation import Validation
from core.vgg import load_vgg19
from core.winograd import accelerate

STANDARDISE_PATCHES = 256
GRAIN_PATCHES = 128
REGION_CELLS = 2  # a side of the regions that `region_every` asks for
VALIDATION_REGIONS = 8


class Trainer:
    """One training run: model, average, optimiser and data, stepped and checkpointed."""

    def __init__(self, config: TrainConfig, data: DataSet, out: Path, device: str = "auto") -> None:
        """Load the backbone and the images; measure the head's standardisation.

        Raises:
            InputError: the data cannot be trained on.
        """
        self.data, self.out = data, Path(out)
        self.device = pick_device(device)
        self.precision = pick_precision(config.precision, self.device)
        vgg = load_vgg19(config.model.backbone, config.model.pooling)
        model = replace(config.model, backbone_sha256=vgg.sha256)
        self.config = config = replace(config, model=model)
        layout = torch.channels_last  # the faster one for float32 on CPUs and for tensor cores
        self.vgg = vgg.to(self.device).to(memory_format=layout)
        train, held_out = split_dataset(data, config.validation_fraction, config.seed)
        size, stride = config.model.patch_px, config.stride
        self.pool = PatchPool(data, train, size, stride, config.seed)
        held_pool = PatchPool(data, held_out, size, stride, config.seed) if held_out else self.pool
        self.regions: PatchPool | None = None
        held_regions: Tensor | None = None
        if config.region_every:
            side = REGION_CELLS * size
            self.regions = PatchPool(data, train, side, stride, config.seed)
            held = PatchPool(data, held_out or train, side, stride, config.seed)
            held_regions = held.sample(VALIDATION_REGIONS)
        torch.manual_seed(config.seed)
        self.vae = TextureVAE(config.model).to(self.device).to(memory_format=layout)
        head = self.vae.head
        sample = self.pool.sample(STANDARDISE_PATCHES).split(config.batch)
        with torch.no_grad():
            inputs = [head.inputs(self.vgg(x.to(self.device))) for x in sample]
        head.fit_standardisation(inputs)
        self.vae.head.requires_grad_(not config.frozen_encoder)
        self.ema = copy.deepcopy(self.vae).requires_grad_(False)
        self._measure_grain()
        self.validation = Validation(
            self.vgg,
            held_pool.sample(config.validation_patches),
            torch.cat(inputs),
            head,
            held_regions,
        )
        if self.device.type == "cpu" and self.precision == "float32":
            self.vgg = accelerate(self.vgg)  # training only: validation keeps the plain network
        self.validated_on = "held-out specimens" if held_out else "training specimens"
        self.previews = Previews(vgg, held_pool.sample(PREVIEW_PATCHES), head, common_scale(data))
        self.optimiser = torch.optim.Adam(rate_groups(self.vae), config.learning_rate, (0.9, 0.99))
        self.critic: Critic | None = None
        self.beside: Learners = {}  # what learns beside the model, and is not exported
        if config.critic_weight:
            self.critic = Critic(config.model.latents, config.style_layers).to(self.device)
            critic_optimiser = torch.optim.Adam(self.critic.parameters(), RATE, (0.0, 0.99))
            self.beside = {"critic": (self.critic, critic_optimiser)}
        self.step, self.seconds = 0, 0.0
        self.began_from: dict[str, Any] = {}  # the model that `begin_from` took weights of
        self.latest: dict[str, Any] = {}  # figures of the last evaluation
        self.stop_signal = 0
        self.log = TrainingLog(self.out)
        self._visited: tuple[int, Originals] | None = None  # visit, its patches

    def begin_from(self, folder: Path) -> None:
        """Start from the weights and the head's standardisation of a trained model.

        A model without grain begins one that has it, and whether the last layer draws noise may
        differ.

        Raises:
            CheckpointError: the model cannot be read.
            ConfigError: it has other settings than this run's model; the message says which.
        """
        loaded = load_model(folder, str(self.device), backbone=False)
        own, then = self.config.model.to_dict(), loaded.config.to_dict()
        if adds_grain := own["grain"] and not then["grain"]:
            then["grain"] = True
        then["finest_noise"] = own["finest_noise"]
        if odd := list(differences(own, then)):
            raise ConfigError(f"the model in {folder} differs from this run's: " + "; ".join(odd))
        for vae in (self.vae, self.ema):
            vae.load_state_dict(loaded.vae.state_dict(), strict=not adds_grain)
        self._measure_grain()
        about = loaded.manifest
        self.began_from = {"weights_sha256": loaded.hash} | {
            name: about[name] for name in ("steps", "patches_seen", "training") if name in about
        }

    def _measure_grain(self) -> None:
        """Set the decoder's grain to the noise of training patches, where the settings ask for it.

        Raises:
            InputError: they have none.
        """
        if not self.config.measured_grain:
            return
        patches = self.pool.sample(GRAIN_PATCHES)[:, 0].numpy()
        kernel, strength = measure_grain(patches, GRAIN_PX)
        for vae in (self.vae, self.ema):
            grain = vae.decoder.grain if isinstance(vae.decoder, TextureDecoder) else None
            if grain is not None:
                grain.measured(torch.from_numpy(kernel), strength)

    def train_step(self) -> dict[str, float]:
        """Do one optimisation step; return its loss terms.

        Raises:
            TrainingError: the loss or the gradient is not finite; the weights are left as they are.
        """
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = group["share"] * config.rate(self.progress, self.step)
        warmth = min(1.0, (self.step + 1) / max(config.kl_warm_up, 1))
        generator = self._generator(config.seed * 1_000_003 + self.step)
        listening = min(1.0, (self.step + 1) / WARM_UP)
        loss, terms, made = objective(
            *(config, self.vgg, self.vae, self._originals(), generator, self.precision, warmth),
            *(self.critic, listening),
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._combine([p.grad for p in self.vae.parameters() if p.grad is not None])
        norm = nn.utils.clip_grad_norm_(self.vae.parameters(), config.grad_clip)
        found = torch.stack([loss.detach(), norm, *terms.values()])
        self._combine([found])
        figures = found.tolist()
        if not all(map(math.isfinite, figures[:2])):
            raise TrainingError(
                f"step {self.step}: loss {figures[0]}, gradient norm {figures[1]}. The last "
                "checkpoint is kept; train anew with a lower learning_rate or grad_clip"
            )
        self.optimiser.step()
        self._average()
        terms_by_name = dict(zip(("loss", "gradient", *terms), figures, strict=True))
        if self.critic is not None:
            terms_by_name["critic_loss"] = self._teach_critic(self.critic, made)
        self.step += 1
        return terms_by_name

    def _teach_critic(self, critic: Critic, made: Made) -> float:
        """Do one step of the critic on what the decoder has just made; return its loss."""
        optimiser = self.beside["critic"][1]
        loss = critic_objective(critic, self._originals(), made, self.precision)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._combine([p.grad for p in critic.parameters() if p.grad is not None])
        optimiser.step()
        found = loss.detach().reshape(1)
        self._combine([found])
        return found.item()

    # What several processes do together is put in here (`core.parallel`).

    def _generator(self, seed: int) -> Generator:
        """Return the source of a step's noise."""
        return Generator().manual_seed(seed)

    def _combine(self, tensors: Sequence[Tensor]) -> None:
        """Bring gradients, or figures, of the parts of a batch together, in place."""

    def _elapsed(self, started: float) -> float:
        """Return the seconds since ``started`` on the monotonic clock."""
        return time.monotonic() - started

    def _originals(self) -> Originals:
        """Return this step's patches; ``repeats`` steps in a row share one VGG19 pass."""
        config = self.config
        visit = self.step // config.repeats
        if self._visited is None or self._visited[0] != visit:
            images = self._batch(visit).to(self.device)
            read = read_originals(config, self.vgg, self.vae, images, self.precision)
            self._visited = (visit, read)
        return self._visited[1]

    def _batch(self, visit: int) -> Tensor:
        """Return the patches of a visit, or its regions: as many pixels of them."""
        config = self.config
        if self.regions is None:
            return self.pool.batch(visit, config.batch, config.augment)
        turn, place = divmod(visit, config.region_every)
        if place == config.region_every - 1:
            count = max(config.batch // REGION_CELLS**2, 1)
            return self.regions.batch(turn, count, config.augment)
        return self.pool.batch(visit - turn, config.batch, config.augment)

    @property
    def progress(self) -> float:
        """Share of the schedule done, 0 to 1."""
        share = self.step / self.config.steps
        if self.config.minutes is not None:
            share = max(share, self.seconds / (60 * self.config.minutes))
        return min(share, 1.0)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the exported weights towards the current ones; faster in the first steps."""
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        average: list[Tensor] = list(self.ema.parameters())
        current: list[Tensor] = list(self.vae.parameters())
        torch._foreach_lerp_(average, current, 1 - decay)

    def run(self) -> str:
        """Train to the end, or until `stop`; return "finished" or "stopped".

        Raises:
            TrainingError: a step was not finite; the last checkpoint is as it was.
        """
        config, sums = self.config, dict[str, list[float]]()
        self.log.cut(self.step, last=self.progress >= 1)
        started, last_save = time.monotonic() - self.seconds, time.monotonic()
        while self.progress < 1 and not self.stop_signal:
            terms = self.train_step()
            self.seconds = self._elapsed(started)
            for name, value in terms.items():  # some steps, of regions, lack a term
                sums.setdefault(name, []).append(value)
            if self.step % config.log_every == 0:
                self._report("train", {name: fmean(values) for name, values in sums.items()})
                sums = {}
            if self.step % config.evaluate_every == 0 and self.progress < 1:
                self.evaluate()
                self.export()
            if time.monotonic() - last_save > 60 * config.checkpoint_minutes:
                self.save()
                last_save = time.monotonic()
        self.save()
        state = "finished" if self.progress >= 1 else "stopped"
        if state == "finished":
            self._finish()
        self.tell(state)
        return state

    def evaluate(self) -> None:
        """Measure the averaged weights on the fixed validation patches."""
        self.latest = self.validation.measure(self.ema)
        self._report("validation", self.latest)
        self.previews.write(self.out, self.step, self.ema)

    def _finish(self) -> None:
        """Export, then measure what was exported (weights rounded to float16) and record it."""
        self.export()
        self.ema = load_model(self.out, str(self.device)).vae
        self.evaluate()
        self.export(finished=True)

    def export(self, finished: bool = False) -> None:
        """Write the model folder from the averaged weights."""
        manifest = {
            "name": self.data.name,
            "synthetic": self.data.synthetic,
            "data_name": self.data.name,
            "data_hash": self.data.hash,
            "images": len(self.data),
            "specimens": len(self.data.specimens),
            "um_per_px": common_scale(self.data),
            "training": self.config.to_dict(),
            "precision": self.precision,
            "hardware": describe(self.device),
            "seed": self.config.seed,
            "finished": finished,
            "steps": self.step,
            "seconds": round(self.seconds, 1),
            "patches_seen": self.step * self.config.batch,
            "patches_read": -(-self.step // self.config.repeats) * self.config.batch,
            "began_from": self.began_from,
            "training_specimens": list(self.pool.specimens),
            "validated_on": self.validated_on,
            "metrics": self.latest,
        }
        save_model(self.out, self.ema, manifest)

    def save(self) -> None:
        """Write a checkpoint (atomic; a kill leaves this one or the one before)."""
        about = {
            "step": self.step,
            "seconds": self.seconds,
            "config": self.config.to_dict(),
            "data_hash": self.data.hash,
            "precision": self.precision,
            "latest": self.latest,
            "began_from": self.began_from,
        }
        save_state(self.out / "checkpoint", self.vae, self.ema, self.optimiser, about, self.beside)

    def resume(self) -> None:
        """Continue from the checkpoint in OUT.

        Raises:
            CheckpointError: there is none, or it is damaged.
            ConfigError: it was made with other settings or data.
        """
        about = load_state(
            self.out / "checkpoint",
            self.vae,
            self.ema,
            self.optimiser,
            expected={
                "config": self.config.to_dict(),
                "data_hash": self.data.hash,
                "precision": self.precision,
            },
            beside=self.beside,
        )
        self.step, self.seconds = int(about["step"]), float(about["seconds"])
        self.latest, self.began_from = about["latest"], about.get("began_from", {})

    def stop(self, number: int, frame: FrameType | None = None) -> None:
        """Ask `run` to save and stop after the current step (a signal handler)."""
        self.stop_signal = number

    def _report(self, kind: str, figures: Mapping[str, float]) -> None:
        rate = self.step * self.config.batch / max(self.seconds, 1e-9)
        left = self.seconds * (1 - self.progress) / max(self.progress, 1e-9)
        times = {"seconds": self.seconds, "patches_per_s": rate, "seconds_left": left}
        record = self.log.report(kind, self.step, self.config.steps, figures, **times)
        if kind == "train":
            self.tell("running", train=record)

    def tell(self, state: str, message: str = "", train: Mapping[str, Any] | None = None) -> None:
        """Write `progress.json`."""
        self.log.state(
            state,
            message,
            step=self.step,
            steps=self.config.steps,
            progress=round(self.progress, 5),
            validation=self.latest,
            train=dict(train or {}),
        )
