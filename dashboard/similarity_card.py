"""How like its patches a micrograph's reconstructions are, by every metric, beside references."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.metrics.catalogue import CATALOGUE
from core.reference_file import Reference
from dashboard import evaluations, waiting
from dashboard.errors import escape
from dashboard.evaluations import Evaluated
from dashboard.state import Model

ARMS = {
    "reconstruction": "Usual",
    "same_specimen": "Same specimen",
    "other_specimen": "Other specimen",
}


def similarity_rows(
    found: Mapping[str, NDArray[np.floating]], reference: Reference | None
) -> list[dict[str, str]]:
    """Return the table of metrics: this micrograph's reconstructions beside the references.

    Args:
        found: metric -> (n,) of the patches shown.
        reference: None: not known, and left out.
    """
    rows = []
    for metric in CATALOGUE:
        if metric.name not in found:
            continue
        better = "higher" if metric.higher_is_better else "lower"
        values = found[metric.name]
        here = {"mean": float(np.mean(values)), "median": float(np.median(values))}
        row = {"Metric": f"{metric.label} ({better} is better)", "Here": _in_words(here)}
        if reference is not None:
            usual = reference.metrics.get(metric.name, {})
            for arm, heading in ARMS.items():
                row[heading] = _in_words(usual[arm]) if arm in usual else "not measured"
        rows.append(row)
    return rows


def _in_words(figures: Mapping[str, float]) -> str:
    """Return a mean with its interval and the median, as far as they are there.

    >>> _in_words({"mean": 2.1, "low": 0.9, "high": 3.7, "median": 0.41})
    '2.100 (0.900 to 3.700), median 0.410'
    >>> _in_words({"mean": 2.1})
    '2.100'
    """
    text = f"{figures['mean']:.3f}"
    if {"low", "high"} <= figures.keys():
        text += f" ({figures['low']:.3f} to {figures['high']:.3f})"
    return f"{text}, median {figures['median']:.3f}" if "median" in figures else text


def show(model: Model, found: Evaluated, reference: Reference | None) -> list[dict[str, str]]:
    """Show how like its patches the reconstructions are, by every metric; return the table."""
    st.markdown("**How like the original the reconstructions are**")
    with waiting.working("Comparing by further metrics…"):
        values, missing = evaluations.similarity(model, found)
    rows = similarity_rows(values, reference)
    st.table(rows, hide_index=True)
    shown = [m for m in CATALOGUE if not m.fields_only]
    said = (
        f"Here: mean and median over the {len(found.evaluation.originals)} patches shown. No unit."
    )
    if reference is not None:
        said += _of_references(reference)
    st.caption(said, help="\n\n".join(f"**{m.label}**: {m.about}" for m in shown))
    for metric in shown:
        if metric.name in missing:
            why = escape(missing[metric.name])
            st.caption(f"Not available here: {metric.label}. Why, and what to do: {why}.")
    return rows


def _of_references(reference: Reference) -> str:
    said = (
        " Usual: reconstructions of micrographs new to the model. Same and other specimen: two "
        "real patches of one specimen, and of two."
    )
    pairs = max((arms["reconstruction"]["n"] for arms in reference.metrics.values()), default=0)
    if pairs:
        many = f"{pairs:g} pair{'s' if pairs != 1 else ''}"
        said += (
            f" References: means over {many} of {escape(reference.data_name)}, with their 95 % "
            "intervals, and medians, which a few pairs far off the others do not move."
        )
    return said
