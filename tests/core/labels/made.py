"""Labels made up for tests that only show or store them: z0 does something, z1 nothing."""

from dataclasses import asdict

from core.labels import Direction, Effect, Labels, Plan
from core.labels.effects import Curve

VECTOR = (0.6, 0.8)


def made_labels(model_hash: str, latents: int = 2) -> Labels:
    """Return labels of latents 0 and 1 of a model with so many."""
    clear = (
        _effect("nodularity_iso_pct", 5.5, 0.22, clear=True),
        _effect("particles_per_mm2", -12.0, -0.3, clear=True),
    )
    weak = (_effect("nodularity_iso_pct", 0.4, 0.016, clear=False),)
    vector = (*VECTOR, *[0.0] * (latents - 2))
    return Labels(
        model_hash=model_hash,
        data_name="Made up",
        data_hash="d" * 64,
        synthetic=True,
        um_per_px=1.0,
        plan=asdict(Plan(values=(-4.0, 0.0, 4.0))),
        spreads={"nodularity_iso_pct": 25.0, "particles_per_mm2": 40.0, "flake_length_um": 30.0},
        dimensions=(
            _direction("z0", 0, (), (("particles_per_mm2", -1), ("nodularity_iso_pct", 1)), clear),
            _direction("z1", 1, (), (), weak),
        ),
        directions=(
            _direction(
                "d1",
                1,
                vector,
                (("flake_length_um", 1),),
                (_effect("flake_length_um", 6.0, 0.2, clear=True),),
            ),
        ),
        figures={
            "stability": {
                name: {
                    "directions": count,
                    "labelled": 1,
                    "same_label": 1.0,
                    "found_by_first_set": 1,
                    "strongest_effect_survives": 1.0,
                    "effects_survive": 0.9,
                }
                for name, count in (("dimensions", 2), ("directions", 1))
            },
            "independence": {
                name: {
                    "correlation_abs": {"mean": 0.2, "p95": 0.2, "max": 0.2},
                    "most_correlated": {"pair": ["z0", "z1"], "correlation": -0.2},
                    "effective_dimensions": 1.9,
                }
                for name in ("patches", "specimens")
            },
            "entanglement": {
                "descriptors_a_dimension": 1.0,
                "dimensions_a_descriptor": {"nodularity_iso_pct": 1, "particles_per_mm2": 1},
                "disentanglement": 0.7,
                "completeness": None,
            },
            "size_and_sparsity": {
                "over_specimens": {"correlation": -0.7, "p": 1e-4, "n": 30},
                "over_dimensions": None,
                "move_both": ["d1"],
                "against_each_other": ["d1"],
                "shows": True,
            },
        },
    )


def _effect(quantity: str, slope: float, standardised: float, clear: bool) -> Effect:
    return Effect(
        quantity=quantity,
        slope=slope,
        low=slope - abs(slope) / 10,
        high=slope + abs(slope) / 10,
        standardised=standardised,
        move=8 * standardised,
        monotonicity=0.9 if slope > 0 else -0.9,
        share=0.8,
        starts=10,
        recurs=clear,
        clear=clear,
    )


def _direction(name, index, vector, named, effects) -> Direction:
    return Direction(
        name=name,
        kind="specimens" if vector else "latent",
        index=index,
        vector=vector,
        explained=0.4,
        sd_patches=0.9,
        sd_specimens=0.5,
        low=-1.5,
        high=1.6,
        named=named,
        set_clear=(named, named),
        effects=effects,
        curves={
            e.quantity: Curve(
                mean=(50 - 4 * e.slope, 50.0, 50 + 4 * e.slope),
                low=(45 - 4 * e.slope, 45.0, 45 + 4 * e.slope),
                high=(55 - 4 * e.slope, 55.0, 55 + 4 * e.slope),
            )
            for e in effects
        },
    )
