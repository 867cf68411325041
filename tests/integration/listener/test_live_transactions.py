"""Receipts and statuses, seen by a real listener process on the local chain, live and read back."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from chain.tx.instructions import (
    MEMO_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    memo,
    transfer_sol,
    transfer_token_checked,
)
from listener.models import Gap, Subscription
from listener.selectors import totals
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.tokens import give_tokens, new_mint
from tests.waiting import wait_for
from tests.watching import covering, enabled, events, memo_transaction, new_address, send, signed, submit
from workflows.models import Workflow

PATIENCE_S = 20.0


class Payer:
    """Somebody with SOL and tokens of a mint."""

    def __init__(self, chain: LocalChain, funded: Keypair, program: str = TOKEN_PROGRAM, decimals: int = 6) -> None:
        self.chain, self.keypair, self.program, self.decimals = chain, funded, program, decimals
        self.address = str(funded.pubkey())
        self.mint = new_mint(chain, decimals=decimals, program=program)
        self.tokens = give_tokens(chain, self.address, self.mint, 10**9, program=program)

    def pay(self, wallet: str, amount: int, *, fails: bool = False) -> str:
        """Send tokens to the wallet's associated account, which is opened for it; answers the signature."""
        account = associated_token_address(wallet, self.mint, self.program)
        opened = create_associated_token_account_idempotent(self.address, wallet, self.mint, self.program)
        moved = transfer_token_checked(
            self.tokens, self.mint, account, self.address, amount, self.decimals, self.program
        )
        # More than anybody has: the transaction fails after the tokens moved, and nothing has moved.
        too_much = [transfer_sol(self.address, wallet, 10**18)] if fails else []
        return send(self.chain, self.keypair, opened, moved, *too_much)


def seen(workflow: Workflow) -> set[str]:
    return {event["signature"] for event in events(workflow)}


def wait_for_events(workflow: Workflow, signatures: set[str]) -> None:
    wait_for(lambda: seen(workflow) >= signatures, PATIENCE_S, "every transaction")
    assert sorted(event["signature"] for event in events(workflow)) == sorted(signatures)


@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM])
def test_tokens_that_arrive_at_a_wallet_are_an_event_with_what_arrived(
    stack: Stack, chain: LocalChain, funded: Keypair, program: str
) -> None:
    payer, wallet = Payer(chain, funded, program), new_address()
    workflow = enabled({"type": "token_receipt", "wallet": wallet, "mint": payer.mint, "min_amount": "0.000005"})
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "the associated accounts of both token programs")

    first, small, failed, second = (
        payer.pay(wallet, 5),
        payer.pay(wallet, 4),
        payer.pay(wallet, 100, fails=True),
        payer.pay(wallet, 7),
    )

    chain.wait_for_status(failed)
    wait_for_events(workflow, {first, second})
    assert small not in seen(workflow)
    event = next(event for event in events(workflow) if event["signature"] == second)
    account = associated_token_address(wallet, payer.mint, program)
    assert (event["account"], event["token_account"], event["wallet"]) == (account, account, wallet)
    assert (event["mint"], event["decimals"], event["amount"], event["amount_delta"]) == (payer.mint, 6, 16, 7)


def test_tokens_that_arrive_at_a_token_account_are_an_event(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    payer, wallet = Payer(chain, funded), new_address()
    account = associated_token_address(wallet, payer.mint)
    workflow = enabled({"type": "token_receipt", "token_account": account, "mint": payer.mint})
    other = enabled({"type": "token_receipt", "wallet": wallet, "mint": payer.mint})
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "a shared subscription, and the account of the other token program")

    sent = {payer.pay(wallet, 5)}

    wait_for_events(workflow, sent)
    wait_for_events(other, sent)


def test_a_transaction_is_told_with_its_outcome(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    address = str(funded.pubkey())
    every = enabled({"type": "transaction_status", "account": address})
    failing = enabled({"type": "transaction_status", "program_id": MEMO_PROGRAM, "status": "failed"})
    fine = enabled({"type": "transaction_status", "account": address, "status": "success"})
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "both subscriptions")

    good = memo_transaction(chain, funded, "good")
    bad = send(chain, funded, memo("bad", address), transfer_sol(address, new_address(), 10**18))

    wait_for_events(every, {good, bad})
    wait_for_events(failing, {bad})
    wait_for_events(fine, {good})
    told = {event["signature"]: event for event in events(every)}
    assert (told[good]["success"], told[good]["error"], told[good]["fee_lamports"]) == (True, None, 5000)
    assert told[bad]["success"] is False and "InstructionError" in told[bad]["error"]
    assert {address, MEMO_PROGRAM} <= set(told[good]["accounts"])


@pytest.mark.parametrize("when", ["live", "before the listener", "between two listeners"])
def test_a_transaction_known_by_its_signature_is_told_once(
    stack: Stack, chain: LocalChain, funded: Keypair, when: str
) -> None:
    transaction = signed(chain, funded, memo("expected", str(funded.pubkey())))
    signature = str(transaction.signatures[0])
    workflow = enabled({"type": "transaction_status", "signature": signature})

    def happens() -> None:
        chain.wait_for_status(submit(chain, transaction))

    if when == "before the listener":
        happens()
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    if when == "between two listeners":
        stack.listener.kill()
        happens()
        stack.start("listener")
    if when == "live":
        happens()

    wait_for_events(workflow, {signature})
    (event,) = events(workflow)
    assert (event["account"], event["success"], event["fee_lamports"]) == (None, True, 5000)
    # Told again by every new subscription, it stays one.
    chain.drop_sockets()
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")
    assert len(events(workflow)) == 1


def test_a_signature_that_had_happened_before_the_enabling_is_no_event(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    signature = memo_transaction(chain, funded, "long ago")
    slot = chain.wait_for_status(signature)["slot"]
    wait_for(lambda: chain.slot("confirmed") > slot, PATIENCE_S, "the slot to pass")

    workflow = enabled({"type": "transaction_status", "signature": signature})
    stack.start("listener")

    wait_for(covering(1), PATIENCE_S, "the subscription")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert events(workflow) == []


@pytest.mark.parametrize("trouble", ["dropped sockets", "killed listener", "doubled notifications"])
def test_no_receipt_or_status_is_lost_or_doubled(
    stack: Stack, chain: LocalChain, funded: Keypair, trouble: str
) -> None:
    payer, wallet = Payer(chain, funded), new_address()
    receipts = enabled({"type": "token_receipt", "wallet": wallet, "mint": payer.mint})
    account = associated_token_address(wallet, payer.mint)
    statuses = enabled({"type": "transaction_status", "account": account})
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "the subscriptions")
    if trouble == "doubled notifications":
        told = ["logsNotification"]
        chain.faults(
            duplicate={"methods": told, "probability": 0.4, "seed": 1},
            reorder={"methods": told, "probability": 0.3, "seed": 2},
            slot_offset={"methods": told, "probability": 0.2, "seed": 4, "slots": 1},
        )

    good: set[str] = set()
    bad: set[str] = set()
    amount = 0
    for number in range(1, 7):
        good |= {payer.pay(wallet, 2 * number), payer.pay(wallet, 2 * number + 1)}
        amount += 4 * number + 1
        bad.add(payer.pay(wallet, 100 + number, fails=True))
        chain.warp(1)
        if trouble == "dropped sockets":
            chain.drop_sockets()
        if trouble == "killed listener" and number in (2, 4):
            stack.listener.kill()
        if trouble == "killed listener" and number in (3, 5):
            stack.start("listener")

    wait_for_events(receipts, good)
    wait_for_events(statuses, good | bad)
    assert sum(event["amount_delta"] for event in events(receipts)) == amount
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")
    assert not Gap.objects.filter(status="lost").exists()


def test_a_transaction_that_a_node_does_not_know_yet_is_waited_for(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    workflow = enabled({"type": "transaction_status", "account": str(funded.pubkey())})
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    chain.faults(forget={})

    sent = {memo_transaction(chain, funded, "early")}
    chain.warp(40)
    before = Subscription.objects.get().checkpoint_slot
    wait_for(lambda: chain.fired("forget") >= 3, PATIENCE_S, "calls in vain")
    chain.clear_faults()

    wait_for_events(workflow, sent)
    assert before is not None and events(workflow)[0]["slot"] > before


def test_a_transaction_that_cannot_be_had_becomes_a_gap_that_is_filled_later(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    workflow = enabled({"type": "transaction_status", "account": str(funded.pubkey())})
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the first gap to be filled")
    chain.faults(forget={})

    sent = {memo_transaction(chain, funded, "late")}
    wait_for(lambda: Gap.objects.filter(reason="not fetched", status="open").exists(), PATIENCE_S, "the gap")
    assert events(workflow) == []
    chain.clear_faults()

    wait_for_events(workflow, sent)
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")


def test_a_transaction_that_vanishes_with_its_fork_is_no_event(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    """Seen as processed, it is asked for as confirmed, which it never becomes."""
    trigger = {"type": "transaction_status", "account": str(funded.pubkey())}
    workflow = enabled(trigger, commitment="processed")
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the first gap to be filled")
    kept = memo_transaction(chain, funded, "kept")
    chain.wait_for_status(kept)
    chain.warp(3)

    chain.pause()
    memo_transaction(chain, funded, "vanishes")
    chain.warp(1)
    chain.rollback(2)
    chain.resume()

    wait_for(lambda: Gap.objects.filter(reason="not fetched", status="filled").exists(), PATIENCE_S, "the gap's end")
    wait_for_events(workflow, {kept})
