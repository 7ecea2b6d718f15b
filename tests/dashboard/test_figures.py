"""Charts hold the data that they were given, with titles and units, and set no background."""

import numpy as np
import pytest

from bayesnet.demands import Demand
from bayesnet.network import Arc
from bayesnet.nodes import Node
from bayesnet.query import Belief
from bayesnet.reachable import Region
from dashboard.belief_figure import beliefs_chart
from dashboard.figures import (
    BLUE,
    ORANGE,
    default_share,
    network_graph,
    strongest,
    style_scale,
)
from dashboard.region_figure import Marked, region_map


def node(name: str, role: str, index: int = -1) -> Node:
    return Node(
        node=name,
        column=name,
        role=role,
        unit="MPa" if role == "property" else "",
        label=name.upper(),
        mean=0.0,
        scale=1.0,
        low=-1.0,
        high=1.0,
        index=index,
    )


NODES = (
    node("mg", "process"),
    node("z1", "latent", 1),
    node("z2", "latent", 2),
    node("uts", "property"),
)
ARCS = (
    Arc("mg", "z1", 0.8, True),
    Arc("z1", "uts", -0.5, True),
    Arc("mg", "z2", 0.1, False),
    Arc("z2", "uts", 0.05, False),
)


def drawn() -> list:
    marks = [Marked("target", (430.0, 430.0), (250.0, np.inf), ORANGE, "x")]
    known = np.array([[300.0, 200.0], [450.0, np.nan]])
    region = Region(np.arange(3.0), np.arange(2.0), np.array([[0.5, 0.9, 2.0], [0.1, 0.2, 0.3]]))
    return [
        region_map(known, ("a", "b"), ("UTS (MPa)", "Ys (MPa)"), marks, region),
        style_scale(0.2, {"same": 0.4, "other": 0.8}),
        network_graph(NODES, ARCS[:2]),
    ]


@pytest.mark.parametrize("place", range(3))
def test_no_background_is_set(place):
    layout = drawn()[place].layout
    assert layout.paper_bgcolor is None
    assert layout.plot_bgcolor is None


def test_the_map_marks_the_target_among_the_specimens():
    figure = drawn()[0]
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["specimens"].text) == ["a", "b"]
    asked = traces["target"]  # 430 by at least 250: a line to the edge of the map
    assert set(asked.x) == {2.0, 430.0} or set(asked.x) == {430.0}, asked.x
    assert {"feasible", "end of support"} <= set(traces)
    assert figure.layout.xaxis.range[1] > 430
    assert figure.layout.xaxis.title.text == "UTS (MPa)"
    assert figure.layout.yaxis.title.text == "Ys (MPa)"


def test_the_style_scale_starts_at_zero_and_shows_every_value():
    figure = drawn()[1]
    assert figure.layout.xaxis.rangemode == "tozero"
    shown = {name: value for bar in figure.data for name, value in zip(bar.y, bar.x, strict=True)}
    assert shown == {"this micrograph": 0.2, "same": 0.4, "other": 0.8}


def belief(name: str, role: str, mean: float, given: Demand | None = None) -> Belief:
    return Belief(node(name, role), mean, mean - 0.5, mean + 1.0, given)


def test_beliefs_are_drawn_in_deviations_with_what_was_given_apart():
    found = [belief("mg", "process", 0.3, Demand(0.3, 0.3)), belief("uts", "property", 2.0)]
    figure = beliefs_chart(found, [belief("mg", "process", 0.0), belief("uts", "property", 0.0)])
    traces = {t.name: t for t in figure.data}
    assert set(traces) == {"without evidence", "follows", "known"}
    assert list(traces["follows"].y) == ["UTS"] and list(traces["known"].y) == ["MG"]
    assert traces["follows"].x[0] == 2.0
    assert traces["follows"].error_x.array[0] == 1.0
    assert traces["follows"].error_x.arrayminus[0] == 0.5
    assert "2 MPa" in traces["follows"].text[0]


def lines(figure) -> list:
    return [trace for trace in figure.data if trace.mode == "lines" and trace.showlegend is False]


def test_latents_without_an_arc_are_left_out():
    figure = network_graph(NODES, ARCS[:2])
    assert len(lines(figure)) == 2
    texts = [text for trace in figure.data if trace.mode == "markers+text" for text in trace.text]
    assert "z1" in texts
    assert "z2" not in texts
    assert {"MG", "UTS"} <= set(texts)


def test_process_is_left_of_latents_and_these_left_of_properties():
    figure = network_graph(NODES, ARCS)
    assert len(lines(figure)) == len(ARCS)
    for line in lines(figure):
        assert line.x[0] < line.x[1]


def test_the_sign_decides_the_colour_and_chance_the_opacity():
    colours = {line.line.color for line in lines(network_graph(NODES, ARCS[:2]))}
    assert colours == {BLUE, ORANGE}
    weak = [line.opacity for line in lines(network_graph(NODES, ARCS))]
    assert min(weak) < 0.5 < max(weak)


def test_each_direction_is_in_the_legend_once():
    figure = network_graph(NODES, ARCS)
    named = [t.name for t in figure.data if t.mode == "lines" and t.showlegend is None]
    assert sorted(named) == ["falls with", "rises with"]


def test_a_graph_without_arcs_still_shows_process_and_properties():
    figure = network_graph(NODES, [])
    assert not lines(figure)


def test_strength_is_judged_among_arcs_of_the_same_tier():
    kept = {(arc.parent, arc.child) for arc in strongest(NODES, ARCS, 0.5)}
    assert kept == {("mg", "z1"), ("z1", "uts")}
    assert strongest(NODES, ARCS, 0.0) == list(ARCS)


def test_the_default_share_leaves_no_more_arcs_than_can_be_read():
    assert default_share(NODES, ARCS, most=4) == 0.0
    share = default_share(NODES, ARCS, most=3)
    assert 0 < share < 1
    assert len(strongest(NODES, ARCS, share)) <= 3


def test_arcs_are_as_wide_as_they_are_strong_in_their_tier():
    widths = [line.line.width for line in lines(network_graph(NODES, ARCS))]
    assert max(widths) == 5
    assert sorted(widths)[-2] == 5  # one a tier
