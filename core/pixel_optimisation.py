"""How many iterations of optimising the pixels is the network worth, and how much faster is it?

``python -m core.pixel_optimisation --model DIR --data DIR`` writes
``docs/results/pixel_optimisation.json``. Gatys, Ecker and Bethge (arXiv:1505.07376) make a texture
by moving the pixels of a noise picture with L-BFGS until its Gram matrices are those of the
original: minutes a picture, but as near as one likes. Here that is done to real patches, by the
relative style error itself (`core.losses`), and counted: after how many iterations is the error
that of the network's reconstruction of the same patch? How near the network's own drafts can get,
were the encoder perfect, is measured beside it (`core.latent_descent`).
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet
from core.errors import ConfigError, InputError, MicroDesignError
from core.latent_descent import optimise_latents
from core.patches import cut_at, patch_corners
from core.picture_style import style_errors
from core.pixel_descent import Descent, optimise_pixels
from core.results import write_result
from core.scale import read_to_scale
from core.summaries import median_interval, summary
from core.synthesis import reconstruct
from core.unseen import open_unseen, unseen_parser

PATCHES, ITERATIONS, LATENT_STEPS = 24, 80, 60
CURVE = (5, 10, 20, 40)  # iterations whose errors are told; each patch is taken to the last one
TIMINGS = 3
logger = logging.getLogger(__name__)


def choose_patches(
    data: DataSet, count: int, size: int, um_per_px: float | None, seed: int
) -> NDArray[np.float32]:
    """Return a patch of each of ``count`` specimens spread over a data set, (count, size, size).

    Raises:
        InputError: there are fewer specimens, or a micrograph is smaller than a patch.
    """
    specimens = list(data.specimens.index)
    if not 1 <= count <= len(specimens):
        raise InputError(
            f"{count} patches of {len(specimens)} specimens: choose 1 or more, one each"
        )
    rng, names = np.random.default_rng(seed), data.table["specimen"].to_numpy()
    patches = []
    for place in np.linspace(0, len(specimens) - 1, count).round().astype(int):
        row = int(np.flatnonzero(names == specimens[place])[0])
        pixels = read_to_scale(data, row, um_per_px)
        corners = patch_corners(pixels.shape[0], pixels.shape[1], size, max(size // 4, 1))
        patches.append(cut_at(pixels, rng.choice(corners, 1), size)[0])
    return np.stack(patches)


def network_times(loaded: LoadedModel, patch: NDArray[np.float32], seed: int) -> float:
    """Return the median time, s, to encode and decode one patch (H, W), after one to warm up."""
    found = []
    for turn in range(TIMINGS + 1):
        began = time.perf_counter()
        reconstruct(loaded, patch[None], seed)
        if turn:
            found.append(time.perf_counter() - began)
    return float(np.median(found))


def compare(
    errors: NDArray[np.float64], seconds: float, descents: Sequence[Descent]
) -> dict[str, Any]:
    """Return what a network that errs by ``errors`` (N,) in ``seconds`` a patch is worth.

    Where the pixels never get as near, the iterations and the time of the whole descent stand in:
    the true ones are larger, and so is a median that falls on them ("median_is_least").
    """
    worth, faster, unreached = [], [], 0
    for error, descent in zip(errors, descents, strict=True):
        reached = descent.reach(float(error))
        unreached += reached is None
        index = len(descent.errors) - 1 if reached is None else reached
        worth.append(float(index))
        faster.append(descent.seconds[index] / seconds)
    least = 2 * unreached >= len(descents)
    return {
        "error": summary(errors),
        "seconds_a_patch": seconds,
        "iterations_worth": median_interval(np.array(worth)) | {"median_is_least": least},
        "times_faster": median_interval(np.array(faster)) | {"median_is_least": least},
        "not_reached": unreached,
    }


def measure(
    models: Mapping[str, LoadedModel],
    patches: NDArray[np.float32],
    iterations: int,
    seed: int,
) -> dict[str, Any]:
    """Optimise the pixels of patches (N, H, W) until they beat every model; compare with each."""
    first = next(iter(models.values()))
    errors = {
        name: style_errors(first, patches, reconstruct(loaded, patches, seed)).mean(axis=1)
        for name, loaded in models.items()
    }
    times = {name: network_times(loaded, patches[0], seed) for name, loaded in models.items()}
    descents = []
    for i, patch in enumerate(patches):
        lowest = min(float(found[i]) for found in errors.values())
        descents.append(
            optimise_pixels(
                first.vgg, patch, iterations, seed + i, lowest, min(CURVE[-1], iterations)
            )
        )
        logger.info(
            "patch %d: %.3f after %d iterations; networks %s",
            *(i, descents[-1].errors[-1], len(descents[-1].errors) - 1),
            ", ".join(f"{found[i]:.3f}" for found in errors.values()),
        )
    curve = {
        str(n): summary(np.array([d.errors[n] for d in descents])) for n in CURVE if n <= iterations
    }
    each = [
        (d.evaluations[-1] / (len(d.errors) - 1), d.seconds[-1] / (len(d.errors) - 1))
        for d in descents
    ]
    return {
        "what": "L-BFGS on the pixels by the relative style error, from noise, against encoding "
        "and decoding by the network, same patches, process and threads; interval 95 %, bootstrap "
        "over patches, of the median",
        "patches": len(patches),
        "most_iterations": iterations,
        "passes_an_iteration": float(np.median([passes for passes, _ in each])),
        "seconds_an_iteration": float(np.median([seconds for _, seconds in each])),
        "error_after_iterations": curve,
        "models": {name: compare(errors[name], times[name], descents) for name in models},
    }


def latents_moved(
    loaded: LoadedModel, patches: NDArray[np.float32], steps: int, seed: int
) -> dict[str, Any]:
    """Return how far drafts of patches (N, H, W) get with the best latents."""
    errors = optimise_latents(loaded, patches, steps, seed)
    return {
        "what": "relative style error of drafts, before the denoiser: from the encoder's latents; "
        "from latents moved by Adam to where the error is least over noise drawn anew each step, "
        "with noise not met; from latents moved for one noise, with that noise",
        "steps": steps,
        "encoded": summary(errors.encoded),
        "best": summary(errors.best),
        "best_for_one_noise": summary(errors.best_noise),
    }


def report(found: Mapping[str, Any]) -> str:
    """Return the figures as lines for the terminal."""
    lines = [
        f"{n} iterations: error {entry['median']:.3f}"
        for n, entry in found["error_after_iterations"].items()
    ]
    for name, entry in found["models"].items():
        worth, faster = entry["iterations_worth"], entry["times_faster"]
        least = "at least " if worth["median_is_least"] else ""
        lines.append(
            f"{name}: error {entry['error']['median']:.3f}, worth {least}{worth['median']:.0f} "
            f"iterations ({worth['low']:.0f} to {worth['high']:.0f}), {least}"
            f"{faster['median']:.0f} times faster ({faster['low']:.0f} to {faster['high']:.0f})"
        )
    moved = found["latents_moved"]
    parts = [moved[key]["median"] for key in ("encoded", "best", "best_for_one_noise")]
    lines.append(
        "drafts: error {:.3f} from the encoder's latents, {:.3f} from the best ones, {:.3f} from "
        "the best ones for one noise".format(*parts)
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Count the L-BFGS iterations that the network is worth on data it has not seen."""
    parser = unseen_parser("core.pixel_optimisation", main.__doc__, fields=None)
    parser.add_argument("--patches", type=int, default=PATCHES, help="one a specimen")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="at most, a patch")
    parser.add_argument(
        "--latent-steps", type=int, default=LATENT_STEPS, help="of moving the latents"
    )
    parser.add_argument("--also", type=Path, help="a second model to print beside it")
    arguments = parser.parse_args(argv)
    if arguments.latent_steps < 1:  # said now, not after minutes of pixels
        parser.error(f"--latent-steps must be 1 or more, not {arguments.latent_steps}")
    try:
        unseen = open_unseen("core.pixel_optimisation", arguments)
        loaded = unseen.loaded
        models = {"model": loaded}
        if arguments.also:
            models["also"] = load_model(arguments.also)
            if models["also"].config.patch_px != loaded.config.patch_px:
                raise ConfigError(f"the model in {arguments.also} has patches of another size")
        patches = choose_patches(
            unseen.data, arguments.patches, loaded.config.patch_px, loaded.um_per_px, arguments.seed
        )
        found = measure(models, patches, arguments.iterations, arguments.seed)
        for name, one in models.items():
            found["models"][name] |= {
                "loss": one.manifest.get("training", {}).get("loss"),
                "model_sha256": one.hash,
            }
        found["latents_moved"] = latents_moved(
            loaded, patches, arguments.latent_steps, arguments.seed
        )
        content = unseen.content | {"pixel_optimisation": found}
        path = write_result("pixel_optimisation", content, arguments.out)
    except MicroDesignError as error:
        parser.exit(2, f"{error}\n")
    logger.info("%s\n%s", report(found), path)


if __name__ == "__main__":
    main()
