"""Saved designs on the pages: where they lie, what they are called, and opening one again."""

from pathlib import Path

from bayesnet.recipe import Recipe
from bayesnet.wording import wished
from dashboard import components, design_request, state
from dashboard.design_request import SIZES, DesignRequest
from dashboard.state import Model


def folder() -> Path:
    """Return where saved designs lie."""
    return state.workspace() / "designs"


def title(recipe: Recipe) -> str:
    """Name a design by what was asked for: ``Yield strength 280 MPa, seed 3``."""
    named = recipe.named
    asked = [
        f"{named[name].label} {wished(wish, named[name].unit)}"
        for name, wish in recipe.targets.items()
    ]
    return ", ".join([*asked, f"seed {recipe.seed}"])


def model_of(recipe: Recipe) -> Model | None:
    """Return the model that a design was made with, None where it is not installed."""
    return next((m for m in state.models() if m.weights == recipe.parts["model"]), None)


def request_of(recipe: Recipe) -> DesignRequest:
    """Return what the *Inverse design* page has to be asked for the same design."""
    limits = tuple(
        (name, limit if isinstance(limit, tuple) else (limit, limit))
        for name, limit in recipe.process.items()
    )
    return DesignRequest(tuple(recipe.targets.items()), limits, recipe.seed, recipe.size_px)


def can_be_opened(recipe: Recipe) -> bool:
    """Return whether the *Inverse design* page can show the design again."""
    return model_of(recipe) is not None and recipe.size_px in SIZES


def prepare(recipe: Recipe) -> None:
    """Let the *Inverse design* page show the design when it is opened next."""
    model = model_of(recipe)
    if model is not None:
        components.choose(model.id)
        design_request.replace(model.id, request_of(recipe))
