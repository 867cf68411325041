"""Regular expressions of users cost a bounded time, whatever they and the texts are."""

from __future__ import annotations

import time

import pytest

from workflows.specs.patterns import MAX_SUBJECT, PatternError, compile_pattern, found_in


@pytest.mark.parametrize("pattern", [r"amount: \d+", "(?i)swap", "^Program log: .{0,100}$", "é+", "a|b|c"])
def test_ordinary_expressions_compile(pattern: str) -> None:
    assert compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(", "*", r"(a)\1", "(?=a)", "(?<=a)b", "a{1001}", "(x{1,40}){1,40}", "a" * 513])
def test_what_re2_cannot_bound_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_a_search_reads_no_further_than_the_bound() -> None:
    pattern = compile_pattern("end")
    assert found_in(pattern, "x" * (MAX_SUBJECT - 3) + "end")
    assert not found_in(pattern, "x" * MAX_SUBJECT + "end")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(a+)+$", "a" * 16_000 + "!"),
        (r"(a|aa)+$", "a" * 16_000 + "!"),
        (r"(.*)(.*)(.*)(.*)(.*)x", "y" * 16_000),
        ("[ab]*a[ab]{900}c", "abba" * 4_000),
        ("(a|b)*a" + "(a|b)" * 90 + "c", "abba" * 4_000),
    ],
)
def test_no_expression_is_catastrophic(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    started = time.process_time()
    assert not found_in(compiled, text)
    # A backtracking engine would need years; measured here are 0.1 s at worst.
    assert time.process_time() - started < 2
