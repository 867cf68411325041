"""A few processes at the same work, on a real Redis."""

from __future__ import annotations

from executions.turns import turn
from tests.waiting import wait_for


def is_free(name: str) -> bool:
    with turn(name, places=1, for_at_most_s=1) as mine:
        return bool(mine)


def test_a_place_that_is_taken_is_free_again_afterwards(db: None) -> None:
    with turn("one", places=1, for_at_most_s=5) as mine:
        assert mine
        assert not is_free("one")
    assert is_free("one")


def test_a_place_whose_holder_died_is_free_after_its_time_unless_it_was_renewed(db: None) -> None:
    with turn("held", places=1, for_at_most_s=1) as mine:

        def somebody_else_gets_in() -> bool:
            return is_free("held")

        for _ in range(3):
            mine.renew()
            assert not somebody_else_gets_in()
        wait_for(somebody_else_gets_in, 5, "the place to be given up")
        with turn("held", places=1, for_at_most_s=5) as theirs:
            mine.give_back()
            assert theirs
            assert not is_free("held")
