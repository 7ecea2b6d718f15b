"""What is normal for a model: style references and where usual micrographs lie, kept with it.

``reference.json`` and ``reference.safetensors`` in the model's folder, made by `core.reference`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from core.errors import CheckpointError, InputError
from core.files import read_json, settled, sha256_file, write_together
from core.json_values import mapping, number, numbers, text, truth, whole
from core.properties import READ_PATCHES
from core.style_vector import layer_slices
from core.tensors import read_tensors
from core.unusual import Judgement
from core.usual import UsualSpace

FILE, TENSORS = "reference.json", "reference.safetensors"
FORMAT = 2
MAX_BYTES = 2**28
SPACES = ("latent", "style")

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Style references and where usual micrographs lie.

    Attributes:
        model_hash: of the model's weights.
        data_name, data_hash: what the limits were measured on; the hash is "" in older files.
            ``patches`` and ``images`` say how many.
        style_reconstruction_median, style_reconstruction_p90: relative style error of patches
            against their reconstructions.
        style_same_specimen, style_other_specimen: median relative style error between two
            non-overlapping patches of one specimen, and of two specimens.
        latent, style: where the patches lie that the model has learned from, by latents and by
            style vectors.
        limits: of a micrograph's distances (latent, style) by `READ_PATCHES` patches: one of the
            two is exceeded by 5 % of usual micrographs. patch_limits: the same of single patches.
        layer_limits: of the style vector by layer of VGG19, 95 % quantiles.
        distances: of the usual micrographs, over their limits, ascending.
        graphite: whether the usual micrographs look like graphite irons.
        metrics: metric (`core.metrics`) -> "reconstruction", "same_specimen", "other_specimen" ->
            mean, its 95 % interval ("low", "high"), median and number of pairs "n".
    """

    model_hash: str
    data_name: str
    images: int
    patches: int
    style_reconstruction_median: float
    style_reconstruction_p90: float
    style_same_specimen: float
    style_other_specimen: float
    latent: UsualSpace
    style: UsualSpace
    limits: tuple[float, float]
    patch_limits: tuple[float, float]
    layer_limits: tuple[float, ...]
    distances: tuple[float, ...]
    graphite: bool
    metrics: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    data_hash: str = ""

    def require_model(self, model_hash: str) -> None:
        """Refuse another model than the one that this belongs to.

        Raises:
            CheckpointError: it is another.
        """
        if model_hash != self.model_hash:
            raise CheckpointError(
                f"{FILE} was measured for another model (weights {self.model_hash[:12]}, not "
                f"{model_hash[:12]}); run core.reference again"
            )

    def judge(
        self,
        mu: NDArray[np.floating],
        style: NDArray[np.floating],
        independent: int | None = None,
    ) -> Judgement:
        """Return how far patches of one micrograph lie from the usual ones.

        Args:
            mu, style: of its patches, (N, D) and (N, 3072) (`core.synthesis.encode_with_style`).
            independent: how many of them do not overlap; all of them for None.
        """
        count = min(independent or len(mu), READ_PATCHES)
        # The distances hardly depend on the number of patches; what they do is between these two.
        share = (count**-0.5 - READ_PATCHES**-0.5) / (1 - READ_PATCHES**-0.5)
        limits = np.array(self.limits) * (1 - share) + np.array(self.patch_limits) * share
        found = micrograph_distances(self.latent, self.style, mu, style, count) / limits
        by_layer = layer_distances(self.style, style) / np.array(self.layer_limits)
        return Judgement(
            latent=float(found[0]),
            style=float(found[1]),
            layer=list(layer_slices())[int(by_layer.argmax())],
            nearer=int(np.searchsorted(self.distances, found.max())),
            usual=len(self.distances),
        )


def micrograph_distances(
    latent: UsualSpace,
    style: UsualSpace,
    mu: NDArray[np.floating],
    vectors: NDArray[np.floating],
    independent: int,
) -> Array:
    """Return a micrograph's distances by latents and by style vectors, (2,)."""
    return np.array([latent.distance(mu, independent), style.distance(vectors, independent)])


def layer_distances(space: UsualSpace, vectors: NDArray[np.floating]) -> Array:
    """Return how far a micrograph's mean style vector is off in each layer, (6,), root mean square.

    Args:
        space: of style vectors.
        vectors: (N, 3072), one a patch.
    """
    mean = space.standardise(vectors).mean(axis=0)
    return np.array([np.sqrt(np.mean(mean[part] ** 2)) for part in layer_slices().values()])


def save_reference(folder: Path, reference: Reference) -> None:
    """Write a reference into a model folder, both its files or neither.

    Raises:
        StorageError: the folder cannot be written; what was there is as it was.
    """
    tensors = {
        f"{space}.{name}": torch.from_numpy(getattr(getattr(reference, space), name)).float()
        for space in SPACES
        for name in UsualSpace.__slots__
    }
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    plain = [f.name for f in fields(Reference) if f.name not in SPACES]
    content: dict[str, Any] = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest()}
    content |= {name: getattr(reference, name) for name in plain}
    write_together(folder, {TENSORS: data}, FILE, content)


def load_reference(folder: Path) -> Reference:
    """Read the reference of a model folder.

    Raises:
        CheckpointError: missing, damaged, or of an older version.
    """
    content = read_json(folder / FILE)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{folder / FILE} comes from another version of MicroDesign, which judged unusual "
            "micrographs otherwise; run core.reference again"
        )
    path = settled(folder / TENSORS, content.get("sha256"))
    tensors = read_tensors(path, MAX_BYTES)
    if content.get("sha256") != sha256_file(path):
        raise CheckpointError(
            f"{folder / TENSORS} is not the file that {FILE} describes; run core.reference again"
        )
    try:
        plain = {name: content[name] for name in content if name not in ("format", "sha256")}
        plain.setdefault("data_hash", "")
        for name in ("limits", "patch_limits", "layer_limits", "distances"):
            plain[name] = numbers(plain[name], name)
        for name in ("model_hash", "data_name", "data_hash"):
            text(plain[name], name)
        for name in ("images", "patches"):
            whole(plain[name], name)
        for name in (n for n in plain if n.startswith("style_")):
            number(plain[name], name, 0)
        truth(plain["graphite"], "graphite")
        for metric, arms in mapping(plain["metrics"], "metrics").items():
            for arm, figures in mapping(arms, metric).items():
                for figure, value in mapping(figures, arm).items():
                    number(value, f"{metric}, {arm}, {figure}")
        for name, count in (("limits", 2), ("patch_limits", 2), ("layer_limits", 6)):
            if len(plain[name]) != count or min(plain[name]) <= 0:
                raise ValueError(f"{name} must be {count} positive numbers")
        if list(plain["distances"]) != sorted(plain["distances"]):
            raise ValueError("distances must ascend")
        style = _read_space(tensors, "style")
        if len(style.centre) != (length := max(part.stop for part in layer_slices().values())):
            raise ValueError(f"style vectors have {len(style.centre)} entries, not {length}")
        return Reference(latent=_read_space(tensors, "latent"), style=style, **plain)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise CheckpointError(
            f"{folder / FILE} is damaged: {error}; run core.reference again"
        ) from error


def _read_space(tensors: Mapping[str, torch.Tensor], space: str) -> UsualSpace:
    return UsualSpace(
        *(tensors[f"{space}.{name}"].double().numpy() for name in UsualSpace.__slots__)
    )
