"""The labels of a model: ``labels.json`` in its folder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from core.errors import CheckpointError
from core.files import read_json, write_json
from core.json_values import mapping, number, rounded, text, truth, whole
from core.labels.effects import Curve
from core.labels.influence import LEAST_INFLUENCE
from core.labels.naming import NO_EFFECT, UNUSED, WEAK_MOVE, Effect, label_text
from core.labels.quantities import QUANTITIES

FILE = "labels.json"
FORMAT = 1
DIGITS, CURVE_DIGITS = 5, 3  # that are kept of each figure, and of curves, which are drawn
_QUANTITIES = {quantity.name for quantity in QUANTITIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """A latent dimension, or a principal direction of the specimens, and what it does.

    Attributes:
        name: ``z12`` for latent 12, ``d1`` for the first principal direction.
        kind: which of the two.
        index: of the latent from 0, or of the principal direction from 1.
        vector: (D,) unit vector of a principal direction; () for a latent.
        explained: share of the variance between specimens' means that lies along it.
        sd_patches, sd_specimens: standard deviation of the training set's patches, and of its
            specimens' means, along it.
        low, high: 5 % and 95 % of the training set's patches: what traversals go beyond.
        named: quantity and sign of what the label names, strongest first.
        set_clear: quantity and sign of all that each of the two sets of starts alone would call
            clear, strongest first.
        effects: every effect that could be estimated, in the order of the quantities.
        curves: quantity -> curve along the traversal.
        influence: of a latent on designs (`core.labels.influence`); None where it is not known.
    """

    name: str
    kind: Literal["latent", "specimens"]
    index: int
    vector: tuple[float, ...]
    explained: float
    sd_patches: float
    sd_specimens: float
    low: float
    high: float
    named: tuple[tuple[str, int], ...]
    set_clear: tuple[tuple[tuple[str, int], ...], ...]
    effects: tuple[Effect, ...]
    curves: dict[str, Curve]
    influence: float | None = None

    @property
    def used(self) -> bool:
        """Whether designs use it, as far as is known."""
        return self.influence is None or self.influence >= LEAST_INFLUENCE

    @property
    def label(self) -> str:
        """What it does in words: "nodularity +, particle count −", or "no clear effect"."""
        if not self.named and not self.used:
            return f"{NO_EFFECT}, {UNUSED}"
        moves = {effect.quantity: abs(effect.move) for effect in self.effects}
        strongest = max((moves[name] for name, _ in self.named), default=0.0)
        return label_text(self.named, strongest < WEAK_MOVE)

    @property
    def title(self) -> str:
        """Name and label."""
        return f"{self.name}: {self.label}"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the directions of a model's latent space do, measured on traversals.

    Attributes:
        model_hash: of the weights; data_name, data_hash: of the data that starts and spreads are
            taken from; synthetic: whether those are simulated.
        um_per_px: scale of the fields measured.
        plan: values, starts, size_px and so on (`core.labels.traversals.Plan`); "finishing": what
            finished the pictures (`core.denoiser.store.identity`), not there in older files.
        spreads: quantity -> standard deviation over the training specimens.
        dimensions: the active latents, in order.
        directions: principal directions of the specimens' means, the strongest first.
        figures: stability, independence, entanglement, size and sparsity.
    """

    model_hash: str
    data_name: str
    data_hash: str
    synthetic: bool
    um_per_px: float
    plan: dict[str, Any]
    spreads: dict[str, float]
    dimensions: tuple[Direction, ...]
    directions: tuple[Direction, ...]
    figures: dict[str, Any]

    @cached_property
    def by_index(self) -> dict[int, Direction]:
        """Latent -> its direction."""
        return {direction.index: direction for direction in self.dimensions}

    def require_model(self, model_hash: str) -> None:
        """Check that these are of a model.

        Raises:
            CheckpointError: they are of another one.
        """
        if self.model_hash != model_hash:
            raise CheckpointError(
                f"{FILE} holds the labels of another model; run python -m core.labels again"
            )


def latent_title(labels: Labels | None, index: int) -> str:
    """Return what a latent is called everywhere: its number, and its label where it has one.

    Args:
        labels: of the model; None where its latents have not been named.
        index: the latent, from 0.

    Example:
        >>> latent_title(None, 12)
        'z12'
    """
    direction = labels.by_index.get(index) if labels else None
    return direction.title if direction else f"z{index}"


def save_labels(folder: Path, labels: Labels) -> None:
    """Write ``labels.json`` into a model folder."""
    content = {field.name: getattr(labels, field.name) for field in fields(labels)}
    for name in ("dimensions", "directions"):
        content[name] = [asdict(direction) for direction in content[name]]
        for direction in content[name]:
            direction["curves"] = rounded(direction["curves"], CURVE_DIGITS)
    write_json(Path(folder) / FILE, {"format": FORMAT} | rounded(content, DIGITS), compact=True)


def load_labels(folder: Path) -> Labels:
    """Read ``labels.json`` of a model folder.

    Raises:
        CheckpointError: missing, damaged or of another format.
    """
    path = Path(folder) / FILE
    content = read_json(path)
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise CheckpointError(
            f"{path} holds no labels of format {FORMAT}; run python -m core.labels again"
        )
    try:
        for name in ("dimensions", "directions"):
            content[name] = tuple(_direction(entry) for entry in content[name])
        labels = Labels(**content)
        _check(labels)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            f"{path} is damaged: {error}; run python -m core.labels again"
        ) from error
    return labels


def _direction(entry: Mapping[str, Any]) -> Direction:
    """Return a direction from its JSON form; anything amiss raises one of the usual errors."""
    found = dict(entry)
    for name in ("explained", "sd_patches", "sd_specimens", "low", "high"):
        number(found[name], name)
    text(found["name"], "name")
    whole(found["index"], "index")
    found["vector"] = _numbers(found["vector"])
    found["named"] = _named(found["named"])
    found["set_clear"] = tuple(_named(some) for some in found["set_clear"])
    found["effects"] = tuple(_effect(effect) for effect in found["effects"])
    found["curves"] = {
        str(name): Curve(**{key: _numbers(values) for key, values in curve.items()})
        for name, curve in found["curves"].items()
    }
    return Direction(**found)


def _effect(entry: Mapping[str, Any]) -> Effect:
    found = Effect(**entry)
    for name in ("slope", "low", "high", "standardised", "move", "monotonicity", "share"):
        number(getattr(found, name), name)
    for name in ("recurs", "clear"):
        truth(getattr(found, name), name)
    whole(found.starts, "starts")
    return found


def _named(pairs: Iterable[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    found = tuple((text(name, "named"), int(sign)) for name, sign in pairs)
    if odd := [pair for pair in found if pair[0] not in _QUANTITIES or pair[1] not in (1, -1)]:
        raise ValueError(f"{odd[0]} names no effect")
    return found


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(number(value, "an entry") for value in values)


def _check(labels: Labels) -> None:
    """Check what pages and comparisons rely on."""
    for name in ("model_hash", "data_name", "data_hash"):
        text(getattr(labels, name), name)
    truth(labels.synthetic, "synthetic")
    mapping(labels.figures, "figures")
    values = _numbers(labels.plan["values"])
    _numbers((labels.um_per_px, *labels.spreads.values()))
    for direction in (*labels.dimensions, *labels.directions):
        _numbers(() if direction.influence is None else (direction.influence,))
        if direction.kind not in ("latent", "specimens"):
            raise ValueError(f"{direction.name} is of kind {direction.kind!r}")
        for effect in direction.effects:
            if effect.quantity not in labels.spreads:
                raise ValueError(f"{effect.quantity!r} has no spread")
        if lost := {name for name, _ in direction.named} - {e.quantity for e in direction.effects}:
            raise ValueError(f"{direction.name} is named by {lost.pop()!r}, which has no effect")
        for curve in direction.curves.values():
            if {len(values)} != {len(curve.mean), len(curve.low), len(curve.high)}:
                raise ValueError(f"a curve of {direction.name} has not {len(values)} values")
