"""A denoising diffusion model that finishes what the decoder has drafted.

The decoder sets what is where, as z says, but its pictures give themselves away close by: half
tones, boundaries that end nowhere, specks in a grid. So noise is added to the draft, enough to
drown such detail and too little to hide the particles, and taken out again step by step by a
network that has learned what the material's micrographs look like at each level of noise and for
each z (Meng et al. 2022, "SDEdit", arXiv:2108.01073; Karras et al. 2022, arXiv:2206.00364).

- `network`: the denoiser.
- `sampling`: taking the noise out, step by step, on pictures of any size.
- `store`: its two files in the model's folder.
- `crops`, `training`, ``python -m core.denoiser``: how it learns.
"""
