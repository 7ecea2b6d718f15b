"""Command line of the queue: ``python -m core.jobs run | list | stop ID | resume ID | remove ID``.

``python -m core.jobs.submit`` adds a job.
"""

import argparse
import logging
from collections.abc import Sequence

from core.errors import MicroDesignError
from core.jobs.queue import damaged, jobs, remove, resume, stop
from core.jobs.runner import serve

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Look after the queue of training jobs; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the queue until it is empty")
    run.add_argument("--detach", action="store_true", help="in a process of its own")
    commands.add_parser("list", help="show all jobs, newest first")
    for name in ("stop", "resume", "remove"):
        commands.add_parser(name).add_argument("id")
    arguments = parser.parse_args(argv)
    if arguments.command == "run":
        return serve(arguments.detach)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if arguments.command == "list":
            for job in jobs():
                told = (job.id, job.request.name, job.status.state, job.status.message)
                logger.info("%s  %s  %s  %s", *told)
            for number, why in damaged().items():
                logger.warning("%s  is damaged: %s", number, why)
        else:
            {"stop": stop, "resume": resume, "remove": remove}[arguments.command](arguments.id)
    except MicroDesignError as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
