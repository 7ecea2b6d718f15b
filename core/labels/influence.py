"""How much designs use a latent: what predicted properties lose without it."""

import numpy as np
from numpy.typing import NDArray

from core.properties import PropertyModel

LEAST_INFLUENCE = 0.1  # half widths: below it a latent is not used for design

Array = NDArray[np.float64]


def influences(properties: PropertyModel, means: Array) -> Array | None:
    """Measure what each latent contributes to the properties that designs are made for.

    A latent is replaced by its mean over the specimens; what counts is the change of the predicted
    properties over their 90 % half widths, root mean square over specimens, of the property that
    changes most. Below `LEAST_INFLUENCE` nobody could tell a design with from one without it.

    Args:
        properties: predicts properties from mean latents.
        means: (S, D) mean latents of the specimens.

    Returns:
        (D,); None where no property has an interval to measure changes by.
    """
    known = [one for one in properties.regressors if one.half_width]
    if not known:
        return None
    before = properties.predict_many(means)
    found = np.zeros(means.shape[1])
    for latent in range(means.shape[1]):
        without = means.copy()
        without[:, latent] = means[:, latent].mean()
        after = properties.predict_many(without)
        for one in known:
            width = float(one.half_width or 0.0)
            size = np.abs(before[one.column]) if one.relative else np.ones(len(means))
            change = (after[one.column] - before[one.column]) / (width * size)
            found[latent] = max(found[latent], float(np.sqrt(np.mean(change**2))))
    return found
