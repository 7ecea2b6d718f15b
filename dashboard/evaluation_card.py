"""What is shown of one evaluated micrograph."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.batch.table import named_latents_csv
from core.descriptors import FieldsSummary
from core.errors import CheckpointError
from core.evaluate import Evaluation, predict_together
from core.import_data.preflight import REFERENCE_SPECIMENS
from core.properties import PropertyModel
from core.reference_file import FILE, Reference
from core.stereology import Measurement
from dashboard import (
    components,
    descriptor_results,
    figures,
    pictures,
    results,
    state,
)
from dashboard.errors import escape
from dashboard.evaluations import Evaluated
from dashboard.measurements import Measured
from dashboard.state import Model
from dashboard.wording import Named, number, readers

SCALE_TOLERANCE = 0.15


def scale_remark(um_per_px: float | None, of_model: float | None) -> str | None:
    """Return a warning where the micrograph's scale is not the model's, None where it is.

    >>> scale_remark(1.1, 1.0) is None, scale_remark(None, 1.0) is None
    (True, False)
    """
    if of_model is None:
        return None
    if um_per_px is None:
        return (
            f"The scale of this micrograph is not known; it was taken to be the model's, "
            f"{of_model:g} µm per px. At another magnification everything below is about particles "
            "of the wrong size: give the scale in the form."
        )
    if abs(um_per_px / of_model - 1) <= SCALE_TOLERANCE:
        return None
    return (
        f"This micrograph has {number(um_per_px)} µm per px; it was scaled to the model's "
        f"{of_model:g} µm per px. Fine detail differs from what the model learned from, so take "
        "the predictions with care."
    )


def reference(model: Model) -> Reference | None:
    """Return what is usual for the model; where it is not known, say what that costs and why."""
    try:
        return state.reference(model)
    except CheckpointError as error:
        if (model.folder / FILE).is_file():
            st.warning(f"**What is usual for this model cannot be used.** {escape(str(error))}")
        few = model.manifest.get("specimens")
        why = "at least three specimens that it was not trained on"
        if isinstance(few, int) and few < REFERENCE_SPECIMENS:
            why += f", and its data set, of {few} in all, is too small to keep so many back"
        st.info(
            "**What is usual for this model is not known yet, so it cannot be told how unusual an "
            f"image is.** That takes {why}. Everything else works. To measure it on other "
            "micrographs (DIR is what it was trained on), then reload:"
        )
        command = f"python -m core.reference --model {model.place} --data OTHER_DIR --training DIR"
        st.code(command, language=None, wrap_lines=True)
        return None


def references(reference: Reference | None) -> dict[str, float]:
    """Return what a style error is compared with, best first."""
    if reference is None:
        return {}
    return {
        "fresh micrographs, median": reference.style_reconstruction_median,
        "fresh micrographs, 90 % below": reference.style_reconstruction_p90,
        "two patches, one specimen": reference.style_same_specimen,
        "two patches, two specimens": reference.style_other_specimen,
    }


def show(
    place: int,
    found: Evaluated,
    reference: Reference | None,
    named: Mapping[str, Named],
    of_model: float | None,
) -> DeltaGenerator:
    """Show one micrograph: verdict, predicted properties, patches beside their reconstructions.

    Returns:
        Where the rest belongs: the information bar, descriptors, `dashboard.similarity_card`.
    """
    one = found.evaluation
    with st.container(border=True, key=f"evaluation_{place}"):
        st.subheader(escape(one.name), anchor=False)
        _verdict(one)
        if remark := scale_remark(found.um_per_px, of_model):
            st.warning(remark)
        for note in one.notes:
            st.caption(f"On reading: {escape(note)}")
        left, right = st.columns([2, 3], gap="medium")
        left.image(
            found.preview,
            width="stretch",
            caption=f"The micrograph; squares: the {len(one.corners)} shown of {one.n_patches} "
            "patches evaluated.",
            alt=f"Micrograph {one.name} with numbered patches",
        )
        with right:
            if one.predictions:
                components.estimates(one.predictions, named, "Predicted from the micrograph")
                if told := readers(one.reading, named):
                    st.caption(escape(told))
            said = f"**Style error {number(one.style_error)}** (relative; 0 is the same style)"
            if one.distance is not None:
                said += f" · **distance {number(one.distance, 2)}** (no unit; 95 % of usual "
                said += "micrographs stay below 1)"
            st.markdown(said)
            st.plotly_chart(
                figures.style_scale(one.style_error, references(reference)),
                key=f"evaluation_chart_{place}",
                config=figures.CONFIG,
                alt=f"Style error of {one.name} beside its references",
            )
        st.markdown("**Patches: original on the left, reconstruction on the right**")
        components.gallery(
            [
                pictures.side_by_side(pair, 2, of_model if found.um_per_px else None)
                for pair in zip(one.originals, one.reconstructions, strict=True)
            ],
            [f"patch {i}" for i in range(1, len(one.originals) + 1)],
            [f"Patch {i}: original and reconstruction" for i in range(1, len(one.originals) + 1)],
            300,
            "small",
        )
        return st.container()


def _verdict(one: Evaluation) -> None:
    if one.unusual is None:
        st.info(f"**Not judged.** {escape(one.message)}")
    elif one.unusual:
        st.warning(f"**Unusual for this model.** {escape(one.message)}")
    else:
        st.success(f"**Usual for this model.** {escape(one.message)}")


def show_together(
    properties: PropertyModel | None,
    found: Sequence[Evaluated],
    named: Mapping[str, Named],
    pooled: FieldsSummary | None,
) -> None:
    """Show the properties that several micrographs suggest as fields of one specimen.

    Args:
        properties: the model's; found: the fields; named: the properties.
        pooled: what was measured in them; None where it was not.
    """
    if properties is None:
        return
    seen = None if pooled is None else (pooled.pooled.scalars(), pooled.pooled.area_mm2)
    reading = predict_together(properties, [one.evaluation for one in found], seen)
    heading = f"Predicted from {len(found)} fields together"
    components.estimates(reading.predicted, named, heading)
    if told := readers(reading, named):
        st.caption(escape(told))
    if unusual := sum(bool(one.evaluation.unusual) for one in found):
        st.warning(
            f"{unusual} of {len(found)} fields are outside the reference data: these values are "
            "indicative only."
        )


def downloads(
    found: Sequence[Evaluated],
    regressors: Sequence[Named],
    measured: Sequence[Measured],
    pooled: FieldsSummary | None,
    structures: Sequence[tuple[str, float | None, Measurement]],
    model: Model,
) -> None:
    """Offer the results, and the descriptors where there are any, as CSV."""
    latents = [(one.evaluation.name, one.evaluation.mean_latent) for one in found]
    files = {
        "evaluation": ("Results (CSV)", lambda: results.as_csv(found, regressors, model.cells)),
        "latents": ("Latents (CSV)", lambda: named_latents_csv(latents)),
    }
    if measured:
        made = descriptor_results.descriptors_csv
        files["descriptors"] = ("Descriptors (CSV)", lambda: made(measured, pooled))
    if structures:
        as_csv = descriptor_results.structures_csv
        files["structure"] = ("Phases and texture (CSV)", lambda: as_csv(structures))
    with st.container(horizontal=True):
        for name, (label, text) in files.items():
            st.download_button(
                label,
                lambda text=text: text().encode("utf-8-sig"),
                f"{name}.csv",
                "text/csv",
                key="evaluate_csv" if name == "evaluation" else f"evaluate_{name}_csv",
                on_click="ignore",
            )
