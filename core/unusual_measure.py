"""Measure how well unusual pictures are told from usual ones.

``python -m core.unusual_measure --model DIR --data DIR [--real DIR]`` writes
``docs/results/unusual.json``: the share of fresh fields beyond the limit, and how well the distance
tells them from other alloys (folders of DIR, named where they are absent), photographs and noise.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from core import foreign_pictures
from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.errors import MicroDesignError
from core.images import Micrograph
from core.patches import cut_at, independent_patches, spread_patches
from core.reference_file import READ_PATCHES, Reference, load_reference
from core.results import write_result
from core.scale import to_scale
from core.summaries import summary
from core.synthesis import encode_with_style
from core.unseen import open_unseen, unseen_parser
from core.unusual import LIMIT

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found on a set of pictures.

    Attributes:
        names: (S,) of the pictures.
        fields, patches: (S,) distances by up to `READ_PATCHES` patches, and by the first alone.
        graphite: (S,) whether they look like graphite irons.
    """

    names: list[str]
    fields: Array
    patches: Array
    graphite: NDArray[np.bool_]


def judge_all(loaded: LoadedModel, reference: Reference, pictures: Iterable[Micrograph]) -> Judged:
    """Judge pictures, each brought to the model's scale where its own is known.

    Raises:
        InputError: a picture is smaller than a patch, or its scale too far from the model's.
    """
    names, fields, patches, graphite = [], [], [], []
    size = loaded.config.patch_px
    for picture in pictures:
        pixels, _ = to_scale(picture, loaded.um_per_px)
        corners = spread_patches(pixels, size, READ_PATCHES)
        mu, style = encode_with_style(loaded, cut_at(pixels, corners, size))
        apart = independent_patches(pixels, size, len(corners))
        names.append(picture.name)
        fields.append(reference.judge(mu, style, apart).distance)
        patches.append(reference.judge(mu[:1], style[:1], 1).distance)
        graphite.append(looks_like_graphite_iron(pixels))
    return Judged(names, np.array(fields), np.array(patches), np.array(graphite))


def exceeding(distances: Array) -> dict[str, float | int]:
    """Return the share of distances beyond the limit with its exact 95 % interval, and the count.

    >>> found = exceeding(np.array([0.5] * 95 + [1.5] * 5))
    >>> found["share"], round(found["low"], 3), round(found["high"], 3)
    (0.05, 0.016, 0.113)
    """
    beyond = int((distances > LIMIT).sum())
    interval = binomtest(beyond, len(distances)).proportion_ci(0.95)
    low, high = float(interval.low), float(interval.high)
    return {"share": beyond / len(distances), "low": low, "high": high, "n": len(distances)}


def told_apart(usual: Array, foreign: Array) -> float:
    """Return the area under the ROC curve: how often a foreign picture lies farther than a usual.

    >>> told_apart(np.array([0.1, 0.5]), np.array([0.4, 2.0]))
    0.75
    """
    truth = np.repeat([0, 1], [len(usual), len(foreign)])
    return float(roc_auc_score(truth, np.concatenate([usual, foreign])))


def _figures(judged: Judged, usual: Judged) -> dict[str, Any]:
    return {
        "auc": told_apart(usual.fields, judged.fields),
        "auc_one_patch": told_apart(usual.patches, judged.patches),
        "exceeding": exceeding(judged.fields),
        "exceeding_one_patch": exceeding(judged.patches),
        "distance": summary(judged.fields) | {"least": float(judged.fields.min())},
        "look_like_graphite_irons": int(judged.graphite.sum()),
    }


def fresh_fields(data: DataSet, count: int) -> Iterable[Micrograph]:
    """Yield the first micrograph of up to ``count`` specimens, spread over all of them."""
    names = data.table["specimen"].to_numpy()
    order = np.unique(np.linspace(0, len(data.specimens) - 1, count).round().astype(int))
    for specimen in data.specimens.index[order]:
        yield data.read(int(np.flatnonzero(names == specimen)[0]))


def measure_unusual(
    loaded: LoadedModel, reference: Reference, data: DataSet, count: int, real: Path | None
) -> dict[str, Any]:
    """Judge fresh fields, then every foreign set that is there.

    Args:
        loaded: the model.
        reference: what is usual for it.
        data: specimens that neither the model nor the reference has seen.
        count: how many of them, one field each.
        real: the folder with ``uhcs``, ``superalloy`` and ``castiron``; None for none.
    """
    usual = judge_all(loaded, reference, fresh_fields(data, count))
    found: dict[str, Any] = {
        "what": "distance over its limit of one micrograph a specimen; pictures of unknown scale, "
        "and other alloys, are taken at the model's scale",
        "unit": "1",
        "limit": LIMIT,
        "limit_from": {"data": reference.data_name, "micrographs": reference.images},
        "fresh": {
            "exceeding": exceeding(usual.fields),
            "exceeding_one_patch": exceeding(usual.patches),
            "distance": summary(usual.fields),
            "look_like_graphite_irons": int(usual.graphite.sum()),
        },
        "foreign": {},
        "not_available": {},
    }
    sets: dict[str, Iterable[Micrograph]] = {
        "photographs": foreign_pictures.photographs(),
        "noise": foreign_pictures.noise(),
    }
    for name in (*foreign_pictures.ALLOYS, foreign_pictures.IRONS):
        if real is None or not (real / name).is_dir():
            found["not_available"][name] = f"no folder {name} of real micrographs (--real DIR)"
            continue
        sets[name] = foreign_pictures.folder(real / name)
        if name in foreign_pictures.ALLOYS:
            # Their magnifications lie up to a factor of 100 from the model's.
            sets[name] = [replace(picture, um_per_px=None) for picture in sets[name]]
    for name, pictures in sets.items():
        judged = judge_all(loaded, reference, pictures)
        found["foreign"][name] = _figures(judged, usual)
        logger.info("%s: AUC %.4f", name, found["foreign"][name]["auc"])
        if name == foreign_pictures.IRONS:
            found["irons"] = dict(zip(judged.names, judged.fields.tolist(), strict=True))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Measure how well unusual pictures are told from usual ones."""
    parser = unseen_parser("core.unusual_measure", main.__doc__)
    parser.add_argument("--real", type=Path, help="folder with real micrographs")
    arguments = parser.parse_args(argv)
    try:
        unseen = open_unseen("core.unusual_measure", arguments)
        reference = load_reference(arguments.model)
        reference.require_model(unseen.loaded.hash)
        content = unseen.content | measure_unusual(
            unseen.loaded, reference, unseen.data, arguments.fields, arguments.real
        )
        path = write_result("unusual", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", path)


if __name__ == "__main__":
    main()
