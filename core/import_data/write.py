"""Writing a planned data set: whole, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

import core
from core.dataset import DataSet, load_dataset, write_manifest
from core.errors import InputError
from core.files import write_bytes, write_json
from core.folders import new_folder, settle_folder
from core.image_format import SUFFIXES, told_format
from core.images import encode_png
from core.import_data.examine import Crop, read_source
from core.import_data.findings import Finding, has_errors
from core.import_data.naming import check_name, plain, unique
from core.import_data.plan import ImportPlan
from core.import_data.source import SourceFile

IMAGES, RECORD = "images", "import.json"


def write_dataset(
    plan: ImportPlan,
    findings: tuple[Finding, ...],
    parent: Path,
    folder: str,
    source: Mapping[str, Any] | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> DataSet:
    """Write a data set into ``parent/folder`` and load it from there.

    It is made in a temporary folder beside the target and renamed when it is complete and reads
    back, so that a failure leaves nothing. Pictures keep their bytes; one that is cropped is
    written as 8-bit PNG. ``import.json`` records where everything came from.

    Args:
        plan: what goes in.
        findings: of the pre-flight check, without an error.
        parent: where data sets are kept, such as ``workspace/data``.
        folder: the new folder's name.
        source: what else to record: the table's name, how rows were matched.
        told: called with how many pictures are written.

    Raises:
        InputError: there is an error among the findings, the name is taken or cannot be used, or a
            picture cannot be read any more.
        StorageError: it cannot be written; nothing is left of it.
    """
    target = Path(parent) / check_name(folder)
    if has_errors(findings):
        first = next(finding for finding in findings if finding.level == "error")
        raise InputError(f"the data set cannot be made: {first.check}: {first.message}")
    if target.exists():
        raise InputError(f"a data set named {folder!r} is there already; choose another name")
    with new_folder(Path(parent)) as made:
        _write(plan, made, told)
        record = _record(plan, findings, source or {})
        write_json(made / RECORD, record)
        load_dataset(made)
        if not settle_folder(made, target):  # another session was faster
            raise InputError(f"a data set named {folder!r} is there already")
    return load_dataset(target)


def _write(plan: ImportPlan, made: Path, told: Callable[[int], None]) -> None:
    """Write pictures, declaration and manifest into a new folder."""
    taken: set[str] = set()
    files = []
    for number, (file, crop) in enumerate(zip(plan.files, plan.crops, strict=True), start=1):
        name, data = _picture(file, crop, taken)
        write_bytes(made / IMAGES / name, data)
        files.append(f"{IMAGES}/{name}")
        told(number)
    table = plan.table.rename(columns={"path": "original_file"})
    table.insert(0, "file", files)
    order = ["file", "specimen", "um_per_px", *(column.name for column in plan.columns)]
    table = table[[*order, *(name for name in table if name not in order)]]
    table = table.where(pd.notna(table))
    write_manifest(made, table, plan.columns, plan.name, plan.synthetic)


def _picture(file: SourceFile, crop: Crop, taken: set[str]) -> tuple[str, bytes]:
    """Return a picture's own safe name and its bytes, cropped where asked for."""
    path = PurePosixPath(file.path)
    stem = plain("_".join(path.with_suffix("").parts[-2:]), "picture")
    if crop == Crop():
        data = file.load()
        kind = told_format(data)
        suffix = next(s for s, k in SUFFIXES.items() if k == kind)
        return unique(stem + suffix, taken), data
    micrograph = read_source(file)
    return unique(f"{stem}.png", taken), encode_png(crop.cut(micrograph.pixels))


def _record(
    plan: ImportPlan, findings: tuple[Finding, ...], source: Mapping[str, Any]
) -> dict[str, Any]:
    """Return where a data set came from, as JSON."""
    return {
        "made_by": f"core.import_data {core.__version__}",
        **source,
        "crops": {
            file.path: asdict(crop)
            for file, crop in zip(plan.files, plan.crops, strict=True)
            if crop != Crop()
        },
        "findings": [
            {"level": one.level, "check": one.check, "message": one.message} for one in findings
        ],
    }
