"""Traversals: one latent dimension varied at a time, from any patch (paper, figure 6)."""

import streamlit as st

from core.labels import latent_title
from dashboard import (
    address,
    components,
    decoding,
    errors,
    evaluations,
    latent_effects,
    pictures,
    state,
    uploads,
    waiting,
)

STARTS = ("large spheres", "fine flakes")
OWN = "your own micrograph"
SHOWN, MOST, NOISE_SEED = 4, 12, 0
SMALL_TEXT_PX = 16  # of pictures shown at two thirds of their size
PAGE, PARAMETERS = "traversals", ("z", "d", "start1", "start2", "patch1", "patch2")

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
left_at = address.restored(PAGE, PARAMETERS)
asked = [address.whole(n, -1) for n in address.parts(left_at.get("z"))]
asked = [d for d in dict.fromkeys(asked) if d in dimensions][:MOST]
st.session_state.setdefault("traversal_dimensions", asked if "z" in left_at else dimensions[:SHOWN])
st.session_state.setdefault(
    "traversal_directions", [d for d in address.parts(left_at.get("d")) if d in principal]
)
uploads.tell_room()
with st.form("traversal_form"):
    chosen = st.multiselect(
        "Latent dimensions",
        dimensions,
        format_func=lambda d: latent_title(labels, d),
        key="traversal_dimensions",
        help="Most active first: those that differ most between specimens.",
        max_selections=MOST,
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
        named = left_at.get(f"start{place + 1}", default)
        st.session_state.setdefault(
            f"traversal_start_{place}", named if named in options else options[0]
        )
        starts.append(
            column.selectbox(f"Start {place + 1}", options, key=f"traversal_start_{place}")
        )
        patch = address.whole(left_at.get(f"patch{place + 1}"), 1, 1)
        st.session_state.setdefault(f"traversal_patch_{place}", patch)
        numbers.append(
            column.number_input(
                f"Patch of start {place + 1}",
                min_value=1,
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
address.keep(
    PAGE,
    {
        "z": ",".join(map(str, chosen)) if chosen != dimensions[:SHOWN] else None,
        "d": ",".join(wide) or None,
        **{f"start{i + 1}": s if s != STARTS[i] else None for i, s in enumerate(starts)},
        **{f"patch{i + 1}": str(n) if n != 1 else None for i, n in enumerate(numbers)},
    },
)
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
            job = evaluations.Job(model.id, own.name, own.getvalue())
            micrograph = evaluations.read(model, job).micrograph
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
                row = decoding.traverse(model, patch, along, NOISE_SEED, own=start == OWN)
            st.markdown(f"**{title}**")
            components.gallery(
                [
                    pictures.with_scale_bar(p, model.um_per_px, 1, SMALL_TEXT_PX)
                    for p in (patch, *row)
                ],
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
