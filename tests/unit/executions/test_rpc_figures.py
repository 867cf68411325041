"""Quantiles from histograms, and what calls cost."""

import pytest

from chain.rpc.credits import credits_of
from executions.rpc_figures import Figures, quantile, together

BUCKETS = {0.01: 50.0, 0.1: 90.0, 1.0: 100.0, float("inf"): 100.0}


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.25, 0.005), (0.5, 0.01), (0.7, 0.055), (0.9, 0.1), (0.95, 0.55), (1.0, 1.0)]
)
def test_a_quantile_lies_within_its_bucket(share: float, seconds: float):
    assert quantile(BUCKETS, share) == pytest.approx(seconds)


def test_what_lies_beyond_the_last_bound_is_told_as_that_bound():
    assert quantile({0.01: 0.0, 30.0: 1.0, float("inf"): 100.0}, 0.95) == 30.0


def test_without_observations_there_is_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0.0, float("inf"): 0.0}, 0.5) is None


def test_history_costs_ten_and_the_rest_one():
    assert (credits_of("getTransaction", 3), credits_of("sendTransaction", 3)) == (30, 3)
    assert credits_of("aMethodOfTomorrow", 2) == 2


def test_endpoints_are_added_up_and_a_refusal_is_an_answer():
    one = Figures("a", "getSlot", {"ok": 90, "rejected": 5, "unavailable": 5}, BUCKETS, 100)
    both = together([one, Figures("b", "getSlot", {"ok": 100, "behind": 1}, BUCKETS, 101)])
    assert (both.calls, both.errors, both.credits) == (201, 6, 201)
    assert both.p50_s == one.p50_s
