from __future__ import annotations

from tests.chaos.schedule import FAULTS, LANES, draw


def test_a_seed_is_a_schedule() -> None:
    assert draw(7, 600, []) == draw(7, 600, [])
    assert draw(7, 600, []) != draw(8, 600, [])


def test_leaving_lanes_out_changes_nothing_in_the_others() -> None:
    everything = draw(7, 600, [])
    assert draw(7, 600, ["rpc"]) == [one for one in everything if one.lane == "rpc"]


def test_ten_minutes_have_every_fault_in_them() -> None:
    assert {type(one.fault).__name__ for one in draw(7, 600, [])} == set(FAULTS)


def test_every_fault_is_over_before_the_load_ends_and_none_overlaps_another_of_its_lane() -> None:
    planned = draw(7, 600, [])
    for lane in LANES:
        free_from_s = 0.0
        for one in (one for one in planned if one.lane == lane):
            assert one.at_s >= free_from_s
            free_from_s = one.at_s + one.fault.hold_s
        assert free_from_s <= 600


def test_one_fault_can_be_chosen_and_none() -> None:
    assert {type(one.fault).__name__ for one in draw(7, 300, ["Killed"])} == {"Killed"}
    assert draw(7, 300, ["none"]) == []
