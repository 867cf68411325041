"""What people are told, for every template and outcome."""

from __future__ import annotations

from typing import Any

import pytest

from executions.channels.base import Message
from executions.channels.discord import payload
from executions.channels.discord_text import escape
from executions.explorer import Explorer
from executions.figures import decimal, short, sol, sol_exact
from executions.messages import OUTCOMES, TEMPLATES, build, build_test
from tests.discord_limits import assert_valid
from workflows.templating import TemplateError

ACCOUNT = "4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn"
SIGNATURE = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
EXPLORER = Explorer("localnet", "http://127.0.0.1:8899/key?token=secret")
WORKFLOW = {"id": "7d3c", "name": "Sweep"}


def execution(**changes: Any) -> dict[str, Any]:
    document = {
        "execution_id": "ab" * 32,
        "workflow": "7d3c",
        "workflow_version": 3,
        "status": "success",
        "dry_run": False,
        "event": {
            "type": "balance_change",
            "slot": 123456,
            "signature": None,
            "account": ACCOUNT,
            "lamports": 1_500_000_000,
            "previous_lamports": 1_000_000_000,
            "lamports_delta": 500_000_000,
            "owner": "1" * 32,
            "data_base64": None,
            "data_changed": False,
        },
        "steps": [
            {"name": "detected", "at": "2026-11-23T01:00:00.000000Z", "detail": None},
            {"name": "confirmed", "at": "2026-11-23T01:00:01.250000Z", "detail": None},
        ],
        "transaction": {
            "signature": SIGNATURE,
            "status": "confirmed",
            "slot": 123460,
            "fee_lamports": 5000,
            "compute_units": 450,
            "logs": ["Program 1 invoke [1]", "Program 1 success"],
            "attempts": 1,
        },
        "error": None,
        "created_at": "2026-11-23T01:00:00Z",
        "completed_at": "2026-11-23T01:00:01Z",
    }
    return {**document, **changes}


FAILED = {"status": "failed", "error": {"code": "simulation_failed", "detail": "Program log: *slippage* exceeded"}}


def told(outcome: str = "success", document: dict[str, Any] | None = None, **notification: Any) -> Message:
    return build(outcome, notification, document or execution(), WORKFLOW, explorer=EXPLORER, escape=escape)


def lines_of(message: Message) -> dict[str, str]:
    return {line.name: line.value for line in message.lines}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - {"test"}))
def test_every_template_tells_every_outcome_in_its_colour_within_discords_limits(outcome: str, template: str) -> None:
    document = execution(**(FAILED if outcome == "failed" else {}))
    document["transaction"]["logs"] = ["Program log: " + "x" * 900] * 40
    document["event"]["line"] = "y" * 10_000
    message = told(outcome, document, template=template)
    assert message.color == OUTCOMES[outcome].color
    assert "Sweep" in message.title
    assert_valid(payload(message))


def test_colours_tell_the_outcomes_apart() -> None:
    assert len({outcome.color for outcome in OUTCOMES.values()}) == len(OUTCOMES)


def test_the_default_tells_what_happened_and_what_landed() -> None:
    message = told()
    assert message.title == "Sweep succeeded"
    assert message.text == "4sGj…irAn received 0.5 SOL"
    assert lines_of(message) == {
        "Account": ACCOUNT,
        "Change": "+0.5 SOL (500,000,000 lamports)",
        "Balance": "1.5 SOL (1,500,000,000 lamports)",
        "Transaction": "5VER…kQUW",
        "Status": "confirmed",
        "Fee": "0.000005 SOL (5,000 lamports)",
    }
    assert message.footer == "SolFlow · Sweep · version 3 · localnet"
    assert message.at == "2026-11-23T01:00:01Z"


def test_minimal_has_no_facts_but_says_why_it_failed() -> None:
    message = told("failed", execution(**FAILED), template="minimal")
    assert message.lines == ()
    assert message.text.endswith("Program log: \\*slippage\\* exceeded")


def test_error_puts_the_reason_first_and_the_end_of_the_logs() -> None:
    document = execution(**FAILED)
    document["transaction"]["logs"] = [f"line {n}" for n in range(40)]
    message = told("failed", document, template="error")
    assert [line.name for line in message.lines[:2]] == ["Error", "Detail"]
    assert lines_of(message)["Logs, last 12 of 40"].endswith("line 39")


def test_detailed_tells_every_step_with_its_time() -> None:
    assert lines_of(told(template="detailed"))["Steps"] == "detected 0 ms · confirmed 1,250 ms"


def test_a_notifications_own_words_and_colour_replace_the_templates() -> None:
    message = told(
        title="Got {{ event.lamports_delta // 1000000 }} m",
        message="**{{ workflow.name }}** v{{ workflow.version }}: {{ transaction.signature }} {{ event.nothing }}",
        color="#5865f2",
    )
    assert message.title == "Got 500 m"
    assert message.text == f"**Sweep** v3: {SIGNATURE} n/a"
    assert message.color == 0x5865F2


def test_a_value_from_the_chain_cannot_bring_markup_into_the_users_own_words() -> None:
    document = execution()
    document["event"]["line"] = "**win** [here](https://evil.example) @everyone\nForged: line"
    message = told(document=document, message="Log: *{{ event.line }}*", title="{{ event.line }}")
    assert message.text.startswith("Log: *\\*\\*win\\*\\* \\[here\\]\\(https\\:")
    assert "\n" not in message.text
    assert message.title == message.text.removeprefix("Log: *").removesuffix("*")


def test_a_workflows_name_cannot_bring_markup_either() -> None:
    message = build(
        "success", {}, execution(), {"id": "1", "name": "_a_ @here"}, explorer=EXPLORER, escape=escape
    )  # fmt: skip
    assert message.title == "\\_a\\_ \\@here succeeded"


def test_a_text_that_no_parser_takes_is_an_error_and_not_a_message() -> None:
    with pytest.raises(TemplateError):
        told(message="{{ event.")


def test_a_dry_run_says_so() -> None:
    assert told(document=execution(dry_run=True)).title == "Sweep succeeded (dry run)"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"type": "balance_change", "account": ACCOUNT, "lamports_delta": -1}, "4sGj…irAn spent 0.000000001 SOL"),
        ({"type": "account_change", "account": ACCOUNT, "lamports_delta": 0}, "4sGj…irAn changed"),
        ({"type": "program_log", "account": ACCOUNT}, "4sGj…irAn logged a line that matches"),
        ({"type": "manual", "account": None}, "Run by hand"),
        ({}, ""),
    ],
)
def test_the_event_is_told_in_a_sentence(event: dict[str, Any], words: str) -> None:
    assert told(document=execution(event=event)).text == words


def test_an_execution_without_a_transaction_or_event_fields_is_still_told() -> None:
    bare = execution(event={"type": "manual"}, transaction=None, steps=[], completed_at=None)
    for template in TEMPLATES:
        assert_valid(payload(told(document=bare, template=template)))


REASON = "paused after 5 failures in a row; the last: simulation_failed: *slippage* exceeded"


def test_a_pause_tells_its_reason_and_what_it_means_and_of_the_execution_only_where_to_look() -> None:
    message = told("paused", execution(**FAILED, dry_run=True), reason=REASON)
    assert message.title == "Sweep is paused"
    assert message.text == (
        "Paused after 5 failures in a row; the last: simulation\\_failed: \\*slippage\\* exceeded\n"
        "Nothing more is signed for it until a person resumes it. Its events are recorded and wait."
    )
    assert list(lines_of(message)) == ["Transaction", "Status", "Fee", "Execution"]
    assert_valid(payload(message))


def test_a_pause_before_anything_was_signed_is_told_too() -> None:
    for transaction in (None, {"signature": None, "status": "simulated", "fee_lamports": 5000}):
        message = told("paused", execution(transaction=transaction), reason=REASON)
        assert lines_of(message) == {"Execution": "ab" * 32}
        assert_valid(payload(message))


def test_the_test_message_names_the_channel() -> None:
    message = build_test("ops", explorer=EXPLORER, at="2026-11-23T01:00:00Z")
    assert_valid(payload(message))
    assert "ops" in message.footer


@pytest.mark.parametrize(
    ("network", "query"),
    [
        ("mainnet-beta", ""),
        ("devnet", "?cluster=devnet"),
        ("testnet", "?cluster=testnet"),
        ("localnet", "?cluster=custom&customUrl=http%3A%2F%2F127.0.0.1%3A8899"),
    ],
)
def test_links_lead_to_the_right_cluster_and_carry_no_key_of_the_endpoint(network: str, query: str) -> None:
    explorer = Explorer(network, "http://user:password@127.0.0.1:8899/key?token=secret")
    assert explorer.transaction("sig") == f"https://explorer.solana.com/tx/sig{query}"
    assert explorer.address("adr") == f"https://explorer.solana.com/address/adr{query}"


@pytest.mark.parametrize(
    ("lamports", "words"),
    [
        (0, "0 SOL"),
        (1, "0.000000001 SOL"),
        (-1, "-0.000000001 SOL"),
        (1_000_000_000, "1 SOL"),
        (1_234_567_890_123_456_789, "1,234,567,890.123456789 SOL"),
    ],
)
def test_lamports_are_told_as_sol_to_the_last_digit(lamports: int, words: str) -> None:
    assert sol(lamports) == words


def test_figures_are_exact_and_addresses_short() -> None:
    assert sol_exact(1) == "0.000000001 SOL (1 lamport)"
    assert decimal(1500, 3) == "1.5"
    assert decimal(42, 0) == "42"
    assert short("short") == "short"
