"""The watch over our own memos: a restored database shows itself, and nothing else raises the alarm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from solders.keypair import Keypair

from accounts.actors import Actor
from accounts.errors import Refused
from accounts.models import AuditEntry
from accounts.selectors import installation
from chain.tx import builder, instructions
from chain.tx.signers import KeypairSigner
from executions import memo_watch
from executions.gateway import gateway
from executions.memo_watch import watch
from executions.models import LandedMemo, SignerHistory
from executions.pauses import installation_resume
from executions.pipeline import advance
from executions.recovery import adopt, look_up, unknown_among
from executions.tasks import watch_memos
from tests.executing import SOL, balance_event, new_address, settled, take_events
from tests.forgotten import SLOTS_UNTIL_FINAL, finalized, forgotten_payment
from tests.local_chain import LocalChain
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
SOME_EXECUTION = "f" * 64


def assert_nothing_is_wrong() -> None:
    row = installation()
    assert (row.restored_at, row.paused_at) == (None, None)


def test_ordinary_payments_raise_no_alarm(
    make_workflow: Callable[..., Workflow], signer: Signer, chain: LocalChain
) -> None:
    """Deposits, payments in flight, payments that are final."""
    watch()
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
    for slot in (10, 20):
        (row_id,) = take_events(workflow, [balance_event(watched, slot)])
        advance([row_id])
        assert watch() is None
        assert settled(row_id).status == "success"
        chain.warp(SLOTS_UNTIL_FINAL)
        assert watch() is None
    assert_nothing_is_wrong()
    assert SignerHistory.objects.get(signer=signer).slot > 0


def test_a_payment_that_this_database_does_not_know_pauses_everything_and_names_it(
    signer: Signer, chain: LocalChain, actor: Actor
) -> None:
    """Marked as restored, paused, audited; the pause cannot be lifted by hand."""
    watch()
    signature = finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))

    stranger = watch()

    assert stranger is not None
    assert stranger.signature == signature
    row = installation()
    assert row.restored_at is not None
    assert signature in row.paused_reason
    assert "reconcile --after-restore" in row.paused_reason
    entry = AuditEntry.objects.get(action="paused")
    assert signature in entry.detail["reason"]
    with pytest.raises(Refused, match="reconcile --after-restore") as refused:
        installation_resume(actor=actor)
    assert refused.value.code == "restored"
    assert installation().paused_at is not None


def test_a_signer_that_was_never_looked_at_is_looked_at_from_its_beginning_here(
    signer: Signer, chain: LocalChain
) -> None:
    """A copy from before the first look must not take what was paid since for the beginning."""
    signature = finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))

    stranger = watch()

    assert stranger is not None
    assert stranger.signature == signature


def test_what_an_imported_key_signed_elsewhere_before_raises_no_alarm(
    signer: Signer, chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another installation used the key before it came here."""
    signature = finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))
    landed_at = chain.call("getTransaction", [signature, {"maxSupportedTransactionVersion": 0}])["blockTime"]
    Signer.objects.update(created_at=signer.created_at.fromtimestamp(landed_at + 1, signer.created_at.tzinfo))

    assert watch() is None
    assert watch() is None
    assert_nothing_is_wrong()
    assert SignerHistory.objects.get(signer=signer).signature == signature


def test_a_strangers_transaction_with_a_forged_memo_raises_no_alarm(signer: Signer, chain: LocalChain) -> None:
    """Anybody can pay our signer a lamport and write our memo beside it."""
    watch()
    stranger = Keypair()
    chain.airdrop(stranger.pubkey(), SOL)
    finalized(chain, send_as(stranger, signer.address, f"solflow:{'a' * 16}:1"))

    assert watch() is None
    assert_nothing_is_wrong()


def send_as(sender: Keypair, to: str, memo: str) -> str:
    address = str(sender.pubkey())
    fresh = gateway().rpc.latest_blockhash("confirmed")
    body = [instructions.transfer_sol(address, to, 1_000_000), instructions.memo(memo, address)]
    message = builder.compile_message(body, address, fresh.blockhash)
    signed = KeypairSigner.from_secret(bytes(sender)).sign(message, fresh.last_valid_block_height)
    gateway().rpc.send(signed.raw)
    return signed.signature


def test_forged_memos_by_the_dozen_only_delay_the_look_at_a_real_one(
    signer: Signer, chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many are fetched at once; the others are not skipped."""
    monkeypatch.setattr(memo_watch, "LOOKS_AT_ONCE", 2)
    watch()
    stranger = Keypair()
    chain.airdrop(stranger.pubkey(), SOL)
    for number in range(1, 6):
        chain.wait_for_status(send_as(stranger, signer.address, f"solflow:{'a' * 16}:{number}"))
    signature = finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))

    looks = [watch() for _ in range(4)]

    assert looks[0] is None
    assert [look.signature for look in looks if look is not None] == [signature]


def test_what_landed_and_is_kept_for_its_event_raises_no_alarm(signer: Signer, chain: LocalChain) -> None:
    """reconcile --after-restore has found it; the event has not been read back yet."""
    finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))
    rows = gateway().rpc.signatures_for_address(signer.address, commitment="finalized")
    for one in look_up(signer, unknown_among(rows)):
        adopt(one)
    assert LandedMemo.objects.count() == 1

    assert watch() is None
    assert_nothing_is_wrong()


def test_what_was_looked_at_is_not_looked_at_again(
    make_workflow: Callable[..., Workflow], signer: Signer, chain: LocalChain
) -> None:
    """Attempts that were pruned long ago are in no ledger any more."""
    signature = finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))
    slot = chain.status(signature, search_history=True)["slot"]
    SignerHistory.objects.create(signer=signer, slot=slot, signature=signature, checked_at=signer.created_at)

    assert watch() is None
    SignerHistory.objects.update(signature="")
    assert watch() is None
    assert_nothing_is_wrong()


@pytest.mark.parametrize("method", ["getSignaturesForAddress", "getTransaction"])
def test_a_chain_that_does_not_answer_raises_no_alarm_and_nothing_is_skipped(
    method: str, signer: Signer, chain: LocalChain
) -> None:
    """What could not be compared is compared next time."""
    watch()
    finalized(chain, forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT))
    chain.faults(server_error={"methods": [method]})
    assert watch() is None
    assert_nothing_is_wrong()
    chain.clear_faults()

    assert watch() is not None


def test_a_signer_that_nothing_happens_to_costs_one_request_a_look(signer: Signer, chain: LocalChain) -> None:
    """The task runs every minute, for every signer."""
    chain.warp(SLOTS_UNTIL_FINAL)
    watch()
    asked: list[str] = []
    rpc = gateway().rpc
    ask = rpc._ask

    def counted(call):
        asked.append(call.method)
        return ask(call)

    rpc._ask = counted
    try:
        watch_memos()
    finally:
        del rpc._ask

    assert asked == ["getSignaturesForAddress"]


def test_a_deleted_signer_is_left_alone(signer: Signer, actor: Actor, chain: LocalChain) -> None:
    """Nothing can be signed with it here."""
    other = signer_create(actor=actor, name="old")
    chain.airdrop(other.address, SOL)
    finalized(chain, forgotten_payment(chain, other, SOME_EXECUTION, new_address(), PAYMENT))
    Signer.objects.filter(pk=other.pk).update(deleted_at=other.created_at)

    assert watch() is None
