"""Traversals: one latent dimension varied at a time, from any patch (paper, figure 6)."""

import streamlit as st

from core.images import read_image
from core.labels import latent_title
from dashboard import components, decoding, errors, latent_effects, pictures, state, waiting

STARTS = ("large spheres", "fine flakes")
OWN = "your own micrograph"
SHOWN, NOISE_SEED = 4, 0

model = components.current_model()
components.title("Traversals", model)
loaded, network = state.loaded(model), state.network(model)
labels = latent_effects.of_model(model)
looks = [example.look for example in state.examples(model)]
active = sorted(network.latents, key=lambda n: -n.scale) if network else []
dimensions, values = [n.index for n in active], decoding.TRAVERSED
dimensions += [d for d in range(loaded.config.latents) if d not in dimensions]
principal = {d.name: d for d in labels.directions} if labels else {}
st.write(
    f"Each row changes one of the {loaded.config.latents} latent dimensions in {len(values)} steps "
    f"from {values[0]:g} to {values[-1]:g} and leaves the others and the noise as they are: what "
    "changes along a row is what the dimension means. The patch it starts from is on the left."
)
st.session_state.setdefault("traversal_chosen", dimensions[:SHOWN])
st.session_state.setdefault(
    "traversal_dimensions", [d for d in st.session_state["traversal_chosen"] if d in dimensions]
)
with st.form("traversal_form"):
    chosen = st.multiselect(
        "Latent dimensions",
        dimensions,
        format_func=lambda d: latent_title(labels, d),
        key="traversal_dimensions",
        help="Most active first: those that differ most between specimens.",
        max_selections=12,
    )
    wide = []
    if principal:
        wide = st.multiselect(
            "Principal directions of the specimens",
            list(principal),
            format_func=lambda name: principal[name].title,
            key="traversal_directions",
            help="Not single latents: what the specimens' means differ by most, all latents moving "
            "together. Designs move along these.",
        )
    starts, numbers = [], []
    for place, (column, default) in enumerate(zip(st.columns(2), STARTS, strict=True)):
        options = [*looks, OWN]
        first = options.index(default) if default in options else 0
        starts.append(
            column.selectbox(
                f"Start {place + 1}", options, index=first, key=f"traversal_start_{place}"
            )
        )
        numbers.append(
            column.number_input(
                f"Patch of start {place + 1}",
                min_value=1,
                value=1,
                step=1,
                key=f"traversal_patch_{place}",
            )
        )
    own = st.file_uploader(
        f"For “{OWN}”: PNG, JPEG, TIFF or BMP",
        ["png", "jpg", "jpeg", "tif", "tiff", "bmp"],
        key="traversal_file",
    )
    st.form_submit_button("Show", type="primary", key="traversal_submit")
st.session_state["traversal_chosen"] = chosen
if not chosen and not wide:
    st.info("Choose at least one latent dimension.")
rows = [(f"z{d}", latent_title(labels, d), d) for d in chosen]
rows += [(name, principal[name].title, principal[name].vector) for name in wide]

for place, (start, number) in enumerate(zip(starts, numbers, strict=True)):
    with errors.shown(), st.container(key=f"traversal_block_{place}"):
        st.subheader(f"Starting with {start}", anchor=False)
        if start == OWN and own is None:
            st.info("Choose a micrograph in the field above, or another start.")
            continue
        if start == OWN:
            micrograph = read_image(own.getvalue(), own.name)
        else:
            micrograph = state.example(model, start).micrograph
        patches = decoding.patches(model, micrograph)
        patch = patches[(number - 1) % len(patches)]
        st.caption(
            f"Patch {(number - 1) % len(patches) + 1} of {len(patches)} of "
            f"{errors.escape(micrograph.name)} · noise seed {NOISE_SEED}"
        )
        for name, title, along in rows:
            with waiting.working(f"Varying {name}…"):
                row = decoding.traverse(model, patch, along, NOISE_SEED)
            st.markdown(f"**{title}**")
            components.gallery(
                [pictures.png(pictures.with_scale_bar(p, model.um_per_px)) for p in (patch, *row)],
                ["original", *[f"{v:+.1f}".replace("-", "−") for v in values]],
                [
                    f"The patch that {name} is varied from",
                    *[f"{name} = {v:+.1f}" for v in values],
                ],
                84,
                "xxsmall",
            )

measured = [labels.by_index[d] for d in chosen if d in labels.by_index] if labels else []
latent_effects.section(model, labels, [*measured, *(principal[name] for name in wide)])
