"""Choose regimes, hidden factors and arcs of a network by the likelihood of left-out specimens."""

from dataclasses import dataclass

import numpy as np

from bayesnet.gaussian import Array, Index
from bayesnet.levels import Levels
from bayesnet.selection import Arcs, HeldOut, cross_validate
from bayesnet.structure import full, given, learn_structure
from core.errors import ConfigError, InputError
from core.model import check_integer
from core.validation import ACTIVE_VARIANCE

MAX_ARCS = 100_000


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
        structures: kinds of arcs to try; left-out likelihood decides. "full": all between the
            tiers; "learned": those that BIC asks for (`bayesnet.structure`).
        arcs: (parent, child) names of nodes, the user's own arcs, in place of ``structures``.
    """

    regimes: tuple[int, ...] = (1, 2, 3)
    factors: tuple[int, ...] = (2, 4, 8, 16)
    folds: int = 5
    active_variance: float = ACTIVE_VARIANCE
    patch_px: int = 128
    seed: int = 0
    structures: tuple[str, ...] = ("full", "learned")
    arcs: tuple[tuple[str, str], ...] | None = None

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
        kinds = self.structures
        listed = isinstance(kinds, (tuple, list)) and all(isinstance(k, str) for k in kinds)
        if not listed or not kinds or set(kinds) - {"full", "learned"}:
            raise ConfigError(f"structures = {kinds!r:.80}: full and learned are allowed")
        if self.arcs is not None:
            pairs = isinstance(self.arcs, (tuple, list)) and all(map(_is_pair, self.arcs))
            if not pairs or len(self.arcs) > MAX_ARCS:
                raise ConfigError(
                    f"arcs = {self.arcs!r:.80}: at most {MAX_ARCS} pairs of node names are needed"
                )


def _is_pair(arc: object) -> bool:
    return (
        isinstance(arc, (tuple, list))
        and len(arc) == 2
        and all(isinstance(name, str) for name in arc)
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What left-out likelihood chose, and the likelihood of every candidate tried."""

    regimes: int
    factors: int
    arcs: str  # "full", "learned" or "given"
    figures: dict[str, float]


class Chooser:
    """Tries candidates by the left-out log likelihood of process, latents and properties.

    Descriptors hang on the latents alone and have no say in it.
    """

    def __init__(self, levels: Levels, config: NetworkConfig, folds: Index) -> None:
        self.levels, self.config, self.folds = levels, config, folds
        self.shares: dict[tuple[int, int], Array | None] = {}
        self.tried: dict[tuple[int, int, str], float] = {}

    def arcs(self, name: str) -> Arcs:
        """Return how a kind of structure finds its arcs."""
        if name == "learned":
            return lambda rows: learn_structure(self.levels, rows)
        fixed = given(self.levels, self.config.arcs or ()) if name == "given" else full(self.levels)
        return lambda rows: fixed

    def held_out(self, k: int, q: int, name: str, detail: bool = False) -> HeldOut | None:
        """Judge a candidate on left-out specimens."""
        seed = self.config.seed
        return cross_validate(
            self.levels, k, q, self.folds, seed, self.arcs(name), detail, self.shares
        )

    def score(self, k: int, q: int, name: str) -> float:
        """Return the mean log likelihood of a left-out specimen."""
        if (k, q, name) not in self.tried:
            found = self.held_out(k, q, name)
            good = found is not None and np.isfinite(found.log_likelihood).all()
            self.tried[k, q, name] = (
                float(found.log_likelihood.mean()) if good and found else -np.inf
            )
        return self.tried[k, q, name]

    def choose(self) -> Choice:
        """Try the regimes with a middling number of factors, then factors, then structures."""
        config = self.config
        names = ("given",) if config.arcs is not None else config.structures
        first = names[0]
        middle = sorted(config.factors)[(len(config.factors) - 1) // 2]
        regimes = max(sorted(config.regimes), key=lambda k: self.score(k, middle, first))
        factors = max(sorted(config.factors), key=lambda q: self.score(regimes, q, first))
        if not np.isfinite(self.score(regimes, factors, first)):
            raise InputError(
                f"{len(self.levels.names)} specimens are too few for {config.regimes} regimes; "
                "allow 1"
            )
        arcs = max(names, key=lambda name: self.score(regimes, factors, name))
        figures = {
            candidate_name(k, q, name): v
            for (k, q, name), v in self.tried.items()
            if np.isfinite(v)
        }
        return Choice(regimes, factors, arcs, figures)


def candidate_name(regimes: int, factors: int, arcs: str) -> str:
    """Return what `Network.scores` calls a candidate."""
    return f"regimes={regimes},factors={factors}" + ("" if arcs == "full" else f",arcs={arcs}")
