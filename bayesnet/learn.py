"""Fit the network to cached latents: ``python -m bayesnet.learn --model DIR [--data DIR]``."""

import argparse
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bayesnet.arcs import pooled_arcs
from bayesnet.gaussian import Index
from bayesnet.intervals import left_out_widening, mixture_regimes
from bayesnet.levels import Levels, build_levels
from bayesnet.network import Network
from bayesnet.selection import (
    HeldOut,
    coverage,
    cross_validate,
    fit_mixture,
    make_folds,
    responsibilities,
)
from bayesnet.support import fit_support
from core.calibrate import fit_calibrated, load_unseen
from core.conformal import conformal_half_width
from core.dataset import load_dataset
from core.encode import LatentTable, load_latents
from core.errors import ConfigError, InputError, MicroDesignError
from core.model import check_integer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """How a network is fitted.

    Attributes:
        regimes: numbers of regimes to try; left-out likelihood decides.
        factors: numbers of hidden common causes of the latents to try.
        folds: folds of specimens for left-out figures.
        active_variance: a latent is active above this variance of mu (measures.md).
        patch_px: side of a patch, for counting independent patches.
        seed: of folds, regimes and surfaces.
    """

    regimes: tuple[int, ...] = (1, 2, 3)
    factors: tuple[int, ...] = (2, 4, 8)
    folds: int = 5
    active_variance: float = 0.05
    patch_px: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("regimes", 1, 8), ("factors", 0, 64)):
            tried = getattr(self, name)
            if not isinstance(tried, (tuple, list)) or not 1 <= len(tried) <= 64:
                raise ConfigError(f"{name} = {tried!r:.80}: a list of numbers to try is needed")
            for count in tried:
                check_integer(name, count, low, high)
        check_integer("folds", self.folds, 2, 20)
        check_integer("patch_px", self.patch_px, 1, 8192)
        check_integer("seed", self.seed, 0, 2**31 - 1)
        variance = self.active_variance
        right_type = isinstance(variance, (int, float)) and not isinstance(variance, bool)
        if not right_type or not 0 <= variance < 10:
            raise ConfigError(f"active_variance = {variance!r:.80}: 0 to 10 are allowed")


def _choose(
    levels: Levels, config: NetworkConfig, folds: Index
) -> tuple[int, int, dict[str, float]]:
    """Try the regimes with a middling number of factors, then the factors with the best regimes."""
    tried: dict[tuple[int, int], float] = {}

    def score(k: int, q: int) -> float:
        if (k, q) not in tried:
            held_out = cross_validate(levels, k, q, folds, config.seed)
            good = held_out is not None and np.isfinite(held_out.log_likelihood).all()
            tried[k, q] = float(held_out.log_likelihood.mean()) if good and held_out else -np.inf
        return tried[k, q]

    middle = sorted(config.factors)[(len(config.factors) - 1) // 2]
    regimes = max(sorted(config.regimes), key=lambda k: score(k, middle))
    factors = max(sorted(config.factors), key=lambda q: score(regimes, q))
    if not np.isfinite(score(regimes, factors)):
        raise InputError(
            f"{len(levels.names)} specimens are too few for {config.regimes} regimes; allow 1"
        )
    figures = {f"regimes={k},factors={q}": v for (k, q), v in tried.items() if np.isfinite(v)}
    return regimes, factors, figures


def _calibration(
    levels: Levels, held_out: HeldOut, folds: Index, network: Network
) -> dict[str, Any]:
    """Left-out figures by column; columns without labels are left out."""
    result: dict[str, Any] = {"folds": int(folds.max()) + 1, "properties": {}}
    result["process"] = left_out_widening(network, held_out.mixtures, folds)
    covered = coverage(held_out.ranks)
    for i, node in enumerate(network.process):
        if np.isfinite(held_out.ranks[:, i]).any():
            result["process"][node.column]["coverage_90_given_properties"] = float(covered[i])
    for m, node in enumerate(network.properties):
        left = held_out.property_residual[:, m]
        left = np.abs(left[np.isfinite(left)]) * node.scale
        entry = {
            "specimens": int(left.size),
            "rms_given_latents": float(np.sqrt((left**2).mean())),
            "half_width_90": conformal_half_width(left),  # None with fewer than nine specimens
        }
        given = held_out.property_given_process[:, m]
        if levels.process.shape[1]:
            entry["rms_given_process"] = float(np.sqrt(np.nanmean(given**2))) * node.scale
        result["properties"][node.column] = entry
    return result


def fit_network(table: LatentTable, config: NetworkConfig | None = None) -> Network:
    """Fit the two-level mixture of linear-Gaussian networks.

    Args:
        table: patch latents with their specimens' labels (`core.encode.LatentTable`).
        config: settings; the defaults when None.

    Returns:
        The network, with left-out figures. Seconds for 100 specimens and 64 latents.

    Raises:
        InputError: too few specimens, no active latent, or latents that are not finite.
    """
    config = config or NetworkConfig()
    levels = build_levels(table, config.active_variance, config.patch_px)
    size = len(levels.names)
    folds, notes = make_folds(levels, config.folds, config.seed)
    regimes, factors, figures = _choose(levels, config, folds)
    held_out = cross_validate(levels, regimes, factors, folds, config.seed, detail=True)
    shares = responsibilities(levels.process, levels.latents, regimes, config.seed)
    if shares is None or held_out is None:
        raise InputError(f"{size} specimens are too few for {regimes} regimes")
    mixture = fit_mixture(levels, np.arange(size), shares, factors, denoise=True)
    network = Network(
        nodes=levels.nodes,
        regimes=mixture_regimes(mixture),
        latent_mean=levels.latent_mean,
        within=levels.within,
        support=fit_support(levels, held_out.property_residual, config.seed),
        graph_arcs=pooled_arcs(levels),
        specimens=levels.names,
        data_hash=table.data_hash,
        model_hash=table.model_hash,
        synthetic=bool(table.synthetic),
        scores={
            "left_out_log_likelihood": figures,
            "regimes": regimes,
            "factors": factors,
            "specimens": size,
        },
        config={k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()},
        notes=levels.notes + notes,
    )
    for regime in network.regimes:
        _ = regime.graph  # pgmpy checks the graph and its conditionals
    return replace(network, calibration=_calibration(levels, held_out, folds, network))


def learn(model: Path, data: Path | None) -> Network:
    """Fit network and property models from a model folder's cached latents and save them there.

    Raises:
        InputError: the cached latents are not those of the data set at ``data``.
    """

    table = load_latents(model / "latents")
    if data is not None and load_dataset(data).hash != table.data_hash:
        raise InputError(
            f"the latents in {model / 'latents'} were not made from {data}; "
            f"run python -m core.encode --model {model} --data {data} first"
        )
    network = fit_network(table)
    try:
        fit_calibrated(table, load_unseen(model)).save(model / "properties.json")
    except InputError as error:
        (model / "properties.json").unlink(missing_ok=True)  # of another fit
        logger.warning("no property models: %s", error)
    network.save(model / "network.json")
    return network


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
    for note in network.notes:
        logger.info("note: %s", note)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bayesnet.learn", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--data", type=Path, help="data set that the cached latents must be of")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _log_summary(learn(options.model, options.data))
    except MicroDesignError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
