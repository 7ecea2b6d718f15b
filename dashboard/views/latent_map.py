"""Latent map: every patch of the training set as a point, two of them and the way between."""

import streamlit as st

from core.errors import CheckpointError
from core.exports.spreadsheet import latent_table_csv
from dashboard import (
    components,
    errors,
    figures,
    latent_maps,
    map_figures,
    patch_card,
    pictures,
    state,
    waiting,
)
from dashboard.errors import escape

STEPS = 7
KEPT = "latent_map_kept"  # no widget's key, so it survives page changes

model = components.current_model()
components.title("Latent map", model)
try:
    table = state.latents(model)
except CheckpointError as error:
    st.info(f"**This model has no latents to map** ({escape(str(error))}). Encode its data set:")
    st.code(
        f"python -m core.encode --model {model.place} --data DIR", language=None, wrap_lines=True
    )
    st.stop()
count = len(table.mu)
st.write(
    f"Each of the {count} points is a patch of a micrograph of {escape(table.data_name)}. Points "
    "that lie close together look alike to the model. Click one, or give its number."
)
descriptors = None
with errors.shown("Descriptors are left out: "):
    descriptors = latent_maps.descriptors(model)
colours = latent_maps.colour_choices(table, descriptors)
first = next((c.name for c in table.columns if c.role == "property"), latent_maps.NOTHING)
kept = st.session_state.get(KEPT, {})
if kept.get("model") != model.id:
    kept = {"colour": first, "axes": "specimens", "a": "1", "b": str(count)}
    kept |= {name: st.query_params[name] for name in kept if name in st.query_params}
    for name, known in (("colour", colours), ("axes", latent_maps.AXES)):
        if kept[name] not in known and KEPT not in st.session_state:
            st.warning(
                f"The address asks for {name} = {escape(kept[name][:40])}, which this map does not "
                "have; choose from the list below."
            )
    for name in ("map_colour", "map_axes", "map_a", "map_b"):
        st.session_state.pop(name, None)


def place(text: str, otherwise: int) -> int:
    """Return a patch number from the address, within what there is."""
    return min(max(int(text), 1), count) if text.isascii() and text.isdigit() else otherwise


st.session_state.setdefault("map_colour", kept["colour"] if kept["colour"] in colours else first)
axes_kept = kept["axes"] if kept["axes"] in latent_maps.AXES else "specimens"
st.session_state.setdefault("map_axes", axes_kept)
st.session_state.setdefault("map_a", place(kept["a"][:9], 1))
st.session_state.setdefault("map_b", place(kept["b"][:9], count))
left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
colour = left.selectbox("Colour", list(colours), format_func=colours.get, key="map_colour")
axes = middle.selectbox(
    "Axes",
    list(latent_maps.AXES),
    format_func=latent_maps.AXES.get,
    key="map_axes",
    help="Directions of the map in the space of the latents (principal axes).",
)
right.radio("A click sets point", ["A", "B"], horizontal=True, key="map_sets")


def clicked() -> None:
    """Let the point that was clicked be A or B."""
    chosen = st.session_state["map_chart"].selection.points
    if chosen:
        row = chosen[0]["customdata"]
        row = row[0] if isinstance(row, (list, tuple)) else row
        st.session_state[f"map_{st.session_state['map_sets'].lower()}"] = int(row) + 1


rows = {letter: int(st.session_state[f"map_{letter.lower()}"]) - 1 for letter in "AB"}
kept = {"colour": colour, "axes": axes, "a": f"{rows['A'] + 1}", "b": f"{rows['B'] + 1}"}
st.session_state[KEPT] = kept | {"model": model.id}
wanted = {name: value for name, value in kept.items() if st.query_params.get(name) != value}
if wanted:
    st.query_params.update(wanted)
with errors.shown():
    found = latent_maps.projection(model, axes)
    of = "patches" if axes == "patches" else "specimen means"
    titles = [
        f"axis {i + 1}: {100 * s:.0f} % of the variance of {of}" for i, s in enumerate(found.shares)
    ]
    st.plotly_chart(
        map_figures.latent_map(
            found.points,
            (titles[0], titles[1]),
            table.specimen,
            latent_maps.colouring(table, colour, rows["A"], descriptors),
            list(rows.items()),
        ),
        key="map_chart",
        on_select=clicked,
        selection_mode="points",
        config=figures.CONFIG,
        alt=f"Map of {count} patches, coloured by {colours[colour]}, with points A and B",
    )
    with waiting.working("Decoding…"):
        strip = latent_maps.path(model, rows["A"], rows["B"], STEPS)
    network = state.network(model)
    for column, letter, decoded in zip(
        st.columns(2, gap="medium"), rows, (strip[0], strip[-1]), strict=True
    ):
        with column:
            patch_card.show(letter, rows[letter], decoded, table, model, network, descriptors)
    st.subheader("From A to B", anchor=False)
    components.gallery(
        [pictures.with_scale_bar(p, model.um_per_px) for p in strip],
        ["A", *(f"{100 * i / (STEPS - 1):.0f} %" for i in range(1, STEPS - 1)), "B"],
        [f"Decoded {100 * i / (STEPS - 1):.0f} % of the way from A to B" for i in range(STEPS)],
        128,
        "xsmall",
    )
    st.caption(
        "Decoded at even steps along the straight line between the latents of both patches, all "
        f"with the same noise (seed {latent_maps.NOISE_SEED}): what changes is what differs."
    )
st.download_button(
    "All latents (CSV)",
    lambda: latent_table_csv(table).encode("utf-8-sig"),
    "latents.csv",
    "text/csv",
    key="map_latents",
    on_click="ignore",
    help="A patch a row: specimen, place, process settings, properties, latents.",
)
