"""All designs for one target in one list, ranked by what is read back from their pictures."""

from collections.abc import Sequence

import streamlit as st

from bayesnet.design import Design
from bayesnet.network import Network
from bayesnet.ranking import ranked
from bayesnet.refine import Refinement
from bayesnet.samples import Sample

MOST_PROBABLE, REFINED = "Most probable, above", "Refined, above"


def show(
    samples: Sequence[Sample], design: Design, network: Network, refined: Refinement | None
) -> None:
    """Show the residual of every property asked for, the design nearest to the target first.

    Args:
        samples: further designs, in the order in which they are numbered.
        design: with the most probable microstructure; network: of the model.
        refined: the refined design, where it was asked for.
    """
    predicted = {MOST_PROBABLE: design.main.predicted}
    if refined is not None and refined.improved:
        predicted[REFINED] = refined.picture.predicted
    predicted |= {f"Sample {i}": one.picture.predicted for i, one in enumerate(samples, start=1)}
    wanted, rows = design.answer.conditioned_on, []
    for place, one in enumerate(ranked(network, wanted, predicted), start=1):
        row = {"Rank": str(place), "Design": one.name}
        for node in network.outcomes:
            if node.column in wanted:
                known = one.residuals.get(node.column)
                row[f"Residual, {node.label.lower()}"] = "none" if known is None else f"{known:.2f}"
        rows.append(row)
    st.table(rows, hide_index=True)
    st.caption(
        "Ranked by the worst residual: how far what is read back from the picture lies from the "
        "target, for all of them in half widths of the narrowest 90 % interval among them. Samples "
        "are smaller fields, read less surely: their own intervals are below them."
    )
