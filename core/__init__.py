"""TextureVAE, reference castings, data sets and measurement for microstructure design."""

from core.openmp import wait_less

__version__ = "0.1.0"

wait_less()  # torch, which other modules import, reads it as it is loaded
