from chain.rpc.breaker import FAILURES_TO_OPEN, FIRST_REST_S, LONGEST_REST_S, TRIAL_S, Breaker


def opened(now_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(now_s)
    return breaker


def test_a_breaker_stays_closed_below_the_failures_that_open_it() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(0.0)
    assert breaker.state(0.0) == "closed"
    assert breaker.admits(0.0)


def test_failures_in_a_row_open_it() -> None:
    breaker = opened()
    assert breaker.state(0.0) == "open"
    assert not breaker.admits(0.0)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(0.0)
    breaker.succeeded()
    breaker.failed(0.0)
    assert breaker.state(0.0) == "closed"


def test_after_its_rest_it_admits_one_trial_only() -> None:
    breaker = opened()
    assert breaker.state(FIRST_REST_S) == "half_open"
    assert breaker.admits(FIRST_REST_S)
    breaker.begin(FIRST_REST_S)
    assert not breaker.admits(FIRST_REST_S)


def test_a_trial_whose_outcome_nobody_tells_blocks_the_next_for_a_while_only() -> None:
    breaker = opened()
    breaker.begin(FIRST_REST_S)
    assert breaker.admits(FIRST_REST_S + TRIAL_S)


def test_a_good_trial_closes_it_and_forgets_the_past() -> None:
    breaker = opened()
    breaker.begin(FIRST_REST_S)
    breaker.succeeded()
    assert breaker.state(FIRST_REST_S) == "closed"
    breaker.failed(FIRST_REST_S)
    assert breaker.state(FIRST_REST_S) == "closed"


def test_each_failed_trial_doubles_the_rest_up_to_a_limit() -> None:
    breaker, now_s, rests = opened(), 0.0, []
    for _ in range(8):
        rests.append(breaker.rests_until_s() - now_s)
        now_s = breaker.rests_until_s()
        breaker.begin(now_s)
        breaker.failed(now_s)
    assert rests[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(rests) == LONGEST_REST_S


def test_an_endpoint_that_asks_for_a_pause_gets_it_at_once() -> None:
    breaker = Breaker()
    breaker.failed(0.0, retry_after_s=7.0)
    assert not breaker.admits(6.9)
    assert breaker.admits(7.0)


def test_an_endpoint_cannot_ask_for_more_than_the_longest_rest() -> None:
    breaker = Breaker()
    breaker.failed(0.0, retry_after_s=3600.0)
    assert breaker.admits(LONGEST_REST_S)
