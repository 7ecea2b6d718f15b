"""One micrograph of a batch as a row: what it is to the model, or why it could not be read."""

import io
import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.batch.sources import Source
from core.checkpoint import LoadedModel
from core.descriptors import describe
from core.errors import InputError, MicroDesignError
from core.evaluate import evaluate_image, with_structure
from core.exports.scale_bar import with_scale_bar
from core.exports.spreadsheet import descriptor_cells, structure_reasons
from core.images import Micrograph, read_image
from core.info_bar import find_info_bar, without_info_bar
from core.measured_columns import Kind
from core.microscope_text import with_text_scale
from core.properties import PropertyModel
from core.reference import Reference
from core.regressor import Prediction
from core.stereology import Measurement, measure_in_um

THUMBNAIL_PX = 128
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a batch's table; small, whatever the size of the micrograph.

    Attributes:
        name: of the file.
        problem: why it could not be evaluated; then everything below is empty.
        size_px: (height, width) as evaluated, without its information bar.
        um_per_px: its scale, None where it is not known.
        predictions: property -> value with 90 % interval.
        distance: beyond 1 it is unusual; unusual: whether it is; both None where it is not known
            what is usual for the model.
        descriptors: cells under `core.exports.spreadsheet.DESCRIPTOR_HEADER`; empty: not measured.
        structure: what was measured as on any material; None: not measured.
        mean_latent: (D,) over its patches.
        thumbnail: JPEG with a scale bar.
        remarks: what was done on reading, and what could not be measured.
    """

    name: str
    problem: str | None = None
    size_px: tuple[int, int] | None = None
    um_per_px: float | None = None
    predictions: dict[str, Prediction] | None = None
    distance: float | None = None
    unusual: bool | None = None
    descriptors: tuple[object, ...] = ()
    structure: Measurement | None = None
    mean_latent: NDArray[np.float32] | None = None
    thumbnail: bytes | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """What evaluates the micrographs of a batch.

    Attributes:
        loaded: the model; properties: None where it predicts none; reference: what is usual, None
            where that was not measured.
        um_per_px: goes before the scale in the files, for all of them.
        measured: "graphite": graphite and grains, where the scale is known; "phases": what any
            material has; None: nothing.
    """

    loaded: LoadedModel
    properties: PropertyModel | None
    reference: Reference | None
    um_per_px: float | None = None
    measured: Kind | None = "graphite"


def evaluate_all(evaluator: Evaluator, sources: Iterable[Source]) -> Iterator[Row]:
    """Yield a row for each file, one micrograph in memory at a time; bad files never stop it."""
    for source in sources:
        yield evaluate_source(evaluator, source)


def evaluate_source(evaluator: Evaluator, source: Source) -> Row:
    """Read and evaluate one file; what goes wrong becomes its row's problem."""
    try:
        micrograph = read_image(source.load(), source.name)
        if source.beside is not None:
            micrograph = with_text_scale(micrograph, source.beside)
        if evaluator.um_per_px is not None:
            micrograph = replace(micrograph, um_per_px=evaluator.um_per_px)
        micrograph = without_info_bar(micrograph, find_info_bar(micrograph.pixels))
        return _evaluated(evaluator, source.name, micrograph)
    except MicroDesignError as error:
        return Row(name=source.name, problem=str(error))
    except Exception:  # a defect of ours must not cost the other files
        number = uuid.uuid4().hex[:8]
        fields = {"event": "error", "id": number}  # the id that the row shows
        logger.exception("error %s", number, extra={"fields": fields})
        return Row(
            name=source.name,
            problem=f"something went wrong, not the file's doing; it is in the log as {number}",
        )


def _evaluated(evaluator: Evaluator, name: str, micrograph: Micrograph) -> Row:
    found = evaluate_image(
        evaluator.loaded, evaluator.properties, evaluator.reference, micrograph, n_patches=1
    )
    cells: tuple[object, ...] = ()
    structure = None
    remarks = list(found.notes)
    if evaluator.measured == "phases":
        structure = measure_in_um(micrograph.pixels, micrograph.um_per_px)
        if (scale := micrograph.um_per_px) is not None:
            area_mm2 = micrograph.pixels.size * scale**2 * 1e-6
            found = with_structure(found, evaluator.properties, (structure.values, area_mm2))
        remarks += structure_reasons(structure)
    elif evaluator.measured and micrograph.um_per_px is None:
        remarks.append("descriptors need a scale")
    elif evaluator.measured:
        try:
            measured = describe(micrograph.pixels, micrograph.um_per_px or 0.0)
            of = (measured.scalars(), measured.area_mm2)
            found = with_structure(found, evaluator.properties, of)
            cells = tuple(descriptor_cells(measured))
            remarks += [*measured.notes, *filter(None, [measured.grain_reason])]
        except InputError as error:
            remarks.append(f"no descriptors: {error}")
    height, width = micrograph.pixels.shape
    return Row(
        name=name,
        size_px=(height, width),
        um_per_px=micrograph.um_per_px,
        predictions=found.predictions,
        distance=found.distance,
        unusual=found.unusual,
        descriptors=cells,
        structure=structure,
        mean_latent=found.mean_latent,
        thumbnail=thumbnail(micrograph.pixels, micrograph.um_per_px),
        remarks=tuple(remarks),
    )


def thumbnail(pixels: NDArray[np.float32], um_per_px: float | None) -> bytes:
    """Return a small JPEG of a micrograph (H, W), its longer side 128 px, with a scale bar."""
    side = max(pixels.shape)
    shrink = max(side / THUMBNAIL_PX, 1.0)
    size = tuple(max(round(n / shrink), 1) for n in pixels.shape[::-1])
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)  # float32: mode F
    grey = np.clip(np.asarray(small), 0, 1)
    scale = um_per_px * shrink if um_per_px and grey.shape[1] >= THUMBNAIL_PX // 2 else None
    buffer = io.BytesIO()
    with_scale_bar(grey, scale).save(buffer, format="JPEG", quality=85)
    return buffer.getvalue()
