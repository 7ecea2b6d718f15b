"""The record of a training run: `metrics.jsonl`, a line a report, and `progress.json`."""

import json
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files import parse_json, storing, write_json, write_text

logger = logging.getLogger(__name__)


class TrainingLog:
    """Writes what a run reports into its folder and to the log."""

    def __init__(self, folder: Path) -> None:
        self.metrics, self.progress = folder / "metrics.jsonl", folder / "progress.json"

    def cut(self, step: int, last: bool = False) -> None:
        """Drop reports of steps after ``step``, the one resumed from; all of them for step 0.

        Where that is the ``last`` step, what was measured after it is dropped as well: it is
        measured again.
        """
        kept = []
        if step and self.metrics.is_file():
            written = self.metrics.read_text(encoding="utf-8", errors="replace")
            for line in written.splitlines():
                try:
                    record = parse_json(line)
                    again = last and record.get("kind") == "validation"
                    if record.get("step", 0) <= step - again:
                        kept.append(line)
                except (ValueError, TypeError, AttributeError):  # cut short by a kill, or edited
                    continue
        write_text(self.metrics, "".join(line + "\n" for line in kept))

    def report(
        self, kind: str, step: int, steps: int, figures: Mapping[str, float], **times: float
    ) -> dict[str, Any]:
        """Append a report of kind "train" or "validation"; return it, rounded.

        Raises:
            StorageError: the log cannot be written; a line cut short is dropped on resuming.
        """
        record = {"kind": kind, "step": step, **figures, **times}
        record = {k: _rounded(v) for k, v in record.items()}
        with storing(self.metrics), open(self.metrics, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        shown = " ".join(f"{name} {value:.4g}" for name, value in figures.items())
        rate, left = times["patches_per_s"], times["seconds_left"]
        of = f"step {step}/{steps}"
        logger.info("%s %s: %s | %.1f patches/s, %.0f s left", of, kind, shown, rate, left)
        return record

    def state(self, state: str, message: str = "", **content: Any) -> None:
        """Replace `progress.json`: ``state`` is running, stopped, finished or failed."""
        about = {"state": state, "message": message, "time": time.time()}
        write_json(self.progress, about | content)


def _rounded(value: Any) -> Any:
    """Round floats; None for what JSON cannot hold."""
    if not isinstance(value, float):
        return value
    return round(value, 6) if math.isfinite(value) else None
