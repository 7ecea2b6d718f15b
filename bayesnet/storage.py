"""The network's JSON file: strict on the way in, exact both ways, no pickle."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bayesnet.conditionals import Conditional
from bayesnet.gaussian import Array, is_positive_definite
from bayesnet.network import Arc, Network, Regime
from bayesnet.nodes import Node, Role
from bayesnet.support import Support
from bayesnet.surface import Surface
from core.errors import CheckpointError, InputError
from core.files import NEXT, json_bytes, read_json, settled, write_bytes
from core.json_values import mapping, number, text, texts, truth, whole

FORMAT = "microdesign-network"
ROLES = get_args(Role)
VERSION = 2
NETWORK_SHA256 = "network_sha256"  # in `properties.json`: of the network fitted with them
LARGEST = 1e9  # of slopes and deviations between z-scores: their products stay finite
MAX_REGIMES, MAX_CONDITIONALS = 32, 2000  # of a network, and of a regime: memory grows with squares


def save_network(network: Network, path: Path) -> None:
    """Write a network as JSON, atomically; floats survive exactly."""
    write_bytes(Path(path), network_bytes(network))


def network_bytes(network: Network) -> bytes:
    """Return the content of a network's file."""
    content: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    content |= {f.name: _plain(getattr(network, f.name)) for f in fields(network)}
    return json_bytes(content, compact=True)


def counting(path: Path) -> Path:
    """Return the file that counts as a network: one that waits beside it, or itself.

    One waits where a crash came upon `bayesnet.fit_files.write_fit`; it counts where the property
    models in the folder are of its fit.
    """
    beside = path.with_name("properties.json")
    if not path.with_name(path.name + NEXT).is_file() or not beside.is_file():
        return path
    about = read_json(beside)
    return settled(path, about.get(NETWORK_SHA256) if isinstance(about, dict) else None)


def load_network(path: Path) -> Network:
    """Read a network and check names, shapes, finiteness and positive definiteness.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
    """
    content = read_json(counting(Path(path)))
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise CheckpointError(f"{path} is not a network of this program")
    if content.pop("version", None) != VERSION:
        raise CheckpointError(
            f"{path} was written by another version of this program: run python -m bayesnet.learn "
            "again, or delete the file if it is a fit of your own in the workspace"
        )
    wanted = {f.name for f in fields(Network)}
    if set(content) != wanted:
        odd = sorted(set(content) ^ wanted)
        raise CheckpointError(f"{path}: missing or unknown entries {odd}")
    try:
        network = _build(content)
        _check(network)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}; run python -m bayesnet.learn again") from error
    except (
        TypeError,
        ValueError,
        KeyError,
        AttributeError,
        IndexError,
        ArithmeticError,
        MemoryError,
        InputError,
        np.linalg.LinAlgError,
    ) as error:
        raise CheckpointError(
            f"{path} is damaged: {error}; run python -m bayesnet.learn again"
        ) from error
    return network


def _plain(value: Any) -> Any:
    """Turn dataclasses and arrays into JSON; NaN (an unlabelled property) becomes null."""
    if isinstance(value, (Node, Regime, Arc, Conditional, Support, Surface)):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and math.isnan(value) else value


def _array(value: Any, *shape: int, holes: bool = False) -> Array:
    """Read an array of a known shape; null only where ``holes``."""
    result = (
        np.array(value, dtype=np.float64).reshape(shape)
        if 0 in shape
        else np.array(value, dtype=np.float64)
    )
    if result.shape != shape:
        raise CheckpointError(f"an array has shape {result.shape}, {shape} expected")
    if not (np.isfinite(result) | (holes & np.isnan(result))).all():
        raise CheckpointError("an array holds values that are not finite")
    return result


def _build(content: dict[str, Any]) -> Network:
    nodes = tuple(_node(entry) for entry in content["nodes"])
    roles = [n.role for n in nodes]
    if sorted(roles, key=get_args(Role).index) != roles:
        raise CheckpointError("the nodes are not in the order of their tiers")
    p, a = roles.count("process"), roles.count("latent")
    m = len(nodes) - p - a  # descriptors and properties
    raw = content["support"]
    size = len(content["specimens"])
    surfaces = tuple(_surface(entry, size, p) for entry in raw["surfaces"])
    width = len(raw["scores"][0]) if raw["scores"] else 0
    support = Support(
        process=_array(raw["process"], size, p),
        properties=_array(raw["properties"], size, m, holes=True),
        scores=_array(raw["scores"], size, width),
        surfaces=surfaces,
        reach=number(raw["reach"], "reach", 0),
        spread=_array(raw["spread"], m),
    )
    _count(content["regimes"], "regimes", MAX_REGIMES)
    for regime in content["regimes"]:
        _count(regime["conditionals"], "conditionals", MAX_CONDITIONALS)
    regimes = tuple(
        Regime(
            float(r["weight"]),
            tuple(
                Conditional(
                    c["variable"],
                    float(c["intercept"]),
                    tuple(c["parents"]),
                    tuple(map(float, c["coefficients"])),
                    float(c["std"]),
                )
                for c in r["conditionals"]
            ),
        )
        for r in content["regimes"]
    )
    return Network(
        **{
            **content,
            "nodes": nodes,
            "regimes": regimes,
            "latent_mean": _array(content["latent_mean"], len(content["latent_mean"])),
            "within": _array(content["within"], a, a),
            "support": support,
            "graph_arcs": tuple(_arc(entry) for entry in content["graph_arcs"]),
            "specimens": texts(content["specimens"], "specimens"),
            "notes": texts(content["notes"], "notes"),
            "data_hash": text(content["data_hash"], "data_hash"),
            "model_hash": text(content["model_hash"], "model_hash"),
            "synthetic": truth(content["synthetic"], "synthetic"),
            "scores": dict(mapping(content["scores"], "scores")),
            "config": dict(mapping(content["config"], "config")),
        }
    )


def _node(entry: dict[str, Any]) -> Node:
    node = Node(**entry)
    for name in ("node", "column", "unit", "label", "group", "level"):
        text(getattr(node, name), name)
    for name in ("mean", "scale", "low", "high"):
        number(getattr(node, name), name)
    whole(node.index, "index", -1)
    if node.role not in ROLES:
        raise ValueError(f"node {node.node} has the role {node.role!r}; there are {ROLES}")
    return node


def _surface(entry: dict[str, Any], size: int, settings: int) -> Surface:
    arrays = {"alpha": _array(entry["alpha"], size), "lengths": _array(entry["lengths"], settings)}
    surface = Surface(**{**entry, **arrays})
    for name in ("constant", "noise", "centre", "scale", "sd", "scatter", "r2"):
        number(getattr(surface, name), name)
    truth(surface.log, "log")
    if (surface.lengths <= 0).any() or surface.scale <= 0:
        raise ValueError("a surface has a length or scale that is not positive")
    return surface


def _arc(entry: dict[str, Any]) -> Arc:
    arc = Arc(**entry)
    text(arc.parent, "parent"), text(arc.child, "child")
    number(arc.weight, "weight"), truth(arc.significant, "significant")
    return arc


def _count(entries: Any, name: str, most: int) -> None:
    if not isinstance(entries, list) or len(entries) > most:
        raise ValueError(f"{name} must be a list of at most {most}")


def _check(network: Network) -> None:
    """Raise CheckpointError unless names, orders, scales and covariances are sound."""
    names = [n.node for n in network.nodes]
    if len(set(names)) != len(names) or not network.latents or not network.regimes:
        raise CheckpointError("node names repeat, or there are no latents or regimes")
    for node in network.nodes:
        if not all(map(math.isfinite, (node.mean, node.scale, node.low, node.high))):
            raise CheckpointError(f"node {node.node} has a value that is not finite")
        if node.scale <= 0 or node.low > node.high:
            raise CheckpointError(f"node {node.node} has scale {node.scale}")
        if node.role == "latent" and not 0 <= node.index < network.latent_mean.size:
            raise CheckpointError(f"node {node.node} names dimension {node.index}")
    if abs(network.weights.sum() - 1) > 1e-6 or (network.weights <= 0).any():
        raise CheckpointError(f"regime weights {network.weights.tolist()} do not add up to 1")
    for regime in network.regimes:
        seen: set[str] = set()
        for c in regime.conditionals:
            numbers = (c.intercept, c.std, *c.coefficients)
            if not set(c.parents) <= seen or len(c.parents) != len(c.coefficients):
                raise CheckpointError(f"parents of {c.variable} are unknown or come after it")
            sound = all(abs(value) <= LARGEST for value in numbers)  # not so with NaN
            if c.variable in seen or not sound or c.std <= 0:
                raise CheckpointError(f"conditional of {c.variable} is damaged")
            seen.add(c.variable)
        if not set(names) <= seen:
            raise CheckpointError(f"no conditional for {sorted(set(names) - seen)}")
    if not all(is_positive_definite(cov) for _, cov in network.joints):
        raise CheckpointError("a joint covariance is not positive definite")
    if not is_positive_definite(network.within):
        raise CheckpointError("the patch covariance is not positive definite")
    surfaces = network.support.surfaces
    if len(surfaces) not in (0, len(network.outcomes)):
        raise CheckpointError("surfaces do not match descriptors and properties")
    for s in surfaces:
        if not all(math.isfinite(v) and v > 0 for v in (s.constant, s.noise, s.sd, s.scatter)):
            raise CheckpointError("a surface has a variance that is not positive")
    _check_calibration(network)
    known = {node.node for node in network.nodes}
    if odd := {a.parent for a in network.graph_arcs} | {a.child for a in network.graph_arcs}:
        odd -= known
        if odd:
            raise CheckpointError(f"arcs name {sorted(odd)[:3]}, which are no nodes")


def _check_calibration(network: Network) -> None:
    """Raise CheckpointError unless every setting and property has the figures that queries read."""
    columns = {"properties": network.properties, "descriptors": network.descriptors}
    if network.properties:
        columns["process"] = network.process
    for part, nodes in columns.items():
        wanted = "widening_90" if part == "process" else "half_width_90"
        entries = mapping(network.calibration.get(part, {}), part)
        for node in nodes:
            if node.column not in entries:
                raise CheckpointError(f"{node.column} has no calibration")
            if (value := mapping(entries[node.column], node.column)[wanted]) is not None:
                number(value, f"{wanted} of {node.column}", 0)
    for side, factors in mapping(network.calibration.get("posterior", {}), "posterior").items():
        for name, entry in mapping(factors, side).items():
            number(mapping(entry, name)["factor"], f"{side} factor of {name}", 0)
            number(entry["explained"], f"{side} share explained of {name}")
