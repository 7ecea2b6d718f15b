"""Every metric of reconstructions and of synthesised fields, beside what real pictures reach.

``python -m core.metrics --model DIR --data DIR`` writes ``docs/results/metrics.json``.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.dataset import DataSet
from core.errors import MicroDesignError
from core.fields import FIELD_PX, specimen_fields
from core.metrics.catalogue import CATALOGUE, Comparison, compare, load_metrics
from core.patch_pairs import sample_pairs
from core.results import write_result
from core.summaries import mean_interval, paired_difference
from core.synthesis import reconstruct
from core.unseen import LEAST_PAIRS, open_unseen, unseen_parser

logger = logging.getLogger(__name__)

Pictures = NDArray[np.float32]
Found = dict[str, dict[str, list[float]]]  # metric -> arm -> a value a specimen


def patch_metrics(
    loaded: LoadedModel,
    data: DataSet,
    metrics: Mapping[str, Comparison],
    seed: int,
    each: int = 1,
) -> Found:
    """Compare patches, ``each`` a specimen, with reconstruction, a sibling and a stranger.

    Returns:
        metric -> "reconstruction", "same_specimen" (a patch beside it that does not overlap),
        "other_specimen" (a patch of the one before) -> values in the order of the specimens.
    """
    rng = np.random.default_rng(seed)
    originals, partners = sample_pairs(data, loaded.config.patch_px, rng, loaded.um_per_px, each)
    arms = {
        "reconstruction": reconstruct(loaded, originals, seed),
        "same_specimen": partners,
        "other_specimen": np.roll(originals, each, axis=0),
    }
    found: Found = {name: {} for name in metrics}
    for arm, pictures in arms.items():
        for name, values in compare(metrics, originals, pictures).items():
            found[name][arm] = values.tolist()
        logger.info("patches: %s", arm)
    return found


def field_metrics(
    loaded: LoadedModel, data: DataSet, metrics: Mapping[str, Comparison], count: int, seed: int
) -> tuple[list[str], Found]:
    """Compare a real 512 px field of each specimen with synthesised and with other real ones.

    Returns:
        The specimens, and metric -> "generated", "designed", "same_specimen" (`core.fields`),
        "other_specimen" (the specimen before) -> values in their order.
    """
    names, found = [], {name: dict[str, list[float]]() for name in metrics}
    first = before = None
    for fields in specimen_fields(loaded, data, count, seed):
        arms = dict(fields.arms)
        if before is not None:
            arms["other_specimen"] = before
        first = fields.target if first is None else first
        names.append(fields.specimen)
        _append(found, metrics, fields.target, arms)
        before = fields.target
        logger.info("field of %s", fields.specimen)
    if first is not None and before is not None:  # the first specimen's stranger is the last one
        last: Found = {name: {} for name in metrics}
        _append(last, metrics, first, {"other_specimen": before})
        for name, arms_found in found.items():
            arms_found["other_specimen"].insert(0, last[name]["other_specimen"][0])
    return names, found


def _append(
    found: Found,
    metrics: Mapping[str, Comparison],
    target: Pictures,
    arms: Mapping[str, Pictures],
) -> None:
    for arm, picture in arms.items():
        for name, values in compare(metrics, target[None], picture[None]).items():
            found[name].setdefault(arm, []).append(float(values[0]))


def summarise(found: Found, specimens: Iterable[str]) -> dict[str, Any]:
    """Return each metric's means with intervals, paired differences and values by specimen."""
    names = list(specimens)
    result: dict[str, Any] = {}
    for metric in CATALOGUE:
        if metric.name not in found:
            continue
        arms = {arm: np.array(values) for arm, values in found[metric.name].items()}
        result[metric.name] = {
            "label": metric.label,
            "higher_is_better": metric.higher_is_better,
            "unit": "1",
            **{arm: mean_interval(values) for arm, values in arms.items()},
            **{
                f"{arm}_minus_same_specimen": paired_difference(values, arms["same_specimen"])
                for arm, values in arms.items()
                if arm not in ("same_specimen", "other_specimen")
            },
            "by_specimen": {
                arm: dict(zip(names, (round(float(v), 5) for v in values), strict=True))
                for arm, values in arms.items()
            },
        }
    return result


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every metric on data that the model has not seen."""
    parser = unseen_parser("core.metrics", main.__doc__)
    arguments = parser.parse_args(argv)
    try:
        unseen = open_unseen("core.metrics", arguments)
        loaded, data, content = unseen.loaded, unseen.data, unseen.content
        metrics, small = load_metrics(loaded.vgg, loaded.config.patch_px)
        field_wise, missing = load_metrics(loaded.vgg, FIELD_PX)
        content["interval"] = "95 %, bootstrap over specimens, of the mean"
        content["not_available"] = missing
        content["fields_only"] = {n: why for n, why in small.items() if n not in missing}
        if len(data.specimens) < LEAST_PAIRS:
            logger.warning(
                "%d specimens, so %d pairs: the paper averages over %d",
                *(len(data.specimens), len(data.specimens), LEAST_PAIRS),
            )
        found = patch_metrics(loaded, data, metrics, arguments.seed)
        content["patches"] = summarise(found, map(str, data.specimens.index))
        if loaded.config.decoder == "texture":
            names, found = field_metrics(loaded, data, field_wise, arguments.fields, arguments.seed)
            content["fields"] = summarise(found, names)
        path = write_result("metrics", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s", path)
