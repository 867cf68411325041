from itertools import islice

import pytest

from chain.errors import Ambiguous, NodeBehind, Rejected, Unavailable
from chain.rpc.breaker import FAILURES_TO_OPEN
from chain.rpc.pool import HURRY_S, LAGGING_SLOTS, Pool, asks_next, attempt_timeout_s, backoff, verdict


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Pool:
    return Pool(["first:1", "second:2", "third:3"], clock)


def break_endpoint(pool: Pool, index: int, family: str = "read") -> None:
    for _ in range(FAILURES_TO_OPEN):
        pool.failed(index, family, Unavailable("down"))


def test_healthy_endpoints_are_asked_in_their_configured_order(pool: Pool) -> None:
    assert pool.order("read") == [0, 1, 2]


def test_an_endpoint_whose_breaker_is_open_is_left_out(pool: Pool) -> None:
    break_endpoint(pool, 0)
    assert pool.order("read") == [1, 2]


def test_a_family_that_fails_leaves_the_other_families_of_the_endpoint_in_use(pool: Pool) -> None:
    break_endpoint(pool, 0, "history")
    assert pool.order("history") == [1, 2]
    assert pool.order("send") == [0, 1, 2]


def test_when_all_rest_the_one_that_comes_back_first_is_asked(pool: Pool, clock: Clock) -> None:
    for index in (1, 0, 2):
        break_endpoint(pool, index)
        clock.now_s += 0.1
    assert pool.order("read") == [1]


def test_a_recovered_endpoint_takes_its_place_again(pool: Pool, clock: Clock) -> None:
    break_endpoint(pool, 0)
    clock.now_s += 1.0
    assert pool.order("read") == [0, 1, 2]
    pool.began(0, "read")
    assert pool.order("read") == [1, 2]
    pool.served(0, "read", 0.01)
    assert pool.order("read") == [0, 1, 2]


def test_a_node_that_is_behind_is_not_broken(pool: Pool) -> None:
    for _ in range(FAILURES_TO_OPEN):
        pool.failed(0, "read", NodeBehind("late"))
    assert pool.order("read") == [0, 1, 2]


def test_an_endpoint_that_lags_goes_to_the_end_of_the_line(pool: Pool) -> None:
    pool.saw_slot(0, "confirmed", 1_000)
    pool.saw_slot(1, "confirmed", 1_001 + LAGGING_SLOTS)
    assert pool.order("read") == [1, 2, 0]
    assert [status.slot_lag for status in pool.statuses()] == [LAGGING_SLOTS + 1, 0, None]


def test_slots_seen_at_different_times_are_not_taken_for_a_lag(pool: Pool, clock: Clock) -> None:
    pool.saw_slot(0, "confirmed", 1_000)
    clock.now_s += 60
    pool.saw_slot(1, "confirmed", 1_150)
    assert pool.order("read") == [0, 1, 2]


def test_slots_of_different_commitments_are_not_compared(pool: Pool) -> None:
    pool.saw_slot(0, "finalized", 1_000)
    pool.saw_slot(1, "processed", 1_000 + 2 * LAGGING_SLOTS)
    assert pool.order("read") == [0, 1, 2]


def test_a_status_shows_the_worst_family_and_the_last_error(pool: Pool) -> None:
    pool.began(0, "read")
    pool.served(0, "read", 0.02)
    break_endpoint(pool, 0, "send")
    status = pool.statuses()[0]
    assert (status.host, status.state, status.families["read"]) == ("first:1", "open", "closed")
    assert (status.calls, status.errors, status.last_error, status.latency_s) == (1, FAILURES_TO_OPEN, "down", 0.02)


def test_an_endpoint_is_hurried_only_while_another_could_be_asked() -> None:
    assert attempt_timeout_s("send", 10.0, others=True) == HURRY_S["send"]
    assert attempt_timeout_s("send", 10.0, others=False) == 10.0
    assert attempt_timeout_s("read", 0.5, others=True) == 0.5


def test_a_refused_read_is_not_asked_again_elsewhere_but_a_refused_send_is() -> None:
    refusal = Rejected(-32602, "invalid params")
    assert not asks_next("read", refusal)
    assert asks_next("send", refusal)
    assert asks_next("read", Unavailable("down"))


def test_a_send_that_one_endpoint_may_have_taken_is_ambiguous() -> None:
    errors = [Rejected(-32002, "Blockhash not found"), Ambiguous("b: silent", timed_out=True), Unavailable("c: down")]
    error = verdict("send", errors)
    assert isinstance(error, Ambiguous)
    assert error.timed_out
    assert "b: silent" in str(error)


def test_a_send_that_nobody_took_carries_the_refusal() -> None:
    refusal = Rejected(-32002, "Blockhash not found")
    assert verdict("send", [Unavailable("down"), refusal]) is refusal


def test_a_read_is_never_ambiguous() -> None:
    error = verdict("read", [Ambiguous("a: silent"), Unavailable("b: busy", retry_after_s=3.0)])
    assert type(error) is Unavailable
    assert error.retry_after_s == 3.0
    assert str(error) == "a: silent; b: busy"


def test_when_every_endpoint_is_behind_so_is_the_answer() -> None:
    assert isinstance(verdict("read", [NodeBehind("a"), NodeBehind("b")]), NodeBehind)


def test_backoff_doubles_up_to_its_limit_between_half_and_all_of_it() -> None:
    assert list(islice(backoff(1.0, 4.0, jitter=lambda: 1.0), 4)) == [1.0, 2.0, 4.0, 4.0]
    assert list(islice(backoff(1.0, 4.0, jitter=lambda: 0.0), 3)) == [0.5, 1.0, 2.0]
