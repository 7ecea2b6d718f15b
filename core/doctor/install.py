"""Python and the packages, against what this version was tested with and what it needs."""

import importlib.metadata
import platform
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from core.doctor.finding import Finding
from core.workspace import ROOT

INSTALL = ".venv/bin/python -m pip install -r requirements.txt"


def check_install(root: Path = ROOT) -> Iterator[Finding]:
    """Yield what is found of Python and of each package in `requirements.txt`.

    Args:
        root: the folder with `requirements.txt` and `pyproject.toml`.
    """
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError, KeyError) as error:
        yield Finding("install", "error", f"the program's own files: {error}", "clone it again")
        return
    yield _python(str(project["requires-python"]))
    needed = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    tested = [Requirement(text) for line in lines if (text := line.partition("#")[0].strip())]
    found = [f for one in tested if (f := _package(one, needed.get(one.name)))]
    yield from found
    if not found:
        yield Finding("packages", "ok", f"{len(tested)} packages as tested")


def _python(wanted: str) -> Finding:
    here = platform.python_version()
    if SpecifierSet(wanted).contains(here, prereleases=True):
        return Finding("python", "ok", here)
    return Finding(
        "python",
        "error",
        f"Python {here} runs this; {wanted} is needed",
        "make the environment anew with another one: rm -r .venv; make run PYTHON=python3.12",
    )


def _package(tested: Requirement, needed: SpecifierSet | None) -> Finding | None:
    """Return what is wrong with a package, None where it is as tested."""
    name = f"package {tested.name}"
    try:
        here = importlib.metadata.version(tested.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "error", "is not installed", INSTALL)
    if tested.specifier.contains(here, prereleases=True):
        return None
    if needed is not None and not needed.contains(here, prereleases=True):
        return Finding(name, "error", f"is {here}; {needed} is needed", INSTALL)
    remedy = f"fine if intended (your own build); else {INSTALL}"
    return Finding(name, "warning", f"is {here}; tested was {tested.specifier}", remedy)
