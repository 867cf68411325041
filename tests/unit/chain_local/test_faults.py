from __future__ import annotations

import pytest

from chain.local.errors import RpcError
from chain.local.faults import FaultPlan


def plan(**faults: object) -> FaultPlan:
    made = FaultPlan()
    made.set(faults)
    return made


def test_without_faults_a_request_just_runs() -> None:
    fate = FaultPlan().for_request(["getSlot"])
    assert (fate.status, fate.delay_s, fate.hang, fate.lose_answer) == (200, 0.0, False, False)


def test_a_fault_with_methods_strikes_those_alone() -> None:
    faults = plan(rate_limit={"methods": ["getSlot"], "retry_after_s": 7})
    assert faults.for_request(["getBalance"]).status == 200
    struck = faults.for_request(["getBalance", "getSlot"])
    assert (struck.status, struck.retry_after_s) == (429, 7)


def test_a_fault_with_paths_strikes_what_is_asked_there_alone() -> None:
    faults = plan(lag={"paths": ["/second"], "blocks": 7}, timeout={"paths": ["/third"]})
    assert [faults.lag_blocks("getSlot", path) for path in ("/", "/second", "/third")] == [0, 7, 0]
    assert [faults.for_request(["getSlot"], path).hang for path in ("/", "/second", "/third")] == [False, False, True]


def test_a_node_forgets_transactions_and_nothing_else() -> None:
    faults = plan(forget={})
    asked = ["getSignatureStatuses", "getTransaction", "getSlot", "getBalance"]
    assert [faults.forgets(method) for method in asked] == [True, True, False, False]


def test_a_fault_for_the_next_two_strikes_twice() -> None:
    faults = plan(server_error={"next": 2, "status": 502})
    assert [faults.for_request(["getSlot"]).status for _ in range(3)] == [502, 502, 200]


def test_a_probability_with_a_seed_is_repeatable() -> None:
    def strikes() -> list[bool]:
        faults = plan(lose_answer={"probability": 0.5, "seed": 7})
        return [faults.for_request(["sendTransaction"]).lose_answer for _ in range(100)]

    assert strikes() == strikes()
    assert 25 < sum(strikes()) < 75


def test_a_seed_that_nobody_chose_is_told() -> None:
    assert isinstance(plan(delay={}).as_json()["delay"][0]["seed"], int)


def test_several_rules_of_one_kind_hold_side_by_side() -> None:
    faults = plan(delay=[{"methods": ["getSlot"], "delay_ms": 100}, {"methods": ["getBalance"], "delay_ms": 200}])
    assert faults.for_request(["getSlot"]).delay_s == pytest.approx(0.1)
    assert faults.for_request(["getBalance"]).delay_s == pytest.approx(0.2)


def test_the_methods_that_lift_faults_are_never_faulted() -> None:
    faults = plan(timeout={}, error={}, rate_limit={})
    assert faults.for_request(["solflow_clearFaults"]).status == 200
    faults.raise_for_call("solflow_clearFaults")


def test_what_struck_is_counted() -> None:
    faults = plan(never_land={"next": 1})
    assert not faults.never_lands("getSlot")
    assert faults.never_lands("sendTransaction")
    assert not faults.never_lands("sendTransaction")
    assert faults.as_json()["never_land"][0]["fired"] == 1


def test_a_scripted_error_is_the_answer() -> None:
    with pytest.raises(RpcError) as failure:
        plan(error={"code": -32004, "message": "Block not available for slot 7"}).raise_for_call("getBlock")
    assert (failure.value.code, failure.value.message) == (-32004, "Block not available for slot 7")


def test_lifted_faults_strike_no_more() -> None:
    faults = plan(timeout={}, lag={"blocks": 5})
    faults.clear(["timeout"])
    assert not faults.for_request(["getSlot"]).hang
    assert faults.lag_blocks("getSlot") == 5
    faults.clear()
    assert faults.lag_blocks("getSlot") == 0


def test_notifications_are_faulted_by_their_own_names() -> None:
    faults = plan(duplicate={"methods": ["accountNotification"]}, slot_offset={"slots": -3})
    assert faults.for_frame("accountNotification").duplicate
    assert not faults.for_frame("logsNotification").duplicate
    assert faults.slot_offset("logsNotification") == -3


def test_sockets_are_cut_about_every_so_many_seconds() -> None:
    delays = [plan(drop_sockets={"every_s": 10, "seed": seed}).next_drop_s() for seed in range(20)]
    assert all(delay is not None and 5 <= delay <= 15 for delay in delays)
    assert len(set(delays)) > 1


def test_an_unknown_fault_or_setting_is_refused_by_name() -> None:
    with pytest.raises(RpcError, match="unknown fault 'explode'"):
        plan(explode={})
    with pytest.raises(RpcError, match="has no setting delay_s"):
        plan(delay={"delay_s": 1})


def test_changes_are_told() -> None:
    changes: list[int] = []
    faults = FaultPlan(lambda: changes.append(1))
    faults.set({"stall_sockets": {}})
    assert faults.sockets_stalled
    faults.clear(["stall_sockets"])
    assert not faults.sockets_stalled
    assert len(changes) == 2
