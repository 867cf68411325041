"""`manage.py reconcile`: what it finds, changes, prints and proves; and what it does after a restore."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from accounts.actors import Actor
from accounts.errors import Refused
from accounts.models import AuditEntry
from accounts.sealing import unseal
from accounts.selectors import installation
from executions.models import Attempt, LandedMemo, Reservation, SignerHistory
from executions.pauses import installation_restored, installation_resume
from executions.pipeline import advance
from executions.reconcile import reconcile
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.forgotten import finalized, forgotten_payment, slots_passing
from tests.local_chain import LocalChain
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
FEE = 5_000
SOME_EXECUTION = "f" * 64


@pytest.fixture
def pay(make_workflow: Callable[..., Workflow]) -> Callable[[], tuple[int, str]]:
    """An event that pays, taken in but not advanced: the row and the recipient."""

    def begin() -> tuple[int, str]:
        watched, to = new_address(), new_address()
        workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        return row_id, to

    return begin


def run(*words: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("reconcile", *words, stdout=out)
    return out.getvalue()


def test_an_attempt_that_landed_unnoticed_is_recorded_and_told(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """One line: what was known, what was found, what it is now."""
    row_id, _ = pay()
    advance([row_id])
    signature = finalized(chain, Attempt.objects.get().signature)

    printed = run()

    (line,) = [line for line in printed.splitlines() if signature in line and "sent" in line]
    assert line.startswith(execution(row_id).execution_id[:16])
    assert "landed in slot" in line
    assert line.endswith("finalized, final")
    assert execution(row_id).status == "success"
    assert Attempt.objects.get().finalized_at is not None
    assert "agrees to the lamport" in printed


def test_a_second_look_finds_nothing_to_do(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """Everything final is left alone."""
    row_id, _ = pay()
    advance([row_id])
    finalized(chain, Attempt.objects.get().signature)
    run()

    assert "Attempts that are not final: none." in run()


def test_an_attempt_that_may_still_land_is_left_as_it_is(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """Not known now proves nothing."""
    row_id, _ = pay()
    chain.faults(never_land={})
    advance([row_id])

    (finding,) = reconcile()

    assert finding.found.startswith("not known; can land for ")
    assert not finding.changed
    assert Reservation.objects.get().status == "reserved"


def test_an_attempt_that_is_too_old_expires_only_with_proof(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """The evidence gathers as in every round: one answer is not enough."""
    row_id, _ = pay()
    chain.faults(never_land={})
    advance([row_id])
    chain.warp(200)

    (first,) = reconcile()
    assert (first.found, first.now) == ("not known, and too old to land", "sent")
    chain.warp(20)
    list(reconcile())
    chain.warp(20)
    findings = list(reconcile())

    assert Attempt.objects.get().status == "expired"
    assert all(one.now in ("sent", "expired") for one in findings)


def test_the_proof_shows_each_payment_and_the_balance_to_the_lamport(
    pay: Callable[[], tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """Ours beside the chain's figure, deposits apart, the sum."""
    chain.warp(1)  # what came in the slot of the first payment would be a deposit too
    row_ids = [pay()[0], pay()[0]]
    for row_id in row_ids:
        advance([row_id])
        settled(row_id)
    deposit = chain.airdrop(signer.address, 12_345)
    finalized(chain, deposit)

    printed = run()

    lines = printed.splitlines()
    for attempt in Attempt.objects.all():
        (line,) = [line for line in lines if attempt.signature in line and "solflow:" in line]
        assert line.split()[3:5] == [str(PAYMENT + FEE)] * 2
    words = [line.split() for line in lines]
    assert ["deposits", "+12345"] in words
    assert ["ours", str(-2 * (PAYMENT + FEE))] in words
    assert ["unexplained", "+0"] in words
    assert ["balance", "now", str(chain.balance(signer.address)), "lamports,", "finalized"] in words


def test_a_ledger_that_says_something_else_is_an_error_with_the_figures(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """Exit code 1, and the line says where and by how much."""
    row_id, _ = pay()
    advance([row_id])
    settled(row_id)
    finalized(chain, Attempt.objects.get().signature)
    Reservation.objects.update(lamports=PAYMENT)
    out = io.StringIO()

    with pytest.raises(CommandError, match="do not agree: treasury"):
        call_command("reconcile", stdout=out)

    assert f"the ledger says {PAYMENT} lamports, the chain took {PAYMENT + FEE}: +{FEE}" in out.getvalue()


def test_lamports_that_no_transaction_explains_are_an_error(
    pay: Callable[[], tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """The balance was changed behind everybody's back, which only a local chain can do."""
    row_id, _ = pay()
    advance([row_id])
    settled(row_id)
    signature = Attempt.objects.get().signature
    chain.set_account(signer.address, lamports=1_000_000_000)
    finalized(chain, signature)

    with pytest.raises(CommandError, match="do not agree"):
        run()


def test_a_chain_that_does_not_answer_is_one_line(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """And nothing was changed."""
    row_id, _ = pay()
    advance([row_id])
    chain.faults(server_error={"methods": ["getSignatureStatuses"]})

    with pytest.raises(CommandError, match="The chain does not answer"):
        run()

    assert Attempt.objects.get().status == "sent"


def test_a_key_that_was_deleted_and_came_back_is_proven_once(
    pay: Callable[[], tuple[int, str]], signer: Signer, chain: LocalChain, actor: Actor
) -> None:
    """Two rows, one address, one history: the payments of both are its ledger."""
    row_id, _ = pay()
    advance([row_id])
    settled(row_id)
    finalized(chain, Attempt.objects.get().signature)
    secret = unseal("signer", signer.id, bytes(signer.sealed))
    Signer.objects.update(deleted_at=signer.created_at)
    signer_create(actor=actor, name="treasury again", secret_key=list(secret))

    printed = run()

    assert printed.count(signer.address) == 1
    assert "agrees to the lamport" in printed


def test_an_address_that_is_no_signer_is_one_line(signer: Signer) -> None:
    """A mistyped address must not look like a proof."""
    with pytest.raises(CommandError, match="nobody is no signer"):
        run("--signer", "nobody")


def test_after_a_restore_everything_forgotten_is_found_and_the_pause_may_be_lifted(
    pay: Callable[[], tuple[int, str]], signer: Signer, chain: LocalChain, actor: Actor
) -> None:
    """An execution that is here is done; one that is not is kept; the mark goes, the pause stays until it is lifted."""
    known, _ = pay()
    advance([known])
    settled(known)
    row_id, to = pay()
    here = forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT)
    elsewhere = forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT)
    installation_restored(actor=actor, reason="restored")
    with pytest.raises(Refused):
        installation_resume(actor=actor)

    with slots_passing(chain):
        printed = run("--after-restore")

    assert f"solflow:{execution(row_id).execution_id[:16]}:1  its execution is recorded as done" in printed
    (kept,) = [line for line in printed.splitlines() if elsewhere in line and "kept" in line]
    assert f"solflow:{'f' * 16}:1" in kept
    assert "2 payments were not known here" in printed
    assert "`manage.py resume` may lift it now" in printed
    assert execution(row_id).status == "success"
    assert Attempt.objects.get(execution_id=row_id).signature == here
    assert LandedMemo.objects.get().signature == elsewhere
    assert AuditEntry.objects.get(action="restore_reconciled").detail == {"recovered": 2}
    row = installation()
    assert (row.restored_at, row.paused_at is not None) == (None, True)
    installation_resume(actor=actor)
    assert installation().paused_at is None


def test_what_was_sent_just_before_the_restore_is_waited_for(
    pay: Callable[[], tuple[int, str]], signer: Signer, chain: LocalChain, actor: Actor
) -> None:
    """A history that is read too early would miss what is still on its way."""
    installation_restored(actor=actor, reason="restored")
    height = chain.call("getBlockHeight", [{"commitment": "finalized"}])

    with slots_passing(chain):
        run("--after-restore")

    assert chain.call("getBlockHeight", [{"commitment": "finalized"}]) > height + 150


@pytest.mark.parametrize("fault", ["server_error", "forgotten_history"])
def test_a_history_that_is_not_whole_lifts_nothing(
    fault: str, signer: Signer, chain: LocalChain, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that fails, or that has forgotten what was before: the mark stays."""
    forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT)
    installation_restored(actor=actor, reason="restored")
    if fault == "server_error":
        chain.faults(server_error={"methods": ["getTransaction"]})
    else:
        SignerHistory.objects.create(signer=signer, slot=1, signature="gone", checked_at=signer.created_at)

    with slots_passing(chain), pytest.raises(CommandError, match="The pause cannot be lifted yet"):
        run("--after-restore")

    assert installation().restored_at is not None
    with pytest.raises(Refused):
        installation_resume(actor=actor)


def test_a_deleted_signer_is_read_too(signer: Signer, chain: LocalChain, actor: Actor) -> None:
    """It may have paid before it was deleted, and its workflow may have another one now."""
    signature = forgotten_payment(chain, signer, SOME_EXECUTION, new_address(), PAYMENT)
    Signer.objects.update(deleted_at=signer.created_at)
    installation_restored(actor=actor, reason="restored")

    with slots_passing(chain):
        run("--after-restore")

    assert LandedMemo.objects.get().signature == signature
