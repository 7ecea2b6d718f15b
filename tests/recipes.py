"""Recipes and pictures of designs that no model made, for what only shows and keeps them."""

import hashlib
from dataclasses import replace

import numpy as np

from bayesnet.recipe import PARTS, PictureRecord, Recipe
from core.columns import Column
from core.images import to_uint8
from core.regressor import Prediction

COLUMNS = (
    Column("mg_wt", "wt%", "Magnesium", "process", "numeric"),
    Column("uts_mpa", "MPa", "Ultimate tensile strength", "property", "numeric"),
    Column("ys_mpa", "MPa", "Yield strength", "property", "numeric"),
)


def grey_noise(seed: int = 0, side: int = 128) -> np.ndarray:
    """Return a picture (side, side) in [0, 1]."""
    return np.random.default_rng(seed).random((side, side), dtype=np.float32)


def make_recipe(pixels: np.ndarray | None = None, **changes: object) -> Recipe:
    """Return a recipe with every field filled; ``changes`` replace some."""
    pixels = grey_noise() if pixels is None else pixels
    picture = PictureRecord(
        shape=pixels.shape,
        seed=3,
        sha256=hashlib.sha256(pixels.astype("<f4").tobytes()).hexdigest(),
        sha256_8bit=hashlib.sha256(to_uint8(pixels).tobytes()).hexdigest(),
        latents=(0.25, -1.5),
        predicted={
            "uts_mpa": Prediction(441.0, 400.0, 480.0),
            "ys_mpa": Prediction(275.0, None, None),
        },
    )
    recipe = Recipe(
        targets={"uts_mpa": 430.0, "ys_mpa": 280.0},
        process={"mg_wt": (0.03, None)},
        seed=3,
        size_px=256,
        samples=0,
        sample_px=128,
        parts={name: f"{place}" * 64 for place, name in enumerate(PARTS)},
        model={"name": "A model", "data_name": "Data", "data_sha256": "5" * 64, "synthetic": True},
        columns=COLUMNS,
        verdict="feasible",
        distance=0.4,
        message="Within the data.",
        nearest=None,
        designed_for={"uts_mpa": 430.0, "ys_mpa": 280.0},
        recommended={"mg_wt": Prediction(0.04, 0.035, 0.045)},
        pictures=(picture,),
        periodic=True,
        um_per_px=1.0,
        versions={"microdesign": "0.1.0", "torch": "2.14.1"},
        machine={"hardware": "a machine", "threads": 2},
        created="2026-01-02T03:04:05+00:00",
    )
    return replace(recipe, **changes)
