"""Saved designs side by side, as a table of texts."""

from collections.abc import Callable, Sequence
from functools import partial

from bayesnet.design_report import VERDICTS
from bayesnet.recipe import Recipe
from bayesnet.wording import shortfall, wished
from core.wording import interval, quantity

Cell = Callable[[Recipe], str]


def compare_designs(recipes: Sequence[Recipe]) -> list[tuple[str, list[str]]]:
    """Return rows of what was asked, found and recommended.

    Args:
        recipes: of the designs.

    Returns:
        (what, a text for each design) pairs; "not given" where a design's data have no such column.
    """
    rows: list[tuple[str, Cell]] = [("Verdict", lambda r: VERDICTS[r.verdict][0].rstrip("."))]
    for name in _in_order([[*r.shown.predicted] for r in recipes]):
        label = _label(recipes, name)
        rows.append((f"{label}, asked for", partial(_asked, name)))
        rows.append((f"{label}, found", partial(_found, name)))
    for name in _in_order([[*r.recommended] for r in recipes]):
        rows.append((f"{_label(recipes, name)}, recommended", partial(_recommended, name)))
    rows += [
        ("Field", _field),
        ("Refined", _refined),
        ("Seed", lambda r: str(r.seed)),
        ("Model", lambda r: f"{r.model['name']} ({r.parts['model'][:12]})"),
        ("Network", lambda r: r.parts["network"][:12]),
        ("Made", lambda r: r.created.replace("T", " ")[:16] + " UTC"),
    ]
    return [(what, [cell(recipe) for recipe in recipes]) for what, cell in rows]


def _in_order(names: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))


def _label(recipes: Sequence[Recipe], name: str) -> str:
    return next((r.named[name].label for r in recipes if name in r.named), name)


def _unit(recipe: Recipe, name: str) -> str:
    return recipe.named[name].unit if name in recipe.named else ""


def _asked(name: str, recipe: Recipe) -> str:
    if name not in recipe.targets:
        return "free" if name in recipe.named else "not given"
    said = wished(recipe.targets[name], _unit(recipe, name))
    instead = recipe.designed_for.get(name)
    if instead is not None and instead != recipe.targets[name]:
        said += f"; designed for {wished(instead, _unit(recipe, name))}"
    return said


def _found(name: str, recipe: Recipe) -> str:
    found, unit = recipe.shown.predicted.get(name), _unit(recipe, name)
    if found is None:
        return "not given"
    said = f"{quantity(found.value, unit)} ({interval(found, unit)})"
    goal = recipe.designed_for.get(name)
    return said if goal is None else f"{said}, {shortfall(found.value, goal, unit)}"


def _recommended(name: str, recipe: Recipe) -> str:
    found = recipe.recommended.get(name)
    if found is None:
        return "not given"
    unit = _unit(recipe, name)
    said = f"{quantity(found.value, unit)} ({interval(found, unit)})"
    limited = recipe.process.get(name)
    return said if limited is None else f"{said}, limit: {wished(limited, unit)}"


def _field(recipe: Recipe) -> str:
    height, width = recipe.shown.shape
    size = f"{width} × {height} px"
    scale = recipe.um_per_px
    return f"{width * scale:g} × {height * scale:g} µm ({size})" if scale else size


def _refined(recipe: Recipe) -> str:
    found = recipe.refinement
    if found is None:
        return "no"
    return f"residual {found.before:.2f} before, {found.after:.2f} after, {found.tried} pictures"
