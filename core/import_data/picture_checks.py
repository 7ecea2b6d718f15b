"""Pre-flight checks of the pictures: magnification, size, content, copies."""

import numpy as np

from core.import_data.examine import Examined, same_looking
from core.import_data.findings import Finding, error, warning
from core.import_data.plan import ImportPlan
from core.import_data.source import many, named
from core.scale import SCALE_RANGE, SCALE_TOLERANCE

PATCH_PX = 128
FEW_PATCHES_PX = 256
NO_CONTRAST = 0.005


def paths_of(plan: ImportPlan, chosen: np.ndarray) -> tuple[str, ...]:
    """Return the pictures where ``chosen`` (N,) is true."""
    return tuple(plan.files[int(i)].path for i in np.flatnonzero(chosen))


def _ratios(plan: ImportPlan) -> tuple[np.ndarray, float | None]:
    """Return every picture's scale over the common one (1 where unknown), and the common one."""
    scales = plan.table["um_per_px"].to_numpy(dtype=float)
    known = np.isfinite(scales)
    if not known.any():
        return np.ones(len(scales)), None
    common = float(np.median(scales[known]))  # as `core.scale.common_scale` will find it
    return np.where(known, scales / common, 1.0), common


def _span(values: np.ndarray) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"


def check_scales(plan: ImportPlan) -> list[Finding]:
    """Magnifications are known and not too far apart."""
    ratio, common = _ratios(plan)
    if common is None:
        told = "no picture has a scale: all are taken to have the same magnification"
        return [warning("no scale", f"{told}, and nothing can be measured in µm")]
    found, scales = [], plan.table["um_per_px"].to_numpy(dtype=float)
    if np.isnan(scales).any():
        paths = paths_of(plan, np.isnan(scales))
        told = f"{many(len(paths), 'picture')} without a scale, taken to have {common:g} µm per px"
        found.append(warning("no scale", f"{told}: {named(paths)}", paths))
    far = (ratio < SCALE_RANGE[0]) | (ratio > SCALE_RANGE[1])
    if far.any():
        paths = paths_of(plan, far)
        told = (
            f"{many(len(paths), 'picture')} at {_span(scales[far])} µm per px, "
            f"more than a factor of {SCALE_RANGE[1]:g} from the median, {common:g}: {named(paths)}"
        )
        todo = "leave them out, or correct the scale"
        found.append(error("mixed magnifications", f"{told}; {todo}", paths))
    other = ~far & (np.abs(ratio - 1) > SCALE_TOLERANCE)
    if other.any():
        paths = paths_of(plan, other)
        told = (
            f"{many(len(paths), 'picture')} of another magnification, resampled to {common:g} µm "
            f"per px, which changes their fine detail: {named(paths)}"
        )
        found.append(warning("mixed magnifications", told, paths))
    return found


def check_sizes(plan: ImportPlan) -> list[Finding]:
    """Every picture holds a patch at the common scale, and there is something to see."""
    ratio = _ratios(plan)[0]
    ratio[np.abs(ratio - 1) <= SCALE_TOLERANCE] = 1.0
    cut = [crop.top + crop.bottom for crop in plan.crops]
    height = np.array([one.height for one in plan.examined], dtype=float) - cut
    width = np.array([one.width for one in plan.examined], dtype=float)
    side = np.maximum(np.round(np.minimum(height, width) * ratio), 0)
    good = np.array([not one.error for one in plan.examined])
    tiny, small = good & (side < PATCH_PX), good & (side >= PATCH_PX) & (side < FEW_PATCHES_PX)
    found = []
    if tiny.any():
        paths = paths_of(plan, tiny)
        told = f"{many(len(paths), 'picture')} of {side[tiny].min():.0f} px at the least, cropped "
        why = f"and at the common scale; no patch of {PATCH_PX} px fits: {named(paths)}"
        found.append(error("tiny pictures", f"{told}{why}; leave them out", paths))
    if small.any():
        paths = paths_of(plan, small)
        told = f"{many(len(paths), 'picture')} below {FEW_PATCHES_PX} px, which give few patches"
        found.append(warning("tiny pictures", f"{told}: {named(paths)}", paths))
    empty = good & np.array([one.contrast < NO_CONTRAST for one in plan.examined])
    if empty.any():
        paths = paths_of(plan, empty)
        found.append(warning("empty pictures", f"hardly anything to see: {named(paths)}", paths))
    return found


def check_bars(plan: ImportPlan) -> list[Finding]:
    """What the microscope writes under its pictures is cut off."""
    left = [
        crop.with_bar(one.bar) != crop for one, crop in zip(plan.examined, plan.crops, strict=True)
    ]
    paths = paths_of(plan, np.array(left))
    if not paths:
        return []
    told = f"{many(len(paths), 'picture')} with an information bar that is not cut off"
    why = "lettering and scale bar would be learned as microstructure"
    return [warning("information bar", f"{told}: {named(paths)}; {why}", paths)]


def check_duplicates(plan: ImportPlan) -> list[Finding]:
    """The same picture is not there twice, least of all in two specimens."""
    exact: dict[str, set[int]] = {}
    for place, one in enumerate(plan.examined):
        if one.digest:
            exact.setdefault(one.digest, set()).add(place)
    same = [group for group in exact.values() if len(group) > 1]
    alike = same_looking([Examined() if one.error else one for one in plan.examined])
    found = [_copies(plan, sorted(group), True) for group in same]
    return found + [_copies(plan, sorted(group), False) for group in alike if group not in same]


def _copies(plan: ImportPlan, places: list[int], same: bool) -> Finding:
    """Return the finding on one picture that is there several times."""
    paths = tuple(plan.files[i].path for i in places)
    specimens = sorted({str(name) for name in plan.table["specimen"].iloc[places]})
    what = "are the same picture" if same else "look like one picture saved in two ways"
    told = f"{named(paths)} {what}"
    if len(specimens) == 1:
        return warning("duplicates", f"{told}; leave the copies out", paths[1:])
    kind = error if same else warning
    why = "what is learned from one would be tested on the other"
    return kind(
        "leaking specimens",
        f"{told}, in the specimens {named(specimens)}: {why}; correct the specimens, or leave the "
        "copies out",
        paths[1:],
    )
