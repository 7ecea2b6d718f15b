"""Can a classifier tell generated micrographs from real ones?

``python -m core.realism --model DIR --data DIR`` writes ``docs/results/realism.json``. Crops of
256 px from the inside of 512 px fields, real ones and fields synthesised as designs are
(`core.fields`, arm "designed"), described by statistics that know nothing of VGG19
(`core.texture_statistics`), are told apart by a classifier that is judged on castings that it has
not seen. AUC 0.5 is a guess, 1 is certain.

The classifier must be able to see what there is to see: real crops against slightly blurred real
ones must reach `SANITY_AUC`, else there is no figure but an error. What it says of two crops of
the same real fields shows what chance alone gives.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.errors import ConfigError, InputError, MicroDesignError
from core.fields import specimen_fields
from core.results import write_result
from core.texture_statistics import describe_textures, family
from core.unseen import open_unseen, unseen_parser

CROP_PX, MARGIN_PX = 256, 32
BLUR_PX = 0.5  # standard deviation of the sanity arm's smoothing
CASTINGS, LEAST_CROPS = 150, 300
FOLDS, DRAWS, TREES = 5, 1000, 400
SANITY_AUC = 0.95
SHOWN = 3  # statistics named a family
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crops:
    """Statistics of crops: S castings, F statistics.

    Attributes:
        names: of the statistics, F.
        real, generated: (S, 2, F), two crops of a field each.
        blurred: (S, 1, F), the first real crop smoothed by `BLUR_PX`.
    """

    names: tuple[str, ...]
    real: Array
    generated: Array
    blurred: Array


def inner_crops(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the crops (2, 256, 256) at two opposite corners of a field's inside."""
    far_y, far_x = (side - MARGIN_PX - CROP_PX for side in field.shape)
    if min(far_y, far_x) < MARGIN_PX:
        raise InputError(f"a field of {field.shape} px has no inside of {CROP_PX} px")
    corners = ((MARGIN_PX, MARGIN_PX), (far_y, far_x))
    return np.stack([field[y : y + CROP_PX, x : x + CROP_PX] for y, x in corners])


def collect(loaded: LoadedModel, data: DataSet, castings: int, seed: int) -> Crops:
    """Describe crops of a real and a synthesised field of each of ``castings`` specimens.

    Raises:
        ConfigError: the model's decoder makes patches only.
        InputError: fewer than two specimens with two micrographs of 512 px.
    """
    if loaded.config.decoder == "paper":
        raise ConfigError("the paper's decoder makes patches only: there are no fields to judge")
    names: tuple[str, ...] = ()
    rows = []
    for fields in specimen_fields(loaded, data, castings, seed, ("designed",)):
        real, made = inner_crops(fields.target), inner_crops(fields.arms["designed"])
        blurred = gaussian_filter(real[:1], (0, BLUR_PX, BLUR_PX))
        names, values = describe_textures(np.concatenate([real, made, blurred]))
        rows.append(values)
        if len(rows) % 10 == 0:
            logger.info("%d castings", len(rows))
    found = np.stack(rows)  # (S, 5, F)
    return Crops(names, found[:, :2], found[:, 2:4], found[:, 4:])


def classifier(seed: int) -> ClassifierMixin:
    """Return the classifier: a linear one and a forest, voting with equal weight."""
    linear = make_pipeline(
        VarianceThreshold(1e-12), StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)
    )
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
    return VotingClassifier([("linear", linear), ("forest", forest)], voting="soft")


def tell_apart(first: Array, second: Array, seed: int) -> dict[str, float]:
    """Measure how well castings' crops of two kinds, (S, n, F) and (S, m, F), are told apart.

    Each crop is judged by a classifier that has seen no crop of its casting.

    Returns:
        AUC with the ends of its 95 % interval (bootstrap over castings).

    Raises:
        InputError: there are fewer castings than folds.
    """
    count = len(first)
    if count < FOLDS:
        raise InputError(f"{count} castings are too few: {FOLDS} or more are needed")
    x = np.concatenate([first.reshape(-1, first.shape[2]), second.reshape(-1, second.shape[2])])
    casting = np.concatenate([np.repeat(np.arange(count), n.shape[1]) for n in (first, second)])
    label = np.repeat([0, 1], [first.shape[0] * first.shape[1], second.shape[0] * second.shape[1]])
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    score = cross_val_predict(
        classifier(seed), x, label, groups=casting, cv=folds, method="predict_proba"
    )[:, 1]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        drawn.append(roc_auc_score(label, score, sample_weight=times[casting]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    auc = float(roc_auc_score(label, score))
    return {"auc": auc, "low": float(low), "high": float(high), "castings": count}


def by_family(crops: Crops, seed: int) -> dict[str, Any]:
    """Measure each family of statistics alone, and name what tells most in it.

    A statistic by itself tells as much as its AUC is away from 0.5, whichever way.
    """
    real, made = (part.reshape(-1, len(crops.names)) for part in (crops.real, crops.generated))
    label = np.repeat([0, 1], [len(real), len(made)])
    values = np.concatenate([real, made])
    alone = np.array([roc_auc_score(label, column) for column in values.T])
    families = np.array([family(name) for name in crops.names])
    found = {}
    for name in dict.fromkeys(families.tolist()):
        own = np.flatnonzero(families == name)
        telling = own[np.argsort(-np.abs(alone[own] - 0.5), kind="stable")][:SHOWN]
        found[name] = {
            "statistics": len(own),
            **tell_apart(crops.real[..., own], crops.generated[..., own], seed),
            "most_telling": [
                {
                    "name": crops.names[i],
                    "auc_alone": float(max(alone[i], 1 - alone[i])),
                    "real_median": float(np.median(real[:, i])),
                    "generated_median": float(np.median(made[:, i])),
                }
                for i in telling
            ],
        }
    return found


def judge(crops: Crops, seed: int) -> dict[str, Any]:
    """Tell real crops from generated ones, beside the sanity arms.

    Raises:
        InputError: blurred crops are not recognised, so that the figure would mean nothing.
    """
    sanity = tell_apart(crops.real[:, :1], crops.blurred, seed)
    if sanity["auc"] < SANITY_AUC:
        raise InputError(
            f"the classifier tells real crops from blurred ones with AUC {sanity['auc']:.3f} only; "
            f"below {SANITY_AUC} its verdict on generated ones means nothing: give more castings "
            f"than {sanity['castings']:.0f}"
        )
    return {
        "what": "AUC of telling real from generated crops by castings not learned from; 0.5 is a "
        "guess; interval 95 %, bootstrap over castings",
        "unit": "1",
        "crop_px": CROP_PX,
        "crops_a_class": crops.real.shape[0] * crops.real.shape[1],
        "statistics": len(crops.names),
        "generated": tell_apart(crops.real, crops.generated, seed),
        "sanity_blurred": sanity | {"blur_px": BLUR_PX},
        "chance_real_against_real": tell_apart(crops.real[:, :1], crops.real[:, 1:], seed),
        "by_family": by_family(crops, seed),
    }


def report(found: dict[str, Any]) -> str:
    """Return the figures as lines for the terminal, the families that tell most first."""

    def told(entry: dict[str, Any]) -> str:
        return f"AUC {entry['auc']:.3f} ({entry['low']:.3f} to {entry['high']:.3f})"

    lines = [
        f"generated against real: {told(found['generated'])}",
        f"blurred against real: {told(found['sanity_blurred'])}",
        f"real against real: {told(found['chance_real_against_real'])}",
    ]
    for name, entry in sorted(found["by_family"].items(), key=lambda item: -item[1]["auc"]):
        lines.append(f"  {name} alone: {told(entry)}")
        lines += [
            f"    {one['name']}: alone {one['auc_alone']:.2f}; "
            f"real {one['real_median']:.3g}, generated {one['generated_median']:.3g}"
            for one in entry["most_telling"]
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Tell generated micrographs from real ones and write docs/results/realism.json."""
    parser = unseen_parser("core.realism", main.__doc__, fields=None)
    parser.add_argument("--castings", type=int, default=CASTINGS, help="two crops a class each")
    arguments = parser.parse_args(argv)
    try:
        unseen = open_unseen("core.realism", arguments)
        crops = collect(unseen.loaded, unseen.data, arguments.castings, arguments.seed)
        found = judge(crops, arguments.seed)
        if found["crops_a_class"] < LEAST_CROPS:
            logger.warning(
                "%d crops a class: the measure wants %d", found["crops_a_class"], LEAST_CROPS
            )
        path = write_result("realism", unseen.content | {"realism": found}, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s\n%s", report(found), path)


if __name__ == "__main__":
    main()
