"""Fit the network to cached latents: ``python -m bayesnet.learn --model DIR [--data DIR]``."""

import argparse
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bayesnet.arcs import pooled_arcs
from bayesnet.calibration import left_out_figures
from bayesnet.choice import Choice, Chooser, NetworkConfig
from bayesnet.fit_files import PROPERTIES, write_fit
from bayesnet.gaussian import Index
from bayesnet.intervals import mixture_regimes
from bayesnet.levels import Levels, build_levels
from bayesnet.mixture import Mixture, fit_mixture, responsibilities
from bayesnet.network import Network
from bayesnet.selection import make_folds
from bayesnet.structure import Structure, structure_score
from bayesnet.support import fit_support
from bayesnet.threads import one_thread
from core.calibrate import fit_calibrated, load_unseen, load_unseen_structure
from core.checkpoint import read_config
from core.dataset import load_dataset
from core.encode import LatentTable, load_latents
from core.errors import InputError, MicroDesignError
from core.latent_stream import LatentStream, open_latents
from core.properties import PropertyModel
from core.seen import Seen
from core.specimen_descriptors import SpecimenDescriptors, load_descriptors

__all__ = ["NetworkConfig", "fit_network", "learn", "property_models"]

logger = logging.getLogger(__name__)


@one_thread
def fit_network(
    table: LatentTable | LatentStream,
    config: NetworkConfig | None = None,
    descriptors: SpecimenDescriptors | None = None,
    unseen: LatentTable | None = None,
) -> Network:
    """Fit the two-level mixture of linear-Gaussian networks.

    Args:
        table: patch latents with their specimens' labels; a stream is read in chunks.
        config: settings; the defaults when None.
        descriptors: of the same data set's specimens, which become nodes.
        unseen: latents of specimens that the encoder has not learned, which say how wide the
            posterior's intervals must be; left-out specimens do when None.

    Returns:
        The network, with left-out figures. Seconds for 100 specimens and 64 latents.

    Raises:
        InputError: too few specimens, no active latent, latents that are not finite, or arcs that
            cannot be.
    """
    config = config or NetworkConfig()
    levels = build_levels(table, config.active_variance, config.patch_px, descriptors)
    size = len(levels.names)
    fitted = structure_and_parameters(levels, config)
    choice, structure = fitted.choice, fitted.structure
    held_out = fitted.chooser.held_out(choice.regimes, choice.factors, choice.arcs, detail=True)
    if held_out is None:
        raise InputError(f"{size} specimens are too few for {choice.regimes} regimes")
    network = Network(
        nodes=levels.nodes,
        regimes=mixture_regimes(fitted.mixture),
        latent_mean=levels.latent_mean,
        within=levels.within,
        support=fit_support(levels, held_out.given_latents, config.seed),
        graph_arcs=pooled_arcs(levels, structure),
        specimens=levels.names,
        data_hash=table.data_hash,
        model_hash=table.model_hash,
        synthetic=bool(table.synthetic),
        scores={
            "left_out_log_likelihood": choice.figures,
            "regimes": choice.regimes,
            "factors": choice.factors,
            "structure": choice.arcs,
            "arcs": structure.arcs,
            "bic_per_specimen": structure_score(levels, structure),
            "specimens": size,
            "independent_patches": levels.independent,
        },
        config=_plain(config),
        notes=levels.notes + fitted.notes,
    )
    for regime in network.regimes:
        _ = regime.graph  # pgmpy checks the graph and its conditionals
    found = left_out_figures(levels, held_out, fitted.folds, network, unseen)
    return replace(network, calibration=found)


class Fitted(NamedTuple):
    """What is chosen and fitted before the intervals are calibrated."""

    choice: Choice
    structure: Structure
    mixture: Mixture
    chooser: Chooser
    folds: Index
    notes: tuple[str, ...]


@one_thread
def structure_and_parameters(levels: Levels, config: NetworkConfig) -> Fitted:
    """Choose regimes, hidden factors and arcs by left-out specimens, and fit them to all.

    Raises:
        InputError: too few specimens, or arcs that cannot be.
    """
    folds, notes = make_folds(levels, config.folds, config.seed)
    chooser = Chooser(levels, config, folds)
    choice = chooser.choose()
    size = len(levels.names)
    shares = responsibilities(levels.process, levels.latents, choice.regimes, config.seed)
    if shares is None:
        raise InputError(f"{size} specimens are too few for {choice.regimes} regimes")
    rows = np.arange(size)
    structure = chooser.arcs(choice.arcs)(rows)
    mixture = fit_mixture(levels, rows, shares, choice.factors, structure, denoise=True)
    return Fitted(choice, structure, mixture, chooser, folds, notes)


def _plain(config: NetworkConfig) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()}


def learn(model: Path, data: Path | None, chunked: bool = False) -> Network:
    """Fit network and property models from a model folder's cached latents and save them there.

    Args:
        model: the folder.
        data: data set that the latents must be of.
        chunked: read the latents in chunks, in bounded memory, and fit the network alone; property
            models of these latents stay as they are.

    Raises:
        InputError: the cached latents are not those of the data set at ``data``.
    """

    folder = model / "latents"
    table = open_latents(folder) if chunked else load_latents(folder)
    if data is not None and load_dataset(data).hash != table.data_hash:
        raise InputError(
            f"the latents in {model / 'latents'} were not made from {data}; "
            f"run python -m core.encode --model {model} --data {data} first"
        )
    unseen = load_unseen(model)
    if unseen is not None and unseen.data_hash == table.data_hash:
        unseen = None  # the specimens fitted to
    config = NetworkConfig(patch_px=read_config(model).patch_px)
    descriptors = load_descriptors(folder)
    seen = {} if isinstance(table, LatentStream) else load_unseen_structure(model, unseen)
    network = fit_network(table, config, descriptors, unseen)
    if isinstance(table, LatentStream):
        fitted = _kept_properties(model, table.data_hash)
    else:
        fitted = property_models(table, unseen, descriptors, seen)
    write_fit(model, network, fitted)
    return network


def _kept_properties(model: Path, data_hash: str) -> PropertyModel | None:
    """Return the model folder's property models where they were fitted to the same specimens."""
    path = model / PROPERTIES
    kept = PropertyModel.load(path) if path.is_file() else None
    return kept if kept is not None and kept.data_hash == data_hash else None


def property_models(
    table: LatentTable,
    unseen: LatentTable | None,
    descriptors: SpecimenDescriptors | None = None,
    seen: Mapping[str, Seen] | None = None,
) -> PropertyModel | None:
    """Fit the property models that go with a network; None where no property has labels enough."""
    try:
        return fit_calibrated(table, unseen, descriptors, seen)
    except InputError as error:
        logger.warning("no property models: %s", error)
        return None


def _log_summary(network: Network) -> None:
    logger.info(
        "%d specimens, %d active latents, %d regimes, %d hidden factors",
        len(network.specimens),
        len(network.latents),
        network.scores["regimes"],
        network.scores["factors"],
    )
    for candidate, value in network.scores["left_out_log_likelihood"].items():
        logger.info("left-out log likelihood a specimen, %s: %.2f", candidate, value)
    for name, entry in network.calibration["properties"].items():
        logger.info("%s given latents, left out: rms %.3g", name, entry["rms_given_latents"])
    logger.info("arcs: %s, %d", network.scores["structure"], network.scores["arcs"])
    for note in network.notes:
        logger.info("note: %s", note)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.learn", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--data", type=Path, help="data set that the cached latents must be of")
    parser.add_argument(
        "--chunked", action="store_true", help="read latents in chunks; the network alone is fitted"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _log_summary(learn(options.model, options.data, options.chunked))
    except MicroDesignError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
