"""Templates: what they render for people, for the chain and for money."""

from __future__ import annotations

import pytest

from tests.unit.workflows.definitions import ALICE
from workflows.templating import (
    TemplateError,
    UndefinedError,
    check,
    check_amount,
    is_template,
    render,
    render_amount,
    render_exact,
)

CONTEXT = {
    "event": {
        "lamports": 1000,
        "account": ALICE,
        "big": str(2**128 - 1),
        "share": 0.5,
        "none": None,
        "ok": True,
        "logs": ["first", "second"],
        "data": {"who": "ann", "odd key": 1, "7": "seven"},
        "zero": 0,
    },
    "workflow": {"name": "Rent"},
}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain { text } }}", "plain { text } }}"),
        ("{{event.lamports}}", "1000"),
        ("got {{ event.lamports }} from {{ event.account }}.", f"got 1000 from {ALICE}."),
        ("{{ workflow.name }}", "Rent"),
        ("{{ event.logs.1 }} {{ event.logs[0] }}", "second first"),
        ("{{ event.data['odd key'] }}", "1"),
        ("{{ event.data.7 }}", "seven"),
        ("{{ event.ok }}", "true"),
        ("{{ event.share }}", "0.5"),
        ("{{ event.logs }}", '["first","second"]'),
        ('{{ "{{" }} and {{ "}}" }}', "{{ and }}"),
        ("{{ event.lamports * 95 // 100 + 1 }}", "951"),
        ("{{ 2 + 3 * 4 - -1 }}", "15"),
        ("{{ (2 + 3) * 4 % 7 }}", "6"),
        ("{{ -7 // 2 }}", "-4"),
        ("{{ min(event.lamports, 5, 9) }} {{ max(1, 2) }}", "5 2"),
        ("{{ event.big }}", str(2**128 - 1)),
        ("{{ event.big - 1 }}", str(2**128 - 2)),
    ],
)
def test_a_message_renders(text: str, rendered: str) -> None:
    check(text)
    assert render(text, CONTEXT) == rendered
    assert render_exact(text, CONTEXT) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "{{ event.nowhere }}",
        "{{ event.none }}",
        "{{ event.logs[9] }}",
        "{{ event.account.x }}",
        "{{ transaction.signature }}",
        "{{ event.nowhere + 1 }}",
        "{{ event.account + 1 }}",
        "{{ event.share * 2 }}",
        "{{ event.ok + 1 }}",
        "{{ event.lamports // event.zero }}",
        "{{ event.lamports % event.zero }}",
        "{{ event.big * 2 }}",
        "{{ event.logs + 1 }}",
    ],
)
def test_what_has_no_value_is_not_available_in_a_message_and_an_error_on_chain(text: str) -> None:
    check(text)
    assert render(f"a {text} b", CONTEXT) == "a n/a b"
    for strict in (render_exact, render_amount):
        with pytest.raises(TemplateError):
            strict(text, CONTEXT)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("{{ amount }}", 3),
        ("a {{ event.lamports * 0.95 }}", 23),
        ("{{ event.lamports / 2 }}", 18),
        ("{{ 2 ** 9 }}", 5),
        ("{{ event.lamports", 17),
        ("{{ event.lamports ! }}", 18),
        ("{{ event.lamports lamports }}", 18),
        ("{{ event() }}", 8),
        ("{{ len(event) }}", 3),
        ("{{ 'open }}", 3),
        ("{{ event[event] }}", 9),
        ("{{ min() }}", 7),
        ("{{ 1 2 }}", 5),
        ("{{ }}", 3),
        ("{{ event. }}", 10),
        ("{{ 340282366920938463463374607431768211456 }}", 3),
        ("{{ event == 1 }}", 9),
    ],
)
def test_a_wrong_template_is_refused_at_its_character(text: str, position: int) -> None:
    with pytest.raises(TemplateError) as caught:
        check(text)
    assert caught.value.position == position
    with pytest.raises(TemplateError):
        render(text, CONTEXT)


def test_a_fraction_is_refused_with_the_way_to_write_it() -> None:
    for text in ("{{ event.lamports * 0.95 }}", "{{ event.lamports / 2 }}"):
        with pytest.raises(TemplateError, match=r"event\.amount \* 95 // 100"):
            check(text)


def test_a_root_that_does_not_exist_yet_is_refused() -> None:
    check("{{ transaction.signature }}")
    with pytest.raises(TemplateError, match="does not exist yet"):
        check("{{ transaction.signature }}", roots=("event",))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("{{ event.lamports }}", 1000),
        (" {{ event.lamports * 95 // 100 }} ", 950),
        ("{{ 18446744073709551615 }}", 2**64 - 1),
    ],
)
def test_an_amount_is_an_exact_integer(text: str, amount: int) -> None:
    check_amount(text)
    assert render_amount(text, CONTEXT) == amount


@pytest.mark.parametrize(
    "text", ["{{ event.zero }}", "{{ event.lamports - 1000 }}", "{{ -event.lamports }}", "{{ event.big }}"]
)
def test_an_amount_that_is_nothing_or_too_much_is_refused(text: str) -> None:
    check_amount(text)
    with pytest.raises(TemplateError):
        render_amount(text, CONTEXT)


@pytest.mark.parametrize("text", ["5", "{{ 1 }}0", "{{ 1 }}{{ 2 }}", "{{ 0 }}", "{{ 'five' }}", "{{ 1 - 2 }}", ""])
def test_money_is_one_expression_with_a_value_above_zero(text: str) -> None:
    with pytest.raises(TemplateError):
        check_amount(text)


def test_a_missing_value_is_told_by_its_path() -> None:
    with pytest.raises(UndefinedError, match=r"event\.data\.amount is not there"):
        render_amount("{{ event.data.amount }}", CONTEXT)


def test_no_python_object_is_reachable() -> None:
    class Tempting:
        secret = "x"

    for text in ("{{ event.__class__ }}", "{{ event.thing.secret }}", "{{ event.lamports.real }}", "{{ event.get }}"):
        assert render(text, {"event": {"thing": Tempting(), "lamports": 5}}) == "n/a"


def test_what_an_event_says_cannot_forge_a_line_or_turn_the_text_around() -> None:
    said = "paid\n\u202eLOS\u2066 0\x00\x1b[31m\u200b!\u2028x"
    assert render("{{ event.x }}", {"event": {"x": said}}) == "paid LOS 0[31m! x"
    assert render("two\nlines {{ event.x }}", {"event": {"x": "y"}}) == "two\nlines y"


def test_a_long_message_is_cut_and_a_long_memo_refused() -> None:
    context = {"event": {"x": "y" * 10_000}}
    rendered = render("{{ event.x }}", context)
    assert len(rendered) == 4096
    assert rendered.endswith("…")
    with pytest.raises(TemplateError, match="longer than 4096"):
        render_exact("{{ event.x }}{{ event.x }}", context)


def test_only_braces_make_a_template() -> None:
    assert is_template("{{ event.slot }}")
    assert not is_template("{ event.slot }")
