"""Claims about settings in words: they steer designs, and a design has one word of each."""

import numpy as np
import pytest

from bayesnet.categories import corners
from bayesnet.choice import NetworkConfig
from bayesnet.learn import fit_network
from bayesnet.levels import build_levels
from bayesnet.network import Network
from bayesnet.next_test import propose_tests
from bayesnet.query import judge, most_probable, posterior
from bayesnet.reachable import design_range
from bayesnet.recording import _columns
from core.errors import InputError
from core.wording import interval
from tests.bayesnet.simulator import COLUMNS, column, simulate
from tests.bayesnet.test_network import changed

EFFECT = {"air": 0.0, "furnace": -1.0, "water": 1.0}
COOLING = column("cooling", "", "Cooling", "process", "categorical")
SMALL = NetworkConfig(regimes=(1, 2), factors=(4,), structures=("full",))


def cooled(words: np.ndarray | None = None):
    """The toy foundry's castings, cooled in three ways that show in latents and strengths."""
    table = simulate(specimens=90, dimensions=16, patches=20, dead=2)
    frame = table.specimens.copy()
    rng = np.random.default_rng(3)
    frame["cooling"] = rng.choice(list(EFFECT), len(frame)) if words is None else words
    effect = frame["cooling"].map(EFFECT).fillna(0.0)
    frame["ys_mpa"] *= 1 + 0.15 * effect
    frame["uts_mpa"] *= 1 + 0.15 * effect
    shift = rng.normal(size=16) * (np.arange(16) < 8)
    mu = table.mu + effect[table.specimen].to_numpy()[:, None] * shift
    return changed(table, specimens=frame, mu=mu.astype(np.float32), columns=(*COLUMNS, COOLING))


@pytest.fixture(scope="module")
def foundry() -> Network:
    return fit_network(cooled(), SMALL)


def chances(answer) -> dict[str, float]:
    return {k.split(" = ")[1]: v.value for k, v in answer.process.items() if " = " in k}


def strong(network: Network, word: str) -> dict[str, float]:
    """Strengths of the specimen of highest yield strength that was cooled so."""
    at = [n.level for n in network.process].index(word)
    rows = np.flatnonzero(network.support.process[:, at] > 0)
    values = network.support.properties[rows]
    row = values[values[:, -1].argmax()]
    return {n.column: float(v) for n, v in zip(network.outcomes, row, strict=True)}


def test_each_word_is_a_node_and_survives_its_file(foundry, tmp_path):
    words = [n for n in foundry.process if n.group]
    assert [(n.group, n.level, n.low, n.high) for n in words] == [
        ("cooling", word, 0.0, 100.0) for word in EFFECT
    ]
    foundry.save(tmp_path / "network.json")
    assert Network.load(tmp_path / "network.json").nodes == foundry.nodes


def test_a_target_that_one_way_of_cooling_gives_recommends_it(foundry):
    hard = most_probable(foundry, strong(foundry, "water"))
    found = chances(hard)
    assert found["water"] > 80 and sum(found.values()) == pytest.approx(100, abs=0.1)
    assert hard.feasibility.verdict == "feasible"
    assert hard.process["cooling = water"].low is None
    soft = chances(most_probable(foundry, {"uts_mpa": 250, "ys_mpa": 125}))
    assert soft["water"] < 20


def test_a_word_that_is_asked_for_is_kept_and_counts_in_the_verdict(foundry):
    target = strong(foundry, "water")
    slow = {"cooling = furnace": 100}
    assert judge(foundry, target, slow).verdict == "infeasible"
    assert judge(foundry, target, {"cooling = water": (50, None)}).verdict == "feasible"
    found = chances(most_probable(foundry, target, slow))
    assert found["furnace"] == 100 and found["water"] == 0
    without = chances(most_probable(foundry, target, {"cooling = water": 0}))
    assert without["water"] == 0


@pytest.mark.parametrize(
    "limits",
    [
        {"cooling = water": 100, "cooling = air": 100},
        {f"cooling = {word}": 0 for word in EFFECT},
        {"cooling = air": (20, 80)},
    ],
)
def test_limits_without_any_word_are_refused(foundry, limits):
    with pytest.raises(InputError, match="nothing to choose for Cooling"):
        judge(foundry, {"ys_mpa": 200}, limits)


def test_proposed_tests_have_one_word_each(foundry):
    for test in propose_tests(foundry, {"ys_mpa": 220}, count=4):
        values = [v for k, v in test.settings.items() if " = " in k]
        assert sorted(np.round(values)) == [0, 0, 100]


def test_the_plain_posterior_gives_probabilities(foundry):
    low, high = (
        posterior(foundry, {"ys_mpa": ys}).nodes["cooling = water"].mean for ys in (140, 300)
    )
    assert low < 33 < high


def test_a_word_that_holds_settles_the_others_and_moves_the_rest(foundry):
    found = {
        word: posterior(foundry, {f"cooling = {word}": 100.0}).nodes
        for word in ("furnace", "water")
    }
    for word, nodes in found.items():
        for other in set(EFFECT) - {word}:
            belief = nodes[f"cooling = {other}"]
            assert belief.mean == pytest.approx(0.0, abs=1e-6) and belief.given is not None
    furnace, water = (found[word]["ys_mpa"].mean for word in ("furnace", "water"))
    assert water > 1.1 * furnace, f"{water:.0f} against {furnace:.0f} MPa"


def test_two_words_at_once_are_refused(foundry):
    with pytest.raises(InputError, match="has one of them only"):
        posterior(foundry, {"cooling = air": 100.0, "cooling = water": 100.0})
    with pytest.raises(InputError, match="another word of it is said to hold"):
        posterior(foundry, {"cooling = air": 100.0, "cooling = water": (20.0, None)})


def test_a_probability_stays_between_nothing_and_certain(foundry):
    for ys in (100, 320):
        for word in EFFECT:
            belief = posterior(foundry, {"ys_mpa": ys}).nodes[f"cooling = {word}"]
            assert 0 <= belief.probability_pct <= 100


def test_there_is_a_corner_for_every_word_within_limits(foundry):
    low, high = design_range(foundry)
    found = list(corners(foundry.process, low, high))
    assert len(found) == 3 and all(at.size == 3 for at, _ in found)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (np.array([f"w{i % 9}" for i in range(90)]), "9 different words"),
        (np.array(["air"] * 90), "the same for every specimen"),
        (np.array(["air"] * 89 + ["water"]), "'water' stands for 1 specimen only"),
        (np.array(["air", "water", None] * 30, dtype=object), "known for 60 of 90"),
        (np.array(["air", "very " * 20] * 45), "is too long for a name"),
    ],
)
def test_words_that_cannot_be_learned_are_left_out_with_the_reason(words, why):
    levels = build_levels(cooled(words))
    assert not any(n.group for n in levels.nodes)
    assert any(note.startswith("cooling: in words, ") and why in note for note in levels.notes)


def test_a_recipe_keeps_words_and_their_probabilities(foundry):
    answer = most_probable(foundry, {"ys_mpa": 220})
    columns = {column.name: column for column in _columns(foundry)}
    assert set(answer.process) <= set(columns)
    word = columns["cooling = air"]
    assert (word.label, word.unit) == ("Cooling is air", "% likely")
    assert interval(answer.process[word.name], word.unit) == "a probability"


def test_settings_in_words_beyond_what_can_be_sampled_are_left_out():
    table = cooled()
    frame, names = table.specimens.copy(), [f"route_{i}" for i in range(6)]
    for i, name in enumerate(names):
        frame[name] = np.roll(["a", "b", "c"] * 30, i * i)
    extra = tuple(column(name, "", name, "process", "categorical") for name in names)
    levels = build_levels(changed(table, specimens=frame, columns=(*table.columns, *extra)))
    assert {n.group for n in levels.nodes if n.group} == {"cooling", "route_0"}  # 9 choices, not 27
    assert sum("more than 24 choices" in note for note in levels.notes) == 5
