"""Reconstructions of the six looks (paper, figure 4) and samples from the prior (figure 5)."""

import numpy as np
import streamlit as st

from dashboard import address, components, decoding, pictures, state, waiting
from dashboard.wording import exact

N_SAMPLES = 10
NOISE_SEED = 0
SMALL_TEXT_PX = 18  # of pictures shown at two thirds of their size
PAGE = "reconstructions"

model = components.current_model()
components.title("Reconstructions", model)
loaded = state.loaded(model)
examples = state.examples(model)
network = state.network(model)
units = {n.column: n for n in network.process} if network else {}

st.subheader("Original and reconstruction", anchor=False)
side = loaded.config.patch_px
size = f"{side} × {side} px"
if model.um_per_px:
    size += f", {side * model.um_per_px:g} µm"
st.write(
    f"Left half: a patch of a micrograph ({size}). Right half: what the model draws from the "
    f"{loaded.config.latents} numbers that it encodes the patch to. The style should be the same; "
    "where each particle lies need not be."
)
if not examples:
    st.info(
        "This model has no example micrographs (folder `examples`). Use **Evaluate patches** to "
        "see reconstructions of your own."
    )
else:
    most = min(len(decoding.patches(model, e.micrograph)) for e in examples)
    left_at = address.whole(address.restored(PAGE, ["patch"]).get("patch"), 1, 1) - 1
    number = st.session_state.setdefault("reconstruction_patch", left_at) % most
    address.keep(PAGE, {"patch": str(number + 1) if number else None})
    originals = np.stack([decoding.patches(model, e.micrograph)[number] for e in examples])
    with waiting.working("Reconstructing…"):
        made = decoding.reconstruct(model, originals, NOISE_SEED)
    captions = []
    for example in examples:
        settings = ", ".join(
            f"{units[n].label.lower()} {exact(v, units[n].unit)}" if n in units else f"{n} {v:g}"
            for n, v in example.settings.items()
        )
        captions.append(f"{example.look} · {settings}" if settings else example.look)
    components.gallery(
        [
            pictures.side_by_side(pair, 2, model.um_per_px)
            for pair in zip(originals, made, strict=True)
        ],
        captions,
        [f"{e.look}: original patch and its reconstruction" for e in examples],
        312,
        "small",
    )

    def next_patch() -> None:
        """Show the next patch of every micrograph."""
        st.session_state["reconstruction_patch"] = number + 1

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Other patches", key="reconstruction_next", on_click=next_patch, disabled=most < 2
        )
        st.caption(f"Patch {number + 1} of {most} of each micrograph · noise seed {NOISE_SEED}")

st.subheader("Random samples", anchor=False)
st.write(
    "Drawn from the model's prior, without any micrograph: if the model has learned well they look "
    "like plausible microstructures, each of another kind."
)
left_at = address.whole(address.restored(PAGE, ["samples"]).get("samples"), 0)
seed = st.session_state.setdefault("prior_seed", left_at)
address.keep(PAGE, {"samples": str(seed) if seed else None})


def next_samples() -> None:
    """Draw with the next seed."""
    st.session_state["prior_seed"] += 1


with waiting.working("Drawing…"):
    drawn = decoding.prior_samples(model, N_SAMPLES, seed)
components.gallery(
    [pictures.with_scale_bar(p, model.um_per_px, 2, SMALL_TEXT_PX) for p in drawn],
    [f"sample {i}" for i in range(1, N_SAMPLES + 1)],
    [f"Random sample {i}, seed {seed}" for i in range(1, N_SAMPLES + 1)],
    172,
    "xsmall",
)
with st.container(horizontal=True, vertical_alignment="center"):
    st.button("New samples", key="prior_next", on_click=next_samples, type="primary")
    st.caption(f"Seed {seed} · {size} each")
