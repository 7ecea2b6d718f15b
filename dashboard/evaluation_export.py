"""The report of what is evaluated on the page *Evaluate patches*."""

import hashlib
from collections.abc import Sequence

import streamlit as st

from core.exports.evaluation_report import Reported, evaluation_report
from core.regressor import Regressor
from dashboard import state
from dashboard.evaluations import Evaluated
from dashboard.state import Model


def offer(
    model: Model,
    found: Sequence[tuple[Evaluated, bytes | None]],
    regressors: Sequence[Regressor],
) -> None:
    """Offer a report of evaluated micrographs; it is made when it is asked for.

    Args:
        model: that evaluated.
        found: each evaluation with the bytes of its file, None for an example of the model's.
        regressors: the model's property predictors.
    """

    def report() -> str:
        reported = [
            Reported(
                one.evaluation,
                one.preview,
                None if data is None else hashlib.sha256(data).hexdigest(),
                one.um_per_px,
            )
            for one, data in found
        ]
        reference = state.reference(model)
        return evaluation_report(reported, model.name, model.manifest, regressors, reference)

    st.download_button(
        "Report (HTML)",
        report,
        "evaluation.html",
        "text/html",
        key="evaluate_report",
        on_click="ignore",
        help="One page with pictures, verdicts, numbers with intervals, method and versions.",
    )
