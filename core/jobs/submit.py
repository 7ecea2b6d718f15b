"""Add a training job: ``python -m core.jobs.submit --data DIR --name NAME [--preset quick]``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from core.dataset import load_dataset
from core.errors import MicroDesignError
from core.jobs.picture_sizes import picture_sizes
from core.jobs.presets import PRESETS, can_begin_from, holds_regions, job_request, preset_config
from core.jobs.queue import submit
from core.workspace import ROOT

REFERENCE = ROOT / "assets" / "reference"
logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Put a training job into the queue; it runs in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs.submit", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--name", required=True, help="of the model")
    parser.add_argument("--preset", choices=list(PRESETS), default="standard")
    parser.add_argument("--init", type=Path, help="model to begin from; default: the shipped one")
    parser.add_argument("--anew", action="store_true", help="begin from no model")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        data = load_dataset(arguments.data)
        count = len(data.specimens)
        regions = holds_regions(picture_sizes(data))
        continued = not arguments.anew
        config = preset_config(arguments.preset, count, continued, regions=regions)
        init = None if arguments.anew else arguments.init or REFERENCE
        if init == REFERENCE and not can_begin_from(init, config):
            init = None
            config = preset_config(arguments.preset, count, continued=False)
        job = submit(job_request(data, arguments.name, arguments.preset, config, init))
    except MicroDesignError as error:
        logger.error("%s", error)
        return 2
    logger.info("job %s: %s", job.id, job.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
