"""`POST workflows/{id}/test/` with a signature: what a past transaction would have done, or why it would do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient
from solders.instruction import Instruction
from solders.keypair import Keypair

from accounts.models import AuditEntry, Installation
from chain.tx.instructions import (
    MEMO_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    memo,
    transfer_sol,
    transfer_token_checked,
)
from executions.models import Attempt, Delivery, Execution, RateUnit, Reservation
from listener.models import AccountState, Subscription
from tests.event_program import CALL, LOG, SAY_MORE, deploy, emitting
from tests.integration.api.conftest import RECIPIENT, WATCHED, manual, paying
from tests.integration.listener.test_live_idl_events import document, paid
from tests.local_chain import LocalChain
from tests.nfts import new_nft
from tests.people import Person
from tests.tokens import give_tokens, new_mint
from tests.watching import new_address, send, signed

Create = Callable[..., dict[str, Any]]
URL = "/api/v1/workflows/"


@pytest.fixture
def payer(chain: LocalChain) -> Keypair:
    keypair = Keypair()
    chain.wait_for_status(chain.airdrop(keypair.pubkey(), 10**9))
    return keypair


@pytest.fixture
def landed(chain: LocalChain, payer: Keypair) -> Callable[..., str]:
    """Send a transaction and wait until history has it; answers the signature."""

    def land(*instructions: Instruction) -> str:
        signature = send(chain, payer, *instructions)
        chain.wait_for_status(signature)
        return signature

    return land


@pytest.fixture
def tried(api: APIClient, create: Create) -> Callable[..., dict[str, Any]]:
    """Try a transaction on a workflow with this trigger, or this definition."""

    def try_it(trigger: dict[str, Any], signature: str, **parts: Any) -> dict[str, Any]:
        workflow = create("workflows", {"name": "tries", "definition": {"trigger": trigger, **parts}})
        answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": signature}, format="json")
        assert answer.status_code == 200, answer.json()
        shown: dict[str, Any] = answer.json()
        return shown

    return try_it


Land = Callable[..., str]
Try = Callable[..., dict[str, Any]]


def reason(seen: dict[str, Any]) -> tuple[str, str]:
    assert (seen["matches"], seen["status"], seen["transaction"]) == (False, None, None)
    told = seen["past_transaction"]["reason"]
    return told["code"], told["detail"]


def too_much(payer: Keypair) -> Instruction:
    """Makes the transaction fail after everything else in it was done."""
    return transfer_sol(str(payer.pubkey()), RECIPIENT, 10**18)


def test_a_change_of_a_balance_is_tried_up_to_the_payment_and_nothing_is_kept(
    api: APIClient, create: Create, chain: LocalChain, payer: Keypair, landed: Land
) -> None:
    signer = create("signers", {"name": "Treasury"})
    for address in (signer["address"], RECIPIENT):
        chain.wait_for_status(chain.airdrop(address, 10_000_000))
    watched = new_address()
    signature = landed(transfer_sol(str(payer.pubkey()), watched, 5_000_000))
    trigger = {"type": "balance_change", "address": watched, "direction": "increase"}
    definition = paying(trigger=trigger, filter={"field": "event.lamports_delta", "op": "eq", "value": 5_000_000})
    workflow = create("workflows", {"name": "pay", "definition": definition, "signer": signer["id"]})
    audited, had = AuditEntry.objects.count(), chain.balance(signer["address"])

    answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": signature}, format="json")

    seen = answer.json()
    assert (seen["source"], seen["matches"], seen["filter_met"], seen["status"]) == (
        "transaction",
        True,
        True,
        "success",
    )
    told = seen["past_transaction"]
    assert (told["signature"], told["success"], told["error"], told["reason"]) == (signature, True, None, None)
    (event,) = told["events"]
    assert (event["account"], event["summary"], event["matches"]) == (watched, "+0.005 SOL", True)
    assert (event["reason"], event["filter_met"]) == (None, True)
    assert (seen["event"]["slot"], seen["event"]["previous_lamports"]) == (told["slot"], 0)
    assert seen["transaction"]["outflow_lamports"] == 1000 + seen["transaction"]["fee_lamports"]
    for kind in (Execution, Attempt, Reservation, RateUnit, Delivery, Subscription, AccountState):
        assert not kind.objects.exists()
    assert (AuditEntry.objects.count(), chain.balance(signer["address"])) == (audited, had)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"direction": "decrease"}, ("other_direction", "the change is +5000000 lamports, and direction is decrease")),
        ({"min_change": 5_000_001}, ("below_min_change", "the change is +5000000 lamports, and min_change is 5000001")),
    ],
)
def test_a_change_that_is_not_asked_for_is_told_with_the_reason(
    payer: Keypair, landed: Land, tried: Try, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    watched = new_address()
    signature = landed(transfer_sol(str(payer.pubkey()), watched, 5_000_000))

    seen = tried({"type": "balance_change", "address": watched, **changes}, signature)

    assert reason(seen) == expected
    assert seen["event"]["lamports_delta"] == 5_000_000


def test_an_account_that_is_not_in_the_transaction_is_named(landed: Land, tried: Try, payer: Keypair) -> None:
    signature = landed(transfer_sol(str(payer.pubkey()), RECIPIENT, 1_000_000))
    expected = ("not_in_transaction", f"the watched account {WATCHED} is not in this transaction")
    for trigger in (
        {"type": "balance_change", "address": WATCHED},
        {"type": "transaction_status", "account": WATCHED},
        {"type": "program_log", "program_id": WATCHED, "pattern": "x"},
        {"type": "token_receipt", "token_account": WATCHED, "mint": RECIPIENT},
    ):
        seen = tried(trigger, signature)
        assert reason(seen) == expected
        assert (seen["event"], seen["past_transaction"]["events"], seen["notifications"]) == (None, [], [])
    code, detail = reason(tried({"type": "token_receipt", "wallet": WATCHED, "mint": RECIPIENT}, signature))
    assert (code, detail.count(" and ")) == ("not_in_transaction", 1)


def test_an_account_whose_balance_stays_the_same_says_so(landed: Land, tried: Try, payer: Keypair) -> None:
    signature = landed(memo("hello", str(payer.pubkey())))
    code, detail = reason(tried({"type": "balance_change", "address": MEMO_PROGRAM}, signature))
    assert (code, detail) == ("not_changed", f"the balance of {MEMO_PROGRAM} stays the same")


def test_each_line_of_a_program_is_told_and_the_filter_chooses(landed: Land, tried: Try, payer: Keypair) -> None:
    address = str(payer.pubkey())
    signature = landed(memo("pay 1", address), memo("nothing", address), memo("pay 2", address))
    trigger = {"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "pay [0-9]"}

    seen = tried(trigger, signature, filter={"field": "event.line", "op": "contains", "value": "pay 2"})

    lines = {event["index"]: event for event in seen["past_transaction"]["events"] if "pay" in event["summary"]}
    assert [one["filter_met"] for one in lines.values()] == [False, True]
    others = [event for event in seen["past_transaction"]["events"] if not event["matches"]]
    assert any("nothing" in event["summary"] for event in others)
    assert {event["reason"]["code"] for event in others} == {"other_line"}
    assert (seen["filter_met"], seen["status"]) == (True, "success")
    assert "pay 2" in seen["event"]["line"]


def test_a_pattern_that_fits_no_line_says_so(landed: Land, tried: Try, payer: Keypair) -> None:
    signature = landed(memo("nothing", str(payer.pubkey())))
    trigger = {"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "pay [0-9]"}

    code, detail = reason(tried(trigger, signature))

    assert code == "other_line"
    assert detail.startswith("pattern pay [0-9] does not fit")


def test_a_failed_transaction_matches_only_where_that_is_asked_for(landed: Land, tried: Try, payer: Keypair) -> None:
    signature = landed(memo("pay 1", str(payer.pubkey())), too_much(payer))
    trigger = {"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "pay"}

    assert reason(tried(trigger, signature))[1] == "the transaction failed, and include_failed is false"
    assert tried({**trigger, "include_failed": True}, signature)["status"] == "success"
    seen = tried({"type": "transaction_status", "program_id": MEMO_PROGRAM, "status": "success"}, signature)
    assert reason(seen) == ("transaction_failed", "the transaction failed, and status asks for success")
    assert seen["past_transaction"]["success"] is False and "InstructionError" in seen["past_transaction"]["error"]
    seen = tried({"type": "transaction_status", "program_id": MEMO_PROGRAM, "status": "failed"}, signature)
    assert (seen["status"], seen["event"]["success"]) == ("success", False)


def test_the_transaction_that_a_trigger_waits_for_is_known_by_its_signature(
    landed: Land, tried: Try, payer: Keypair
) -> None:
    one, other = landed(memo("one", str(payer.pubkey()))), landed(memo("other", str(payer.pubkey())))
    trigger = {"type": "transaction_status", "signature": one}

    assert tried(trigger, one)["event"]["account"] is None
    assert reason(tried(trigger, other)) == ("other_signature", f"the trigger waits for the transaction {one}")


def test_tokens_and_what_keeps_them_from_matching(chain: LocalChain, landed: Land, tried: Try, payer: Keypair) -> None:
    mint, wallet, address = new_mint(chain), new_address(), str(payer.pubkey())
    source = give_tokens(chain, address, mint, 1000)
    account = associated_token_address(wallet, mint)
    opened = create_associated_token_account_idempotent(address, wallet, mint)
    signature = landed(opened, transfer_token_checked(source, mint, account, address, 7, 6))
    trigger = {"type": "token_receipt", "wallet": wallet, "mint": mint}

    seen = tried(trigger, signature)

    assert (seen["event"]["token_account"], seen["event"]["amount_delta"]) == (account, 7)
    assert [event["summary"] for event in seen["past_transaction"]["events"]] == [f"+7 base units of {mint}"]
    more = tried({**trigger, "min_amount": 8}, signature)
    assert reason(more) == ("below_min_amount", "7 base units arrived, and min_amount is 8")
    place = {"type": "token_receipt", "token_account": account, "mint": new_address()}
    assert reason(tried(place, signature))[0] == "other_mint"
    assert reason(tried({**place, "token_account": source}, signature))[0] == "nothing_arrived"


def test_an_nft_matches_by_its_collection(chain: LocalChain, landed: Land, tried: Try, payer: Keypair) -> None:
    address, wallet, collection = str(payer.pubkey()), new_address(), new_address()
    mint, source = new_nft(chain, address, collection)
    account = associated_token_address(wallet, mint)
    opened = create_associated_token_account_idempotent(address, wallet, mint)
    signature = landed(opened, transfer_token_checked(source, mint, account, address, 1, 0))
    trigger = {"type": "nft_receipt", "wallet": wallet, "collection": collection}

    seen = tried(trigger, signature)

    # Told once, although the accounts under both token programs are watched.
    assert [event["summary"] for event in seen["past_transaction"]["events"]] == [f"NFT {mint}"]
    assert (seen["status"], seen["event"]["collection"]) == ("success", collection)
    other = tried({**trigger, "collection": WATCHED}, signature)
    assert reason(other) == ("other_collection", f"the collection is {collection}, and not {WATCHED}")
    assert reason(tried({"type": "nft_receipt", "wallet": address}, signature))[0] == "nothing_arrived"


def test_events_of_an_idl_are_told_by_name(
    create: Create, chain: LocalChain, landed: Land, tried: Try, payer: Keypair
) -> None:
    program, to = deploy(chain), new_address()
    described = document(program)
    described["events"].append({"name": "Refunded", "discriminator": [9] * 8})
    described["types"].append({"name": "Refunded", "type": {"kind": "struct", "fields": []}})
    idl = create("idls", {"name": "payer", "program_id": program, "document": described})
    trigger = {"type": "program_log", "program_id": program, "event": "Paid", "idl": idl["id"]}
    both = landed(emitting(program, LOG | CALL, paid(5, to)))
    refund = landed(emitting(program, LOG, bytes([9] * 8)))

    seen = tried(trigger, both)

    assert [event["summary"] for event in seen["past_transaction"]["events"]] == ["Paid"]
    assert seen["event"]["data"] == {"amount": 5, "to": to}
    assert reason(tried(trigger, refund)) == ("other_event", "the program emitted Refunded, and not Paid")


def test_a_draft_is_tried_on_a_transaction_too(api: APIClient, create: Create, landed: Land, payer: Keypair) -> None:
    watched = new_address()
    signature = landed(transfer_sol(str(payer.pubkey()), watched, 5_000_000))
    workflow = create("workflows", {"name": "pay", "definition": manual()})
    definition = {"trigger": {"type": "balance_change", "address": watched}}
    url = f"{URL}{workflow['id']}/test/"
    by_definition = api.post(url, {"signature": signature, "definition": definition}, format="json").json()
    assert (by_definition["status"], by_definition["version"]) == ("success", None)
    api.patch(f"{URL}{workflow['id']}/", {"draft": definition}, format="json")
    assert api.post(url, {"signature": signature, "draft": True}, format="json").json()["matches"] is True


def test_a_transaction_that_nobody_knows_is_not_found(
    api: APIClient, create: Create, chain: LocalChain, payer: Keypair
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    for definition in (paying(), {"trigger": {"type": "transaction_status", "account": WATCHED}}):
        signature = str(signed(chain, payer, memo("never sent", str(payer.pubkey()))).signatures[0])
        body = {"signature": signature, "definition": definition}
        answer = api.post(f"{URL}{workflow['id']}/test/", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "transaction_not_found")
        assert signature in answer.json()["detail"]


def test_an_endpoint_in_trouble_is_no_missing_transaction(api: APIClient, create: Create, no_chain: None) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": SIGNATURE}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"rate_limit": {}}, 503, "unavailable"),
        ({"server_error": {}}, 503, "unavailable"),
        ({"timeout": {}}, 503, "unavailable"),
        ({"error": {"code": -32603, "message": "internal"}}, 503, "unavailable"),
        ({"error": {"code": -32015, "message": "version 1 is not supported"}}, 400, "invalid"),
        ({"forget": {}}, 404, "transaction_not_found"),
    ],
)
@pytest.mark.parametrize("kind", ["balance_change", "transaction_status"])
def test_each_trouble_of_an_endpoint_has_its_answer(
    api: APIClient,
    create: Create,
    chain: LocalChain,
    settings: Any,
    kind: str,
    fault: dict[str, Any],
    status: int,
    code: str,
) -> None:
    key = "address" if kind == "balance_change" else "account"
    workflow = create("workflows", {"name": "t", "definition": {"trigger": {"type": kind, key: WATCHED}}})
    settings.SOLANA_RPC_TIMEOUT_S = 0.5
    ((name, how),) = fault.items()
    try:
        chain.faults(**{name: {**how, "methods": ["getTransaction"]}})
        answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": SIGNATURE}, format="json")
    finally:
        chain.clear_faults()
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()


def test_a_transaction_of_another_chain_is_not_looked_for(api: APIClient, create: Create, chain: LocalChain) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    Installation.objects.update(genesis_hash="another")
    answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": SIGNATURE}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_chain")


def test_nothing_is_paid_on_a_log_that_was_cut(
    create: Create, chain: LocalChain, landed: Land, api: APIClient, payer: Keypair
) -> None:
    program = deploy(chain)
    signature = landed(emitting(program, SAY_MORE, b"none"))
    trigger = {"type": "program_log", "program_id": program, "pattern": "paid"}
    workflow = create("workflows", {"name": "pay", "definition": paying(trigger=trigger)})
    seen = api.post(f"{URL}{workflow['id']}/test/", {"signature": signature}, format="json").json()
    assert (seen["matches"], seen["status"], seen["error"]["code"]) == (True, "failed", "logs_truncated")
    (event,) = (one for one in seen["past_transaction"]["events"] if one["matches"])
    assert (event["index"], event["summary"]) == ("log.truncated", "the log was cut by Solana")


@pytest.mark.parametrize("trigger", ["manual", "webhook", "schedule", "account_change", "program_account_change"])
def test_triggers_that_no_transaction_sets_off_say_so(
    api: APIClient, create: Create, no_chain: None, trigger: str
) -> None:
    keys = {
        "schedule": {"cron": "* * * * *"},
        "account_change": {"address": WATCHED},
        "program_account_change": {"program_id": WATCHED},
    }
    workflow = create("workflows", {"name": "t", "definition": {"trigger": {"type": trigger, **keys.get(trigger, {})}}})
    answer = api.post(f"{URL}{workflow['id']}/test/", {"signature": SIGNATURE}, format="json")
    (problem,) = answer.json()["errors"]
    assert (answer.status_code, problem["path"], problem["code"]) == (400, "signature", "no_past")


SIGNATURE = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"signature": "x"}, "signature"),
        ({"signature": WATCHED}, "signature"),
        ({"signature": 5}, "signature"),
        ({"signature": SIGNATURE, "event": {}}, "signature"),
        ({"signature": SIGNATURE, "execution_id": "0" * 64}, "signature"),
    ],
)
def test_a_wrong_signature_is_refused_before_anybody_is_asked(
    api: APIClient, create: Create, no_chain: None, body: dict[str, Any], path: str
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    answer = api.post(f"{URL}{workflow['id']}/test/", body, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)


def test_a_viewer_may_not_ask_and_another_team_sees_no_workflow(
    create: Create, no_chain: None, carol: Person, charlie: Person
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    url = f"{URL}{workflow['id']}/test/"
    codes = [who.client().post(url, {"signature": SIGNATURE}, format="json").status_code for who in (carol, charlie)]
    assert codes == [403, 404]
