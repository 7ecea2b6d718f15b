"""Structure-property: how well a micrograph tells the properties, specimen by specimen."""

import streamlit as st

from core.calibrate import describe
from core.property_features import LABELS, REPRESENTATIONS
from core.property_points import points_figures
from core.property_text import PAPER_NOTE, RECOGNISED_NOTE, data_text, find, vae_text
from dashboard import address, components, errors, figures, linkage, property_figures, state
from dashboard.wording import quantity, titled

PAGE = "structure_property"
model = components.current_model()
components.title("Structure-property", model)
st.write(
    "How well properties are predicted from what a micrograph looks like, judged on specimens "
    "whose measured value was hidden."
)
properties = state.properties(model)
if properties is None:
    st.info(
        "**This model predicts no properties**: none were fitted, or its data set has no property "
        "with five labelled specimens. To fit them, then reload this page:"
    )
    st.code(f"python -m bayesnet.learn --model {model.place}", language=None, wrap_lines=True)
    st.stop()
properties.require_model(model.weights or "")
with st.spinner("Predicting every specimen without itself…"):
    regressors = {r.column: r for r in linkage.regressors(model, properties)}
shown = {"format_func": lambda name: titled(regressors[name]), "width": 360}
column = address.selectbox(
    "Property", list(regressors), PAGE, "property", "linkage_property", **shown
)
regressor = regressors[column]
content = linkage.measured(model)


def percent(value: float | None) -> str:
    """Return a share of the measured value, in per cent, as text."""
    return "none" if value is None else f"{value:.1f} %"


st.subheader("Predicted against measured", anchor=False)
bases = linkage.bases(model, properties, regressor)
name = address.selectbox("Specimens", list(bases), PAGE, "basis", "linkage_basis", width=360)
basis = bases[name]
found = points_figures(basis.points)
st.caption(errors.escape(basis.about))
with st.container(horizontal=True):
    st.metric("Specimens", found["n"], border=True)
    st.metric("R2", "none" if found["r2"] is None else f"{found['r2']:.2f}", border=True)
    st.metric("Median error", percent(found["median_error"]), border=True)
    st.metric("Mean error (MAPE)", percent(found["mape"]), border=True)
    covered = found["coverage"]
    st.metric(
        "Inside the interval",
        "none" if covered is None else f"{100 * covered:.0f} %",
        border=True,
        help="Share of the measured values inside their 90 % interval; it should be near 90 %.",
    )
st.plotly_chart(
    property_figures.parity(basis.points, titled(regressor)),
    key="linkage_parity",
    config=figures.CONFIG,
    alt=f"{regressor.label}: predicted against measured for {found['n']} specimens",
)
st.caption(errors.escape(f"90 % intervals: {describe(regressor)}."))
st.download_button(
    "Predictions (CSV)",
    lambda: linkage.as_csv(
        list(regressors.values()),
        [linkage.bases(model, properties, r) for r in regressors.values()],
        model.cells,
    ).encode("utf-8-sig"),
    "structure_property.csv",
    "text/csv",
    key="linkage_csv",
    on_click="ignore",
)

st.subheader("One specimen left out, patch by patch", anchor=False)
specimens = list(regressor.specimens)
specimen = address.selectbox("Specimen", specimens, PAGE, "specimen", "linkage_specimen", width=360)
true = float(regressor.labels[regressor.specimens.index(specimen)])
patches = linkage.patch_predictions(model, properties, regressor, specimen)
mean = sum(patches) / len(patches)
st.plotly_chart(
    property_figures.patch_histogram({"patches": patches}, true, titled(regressor)),
    key="linkage_histogram",
    config=figures.CONFIG,
    alt=f"{regressor.label} predicted from each patch of {specimen}",
)
st.caption(
    f"{len(patches)} patches, predicted by a model fitted to the other specimens: mean "
    f"{quantity(mean, regressor.unit)} (dotted), measured {quantity(true, regressor.unit)}. The "
    "encoder may have learned the specimen's micrographs."
)

st.subheader("Against plain VGG19, and by other regressors", anchor=False)
if content is None:
    st.info(
        "**Not measured for this model.** The tables need the data set that it was trained on and "
        "specimens that it has not seen (minutes):"
    )
    st.code(
        f"python -m core.property_tables --model {model.place} --data DIR --fresh OTHER_DIR "
        f"--out {model.place}/{linkage.TABLES}",
        language=None,
        wrap_lines=True,
    )
    st.stop()
chart = linkage.new_errors(content, column)
if chart:
    st.plotly_chart(
        property_figures.comparison(chart),
        key="linkage_comparison",
        config=figures.CONFIG,
        alt=f"Median error of {regressor.label} on new specimens by regressor and features",
    )
    st.caption("On specimens new to the model, one micrograph each. Lower is better.")
st.caption(errors.escape(f"Latents: {vae_text(content)}. Plain VGG19: {content['backbone']}."))
st.caption(errors.escape(f"Data: {data_text(content)}."))
for representation, label in REPRESENTATIONS.items():
    if find(content["rows"], representation=representation) is None:
        continue  # measured before this was compared
    with st.expander(f"From {label}: every regressor, every split"):
        st.dataframe(
            linkage.table_rows(content, representation, column),
            hide_index=True,
            key=f"linkage_table_{representation}",
        )
casting = linkage.left_out_casting(content, column)
if casting:
    st.markdown(
        f"**The paper's figure 7: casting {errors.escape(casting[0]['specimen'])} left out**"
    )
    st.plotly_chart(
        property_figures.patch_histogram(
            {LABELS[one["representation"]]: one["predictions"] for one in casting},
            casting[0]["true"],
            titled(regressor),
        ),
        key="linkage_figure_7",
        config=figures.CONFIG,
        alt=f"{regressor.label} predicted from each patch of the casting left out",
    )
    errors_text = "; ".join(
        f"{LABELS[one['representation']]} {one['error']:.1f} % off" for one in casting
    )
    st.caption(f"By SVR on the other castings' patches, mean over its own (dotted): {errors_text}.")
st.caption(RECOGNISED_NOTE)
st.caption(PAPER_NOTE)
