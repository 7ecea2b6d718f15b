"""Large results of all sessions stay within one budget, whatever the number of sessions."""

import gc
import threading

from dashboard import caching
from dashboard.byte_budget import ByteBudget, Shelf


def test_what_was_not_asked_for_for_longest_goes_first_whoever_kept_it():
    budget, first, second = ByteBudget(10), Shelf(), Shelf()
    budget.keep(first, "a", "A", 4)
    budget.keep(second, "a", "B", 4)
    assert budget.find(first, "a") == "A", "asked for: now the youngest"
    budget.keep(second, "b", "C", 4)
    assert budget.find(second, "a") is None and second.values == {"b": "C"}
    assert (budget.find(first, "a"), budget.find(second, "b")) == ("A", "C")
    assert budget.held_bytes == 8


def test_twenty_sessions_hold_no_more_than_one():
    budget, shelves = ByteBudget(100), [Shelf() for _ in range(20)]
    for shelf in shelves:
        for number in range(6):
            budget.keep(shelf, number, bytes(16), 16)
    held = sum(len(value) for shelf in shelves for value in shelf.values.values())
    assert held == budget.held_bytes == 96


def test_what_is_larger_than_the_budget_is_not_kept_and_pushes_nothing_out():
    budget, shelf = ByteBudget(10), Shelf()
    budget.keep(shelf, "small", "s", 3)
    budget.keep(shelf, "large", "l", 11)
    assert budget.find(shelf, "large") is None and budget.find(shelf, "small") == "s"
    budget.keep(shelf, "small", "l", 11)
    assert budget.find(shelf, "small") is None, "replaced by what cannot be kept"
    assert shelf.values == {} and budget.held_bytes == 0


def test_a_key_is_kept_once():
    budget, shelf = ByteBudget(10), Shelf()
    budget.keep(shelf, "a", "old", 6)
    budget.keep(shelf, "a", "new", 6)
    assert budget.find(shelf, "a") == "new" and budget.held_bytes == 6


def test_a_session_that_ended_frees_its_share():
    budget, stays, ends = ByteBudget(10), Shelf(), Shelf()
    budget.keep(stays, "a", "A", 4)
    budget.keep(ends, "a", "B", 6)
    del ends
    gc.collect()
    assert budget.held_bytes == 4
    budget.keep(stays, "b", "C", 6)
    assert stays.values == {"a": "A", "b": "C"}


def test_many_threads_leave_it_within_its_bound():
    budget, shelves = ByteBudget(50), [Shelf() for _ in range(8)]

    def work(shelf: Shelf) -> None:
        for number in range(200):
            budget.keep(shelf, number % 7, number, 7)
            budget.find(shelf, (number + 3) % 7)

    threads = [threading.Thread(target=work, args=(shelf,)) for shelf in shelves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = sum(len(shelf.values) for shelf in shelves)
    assert 7 * kept == budget.held_bytes <= 50


def test_the_budget_of_the_server_is_a_share_of_its_memory(monkeypatch):
    monkeypatch.setattr(caching, "memory_bytes", lambda: 8 * 2**30)
    assert caching.most_bytes() == 2**29
    monkeypatch.setattr(caching, "memory_bytes", lambda: 2**40)
    assert caching.most_bytes() == 2**30
    monkeypatch.setattr(caching, "memory_bytes", lambda: None)
    assert caching.most_bytes() == 2**30
