"""Command line: ``python -m core.castings --design paper|extended|fresh --out DIR``."""

import argparse
import logging
import os
from pathlib import Path

from core.castings.design import extended_design, fresh_design, paper_design, write_design
from core.errors import MicroDesignError


def main() -> None:
    """Write a design of synthetic reference castings as a data set."""
    parser = argparse.ArgumentParser(prog="python -m core.castings", description=main.__doc__)
    parser.add_argument("--design", choices=("paper", "extended", "fresh"), required=True)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the data set")
    parser.add_argument("--castings", type=int, help="number of castings (not for paper)")
    parser.add_argument("--seed", type=int, help="first seed; each casting takes the next")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = {"n": arguments.castings, "seed": arguments.seed}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        if arguments.design == "paper":
            if "n" in given:
                parser.error("the paper design has twelve castings; leave --castings out")
            plans = paper_design(**given)
        else:
            design = extended_design if arguments.design == "extended" else fresh_design
            plans = design(**given)
        title = f"Reference castings, {arguments.design} design (synthetic)"
        write_design(plans, arguments.out, title, arguments.workers)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
