"""What is shown of one evaluated micrograph."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.batch.table import named_latents_csv
from core.descriptors import FieldsSummary
from core.errors import CheckpointError
from core.evaluate import predict_together
from core.metrics.catalogue import CATALOGUE
from core.properties import PropertyModel
from core.reference_file import FILE, Reference
from core.stereology import Measurement
from dashboard import (
    components,
    descriptor_results,
    evaluations,
    figures,
    pictures,
    results,
    state,
    waiting,
)
from dashboard.errors import escape
from dashboard.evaluations import Evaluated
from dashboard.measurements import Measured
from dashboard.state import Model
from dashboard.wording import Named, number

SCALE_TOLERANCE = 0.15
ARMS = {
    "reconstruction": "Usual",
    "same_specimen": "Same specimen",
    "other_specimen": "Other specimen",
}


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


def reference(model: Model) -> Reference:
    """Return what is usual for the model; where it is not known, say how to measure it and stop."""
    try:
        return state.reference(model)
    except CheckpointError as error:
        if (model.folder / FILE).is_file():
            st.warning(f"**What is usual for this model cannot be used.** {escape(str(error))}")
        st.info(
            "**What is usual for this model is not known yet**, so no micrograph can be judged. "
            "Measure it on micrographs that the model has not seen (three specimens or more; DIR "
            "is what it was trained on), then reload:"
        )
        command = f"python -m core.reference --model {model.place} --data OTHER_DIR --training DIR"
        st.code(command, language=None, wrap_lines=True)
        st.stop()


def references(reference: Reference) -> dict[str, float]:
    """Return what a style error is compared with, best first."""
    return {
        "fresh micrographs, median": reference.style_reconstruction_median,
        "fresh micrographs, 90 % below": reference.style_reconstruction_p90,
        "two patches, one specimen": reference.style_same_specimen,
        "two patches, two specimens": reference.style_other_specimen,
    }


def similarity_rows(found: Mapping[str, float], reference: Reference) -> list[dict[str, str]]:
    """Return the table of metrics: this micrograph's reconstructions beside the references."""
    rows = []
    for metric in CATALOGUE:
        if metric.name not in found:
            continue
        usual = reference.metrics.get(metric.name, {})
        better = "higher" if metric.higher_is_better else "lower"
        row = {
            "Metric": f"{metric.label} ({better} is better)",
            "Here": f"{found[metric.name]:.3f}",
        }
        for arm, heading in ARMS.items():
            row[heading] = f"{usual[arm]['mean']:.3f}" if arm in usual else "not measured"
        rows.append(row)
    return rows


def similarity(model: Model, found: Evaluated, reference: Reference) -> list[dict[str, str]]:
    """Show how like its patches the reconstructions are, by every metric; return the table."""
    st.markdown("**How like the original the reconstructions are**")
    with waiting.working("Comparing by further metrics…"):
        values = evaluations.similarity(model, found)
    rows = similarity_rows(values, reference)
    st.table(rows, hide_index=True)
    pairs = max((arms["reconstruction"]["n"] for arms in reference.metrics.values()), default=0)
    said = (
        "Means over the patches shown. No unit. Usual: reconstructions of micrographs new to the "
        "model. Same and other specimen: two real patches of one specimen, and of two."
    )
    if pairs:
        many = f"{pairs:g} pair{'s' if pairs != 1 else ''}"
        said += f" References: means over {many} of {escape(reference.data_name)}."
    shown = [m for m in CATALOGUE if not m.fields_only]
    missing = [m.label for m in shown if m.name not in values]
    if missing:
        said += f" Not available here: {', '.join(missing)}."
    st.caption(said, help="\n\n".join(f"**{m.label}**: {m.about}" for m in shown))
    return rows


def show(
    place: int,
    found: Evaluated,
    reference: Reference,
    named: Mapping[str, Named],
    of_model: float | None,
) -> DeltaGenerator:
    """Show one micrograph: verdict, predicted properties, patches beside their reconstructions.

    Returns:
        Where the rest belongs: the information bar, descriptors, `similarity`.
    """
    one = found.evaluation
    with st.container(border=True, key=f"evaluation_{place}"):
        st.subheader(escape(one.name), anchor=False)
        box = st.warning if one.unusual else st.success
        box(f"**{'Unusual' if one.unusual else 'Usual'} for this model.** {escape(one.message)}")
        if remark := scale_remark(found.um_per_px, of_model):
            st.warning(remark)
        for note in one.notes:
            st.caption(f"On reading: {escape(note)}")
        left, right = st.columns([2, 3], gap="medium")
        left.image(
            found.preview,
            width="stretch",
            caption="The micrograph; squares mark the patches that were evaluated.",
            alt=f"Micrograph {one.name} with numbered patches",
        )
        with right:
            if one.predictions:
                components.estimates(one.predictions, named, "Predicted from the micrograph")
            st.markdown(
                f"**Style error {number(one.style_error)}** (relative; 0 is the same style) · "
                f"**distance {number(one.distance, 2)}** (no unit; 95 % of usual "
                "micrographs stay below 1)"
            )
            st.plotly_chart(
                figures.style_scale(one.style_error, references(reference)),
                key=f"evaluation_chart_{place}",
                config=figures.CONFIG,
                alt=f"Style error of {one.name} beside its references",
            )
        st.markdown("**Patches: original on the left, reconstruction on the right**")
        components.gallery(
            [
                pictures.png(pictures.side_by_side(pair, 2, of_model if found.um_per_px else None))
                for pair in zip(one.originals, one.reconstructions, strict=True)
            ],
            [f"patch {i}" for i in range(1, len(one.originals) + 1)],
            [f"Patch {i}: original and reconstruction" for i in range(1, len(one.originals) + 1)],
            300,
            "small",
        )
        return st.container()


def show_together(
    properties: PropertyModel | None, found: Sequence[Evaluated], named: Mapping[str, Named]
) -> None:
    """Show the properties that several micrographs suggest as fields of one specimen."""
    if properties is None:
        return
    predictions = predict_together(properties, [one.evaluation for one in found])
    components.estimates(predictions, named, f"Predicted from {len(found)} fields together")
    if unusual := sum(one.evaluation.unusual for one in found):
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
