from __future__ import annotations

from executions.models import Execution
from tests.chaos.checks import Sum, _cover

# An account that went from 100 over 110 and 130 to 160.
PLACES = {100: 0, 110: 1, 130: 2, 160: 3}


def execution(before: int, after: int) -> Execution:
    return Execution(execution_id=f"{before}-{after}", event={"previous_lamports": before, "lamports": after})


def test_one_execution_for_each_change_is_a_chain_without_merges() -> None:
    assert _cover(PLACES, [execution(130, 160), execution(100, 110), execution(110, 130)]) == (0, [])


def test_a_catch_up_stands_for_the_changes_that_it_spans() -> None:
    assert _cover(PLACES, [execution(100, 130), execution(130, 160)]) == (1, [])


def test_a_change_without_an_execution_is_told() -> None:
    (hole, end) = _cover(PLACES, [execution(100, 110), execution(130, 160)])[1]
    assert "goes from change 2 to 3, expected from 1" in hole
    assert "2 changes after change 1" in end


def test_a_change_with_two_executions_is_told() -> None:
    assert len(_cover(PLACES, [execution(100, 110), execution(100, 110), execution(110, 160)])[1]) == 1


def test_an_execution_of_a_balance_that_never_was_is_told() -> None:
    assert len(_cover(PLACES, [execution(100, 160), execution(160, 170)])[1]) == 1


def test_a_sum_with_differing_rows_does_not_agree_even_if_its_figures_do() -> None:
    assert Sum("a", 1, 1).agrees
    assert not Sum("a", 1, 1, ["one for another"]).agrees
