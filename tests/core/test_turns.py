"""The gate: one at a time, in the order of arrival, and it knows who waits."""

import threading
import time

import pytest

from core.turns import OVERTAKEN, Turns


def wait_until(condition) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen within 5 s"
        time.sleep(0.002)


def test_turns_are_one_at_a_time_and_in_the_order_of_arrival():
    turns, order, inside, most = Turns(), [], [], []

    def work(number: int) -> None:
        with turns:
            inside.append(number)
            most.append(len(inside))
            order.append(number)
            time.sleep(0.001)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    with turns:
        for count, thread in enumerate(threads):
            thread.start()
            wait_until(lambda: turns.waiting == count + 1)  # noqa: B023
    for thread in threads:
        thread.join(5)
    assert order == list(range(12))
    assert set(most) == {1}
    assert turns.waiting == 0


def test_who_waits_is_told_how_many_are_before():
    turns, release = Turns(), threading.Event()

    def hold() -> None:
        with turns:
            release.wait(5)

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for count, thread in enumerate(threads):
        thread.start()
        wait_until(lambda: turns.taken and turns.waiting == count)  # noqa: B023
    assert [turns.ahead(thread.ident) for thread in threads] == [0, 1, 2]
    assert turns.ahead(threading.get_ident()) == 0
    release.set()
    for thread in threads:
        thread.join(5)
    assert [turns.ahead(thread.ident) for thread in threads] == [0, 0, 0]


def test_who_has_waited_once_keeps_its_place_until_its_share_is_used_up():
    now = [0.0]
    turns, order = Turns(share_s=5.0, clock=lambda: now[0]), []
    begun, go_on = threading.Event(), threading.Event()

    def page() -> None:
        for turn, seconds in enumerate((2.0, 4.0, 1.0)):
            with turns:
                order.append(f"page {turn}")
                now[0] += seconds
                if turn == 0:
                    begun.set()
                    go_on.wait(5)

    def other(number: int) -> None:
        with turns:
            order.append(f"other {number}")
            if number == 0:  # until the page has asked again
                wait_until(lambda: turns.waiting == 3)

    threads = [threading.Thread(target=page)]
    threads[0].start()
    assert begun.wait(5)
    for number in range(3):
        threads.append(threading.Thread(target=other, args=(number,)))
        threads[-1].start()
        wait_until(lambda: turns.waiting == number + 1)  # noqa: B023
    go_on.set()
    for thread in threads:
        thread.join(5)
    places = [order.index(f"page {turn}") for turn in range(3)]
    assert places[0] == 0
    assert places[1] in (1, 2), order  # at most the first slipped in before it asked again
    assert places[2] == len(order) - 1, order  # six seconds were more than its share


def test_a_new_click_gets_a_new_place():
    turns, order = Turns(), []
    with turns:
        pass

    def hold() -> None:
        with turns:  # until both of the others wait
            wait_until(lambda: turns.waiting == 2)

    def other() -> None:
        with turns:
            order.append("other")

    threads = [threading.Thread(target=hold), threading.Thread(target=other)]
    threads[0].start()
    wait_until(lambda: turns.taken)
    threads[1].start()
    wait_until(lambda: turns.waiting == 1)
    turns.arrive()
    with turns:
        order.append("clicked again")
    for thread in threads:
        thread.join(5)
    assert order == ["other", "clicked again"]


def test_a_place_counts_from_the_click_and_not_from_the_first_turn():
    turns, order = Turns(), []
    turns.arrive()

    def hold() -> None:
        with turns:  # until both of the others wait
            wait_until(lambda: turns.waiting == 2)

    def other() -> None:
        with turns:
            order.append("clicked later")

    threads = [threading.Thread(target=hold), threading.Thread(target=other)]
    threads[0].start()
    wait_until(lambda: turns.taken)
    threads[1].start()
    wait_until(lambda: turns.waiting == 1)
    with turns:
        order.append("clicked first, asked last")
    for thread in threads:
        thread.join(5)
    assert order == ["clicked first, asked last", "clicked later"]


@pytest.mark.parametrize(("later", "place"), [(3, 3), (OVERTAKEN + 20, OVERTAKEN)])
def test_what_is_quick_goes_before_what_is_long_but_not_for_ever(later: int, place: int):
    turns, order = Turns(), []

    def work(number: int) -> None:  # the first is long
        with turns if number else turns.for_long():
            order.append(number)

    threads = []
    with turns:
        for number in range(later + 1):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_until(lambda: turns.waiting == number + 1)  # noqa: B023
    for thread in threads:
        thread.join(5)
    quick = list(range(1, later + 1))
    assert order == [*quick[:place], 0, *quick[place:]]


def test_an_error_inside_gives_the_turn_back():
    turns = Turns()
    with pytest.raises(ValueError), turns:
        raise ValueError
    with turns:
        assert turns.waiting == 0


def test_asking_twice_is_a_defect_and_not_a_standstill():
    turns = Turns()
    with turns, pytest.raises(RuntimeError, match="already"), turns:
        pass
    with turns:
        pass


def test_it_tidies_after_each_turn_when_the_next_can_begin():
    taken = []
    turns = Turns(tidy=lambda: taken.append(turns.taken))
    for _ in range(2):
        with turns:
            pass
    assert taken == [False, False]
