"""Networks with entries edited: refused when they are read, not when they are asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bayesnet.network import Network
from core.errors import CheckpointError
from tests.hostile.case import Case
from tests.hostile.model_folder import GONE, copied, edited, written

KIND, FILE = "networks", "network.json"


def _load(folder: Path) -> Network:
    network = Network.load(folder / FILE)
    _ = network.arcs(), network.design_joints, network.weights
    return network


def _case(name: str, says: str, *keys: Any, **value: Any) -> Case:
    return Case(
        name=name,
        category=KIND,
        make=edited(FILE, *keys, **value),
        read=_load,
        says=says,
        kind=CheckpointError,
    )


def _changes() -> Iterator[tuple[Any, ...]]:
    node, rule = ("nodes", 0), ("regimes", 0, "conditionals", 0)
    surface = ("support", "surfaces", 0)
    for name in ("mean", "scale", "low", "high"):
        for value in ("x", None, [], True):
            yield (f"a node whose {name} is {value!r}", *node, name, value)
    yield "a node of scale 0", *node, "scale", 0.0
    yield "a node of an unknown role", *node, "role", "admin"
    yield "a node of half an index", "nodes", 4, "index", 0.5
    yield "a latent beyond all", "nodes", 4, "index", 10**6
    yield "a node with a label of numbers", *node, "label", [1]
    yield "a node with a method", *node, "__class__", "x"
    yield "two nodes of one name", *node, "node", "radius_mm"
    yield "no node", "nodes", []
    yield "nodes that are a text", "nodes", "x"
    yield "a latent for a setting", *node, "role", "latent"
    yield "no regime", "regimes", []
    yield "a hundred regimes", "regimes", [{"weight": 0.01, "conditionals": []}] * 100
    yield "a weight of 2", "regimes", 0, "weight", 2.0
    yield "a weight that is a text", "regimes", 0, "weight", "x"
    yield "a weight below 0", "regimes", 0, "weight", -1.0
    yield "no conditional", "regimes", 0, "conditionals", []
    yield "a million conditionals", "regimes", 0, "conditionals", [{}] * 10**5
    yield "a conditional of deviation 0", *rule, "std", 0
    yield "a conditional below 0", *rule, "std", -1
    yield "a conditional that is a text", *rule, "std", "wide"
    yield "a parent that is not there", *rule, "parents", ["x"]
    yield "a parent that is a list", *rule, "parents", [["x"]]
    yield "more slopes than parents", *rule, "coefficients", [1.0]
    yield "a circle", *rule, "parents", ["ys_mpa"]
    yield "a slope beyond all", "regimes", 0, "conditionals", 1, "coefficients", [1e308]
    yield "patches that scatter by less than nothing", "within", 0, 0, -5.0
    yield "scatter that is not symmetric", "within", 0, 1, 99.0
    yield "scatter of texts", "within", 0, 0, "x"
    yield "scatter of another size", "within", [[1.0]]
    yield "specimens that are numbers", "specimens", [1] * 24
    yield "a specimen too few", "specimens", 0, GONE
    yield "a reach that is a text", "support", "reach", "far"
    yield "a reach below 0", "support", "reach", -1
    yield "support without surfaces", "support", "surfaces", GONE
    yield "one surface too few", *surface, GONE
    yield "a surface of length 0", *surface, "lengths", [0.0, 1.0, 1.0]
    yield "a surface of two lengths", *surface, "lengths", [1.0, 1.0]
    for name in ("centre", "scale", "sd", "r2", "noise"):
        yield f"a surface whose {name} is a text", *surface, name, "x"
    yield "a surface of scale 0", *surface, "scale", 0
    yield "a surface that is logarithmic in words", *surface, "log", "yes"
    yield "settings of another size", "support", "process", [[1.0]]
    yield "settings of null", "support", "process", 0, 0, None
    yield "scores of unequal length", "support", "scores", 0, [1.0]
    yield "an arc that weighs a text", "graph_arcs", 0, "weight", "x"
    yield "an arc that is certain in words", "graph_arcs", 0, "significant", "yes"
    yield "an arc from nowhere", "graph_arcs", 0, "parent", "x"
    yield "no calibration", "calibration", {}
    yield "calibration that is a list", "calibration", []
    yield "a setting without calibration", "calibration", "process", "mg_wt", GONE
    yield "a setting without widening", "calibration", "process", "mg_wt", "widening_90", GONE
    yield "a widening that is a text", "calibration", "process", "mg_wt", "widening_90", "x"
    yield "a property without calibration", "calibration", "properties", "uts_mpa", GONE
    yield "a half width below 0", "calibration", "properties", "uts_mpa", "half_width_90", -1.0
    yield "scores that are a list", "scores", []
    yield "a hash that is null", "model_hash", None
    yield "synthetic that is a word", "synthetic", "no"
    yield "notes that are objects", "notes", [{}]
    yield "means of texts", "latent_mean", 0, "x"


def _cases() -> Iterator[Case]:
    yield Case(name="as they should be", category=KIND, make=copied, read=_load)
    for name, *keys, value in _changes():
        yield _case(name, "network.json.*again", *keys, value=value)
    yield _case("an entry too many", "missing or unknown entries", "x", value=1)
    yield _case("an entry too few", "missing or unknown entries", "within")
    yield _case("another version", "another version", "version", value=1)
    yield _case("another format", "not a network", "format", value="x")
    for what, data in {"a list": b"[]", "nothing": b"", "null": b"null"}.items():
        yield Case(
            name=f"{what} for the file",
            category=KIND,
            make=written(FILE, data),
            read=_load,
            says="network.json",
            kind=CheckpointError,
        )


CASES = tuple(_cases())
