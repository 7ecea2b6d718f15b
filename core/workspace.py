"""The folder for everything that users make: data sets, jobs, models."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def workspace() -> Path:
    """Return the workspace: MICRODESIGN_WORKSPACE, or `workspace/` in the repository."""
    return Path(os.environ.get("MICRODESIGN_WORKSPACE") or ROOT / "workspace").expanduser()


def data_folder() -> Path:
    """Return where data sets are kept, each in a folder of its own."""
    return workspace() / "data"


def models_folder() -> Path:
    """Return where finished models are kept, each in a folder of its own."""
    return workspace() / "models"


def jobs_folder() -> Path:
    """Return where training jobs are kept, each in a folder of its own."""
    return workspace() / "jobs"
