"""Data-parallel training: each process takes its share of a batch, gradients are averaged.

    torchrun --standalone --nproc-per-node 2 -m core.train --data DIR --out DIR

``batch`` in the settings is the whole batch, so the run is that of a single process with it, up to
rounding: every term of the loss is a mean over patches, instance normalisation knows no batch, and
noise is drawn for the whole batch (`core.joint_noise`). The first process alone evaluates and
writes; all read the same data, and the same checkpoint on resuming. A run begun by any number of
processes can be resumed by any other.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from torch import Generator, Tensor

from core.dataset import DataSet
from core.joint_noise import JointGenerator
from core.processes import average, largest, place, shared
from core.train_config import TrainConfig
from core.trainer import Trainer
from core.training_log import TrainingLog


def make_trainer(config: TrainConfig, data: DataSet, out: Path, device: str) -> Trainer:
    """Return the trainer for this process: a plain one where there is no other.

    Raises:
        ConfigError: the processes cannot share the batch in equal parts.
    """
    return (Trainer if place()[1] == 1 else ParallelTrainer)(config, data, out, device)


class ParallelTrainer(Trainer):
    """The part of a training run that one of several processes does."""

    def __init__(self, config: TrainConfig, data: DataSet, out: Path, device: str = "auto") -> None:
        """See `Trainer`.

        Raises:
            ConfigError: the processes cannot share the batch in equal parts.
        """
        shared(range(config.batch))
        super().__init__(config, data, out, device)
        self.place, self.processes = place()
        # The same weights and standardisation everywhere, also where rounding differs.
        for module in (self.vae, self.ema):
            average([*module.parameters(), *module.buffers()])
        self._asked_to_stop = 0
        if self.place:
            self.log = _NoLog(self.out)

    def _generator(self, seed: int) -> Generator:
        return JointGenerator.of_share(self.place, self.processes, seed)

    def _combine(self, tensors: Sequence[Tensor]) -> None:
        average(tensors)

    def _elapsed(self, started: float) -> float:
        """Return the first process's seconds; stop all where one has been asked to."""
        own = super()._elapsed(started) if self.place == 0 else 0.0
        seconds, asked = largest((own, self._asked_to_stop), self.device)
        self.stop_signal = int(asked)
        return seconds

    def stop(self, number: int, frame: FrameType | None = None) -> None:
        """Ask all processes to stop after a step that they agree on (a signal handler)."""
        self._asked_to_stop = number

    def evaluate(self) -> None:
        """Measure on the validation patches, in the first process."""
        if self.place == 0:
            super().evaluate()

    def export(self, finished: bool = False) -> None:
        """Write the model folder, in the first process."""
        if self.place == 0:
            super().export(finished)

    def save(self) -> None:
        """Write a checkpoint, in the first process."""
        if self.place == 0:
            super().save()

    def _finish(self) -> None:
        if self.place == 0:
            super()._finish()


class _NoLog(TrainingLog):
    """The log of a process that leaves reporting to the first one."""

    def cut(self, step: int, last: bool = False) -> None:
        """Leave the first process's log alone."""

    def report(
        self, kind: str, step: int, steps: int, figures: Mapping[str, float], **times: float
    ) -> dict[str, Any]:
        """Report nothing."""
        return {}

    def state(self, state: str, message: str = "", **content: Any) -> None:
        """Write nothing."""
