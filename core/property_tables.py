"""The paper's Tables 2 and 3 and figure 7: regressors on latents and on plain VGG19 features.

    python -m core.property_tables --model DIR --data DIR --fresh DIR [--paper DIR]
        [--paper-model DIR]

writes ``docs/results/properties.json``. Every row names its split, its representation, the VAE that
its latents are of and what that was trained on, and the data it is measured on; the same
regressors, tuned alike, stand on every representation. ``--paper-model`` is a VAE that has learned
the castings of ``--paper``, as the paper's has: its latents get rows of their own.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet, load_dataset
from core.encode import load_latents
from core.errors import InputError, MicroDesignError
from core.properties import PropertyModel
from core.property_features import (
    BOTH,
    VAE,
    VAE_OWN,
    Represent,
    field_features,
    learned_features,
    patch_features,
)
from core.property_rows import (
    FIGURE_7,
    Row,
    rows_of_learned,
    rows_of_new,
    rows_of_paper,
    shipped,
)
from core.property_text import tables_text
from core.results import RESULTS, given_words, record, write_result
from core.seen import seen_fields
from core.unseen import require_unseen

LEARNED_PATCHES = 4  # of each micrograph that the model was trained on
PAPER_STRIDE = 50  # px, as in the paper: patches overlap by three fifths
PAPER_WINDOW_PX = 578  # of each casting of the paper's design: 100 patches
logger = logging.getLogger(__name__)


def _said(data: DataSet, specimens: int) -> Row:
    return {
        "name": data.name,
        "sha256": data.hash,
        "synthetic": data.synthetic,
        "specimens": specimens,
    }


def measure_tables(
    loaded: LoadedModel,
    data: DataSet,
    fresh: DataSet,
    paper: DataSet | None,
    seed: int,
    most: int,
    own: LoadedModel | None = None,
) -> Row:
    """Measure both tables; ``most`` new specimens at most.

    Args:
        loaded: the model; data: what it has learned; fresh: what it has not.
        paper: castings of the paper's design.
        seed: of draws and splits.
        most: new specimens.
        own: a model that has learned ``paper``.

    Raises:
        InputError: the stored latents are not of this data, the new specimens are no new ones
            (`core.unseen.require_unseen`), or ``own`` has learned other castings.
        CheckpointError: parts of the model are missing.
    """
    require_unseen(loaded, fresh)
    if own is not None and (paper is None or own.manifest.get("data_hash") != paper.hash):
        raise InputError(
            f"the model in {own.path} was trained on {own.manifest.get('data_name')}, not on the "
            "castings of --paper: give one that was trained on these"
        )
    table = load_latents(loaded.path / "latents")
    model = PropertyModel.load(loaded.path / "properties.json")
    model.require_model(loaded.hash)
    read = learned_features(loaded, data, table, LEARNED_PATCHES, seed)
    represent = Represent.fitted(read)
    learned = represent(read)
    logger.info("%d patches of %s read", len(read.specimen), data.name)
    rows = rows_of_learned(learned, read.specimen, data)
    names = fresh.specimens.index.astype(str).to_numpy()[:most]
    fields, counts = field_features(loaded, fresh, names)
    logger.info("%d micrographs of %s read", len(names), fresh.name)
    rows += rows_of_new(learned, read.specimen, data, represent(fields), names, fresh)
    seen = seen_fields(model.structure, fresh, loaded.um_per_px or 1.0)[: len(names)]
    as_shipped, points = shipped(model, fields, counts, fresh, seen)
    content: Row = {
        "learned": _said(data, len(data.specimens)),
        "fresh": _said(fresh, len(names)),
        "vae": _vae(loaded),
        "paper_vae": None,
        "backbone": f"VGG19, {loaded.config.backbone}, {loaded.config.pooling} pooling",
        "paper": None,
        "left_out_casting": [],
    }
    if paper is not None:
        found, content["left_out_casting"] = _paper_rows(loaded, paper, represent, seed)
        content["paper"] = _said(paper, len(_tested(paper)))
        rows += found
    if own is not None and paper is not None:
        found, histograms = _own_rows(own, paper, seed)
        content["paper_vae"] = _vae(own)
        content["left_out_casting"] += histograms
        rows += found
    vaes = {VAE: content["vae"], BOTH: content["vae"], VAE_OWN: content["paper_vae"]}
    for row in (*rows, *content["left_out_casting"]):
        row["vae"] = vaes.get(row["representation"])
    columns = [{"name": c.name, "label": c.label, "unit": c.unit} for c in data.properties]
    return content | {
        "properties": columns,
        "rows": rows,
        "as_shipped": as_shipped,
        "points": points,
    }


def _paper_rows(
    loaded: LoadedModel, paper: DataSet, represent: Represent, seed: int
) -> tuple[list[Row], list[Row]]:
    """Read the labelled castings of the paper's design and judge the regressors on them."""
    names, size = _tested(paper), loaded.config.patch_px
    read = patch_features(loaded, paper, names, PAPER_STRIDE, PAPER_WINDOW_PX)
    logger.info("%d patches of %s read", len(read.specimen), paper.name)
    whole = {}
    if FIGURE_7 in names:
        whole = represent(patch_features(loaded, paper, [FIGURE_7], size))
    return rows_of_paper(represent(read), read.specimen, whole, paper, seed)


def _own_rows(own: LoadedModel, paper: DataSet, seed: int) -> tuple[list[Row], list[Row]]:
    """Judge the regressors on latents of a model that has learned the paper's castings."""
    names = _tested(paper)
    read = patch_features(own, paper, names, PAPER_STRIDE, PAPER_WINDOW_PX)
    whole = {}
    if FIGURE_7 in names:
        size = own.config.patch_px
        whole = {VAE_OWN: patch_features(own, paper, [FIGURE_7], size).mu}
    return rows_of_paper({VAE_OWN: read.mu}, read.specimen, whole, paper, seed)


def _vae(loaded: LoadedModel) -> Row:
    return {"trained_on": loaded.manifest.get("data_name"), "sha256": loaded.hash}


def _tested(paper: DataSet) -> list[str]:
    """Return the specimens that have a label."""
    known = paper.specimens[[column.name for column in paper.properties]].notna().any(axis=1)
    return [str(name) for name in paper.specimens.index[known]]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure Tables 2 and 3, write docs/results/properties.json and print them."""
    parser = argparse.ArgumentParser(prog="python -m core.property_tables", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="what the model was trained on")
    parser.add_argument("--fresh", type=Path, required=True, help="specimens that it has not seen")
    parser.add_argument("--paper", type=Path, help="castings of the paper's design")
    parser.add_argument("--paper-model", type=Path, help="a model trained on these castings")
    parser.add_argument("--castings", type=int, default=200, help="new specimens, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if arguments.castings < 2:
            raise InputError(f"--castings {arguments.castings}: two or more are needed")
        loaded, data = load_model(arguments.model), load_dataset(arguments.data)
        fresh = load_dataset(arguments.fresh)
        paper = load_dataset(arguments.paper) if arguments.paper else None
        own = load_model(arguments.paper_model) if arguments.paper_model else None
        given = given_words(arguments, "out")
        about = record(
            "core.property_tables",
            given,
            model_sha256=loaded.hash,
            denoiser_sha256=loaded.denoiser_hash,
            data_hash=fresh.hash,
        )
        found = measure_tables(loaded, data, fresh, paper, arguments.seed, arguments.castings, own)
        write_result("properties", about | found, arguments.out)
        print(tables_text(about | found))
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
