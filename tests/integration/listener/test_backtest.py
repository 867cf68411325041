"""`manage.py backtest` on a real chain: it says what a run over that time would have done, and does nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from solders.instruction import Instruction
from solders.keypair import Keypair

from chain.tx.instructions import (
    MEMO_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    memo,
    transfer_sol,
    transfer_token_checked,
)
from executions.gateway import gateway
from tests.event_program import SAY_MORE, deploy, emitting
from tests.local_chain import LocalChain
from tests.nfts import new_nft
from tests.stack import Stack
from tests.tokens import give_tokens, new_mint
from tests.waiting import wait_for
from tests.watching import actor, covering, enabled, events, new_address, send
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

pytestmark = pytest.mark.django_db

PATIENCE_S = 20.0
Land = Callable[..., str]


@pytest.fixture
def landed(chain: LocalChain, funded: Keypair) -> Land:
    """Send a transaction and wait until history has it; answers the signature."""

    def land(*instructions: Instruction) -> str:
        signature = send(chain, funded, *instructions)
        chain.wait_for_status(signature)
        return signature

    return land


@pytest.fixture
def signer(chain: LocalChain) -> Signer:
    made = signer_create(actor=actor(), name="treasury")
    chain.wait_for_status(chain.airdrop(made.address, 10**9))
    return made


def made(
    trigger: dict[str, Any],
    *,
    signer: Signer | None = None,
    parts: dict[str, Any] | None = None,
    draft: dict[str, Any] | None = None,
    **settings: Any,
) -> Workflow:
    """A workflow that is not enabled."""
    return workflow_create(
        actor=actor(),
        definition={"trigger": trigger, **(parts or {})},
        settings={"name": f"backtested {new_address()}", **settings},
        signer_id=signer.pk if signer else None,
        draft=draft,
    )


def pays(lamports: int | str, to: str) -> dict[str, Any]:
    return {"actions": [{"type": "transfer_sol", "to": to, "lamports": lamports}]}


def backtest(workflow: Workflow, slots: int = 10_000, *options: str) -> dict[str, Any]:
    answer = StringIO()
    call_command(
        "backtest", str(workflow.pk), "--slots", str(slots), "--json", *options, stdout=answer, stderr=StringIO()
    )
    found: dict[str, Any] = json.loads(answer.getvalue())
    return found


def printed(workflow: Workflow, *options: str) -> str:
    answer = StringIO()
    call_command("backtest", workflow.name, "--slots", "10000", *options, stdout=answer, stderr=StringIO())
    return answer.getvalue()


def outcomes(found: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in found["candidates"]]


def reasons(found: dict[str, Any]) -> list[str]:
    return [one["reason"]["code"] for one in found["candidates"] if one["reason"]]


def rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


@pytest.fixture
def recipient(chain: LocalChain) -> str:
    """An account that exists, so that paying it costs no rent."""
    address = new_address()
    chain.wait_for_status(chain.airdrop(address, 10_000_000))
    return address


def test_changes_of_a_balance_are_judged_in_order_and_nothing_is_written(
    chain: LocalChain, landed: Land, funded: Keypair, signer: Signer, recipient: str
) -> None:
    watched, payer = new_address(), str(funded.pubkey())
    signatures = [landed(transfer_sol(payer, watched, lamports)) for lamports in (2_000_000, 5_000_000, 3_000_000)]
    workflow = made(
        {"type": "balance_change", "address": watched, "min_change": 2_500_000},
        signer=signer,
        parts={**pays(1000, recipient), "filter": {"field": "event.lamports_delta", "op": "gt", "value": 4_000_000}},
    )
    before, had = rows(), chain.balance(signer.address)

    found = backtest(workflow)

    assert outcomes(found) == ["no_match", "success", "filtered"]
    assert [one["signature"] for one in found["candidates"]] == signatures
    assert reasons(found) == ["below_min_change"]
    (paid,) = (one for one in found["candidates"] if one["outcome"] == "success")
    assert (paid["summary"], paid["event"]["lamports_delta"]) == ("+0.005 SOL", 5_000_000)
    assert (paid["spending"]["by"], paid["refusals"]) == ("simulation", [])
    assert paid["spending"]["lamports"] >= 6000
    assert found["totals"]["spent_lamports"] == paid["spending"]["lamports"]
    assert (found["transactions"], found["is_whole"]) == (3, True)
    assert (rows(), chain.balance(signer.address)) == (before, had)
    text = printed(workflow)
    assert "Matches: 2" in text and "No match: 1" in text
    assert "filtered, event.lamports_delta gt 4000000, saw 3000000" in text


@pytest.mark.parametrize("kind", ["balance_change", "program_log", "transaction_status"])
def test_what_matches_is_what_a_listener_that_was_there_has_recorded(
    stack: Stack, chain: LocalChain, funded: Keypair, landed: Land, kind: str
) -> None:
    watched, payer = new_address(), str(funded.pubkey())
    trigger = {
        "balance_change": {"type": kind, "address": watched, "direction": "increase"},
        "program_log": {"type": kind, "program_id": MEMO_PROGRAM, "pattern": f"{watched} [0-9]+"},
        "transaction_status": {"type": kind, "account": watched, "status": "any"},
    }[kind]
    workflow = enabled(trigger, max_executions_per_hour=1000)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    for number in range(1, 6):
        landed(transfer_sol(payer, watched, 1_000_000 * number), memo(f"{watched} {number}", payer))
    landed(transfer_sol(payer, watched, 1_000_000), transfer_sol(payer, watched, 10**18))
    expected = 6 if kind == "transaction_status" else 5
    wait_for(lambda: len(events(workflow)) >= expected, PATIENCE_S, "every event")

    found = backtest(workflow)

    matched = [one["event"] for one in found["candidates"] if one["outcome"] != "no_match"]
    assert by_place(matched) == by_place(events(workflow))
    assert found["totals"]["would_run"] == expected


def by_place(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(told, key=lambda event: (event["slot"], event["signature"] or ""))


def test_lines_of_a_program_and_failed_transactions_have_their_reasons(landed: Land, funded: Keypair) -> None:
    payer, word = str(funded.pubkey()), new_address()
    landed(memo(f"{word} 1", payer), memo(f"{word} 2", payer))
    landed(memo("nothing", payer))
    landed(memo(f"{word} 3", payer), transfer_sol(payer, new_address(), 10**18))
    workflow = made({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": word})

    found = backtest(workflow)

    mine = found["candidates"][-4:]
    assert [one["outcome"] for one in mine] == ["success", "success", "no_match", "no_match"]
    assert [one["reason"]["code"] for one in mine[2:]] == ["other_line", "transaction_failed"]
    assert found["totals"]["limits"] == {}


def test_receipts_at_associated_accounts_are_found(chain: LocalChain, landed: Land, funded: Keypair) -> None:
    payer, wallet = str(funded.pubkey()), new_address()
    mint = new_mint(chain)
    source, account = give_tokens(chain, payer, mint, 1000), associated_token_address(wallet, mint)
    opened = create_associated_token_account_idempotent(payer, wallet, mint)
    for amount in (7, 2):
        landed(opened, transfer_token_checked(source, mint, account, payer, amount, 6))
    workflow = made({"type": "token_receipt", "wallet": wallet, "mint": mint, "min_amount": 5})

    found = backtest(workflow)

    assert outcomes(found) == ["success", "no_match"]
    assert found["candidates"][0]["event"]["amount_delta"] == 7
    assert reasons(found) == ["below_min_amount"]


def test_nfts_are_found_in_the_wallets_token_accounts(chain: LocalChain, landed: Land, funded: Keypair) -> None:
    payer, wallet, collection = str(funded.pubkey()), new_address(), new_address()
    mint, source = new_nft(chain, payer, collection)
    opened = create_associated_token_account_idempotent(payer, wallet, mint)
    landed(opened, transfer_token_checked(source, mint, associated_token_address(wallet, mint), payer, 1, 0))
    workflow = made({"type": "nft_receipt", "wallet": wallet, "collection": collection})

    found = backtest(workflow)

    assert [one["summary"] for one in found["candidates"] if one["outcome"] == "success"] == [f"NFT {mint}"]


@pytest.fixture
def deposits(landed: Land, funded: Keypair) -> dict[str, Any]:
    """A trigger for which five deposits of 1 to 5 million lamports have happened."""
    watched = new_address()
    for number in range(1, 6):
        landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000 * number))
    return {"type": "balance_change", "address": watched}


# A thousandth of the deposit.
SHARE = "{{ event.lamports_delta // 1000 }}"


def test_the_hourly_rate_trips_over_the_backtests_own_time(
    deposits: dict[str, Any], signer: Signer, recipient: str
) -> None:
    found = backtest(made(deposits, signer=signer, parts=pays(1000, recipient), max_executions_per_hour=2))

    assert outcomes(found) == ["success", "success", "throttled", "throttled", "throttled"]
    assert found["totals"]["limits"] == {"max_executions_per_hour": 3}


def test_what_a_day_may_cost_is_counted_payment_by_payment(
    deposits: dict[str, Any], signer: Signer, recipient: str
) -> None:
    found = backtest(made(deposits, signer=signer, parts=pays(1000, recipient), max_lamports_per_day=15_000))

    cost = found["candidates"][0]["spending"]["lamports"]
    assert outcomes(found) == ["success"] * (15_000 // cost) + ["failed"] * (5 - 15_000 // cost)
    assert set(found["totals"]["limits"]) == {"max_lamports_per_day"}
    assert found["totals"]["spent_lamports"] == cost * (15_000 // cost)


def test_an_amount_that_depends_on_the_event_is_simulated_for_each(
    deposits: dict[str, Any], signer: Signer, recipient: str
) -> None:
    found = backtest(made(deposits, signer=signer, parts=pays(SHARE, recipient), max_lamports_per_tx=8_500))

    fee = found["candidates"][0]["spending"]["lamports"] - 1000
    assert [one["spending"]["lamports"] - fee for one in found["candidates"]] == [1000, 2000, 3000, 4000, 5000]
    assert outcomes(found) == ["success" if fee + 1000 * n <= 8_500 else "failed" for n in range(1, 6)]
    assert found["totals"]["limits"] == {"max_lamports_per_tx": outcomes(found).count("failed")}


def test_a_payment_that_is_refused_takes_nothing_of_the_hourly_rate(
    deposits: dict[str, Any], signer: Signer, recipient: str
) -> None:
    workflow = made(deposits, signer=signer, parts=pays(1000, recipient), max_executions_per_hour=1)
    # Narrowed afterwards: a definition outside its limits cannot be saved.
    Workflow.objects.filter(pk=workflow.pk).update(allowed_recipients=[signer.address])

    found = backtest(workflow)

    assert outcomes(found) == ["failed"] * 5
    assert {why["code"] for one in found["candidates"] for why in one["refusals"]} == {"recipient_not_allowed"}


def test_a_payment_on_a_cut_log_is_refused_before_it_takes_of_the_rate(
    chain: LocalChain, landed: Land, signer: Signer, recipient: str
) -> None:
    program = deploy(chain)
    for _ in range(2):
        landed(emitting(program, SAY_MORE, b"none"))
    trigger = {"type": "program_log", "program_id": program, "pattern": "paid"}

    found = backtest(made(trigger, signer=signer, parts=pays(1000, recipient), max_executions_per_hour=1))

    assert outcomes(found) == ["failed", "failed"]
    assert {why["code"] for one in found["candidates"] for why in one["refusals"]} == {"logs_truncated"}


def test_what_a_person_would_be_asked_about_is_counted(
    deposits: dict[str, Any], signer: Signer, recipient: str
) -> None:
    found = backtest(made(deposits, signer=signer, parts=pays(1000, recipient), approval_above_lamports=0))

    assert found["totals"]["need_approval"] == 5


def test_without_a_signer_amounts_are_counted_as_they_are_written(landed: Land, funded: Keypair) -> None:
    watched = new_address()
    landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000))
    workflow = made({"type": "balance_change", "address": watched}, parts=pays(1000, new_address()))

    found = backtest(workflow)

    assert found["candidates"][0]["spending"] == {"lamports": 6000, "tokens": {}, "by": "definition"}
    assert "the workflow has no signer" in " ".join(found["notes"])


def test_what_the_chain_would_refuse_today_fails(landed: Land, funded: Keypair, recipient: str) -> None:
    watched = new_address()
    landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000))
    poor = signer_create(actor=actor(), name="poor")
    found = backtest(made({"type": "balance_change", "address": watched}, signer=poor, parts=pays(1000, recipient)))
    assert outcomes(found) == ["failed"]
    assert found["candidates"][0]["refusals"][0]["code"] == "simulation_failed"
    assert found["totals"]["spent_lamports"] == 0


@pytest.mark.parametrize("kind", ["balance_change", "transaction_status"])
def test_of_too_many_transactions_the_newest_are_looked_at_and_it_says_so(
    landed: Land, funded: Keypair, settings: Any, kind: str
) -> None:
    watched = new_address()
    for number in range(1, 5):
        landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000 * number))
    key = "address" if kind == "balance_change" else "account"
    workflow = made({"type": kind, key: watched})
    settings.READ_BACK_MAX_SIGNATURES = 2

    found = backtest(workflow)

    assert (len(found["candidates"]), found["is_whole"]) == (2, False)
    assert "more than 2 transactions: nothing before slot" in found["notes"][0]
    if kind == "balance_change":
        assert [one["event"]["lamports_delta"] for one in found["candidates"]] == [3_000_000, 4_000_000]


def test_only_the_window_is_looked_at(chain: LocalChain, landed: Land, funded: Keypair) -> None:
    watched = new_address()
    landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000))
    chain.warp(50)
    newest = landed(transfer_sol(str(funded.pubkey()), watched, 2_000_000))

    found = backtest(made({"type": "balance_change", "address": watched}), 40)

    assert [one["signature"] for one in found["candidates"]] == [newest]
    assert found["candidates"][0]["event"]["previous_lamports"] == 1_000_000
    assert found["last_slot"] - found["first_slot"] == 39


def test_a_quiet_account_and_a_transaction_out_of_the_window_are_no_error(landed: Land, funded: Keypair) -> None:
    signature = landed(memo("one", str(funded.pubkey())))
    assert backtest(made({"type": "balance_change", "address": new_address()}))["candidates"] == []
    by_signature = backtest(made({"type": "transaction_status", "signature": signature}))
    assert [one["event"]["signature"] for one in by_signature["candidates"]] == [signature]


def test_due_times_of_a_schedule_run_through_filter_and_rate(chain: LocalChain) -> None:
    trigger = {"type": "schedule", "cron": "* * * * *"}
    found = backtest(made(trigger, max_executions_per_hour=10), 4500)
    assert outcomes(found)[:10] == ["success"] * 10
    assert set(outcomes(found)[10:]) == {"throttled"}
    assert (found["first_slot"], found["transactions"]) == (None, 0)


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "manual"},
        {"type": "webhook"},
        {"type": "account_change", "address": MEMO_PROGRAM},
        {"type": "program_account_change", "program_id": MEMO_PROGRAM},
    ],
)
def test_triggers_without_a_past_are_one_clear_sentence(chain: LocalChain, trigger: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match=r"no past to read|not set off by transactions"):
        backtest(made(trigger))


def test_a_draft_can_be_backtested_before_it_is_published(landed: Land, funded: Keypair) -> None:
    watched = new_address()
    landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000))
    workflow = made({"type": "manual"}, draft={"trigger": {"type": "balance_change", "address": watched}})
    found = backtest(workflow, 10_000, "--draft")
    assert (found["workflow"]["version"], outcomes(found)) == (None, ["success"])


@pytest.mark.parametrize("slots", ["0", "-5", "many", "1.5", "100000001"])
def test_a_wrong_number_of_slots_is_refused_by_name(chain: LocalChain, slots: str) -> None:
    with pytest.raises(CommandError, match=f"--slots is {slots}; it must be a whole number from 1"):
        call_command("backtest", "any", f"--slots={slots}")


@pytest.mark.parametrize("kind", ["balance_change", "transaction_status"])
def test_an_endpoint_that_limits_rates_is_asked_again(
    chain: LocalChain, landed: Land, funded: Keypair, kind: str
) -> None:
    watched = new_address()
    for number in range(1, 4):
        landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000 * number))
    workflow = made({"type": kind, "address" if kind == "balance_change" else "account": watched})
    listing, fetching = ["getSignaturesForAddress"], ["getTransaction"]
    try:
        chain.faults(rate_limit={"methods": listing, "next": 1, "retry_after_s": 0})
        chain.faults(server_error={"methods": fetching, "next": 2})
        found = backtest(workflow)
    finally:
        chain.clear_faults()

    assert (outcomes(found), found["is_whole"]) == (["success"] * 3, True)


@pytest.mark.parametrize("kind", ["balance_change", "transaction_status"])
def test_what_the_endpoint_lists_and_has_forgotten_is_told_as_that(
    chain: LocalChain, landed: Land, funded: Keypair, kind: str
) -> None:
    watched = new_address()
    signatures = [landed(transfer_sol(str(funded.pubkey()), watched, 1_000_000 * number)) for number in range(1, 4)]
    workflow = made({"type": kind, "address" if kind == "balance_change" else "account": watched})
    try:
        # One piece of three, and then one by one: the first two of those are not known.
        chain.faults(forget={"methods": ["getTransaction"], "next": 5})
        found = backtest(workflow)
    finally:
        chain.clear_faults()

    assert [one["signature"] for one in found["candidates"]] == signatures
    assert outcomes(found) == ["no_match", "no_match", "success"]
    assert reasons(found) == ["not_known", "not_known"]
    assert found["notes"] == ["2 transactions are listed and not known any more"]
    if kind == "balance_change":
        assert found["candidates"][2]["event"]["lamports_delta"] == 3_000_000


def test_an_unknown_workflow_and_a_dead_endpoint_are_errors_of_one_line(chain: LocalChain, settings: Any) -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("backtest", "nobody", "--slots", "5")
    workflow = made({"type": "balance_change", "address": new_address()})
    settings.SOLANA_RPC_URLS = ["http://127.0.0.1:9"]
    gateway.cache_clear()
    with pytest.raises(CommandError, match="does not tell the past"):
        backtest(workflow)
