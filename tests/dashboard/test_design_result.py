"""What a design is said to be made for."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesnet.feasibility import Feasibility
from core.regressor import Prediction
from dashboard import design_ranking, design_refined, design_result
from dashboard.design_result import description, designed_for, stands_in

UTS = SimpleNamespace(column="uts_mpa", label="Strength", unit="MPa")


def answer(verdict, nearest, conditioned_on):
    return SimpleNamespace(
        feasibility=Feasibility(verdict, 1.0, nearest, ""), conditioned_on=conditioned_on
    )


@pytest.mark.parametrize(
    ("verdict", "nearest", "nearest_is_made"),
    [
        ("feasible", None, False),
        ("borderline", {"uts_mpa": 410.123}, False),
        ("infeasible", {"uts_mpa": 410.123}, True),
        ("infeasible", None, False),
    ],
)
def test_the_nearest_is_named_only_where_it_exists_and_was_made(verdict, nearest, nearest_is_made):
    found = answer(verdict, nearest, nearest if nearest_is_made else {"uts_mpa": 600.5})
    assert stands_in(found) == nearest_is_made
    assert designed_for(found) == {"uts_mpa": 410.1 if nearest_is_made else 600.5}


def test_samples_left_over_keep_the_width_of_those_drawn(monkeypatch):
    asked, shown = [], []
    place = SimpleNamespace(image=lambda *args, **settings: shown.append(settings["caption"]))
    monkeypatch.setattr(design_result.st, "columns", lambda n: asked.append(n) or [place] * n)
    read = {"uts_mpa": Prediction(414.0, 390.0, 440.0)}
    picture = SimpleNamespace(pixels=np.zeros((32, 32), np.float32), predicted=read)
    sample = SimpleNamespace(picture=picture, residual=0.5, refined=True)
    made = SimpleNamespace(
        um_per_px=1.0, main=picture, answer=SimpleNamespace(conditioned_on={"uts_mpa": 200.0})
    )
    design_result.more(((sample,), 2), made, SimpleNamespace(properties=(), outcomes=(UTS,)))
    assert asked == [3] and len(shown) == 1 and "residual 0.50; refined" in shown[0]
    assert "90 % interval in brackets: strength 414 MPa (390 to 440 MPa)" in shown[0]


@pytest.mark.parametrize(("improved", "order"), [(None, "1m2"), (True, "1rm2"), (False, "1m2")])
def test_all_designs_stand_in_one_list_ranked_by_residual(monkeypatch, improved, order):
    tables = []
    monkeypatch.setattr(design_ranking.st, "table", lambda rows, **settings: tables.append(rows))

    def read(value: float) -> SimpleNamespace:
        return SimpleNamespace(predicted={"uts_mpa": Prediction(value, value - 20, value + 20)})

    samples = [SimpleNamespace(picture=read(value)) for value in (402.0, 418.0)]
    made = SimpleNamespace(main=read(410.0), answer=answer("feasible", None, {"uts_mpa": 400.0}))
    refined = SimpleNamespace(improved=improved, picture=read(396.0))
    refined = None if improved is None else refined
    network = SimpleNamespace(outcomes=(UTS, SimpleNamespace(column="ys_mpa", label="Yield")))
    design_ranking.show(samples, made, network, refined)
    names = {"m": design_ranking.MOST_PROBABLE, "r": design_ranking.REFINED}
    (rows,) = tables
    assert [row["Design"] for row in rows] == [names.get(c, f"Sample {c}") for c in order]
    assert [row["Rank"] for row in rows] == [str(i + 1) for i in range(len(order))]
    shown = {row["Design"]: row["Residual, strength"] for row in rows}
    assert shown[design_ranking.MOST_PROBABLE] == "0.50" and shown["Sample 2"] == "0.90"
    assert all(len(row) == 3 for row in rows), "only what was asked for"


def test_a_refined_design_is_read_back_with_intervals(monkeypatch):
    tables = []
    place = SimpleNamespace(
        image=lambda *args, **settings: None,
        table=lambda rows, **settings: tables.append(rows),
        caption=lambda *args: None,
        download_button=lambda *args, **settings: False,
    )
    monkeypatch.setattr(design_refined.st, "columns", lambda *args, **settings: [place, place])
    monkeypatch.setattr(design_refined, "description", lambda *about: "")
    before, after = (
        SimpleNamespace(
            pixels=np.zeros((32, 32), np.float32),
            predicted={"uts_mpa": Prediction(value, value - 20, value + 20)},
            reading=None,
        )
        for value in (414.0, 402.0)
    )
    found = SimpleNamespace(
        improved=True, picture=after, attempts=(before, after), before=0.7, residual=0.1, seconds=1
    )
    made = SimpleNamespace(answer=answer("feasible", None, {"uts_mpa": 400.0}))
    model, network = SimpleNamespace(um_per_px=1.0), SimpleNamespace(outcomes=(UTS,))
    design_refined.show(found, made, model, network)
    ((row,),) = tables
    assert row["Refined"] == "402\u00a0MPa" and row["90 % interval"] == "382 to 422 MPa"


def test_files_say_seed_stand_in_and_that_the_data_are_synthetic():
    made = SimpleNamespace(
        answer=answer("infeasible", {"uts_mpa": 410.123}, {"uts_mpa": 410.123}),
        targets={"uts_mpa": (900.0, None)},
        main=SimpleNamespace(seed=7),
    )
    said = description(made, SimpleNamespace(synthetic=True, synthetic_label="synthetic data"))
    assert said.startswith("MicroDesign: uts_mpa 410.1, seed 7; the nearest that is feasible to")
    assert "uts_mpa 900.." in said and "synthetic data" in said
    assert "synthetic" not in description(made, SimpleNamespace(synthetic=False))
