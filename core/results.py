"""Measured results as JSON files that say how they were obtained."""

import argparse
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import core
from core.files import write_json
from core.hardware import describe

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"


def record(
    module: str,
    argv: list[str],
    *,
    model_sha256: str,
    data_hash: str,
    denoiser_sha256: str | None = None,
) -> dict[str, Any]:
    """Return what every result carries: command, version, hashes, hardware, date.

    Args:
        module: the module run, as ``core.measure``; argv: its arguments.
        model_sha256: of the model's weights; data_hash: of the data measured on.
        denoiser_sha256: identity of what finishes the model's pictures
            (`core.denoiser.store.identity`), None where nothing does.
    """
    return {
        "command": shlex.join(["python", "-m", module, *argv]),
        "version": core.__version__,
        "commit": _commit(),
        "model_sha256": model_sha256,
        "denoiser_sha256": denoiser_sha256,
        "data_sha256": data_hash,
        "hardware": describe(torch.device("cpu")),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def given_words(options: argparse.Namespace, *left_out: str) -> list[str]:
    """Return a command's options as words, defaults too; those that are None or left out are not.

    >>> given_words(argparse.Namespace(next_tests=20, paper=None, out="x"), "out")
    ['--next-tests', '20']
    """
    given = {n: v for n, v in vars(options).items() if n not in left_out and v is not None}
    return [w for n, v in given.items() for w in (f"--{n.replace('_', '-')}", str(v))]


def write_result(name: str, content: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write ``folder/name.json`` atomically and return its path."""
    path = folder / f"{name}.json"
    write_json(path, content)
    return path


def _commit() -> str | None:
    """Return the commit, with ``-dirty`` where the code was edited since; None without git."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        edited = _git("status", "--porcelain", "--", "core", "bayesnet", "requirements.txt")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if edited else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
