"""Evaluated micrographs as one HTML page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

import core
from core.evaluate import Evaluation
from core.exports.html import Block, Picture, Row, Said, Section, Table, Text, Tone, page
from core.exports.scale_bar import png, with_scale_bar
from core.reference import Reference
from core.regressor import Regressor
from core.wording import interval, number, quantity, readers

GAP_PX = 8
SYNTHETIC = (
    "The model was trained on simulated micrographs with computed properties, not on measured "
    "ones: predicted properties are not those of a real foundry."
)
METHOD = (
    "Patches of the micrograph were encoded by a variational autoencoder over VGG19 texture "
    "features (TextureVAE, CEUR-WS Vol-2964, article 59, 2021). Properties are predicted from "
    "their mean latent, and from the structure measured where the model knows how. The distance "
    "says how far the patches lie from what the model knows: 95 % of usual micrographs stay "
    "below 1. The style error compares patches with their reconstructions; 0 is the same style."
)

SIMILARITY = (
    "Reconstructions beside their patches by every metric, mean and median over the patches shown, "
    "no unit."
)
REFERENCES = (
    " Usual: reconstructions of micrographs new to the model. Same and other specimen: two real "
    "patches of one specimen, and of two; each with its mean, the mean's 95 % interval and the "
    "median."
)
VERDICTS: dict[bool | None, tuple[str, Tone]] = {
    True: ("Unusual for this model.", "caution"),
    False: ("Usual for this model.", "good"),
    None: ("Not judged.", "plain"),
}


@dataclass(frozen=True, slots=True)
class Reported:
    """A micrograph for the report.

    Attributes:
        evaluation: of it; only its patches are used, not its pixels.
        preview: PNG of the micrograph with its patches marked.
        sha256: of the file, None where there is none.
        um_per_px: the file's own scale, before it was brought to the model's; None: unknown.
        similarity: rows of metrics beside their references, each heading -> text; none alike.
        descriptors: rows of what was measured on the whole micrograph, likewise.
        outlined: PNG of the micrograph with what was measured outlined; None where nothing was.
        remarks: on the measurement.
    """

    evaluation: Evaluation
    preview: bytes
    sha256: str | None
    um_per_px: float | None
    similarity: Sequence[Mapping[str, str]] = ()
    descriptors: Sequence[Mapping[str, str]] = ()
    outlined: bytes | None = None
    remarks: Sequence[str] = ()


def evaluation_report(
    found: Sequence[Reported],
    model_name: str,
    manifest: Mapping[str, Any],
    properties: Sequence[Regressor],
    intervals: Iterable[str],
    reference: Reference | None,
) -> str:
    """Return the report of evaluated micrographs in HTML.

    Args:
        found: the micrographs, in order.
        model_name: for people; manifest: content of the model's `manifest.json`.
        properties: the model's property predictors, for labels and units.
        intervals: on what their intervals were calibrated (`core.calibrate.intervals_from`).
        reference: what is usual for the model; None where that is not known.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    about = f"MicroDesign {core.__version__} · evaluated {now} · {model_name}"
    blocks: list[Block] = [Text(about, small=True)]
    if manifest.get("synthetic"):
        blocks.append(Said("Synthetic.", SYNTHETIC, "caution"))
    scale = manifest.get("um_per_px")
    known = float(scale) if isinstance(scale, (int, float)) and scale > 0 else None
    blocks += [_section(one, properties, reference, known) for one in found]
    said = [f"90 % intervals of properties: {one}." for one in sorted(set(intervals))]
    blocks += [
        Section("Method", [Text(text) for text in (METHOD, *said)]),
        Section("Origin", [_origin(found, manifest)]),
    ]
    return page(f"Evaluation of {_many(len(found))}", blocks)


def _many(count: int) -> str:
    return f"{count} micrograph{'' if count == 1 else 's'}"


def _section(
    one: Reported,
    properties: Sequence[Regressor],
    reference: Reference | None,
    of_model: float | None,
) -> Section:
    found = one.evaluation
    side = found.originals.shape[1]
    scale = of_model if found.um_per_px else None
    length = f"{side} px" + (f", {side * scale:g} µm" if scale else "")
    own = "not known" if one.um_per_px is None else f"{one.um_per_px:g} µm per px"
    heading, tone = VERDICTS[found.unusual]
    blocks: list[Block] = [Said(heading, found.message, tone)]
    blocks += [Text(f"On reading: {note}.", small=True) for note in found.notes]
    caption = (
        f"Scale of the file: {own}. The numbered squares are the patches shown, {length} wide."
    )
    blocks.append(Picture(one.preview, caption, f"{found.name} with numbered patches", 560))
    if found.predictions:
        blocks.append(_predictions(one, properties))
        if told := readers(found.reading, {p.column: p for p in properties}):
            blocks.append(Text(told, small=True))
    rows = [["This micrograph", number(found.style_error)], *_usual_rows(reference)]
    blocks.append(Table(["Relative style error (no unit)", ""], rows))
    if one.similarity:
        said = SIMILARITY + (REFERENCES if reference is not None else "")
        blocks += [Text(said), _of_rows(one.similarity)]
    blocks.append(Row(_pairs(found, scale)))
    if one.outlined is not None:
        caption = "Outlined: what was measured, on the whole micrograph at its own scale."
        blocks.append(Picture(one.outlined, caption, f"{found.name} with outlines", 560))
    if one.descriptors:
        blocks.append(_of_rows(one.descriptors))
    blocks += [Text(remark, small=True) for remark in one.remarks]
    return Section(found.name, blocks)


def _usual_rows(reference: Reference | None) -> list[list[str]]:
    if reference is None:
        return []
    return [
        ["Fresh micrographs, median", number(reference.style_reconstruction_median)],
        ["Fresh micrographs, 90 % below", number(reference.style_reconstruction_p90)],
        ["Two patches of one specimen", number(reference.style_same_specimen)],
        ["Two patches of two specimens", number(reference.style_other_specimen)],
    ]


def _of_rows(rows: Sequence[Mapping[str, str]]) -> Table:
    return Table(list(rows[0]), [list(row.values()) for row in rows])


def _predictions(one: Reported, properties: Sequence[Regressor]) -> Table:
    named = {p.column: p for p in properties}
    rows = [
        [named[n].label, quantity(p.value, named[n].unit), interval(p, named[n].unit)]
        for n, p in one.evaluation.predictions.items()
        if n in named
    ]
    return Table(["Property", "Predicted from the micrograph", "90 % interval"], rows)


def _pairs(found: Evaluation, scale: float | None) -> list[Picture]:
    """Return each patch beside its reconstruction, with a scale bar under both."""
    pictures = []
    for place, (original, remade) in enumerate(
        zip(found.originals, found.reconstructions, strict=True), start=1
    ):
        gap = np.ones((len(original), GAP_PX), np.float32)
        both = np.concatenate([original, gap, remade], axis=1)
        caption = f"Patch {place}: original, reconstruction"
        pictures.append(Picture(png(with_scale_bar(both, scale, 2)), caption, caption, 264))
    return pictures


def _origin(found: Sequence[Reported], manifest: Mapping[str, Any]) -> Table:
    rows = [
        ["Model, sha256 of its weights", str(manifest.get("weights_sha256") or "not recorded")],
        ["Data of the model", str(manifest.get("data_name") or "not recorded")],
        ["Data, sha256", str(manifest.get("data_hash") or "not recorded")],
        *([f"{one.evaluation.name}, sha256", one.sha256] for one in found if one.sha256),
        ["Version", f"MicroDesign {core.__version__}"],
    ]
    return Table(["What", "Which"], rows)
