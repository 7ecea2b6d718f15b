"""TextureVAE, reference castings, data sets and measurement for microstructure design."""

__version__ = "0.1.0"
