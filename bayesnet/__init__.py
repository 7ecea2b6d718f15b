"""Bayesian network over process settings, latents, descriptors and properties; designs by it."""

import core  # noqa: F401  before pgmpy, which loads torch: see `core.openmp`
