"""The password: what counts as a visit, and how fast it can be guessed."""

import pytest

from core.errors import ConfigError
from dashboard import password as module
from dashboard.password import SLOWEST_S, VARIABLE, VISIT_S, Turnstile, is_visit, matches, visit

RIGHT = "correct horse battery"


def test_without_the_setting_everybody_is_let_in(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert module.password() is None and module.let_in({})


@pytest.mark.parametrize("given", ["", "short", "elevenchars"])
def test_an_empty_or_short_password_does_not_open_the_server(given, monkeypatch):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(ConfigError, match=f"set to {len(given)} characters") as caught:
        module.let_in({})
    assert not given or given not in str(caught.value).replace("characters", "")


@pytest.mark.parametrize("given", ["", RIGHT[:-1], RIGHT + "x", RIGHT.upper(), "Größe\udcff"])
def test_only_the_very_password_matches(given):
    assert matches(RIGHT, RIGHT)
    assert not matches(given.encode("utf-8", "replace").decode(), RIGHT)


def test_a_visit_counts_for_twelve_hours_and_for_its_password_only():
    cookie = visit(RIGHT, now=1000.0)
    assert cookie.startswith(f"{1000 + VISIT_S}.") and RIGHT not in cookie
    assert is_visit(cookie, RIGHT, now=1000.0)
    assert is_visit(cookie, RIGHT, now=1000.0 + VISIT_S - 1)
    assert not is_visit(cookie, RIGHT, now=1000.0 + VISIT_S)
    assert not is_visit(cookie, RIGHT, now=900.0), "of a time to come: the clock went back"
    assert not is_visit(cookie, "another password", now=1000.0)


def test_no_forged_visit_counts():
    until, _, signature = visit(RIGHT, now=1000.0).partition(".")
    forged = [
        None,
        "",
        ".",
        until,
        f"{until}.",
        f"{int(until) + 1}.{signature}",
        f"{until}.{signature[:-1]}",
        f"{until}.{signature}0",
        f"-{until}.{signature}",
        f" {until}.{signature}",
        "9" * 5000 + "." + signature,
        f"١٢٣.{signature}",
        f"{until}.ü",
    ]
    assert [one for one in forged if is_visit(one, RIGHT, now=1000.0)] == []


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_wrong_attempts_slow_down_all_that_follow():
    clock = Clock()
    turnstile, waited = Turnstile(clock), []
    for _ in range(9):
        wait = turnstile.wait_s()
        waited.append(wait)
        clock.now += wait
        turnstile.judged(False)
    assert waited == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]
    assert waited[-1] == SLOWEST_S
    turnstile.judged(True)
    clock.now += SLOWEST_S
    assert turnstile.wait_s() == 0.0, "a right one ends the slowness"


def test_a_burst_of_attempts_at_once_is_turned_away():
    turnstile = Turnstile(Clock())
    waits = [turnstile.wait_s() for _ in range(1000)]
    served = [wait for wait in waits if wait is not None]
    assert len(served) == 65 and served[:3] == [0.0, 0.25, 0.5]
    assert waits[-1] is None
