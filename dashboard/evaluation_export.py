"""The report of what is evaluated on the page *Evaluate patches*."""

import hashlib
from collections.abc import Mapping, Sequence

import streamlit as st

from core.calibrate import intervals_from
from core.exports.evaluation_report import Reported, evaluation_report
from core.properties import PropertyModel
from core.stereology import Measurement
from dashboard import descriptor_results, evaluations
from dashboard.evaluations import Evaluated
from dashboard.measurements import Measured
from dashboard.state import Model


def offer(
    model: Model,
    found: Sequence[tuple[Evaluated, bytes | None, Measured | None, Measurement | None]],
    similar: Mapping[int, Sequence[Mapping[str, str]]],
    properties: PropertyModel | None,
) -> None:
    """Offer a report of evaluated micrographs; it is made when it is asked for.

    Args:
        model: that evaluated.
        found: each evaluation with the bytes of its file, None for an example of the model's, and
            what was measured on it, graphite and what any material has, None where that was not
            asked for or not possible.
        similar: rows of metrics by the place of their evaluation, as far as they are there when the
            report is made: they are worked out last.
        properties: the model's property models, None where it has none.
    """

    def report() -> str:
        reported = []
        for place, (one, data, measured, structure) in enumerate(found):
            described = measured.descriptors() if measured else None
            rows = descriptor_results.descriptor_rows(described) if described else []
            rows += descriptor_results.structure_rows(structure) if structure else []
            entry = Reported(
                evaluation=one.evaluation,
                preview=one.preview,
                sha256=None if data is None else hashlib.sha256(data).hexdigest(),
                um_per_px=one.um_per_px,
                similarity=similar.get(place, ()),
                descriptors=rows,
                outlined=measured.overlay if measured else None,
                remarks=descriptor_results.remarks(measured) if measured else (),
            )
            reported.append(entry)
        usual = evaluations.usual(model)
        regressors = properties.regressors if properties else ()
        said = intervals_from(properties).values() if properties else ()
        return evaluation_report(reported, model.name, model.manifest, regressors, said, usual)

    st.download_button(
        "Report (HTML)",
        report,
        "evaluation.html",
        "text/html",
        key="evaluate_report",
        on_click="ignore",
        help="One page with pictures, verdicts, numbers with intervals, method and versions.",
    )
