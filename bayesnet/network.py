"""The network: a mixture (regime node) of linear-Gaussian networks.

Within a regime, in z-scores: process settings (chained) -> active latents <- hidden common causes
u1..uq, and latents -> descriptors and properties (chained). `Regime.graph` is the pgmpy object;
queries use the exact joint of the same conditionals, because pgmpy rounds its joint to eight
decimals and takes seconds to import.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesnet.conditionals import Conditional, joint
from bayesnet.gaussian import Array, Index, condition
from bayesnet.nodes import OUTCOMES, Node
from bayesnet.support import Support

if TYPE_CHECKING:
    from pgmpy.models import LinearGaussianBayesianNetwork

    from bayesnet.reachable import Candidates

EXPECTED = 0.05


@dataclass(frozen=True)
class Regime:
    """One regime: its weight and its conditionals (parents before children), in z-scores."""

    weight: float
    conditionals: tuple[Conditional, ...]

    @cached_property
    def graph(self) -> "LinearGaussianBayesianNetwork":
        """The regime as a pgmpy network (checked by pgmpy)."""
        from pgmpy.factors.continuous import LinearGaussianCPD
        from pgmpy.models import LinearGaussianBayesianNetwork

        edges = [(parent, c.variable) for c in self.conditionals for parent in c.parents]
        model = LinearGaussianBayesianNetwork(edges)
        model.add_nodes_from(c.variable for c in self.conditionals)
        model.add_cpds(
            *(
                LinearGaussianCPD(
                    c.variable, [c.intercept, *c.coefficients], c.std, list(c.parents)
                )
                for c in self.conditionals
            )
        )
        model.check_model()
        return model


@dataclass(frozen=True)
class Arc:
    """A standardised slope of the network of all specimens taken together, for display.

    ``weight`` is in standard deviations of the child per standard deviation of the parent, the
    child's other parents held fixed; ``significant`` after Bonferroni correction at 5 %.
    """

    parent: str
    child: str
    weight: float
    significant: bool


@dataclass(frozen=True, kw_only=True)
class Network:
    """A fitted network; every field but the joints is in its file.

    Attributes:
        nodes: process, latent, descriptor and property nodes, the order of the joints.
        regimes: the mixture.
        latent_mean: (D,) mean of every latent over specimens; inactive ones keep it in designs.
        within: (A, A) pooled patch covariance round a specimen's mean, active latents, their units.
            With ``scores["independent_patches"]`` it gives the scatter of means (`observed`).
        support: what the data support (feasibility).
        graph_arcs: see `arcs`.
        scores: left-out figures of every candidate tried and of the one chosen.
        calibration: left-out spread and coverage, see `bayesnet.learn`.
        notes: what was left out of the network and why.
    """

    nodes: tuple[Node, ...]
    regimes: tuple[Regime, ...]
    latent_mean: Array
    within: Array
    support: Support
    graph_arcs: tuple[Arc, ...]
    specimens: tuple[str, ...]
    data_hash: str
    model_hash: str
    synthetic: bool
    scores: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def reachable(self) -> "dict[tuple[bytes, ...], Candidates]":
        """What the data support, as far as it was asked for (`bayesnet.reachable.candidates`)."""
        return {}

    @cached_property
    def joints(self) -> tuple[tuple[Array, Array], ...]:
        """Mean (N,) and covariance (N, N) of every regime over `nodes`, in z-scores."""
        order = [node.node for node in self.nodes]
        return tuple(joint(regime.conditionals, order) for regime in self.regimes)

    @cached_property
    def design_joints(self) -> tuple[tuple[Array, Array], ...]:
        """Joints in which outcomes are expected values rather than single scattered tests.

        Someone who asks for 430 MPa means the casting's expected strength. The covariance of the
        outcomes given the latents is therefore reduced, to a twentieth at least, less so for an
        outcome that latents explain poorly: by the unexplained share of its variance.
        """
        latents, columns = self.positions("latent"), self.positions(*OUTCOMES)
        result = []
        for mean, cov in self.joints:
            rest, _, given = condition(mean, cov, latents, mean[latents])
            at = np.searchsorted(rest, columns)
            noise = given[np.ix_(at, at)]
            keep = np.sqrt(np.clip(np.diag(noise), EXPECTED, 1.0))  # of z-scores: a share
            cov = cov.copy()
            cov[np.ix_(columns, columns)] += noise * np.outer(keep, keep) - noise
            result.append((mean, cov))
        return tuple(result)

    def observed(self, at: Index) -> tuple[tuple[Array, Array], ...]:
        """Return joints in which the latents at some positions of `nodes` are means of patches.

        Regimes describe a specimen's own latents. What is measured of them is a mean over its
        patches and scatters round them, as much as with the training specimens' patches. (A network
        of an earlier version does not tell how many these were: no scatter.)
        """
        places = self.positions("latent")
        seen = np.flatnonzero(np.isin(places, at))
        count = self.scores.get("independent_patches")
        if count is None or seen.size == 0:
            return self.joints
        scale = np.array([node.scale for node in self.latents])
        noise = (self.within / (count * np.outer(scale, scale)))[np.ix_(seen, seen)]
        added = np.zeros((len(self.nodes), len(self.nodes)))
        added[np.ix_(places[seen], places[seen])] = noise
        return tuple((mean, cov + added) for mean, cov in self.joints)

    @property
    def weights(self) -> Array:
        """Prior regime weights (K,)."""
        return np.array([regime.weight for regime in self.regimes])

    @cached_property
    def process(self) -> tuple[Node, ...]:
        """Process nodes."""
        return tuple(n for n in self.nodes if n.role == "process")

    @cached_property
    def latents(self) -> tuple[Node, ...]:
        """Nodes of the active latents."""
        return tuple(n for n in self.nodes if n.role == "latent")

    @cached_property
    def properties(self) -> tuple[Node, ...]:
        """Property nodes."""
        return tuple(n for n in self.nodes if n.role == "property")

    @cached_property
    def descriptors(self) -> tuple[Node, ...]:
        """Descriptor nodes; empty where none were measured."""
        return tuple(n for n in self.nodes if n.role == "descriptor")

    @cached_property
    def outcomes(self) -> tuple[Node, ...]:
        """Descriptor nodes, then property nodes: the columns of `support.properties`."""
        return self.descriptors + self.properties

    def outcome_places(self, nodes: Iterable[Node]) -> Index:
        """Positions (T,) of nodes among `outcomes`."""
        return np.array([self.outcomes.index(node) for node in nodes], dtype=int)

    def positions(self, *roles: str) -> Index:
        """Positions in `nodes` of the nodes of some roles."""
        return np.array([i for i, n in enumerate(self.nodes) if n.role in roles], dtype=int)

    def full_latents(self, scores: Array) -> Array:
        """Turn z-scores (..., A) of the active latents into latents (..., D) of the model."""
        result = np.broadcast_to(self.latent_mean, (*scores.shape[:-1], self.latent_mean.size))
        result = result.copy()
        mean, scale = np.array([[n.mean, n.scale] for n in self.latents]).T
        result[..., [n.index for n in self.latents]] = mean + scale * scores
        return result

    def arcs(self) -> list[Arc]:
        """Return process -> latent and latent -> outcome arcs, the strongest first."""
        return sorted(self.graph_arcs, key=lambda arc: -abs(arc.weight))

    def save(self, path: Path) -> None:
        """Write the network as JSON, atomically; floats survive exactly."""
        from bayesnet.storage import save_network

        save_network(self, path)

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read a network and check names, shapes, finiteness and positive definiteness.

        Raises:
            CheckpointError: the file is missing, damaged or of another kind.
        """
        from bayesnet.storage import load_network

        return load_network(path)
