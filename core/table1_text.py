"""The paper's Table 1 on the reference castings: its cells, their figures beside the paper's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.markdown import table
from core.metrics.catalogue import CATALOGUE
from core.optional_results import sections

RESULT = "table1"
BUDGET = 12_000  # patches a cell
LATENTS = (8, 16, 32, 64)
PAPER = {8: (0.6962, 0.7591), 16: (0.6995, 0.7609), 32: (0.7257, 0.7640), 64: (0.7031, 0.7592)}
WHY = (
    "The paper's micrographs are not public: these are synthetic castings of the same design, so "
    "columns compare with one another, not with the paper's. Its STSIM-2 averages over windows of "
    "7 x 7 px, ours is taken over the whole patch and is nearer to 1 throughout. The cells differ "
    "in decoder and latents only: loss (normalised), average pooling and encoder are ours in all "
    "of them, so the paper's decoder here is not the paper's model."
)
REAL_CELL = "texture-32"  # trained on a real alloy, too
TOLD = "Means; in brackets two patches of one specimen, and of two specimens."
_SHOWN = [metric for metric in CATALOGUE if not metric.fields_only]  # the table is on patches


def cell_names() -> list[str]:
    """Return the names of all cells: decoder-latents."""
    return [f"{decoder}-{latents}" for decoder in ("paper", "texture") for latents in LATENTS]


def table1_text(results: Path) -> list[str]:
    """Return the table where some of it is there, and how it was made.

    Raises:
        CheckpointError: the result is damaged.
    """

    def written(content: Mapping[str, Any]) -> list[str]:
        told = f"models of their own, {BUDGET:,} patches each"
        return [f"The paper's Table 1, by `{content['command']}`: {told}.", table_text(content)]

    return sections(results, ((RESULT, written, "tables"),))


def table_text(content: Mapping[str, Any]) -> str:
    """Return the table beside the paper's, in Markdown."""
    rows = []
    for name in cell_names():
        decoder, latents = name.rsplit("-", 1)
        dists, stsim2 = PAPER[int(latents)]
        figures = _figures(content["cells"].get(name))
        rows.append([decoder, latents, *figures, f"{dists:.4f}", f"{stsim2:.4f}"])
    header = ["decoder", "latents", *(m.label for m in _SHOWN), "paper's DISTS", "STSIM-2"]
    parts = [table(header, rows), TOLD, WHY]
    if real := content.get("real"):
        header = ["data", *header[: 2 + len(_SHOWN)]]
        row = ["Ni superalloy, real", *REAL_CELL.rsplit("-", 1), *_figures(real)]
        count = len(real["held_out"])
        parts += [table(header, [row]), f"On {count} specimens that this model has not seen."]
    return "\n\n".join(parts)


def _figures(cell: Mapping[str, Any] | None) -> list[str]:
    """Return a cell of the table for every metric of patches."""
    if cell is None:
        return ["not done"] * len(_SHOWN)
    texts = []
    for metric in _SHOWN:
        found = cell["metrics"].get(metric.name)
        texts.append(
            "not available"
            if found is None
            else f"{found['reconstruction']['mean']:.3f} "
            f"({found['same_specimen']['mean']:.3f}, {found['other_specimen']['mean']:.3f})"
        )
    return texts
