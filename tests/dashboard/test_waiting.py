"""What a page shows while others are before it."""

import threading
import time
from contextlib import contextmanager

import pytest
from streamlit.testing.v1 import AppTest

from core.turns import OVERTAKEN, Turns
from dashboard import design_map, designs, waiting
from dashboard.waiting import line
from tests.dashboard.conftest import sound


def test_the_line_counts_who_is_before():
    assert "one calculation of another visitor" in line(1)
    assert "3 calculations of other visitors" in line(3)


def page() -> None:
    import time

    import streamlit as st

    from dashboard import state, waiting

    with waiting.working("Designing…"):
        with state.lock():
            pass
        time.sleep(0.3)
    st.write("done")


def test_a_page_says_that_it_waits_and_takes_it_back(monkeypatch):
    turns, release, said = Turns(), threading.Event(), []
    monkeypatch.setattr(waiting, "LOOK_S", 0.02)
    monkeypatch.setattr(waiting.state, "lock", lambda: turns)
    plain = waiting.line
    monkeypatch.setattr(waiting, "line", lambda n: said.append(n) or plain(n))

    def hold() -> None:
        with turns:
            release.wait(10)

    def let_go() -> None:
        end = time.monotonic() + 5
        while not said and time.monotonic() < end:
            time.sleep(0.01)
        release.set()

    threads = [threading.Thread(target=hold), threading.Thread(target=let_go)]
    for thread in threads:
        thread.start()
    app = AppTest.from_function(page).run(timeout=15)
    for thread in threads:
        thread.join(10)
    assert not app.exception
    assert said == [1]
    assert [m.value for m in app.markdown] == ["done"]
    assert [c.value for c in app.caption] == []


def test_every_run_of_a_page_takes_a_new_place(with_model, open_page, monkeypatch):
    arrived = []
    monkeypatch.setattr(Turns, "arrive", lambda self: arrived.append(self))
    app = open_page("library")
    app.run()
    assert len(arrived) == 2


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        (design_map, "feasible_region", "Working out what the data support…"),
        (designs, "propose_tests", "Working out which tests would tell most…"),
        (designs, "find_proposal", "Designing: asking the network, synthesising…"),
    ],
)
def test_the_design_page_says_what_it_works_on(
    module, name, said, with_model, open_page, monkeypatch
):
    """Each long calculation runs inside a spinner that names it."""
    now, seen, plain = [], [], getattr(module, name)

    @contextmanager
    def working(text):
        now.append(text)
        yield
        now.pop()

    monkeypatch.setattr(waiting, "working", working)
    monkeypatch.setattr(module, name, lambda *a, **k: seen.append(tuple(now)) or plain(*a, **k))
    sound(open_page(size="256"))
    assert seen == [(said,)]


def test_the_first_picture_of_a_design_is_quick_and_further_samples_are_long(
    with_model, open_page, monkeypatch
):
    turn, seen = [0.0], {}
    take, plain = Turns.take, {n: getattr(designs, n) for n in ("find_proposal", "diverse_designs")}

    def taken(self, behind=0):
        turn[0] = behind
        take(self, behind)

    def told(name):
        return lambda *a, **k: seen.update({name: turn[0]}) or plain[name](*a, **k)

    monkeypatch.setattr(Turns, "take", taken)
    for name in plain:
        monkeypatch.setattr(designs, name, told(name))
    sound(open_page(size="256"))
    assert seen["find_proposal"] == 0
    assert seen["diverse_designs"] >= OVERTAKEN
