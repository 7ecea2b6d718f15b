"""Evaluate an uploaded micrograph: what it is, how well the model knows it, what it would bear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.errors import InputError
from core.images import Micrograph
from core.metrics.catalogue import compare, load_metrics
from core.patches import cut_at, independent_patches, spread_patches
from core.picture_style import style_errors
from core.properties import READ_PATCHES, PropertyModel, Reading
from core.reference_file import Reference
from core.regressor import Prediction
from core.scale import to_scale
from core.seen import Seen
from core.synthesis import decode_patches, encode_with_style
from core.unusual import Judgement, verdict

NOT_JUDGED = "It is not known what is usual for this model, so this micrograph was not judged."


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the model says about one micrograph.

    Attributes:
        name: of the file, for display.
        pixels: (H, W) float32, resampled to the model's scale where the image's is known.
        um_per_px: of ``pixels``; None when the image's scale is not known.
        notes: what was done to the image on reading.
        corners: (n, 2) of the patches shown; originals and reconstructions: (n, 128, 128).
        style_errors: (n,) relative style error of each reconstruction shown, mean over the layers.
        predictions: property -> value with 90 % interval.
        distance: how unusual; beyond 1.0 (the limit that 5 % of fresh fields exceed) it is. None
            where it is not known what is usual for the model.
        unusual: whether it is; None likewise.
        graphite: whether an unusual one looks like a graphite iron; None where it is usual, or the
            reference data do not.
        message: the verdict in plain words; `NOT_JUDGED` where there is none.
        mean_latent: (D,) over all patches used.
        n_patches: how many were used for latent and predictions.
        n_independent: how many of them fit side by side: what the intervals go by.
        reading: what latents and measured structure say alone, see `with_structure`; None where
            ``predictions`` are by the latents.
    """

    name: str
    pixels: NDArray[np.float32]
    um_per_px: float | None
    notes: tuple[str, ...]
    corners: NDArray[np.intp]
    originals: NDArray[np.float32]
    reconstructions: NDArray[np.float32]
    style_errors: NDArray[np.float64]
    predictions: dict[str, Prediction]
    distance: float | None
    unusual: bool | None
    graphite: bool | None
    message: str
    mean_latent: NDArray[np.float32]
    n_patches: int
    n_independent: int
    reading: Reading | None = None

    @property
    def style_error(self) -> float:
        """Median of the style errors of the reconstructions shown."""
        return float(np.median(self.style_errors))


def evaluate_image(
    loaded: LoadedModel,
    properties: PropertyModel | None,
    reference: Reference | None,
    micrograph: Micrograph,
    *,
    n_patches: int = 6,
    seed: int = 0,
) -> Evaluation:
    """Evaluate one micrograph with a trained model.

    Args:
        loaded: the model.
        properties: predicts properties from the mean latent; None where the data have none.
        reference: what is usual for the model; None where it was not measured: nothing is judged.
        micrograph: at least one patch (128 px) wide and high at the model's scale.
        n_patches: how many patches to reconstruct and show, far apart.
        seed: of the decoder's noise.

    Raises:
        InputError: the micrograph is too small, or its scale is too far from the model's.
        CheckpointError: the property models or the reference do not belong to the model.
    """
    if reference is not None:
        reference.require_model(loaded.hash)
    if properties is not None:
        properties.require_model(loaded.hash)
    size = loaded.config.patch_px
    pixels, notes = to_scale(micrograph, loaded.um_per_px)
    if min(pixels.shape) < size:
        raise InputError(
            f"{micrograph.name} is {pixels.shape[1]} x {pixels.shape[0]} px at the model's scale; "
            f"at least {size} x {size} px are needed"
        )
    corners = spread_patches(pixels, size, READ_PATCHES)
    patches = cut_at(pixels, corners, size)
    mu, style = encode_with_style(loaded, patches)
    mean_latent = mu.mean(axis=0)
    shown = far_apart(corners, n_patches)
    remade = decode_patches(loaded, mu[shown], size, size, seed)
    independent = independent_patches(pixels, size, len(corners))
    judgement = None if reference is None else reference.judge(mu, style, independent)
    told = reference is not None and reference.graphite and judgement and judgement.unusual
    graphite = looks_like_graphite_iron(pixels) if told else None
    return Evaluation(
        name=micrograph.name,
        pixels=pixels,
        um_per_px=micrograph.um_per_px and loaded.um_per_px,
        notes=(*micrograph.notes, *notes),
        corners=corners[shown],
        originals=patches[shown],
        reconstructions=remade,
        style_errors=style_errors(loaded, patches[shown], remade).mean(axis=1),
        predictions=properties.predict(mean_latent, independent) if properties else {},
        distance=judgement.distance if judgement else None,
        unusual=judgement.unusual if judgement else None,
        graphite=graphite,
        message=verdict(judgement, graphite) if judgement else NOT_JUDGED,
        mean_latent=mean_latent,
        n_patches=len(corners),
        n_independent=independent,
    )


def far_apart(corners: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return the places, ascending, of at most ``count`` corners that lie far from one another.

    From the first corner on, the next is always the one whose nearest chosen corner is farthest, so
    that the patches are spread over rows and columns alike.

    Args:
        corners: (n, 2), row and column in px.
        count: 1 or more.

    >>> far_apart(np.array([[0, 0], [0, 9], [5, 4], [9, 0], [9, 9]]), 3)
    array([0, 1, 4])
    """
    chosen, nearest = [0], ((corners - corners[0]) ** 2).sum(axis=1)  # (n,) squared px
    while len(chosen) < min(count, len(corners)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((corners - corners[chosen[-1]]) ** 2).sum(axis=1))
    return np.sort(np.array(chosen, dtype=np.intp))


def judge_micrograph(
    loaded: LoadedModel, reference: Reference, micrograph: Micrograph
) -> Judgement:
    """Say how far a micrograph lies from what is usual, as `evaluate_image` does, without the rest.

    Raises:
        InputError: as `evaluate_image`.
        CheckpointError: the reference does not belong to the model.
    """
    reference.require_model(loaded.hash)
    size = loaded.config.patch_px
    pixels = to_scale(micrograph, loaded.um_per_px)[0]
    corners = spread_patches(pixels, size, READ_PATCHES)
    mu, style = encode_with_style(loaded, cut_at(pixels, corners, size))
    return reference.judge(mu, style, independent_patches(pixels, size, len(corners)))


def predict_together(
    properties: PropertyModel,
    fields: Sequence[Evaluation],
    measured: Seen | None = None,
) -> Reading:
    """Predict properties of one specimen from several of its micrographs.

    Args:
        properties: the model's.
        fields: evaluations of the micrographs; every patch counts alike.
        measured: in them all, pooled; None where nothing was.

    Returns:
        What latents and, where it was measured, structure say, weighed together.
    """
    weights = [one.n_patches for one in fields]
    mean = np.average([one.mean_latent for one in fields], axis=0, weights=weights)
    values, area_mm2 = ({}, 0.0) if measured is None else measured
    count = sum(one.n_independent for one in fields)
    return properties.read(mean, count, values, area_mm2)


def with_structure(
    found: Evaluation, properties: PropertyModel | None, measured: Seen | None
) -> Evaluation:
    """Return an evaluation whose properties are predicted from its measured structure, too.

    Args:
        found: by the latents alone.
        properties: the model's; None: nothing is predicted.
        measured: in the same micrograph; None where nothing was.
    """
    if properties is None or measured is None:
        return found
    reading = predict_together(properties, [found], measured)
    return replace(found, predictions=reading.predicted, reading=reading)


def similarity(
    loaded: LoadedModel, evaluation: Evaluation
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Compare the patches shown with their reconstructions by every metric that can be had here.

    Returns:
        Metric (`core.metrics.catalogue`) -> (n,) of the patches, and why others cannot be had:
        metric -> reason.
    """
    metrics, missing = load_metrics(loaded.vgg, loaded.config.patch_px)
    others = {name: metric for name, metric in metrics.items() if name != "style"}
    # The style errors are known: VGG19 need not see the patches again.
    found = {"style": evaluation.style_errors} if "style" in metrics else {}
    return found | compare(others, evaluation.originals, evaluation.reconstructions), missing
