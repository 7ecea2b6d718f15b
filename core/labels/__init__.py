"""Automatic names for latents (paper, section 4.3 and figure 6): what each one does, measured.

``python -m core.labels --model DIR --data DIR`` traverses every active latent from many patches,
measures the fields with the standard descriptors and writes ``labels.json`` into the model folder.
"""

from core.labels.labels import (
    FILE,
    Direction,
    Labels,
    latent_title,
    load_labels,
    save_labels,
)
from core.labels.matching import Match, match_dimensions, random_matches, recurring_labels
from core.labels.measure import label_latents, label_model
from core.labels.naming import NO_EFFECT, Effect
from core.labels.quantities import QUANTITIES, Quantity
from core.labels.traversals import Plan

__all__ = [
    "FILE",
    "NO_EFFECT",
    "QUANTITIES",
    "Direction",
    "Effect",
    "Labels",
    "Match",
    "Plan",
    "Quantity",
    "label_latents",
    "label_model",
    "latent_title",
    "load_labels",
    "match_dimensions",
    "random_matches",
    "recurring_labels",
    "save_labels",
]
