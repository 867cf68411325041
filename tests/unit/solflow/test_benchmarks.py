"""The table of figures is made of what benchmarks tell, and the list of benchmarks is theirs."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks.__main__ import SCRIPTS
from benchmarks.figures import Figure, table, tell, told


def test_what_a_script_tells_is_found_among_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    print("row      1.0      2.0")  # noqa: T201
    tell("floor", "p50 1.0 ms")
    lines = capsys.readouterr().out.splitlines()
    assert [told(line) for line in lines] == [None, Figure("floor", "p50 1.0 ms")]


def test_the_table_has_a_line_for_each() -> None:
    assert table([Figure("a", "1"), Figure("b", "2")]).splitlines()[2:] == ["| a | 1 |", "| b | 2 |"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_that_is_named_exists(name: str) -> None:
    assert importlib.util.find_spec(f"benchmarks.{name}") is not None
