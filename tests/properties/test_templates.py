"""Templates: right by an oracle where they are right, and nothing but TemplateError where they are not."""

from __future__ import annotations

import contextlib
import unicodedata
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflows.templating import TemplateError, check, check_amount, render, render_amount, render_exact

CONTEXT = {"event": {"x": 7, "big": str(2**100), "zero": 0, "list": [3, 5]}, "workflow": {"name": "w"}}
TERMS = {
    "event.x": 7,
    "event.big": 2**100,
    "event.zero": 0,
    "event.list[1]": 5,
    'event["list"][0]': 3,
    "event.list.0": 3,
}

leaves = st.one_of(
    st.integers(0, 2**64).map(lambda number: (str(number), number)),
    st.sampled_from(list(TERMS.items())),
)


def combined(two: tuple[tuple[str, Any], tuple[str, Any]], op: str) -> tuple[str, Any]:
    """An expression's text with its value, None where it has none (by Python's own arithmetic, the bounds added)."""
    (left_text, left), (right_text, right) = two
    text = f"{op}({left_text}, {right_text})" if op in ("min", "max") else f"({left_text} {op} {right_text})"
    if left is None or right is None or (op in ("//", "%") and right == 0):
        return text, None
    results = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "//": lambda: left // right,
        "%": lambda: left % right,
        "min": lambda: min(left, right),
        "max": lambda: max(left, right),
    }
    value = results[op]()
    return text, value if abs(value) < 2**128 else None


expressions = st.recursive(
    leaves,
    lambda inner: st.builds(
        combined, st.tuples(inner, inner), st.sampled_from(["+", "-", "*", "//", "%", "min", "max"])
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@given(expressions)
def test_arithmetic_is_that_of_exact_integers(expression: tuple[str, int | None]) -> None:
    text, value = expression
    template = "{{ " + text + " }}"
    check(template)
    assert render(template, CONTEXT) == ("n/a" if value is None else str(value))
    try:
        amount = render_amount(template, CONTEXT)
    except TemplateError:
        assert value is None or not 1 <= value < 2**64
    else:
        assert amount == value


PIECES = [
    *("{{", "}}", "event", ".x", ".list", "[0]", "[-1]", "[", "]", "(", ")", "-", "+", "*", "**", "/", "//", "%", "1"),
    *("0", "1.5", "1e9", '"', "'", "'a'", "min", "max(", ",", " ", "\n", "__class__", "workflow", "lambda", "{", "}"),
    *("|", "=", "é", "\u202e", "\x00", "9" * 42),
]

junk = st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.text(max_size=60)).map(
    lambda text: text if "{{" in text else "{{" + text + "}}"
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["x", "list"]), inner)),
    max_leaves=8,
)


@settings(max_examples=500)
@given(junk, values)
@example("{{" + "(" * 5000, 1)
@example("{{" + "-" * 5000 + "1}}", 1)
@example("{{ event.x }}", 10**5000)
@example("{{ event }}", {"x": 10**5000})
@example("{{ event }}", {"x": "\ud800"})
def test_nothing_but_a_template_error_ever_comes_out(text: str, event: Any) -> None:
    for use in (check, check_amount):
        with contextlib.suppress(TemplateError):
            use(text)
    for use_with in (render, render_exact, render_amount):
        with contextlib.suppress(TemplateError):
            use_with(text, {"event": event})


@given(st.text(), st.text(st.characters(exclude_characters="{", exclude_categories=("Cs",))))
def test_what_an_event_says_can_neither_break_a_line_nor_hide_or_turn_text(said: str, around: str) -> None:
    rendered = render("{{ event.x }}", {"event": {"x": said}})
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in rendered)
    assert len(rendered) <= 4096
    assert render(around[:4096], {}) == around[:4096]
