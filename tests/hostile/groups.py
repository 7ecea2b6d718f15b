"""The cases by the process that runs them: those that need the same parts of the program."""

from collections.abc import Callable

from tests.hostile.case import Case


def files() -> list[Case]:
    """Pictures, the texts beside them, zips, tables and manifests."""
    from tests.hostile import (
        bombs,
        manifests,
        microscope_texts,
        picture_files,
        pictures,
        sheets,
        zips,
    )

    return _unique(
        *pictures.CASES,
        *picture_files.CASES,
        *microscope_texts.CASES,
        *bombs.CASES,
        *zips.CASES,
        *sheets.CASES,
        *manifests.CASES,
    )


def models() -> list[Case]:
    """Model folders."""
    from tests.hostile import json_files, models, networks, weights

    return _unique(*json_files.CASES, *weights.CASES, *models.CASES, *networks.CASES)


def designs() -> list[Case]:
    """Recipes, saved designs, jobs, settings, queries, exports."""
    from tests.hostile import designs, exports, jobs, queries, settings

    return _unique(*designs.CASES, *jobs.CASES, *settings.CASES, *queries.CASES, *exports.CASES)


def fuzz() -> list[Case]:
    """Property-based fuzzing of all of these."""
    from tests.hostile import fuzz

    return _unique(*fuzz.CASES)


def _unique(*cases: Case) -> list[Case]:
    names = [case.id for case in cases]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"several cases are called {sorted(doubled)[:3]}")
    return list(cases)


GROUPS: dict[str, Callable[[], list[Case]]] = {
    "files": files,
    "models": models,
    "designs": designs,
    "fuzz": fuzz,
}
