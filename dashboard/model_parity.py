"""Parity of a model's properties, on the page *Models*: what was predicted of what was measured."""

from collections.abc import Sequence

import streamlit as st

from core.errors import MicroDesignError
from core.properties import PropertyModel
from core.property_points import points_figures
from core.regressor import Regressor
from dashboard import errors, figures, linkage, property_figures, state
from dashboard.errors import escape
from dashboard.state import Model
from dashboard.wording import titled

HEIGHT_PX = 320


def show(models: Sequence[Model]) -> None:
    """Show a chart a property for each model, side by side, with its coverage in words."""
    for model, column in zip(models, st.columns(len(models)), strict=True):
        with column:
            try:
                properties = state.properties(model)
                drawn = () if properties is None else linkage.regressors(model, properties)
            except MicroDesignError:  # the facts above say what is wrong with the part
                continue
            for regressor in drawn:
                with errors.shown():
                    _chart(model, properties, regressor)


def _chart(model: Model, properties: PropertyModel, regressor: Regressor) -> None:
    basis = next(iter(linkage.bases(model, properties, regressor).values()), None)
    if basis is None:
        return
    figure = property_figures.parity(basis.points, titled(regressor))
    st.plotly_chart(
        figure.update_layout(height=HEIGHT_PX),
        key=f"models_parity_{model.id}_{regressor.column}",
        config=figures.CONFIG,
        alt=f"{model.name}, {regressor.label}: predicted against measured, "
        f"{len(basis.points)} specimens",
    )
    inside = points_figures(basis.points)["coverage"]
    held = "" if inside is None else f" {100 * inside:.0f} % lie in their 90 % interval."
    st.caption(escape(f"{basis.about}{held}"))
