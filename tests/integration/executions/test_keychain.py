"""Payments with a key that Vault keeps: signed there, over what was simulated, never sent past a limit or a pause."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from accounts.actors import Actor
from accounts.models import AuditEntry
from executions import keychain, pauses
from executions.keychain import asking
from executions.models import Attempt, Execution, Reservation
from executions.pipeline import advance
from tests.executing import SOL, balance_event, execution, new_address, settled, take_events
from tests.http_stub import Answer, Request
from tests.local_chain import LocalChain
from tests.vault import TOKEN, Vault
from workflows.models import Signer
from workflows.services import signer_create, signer_pause, signer_resume, signer_update

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
# A host that may be reached, and a port where nobody is.
DOWN = "https://localhost:9"


@pytest.fixture
def vault(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    fake = Vault(tmp_path)
    settings.OUTBOUND_ALLOWED_HOSTS = ["localhost"]
    monkeypatch.setenv("SSL_CERT_FILE", str(fake.certificate))
    yield fake
    fake.close()


@pytest.fixture
def signer(actor: Actor, chain: LocalChain, vault: Vault) -> Signer:
    made = signer_create(
        actor=actor, name="treasury", backend="vault", address=str(vault.key.pubkey()), config=vault.config
    )
    chain.airdrop(made.address, 10 * SOL)
    return made


@pytest.fixture
def payment(make_workflow: Callable[..., Any]) -> Callable[[], tuple[int, str]]:
    """An event that pays, taken in but not advanced: the row and the recipient."""

    def begin() -> tuple[int, str]:
        watched, to = new_address(), new_address()
        workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        return row_id, to

    return begin


def nothing_was_signed(row_id: int) -> bool:
    reserved = Reservation.objects.filter(execution_id=row_id, status=Reservation.Status.RESERVED)
    return not Attempt.objects.filter(execution_id=row_id).exists() and not reserved.exists()


def test_a_payment_lands_that_vault_signed(
    payment: Callable[[], tuple[int, str]], chain: LocalChain, vault: Vault
) -> None:
    row_id, to = payment()

    advance([row_id])

    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT
    (asked,) = vault.requests
    sent = VersionedTransaction.from_bytes(bytes(Attempt.objects.get(execution_id=row_id).raw))
    assert base64.b64decode(asked.json["input"]) == to_bytes_versioned(sent.message)


def test_the_signature_of_another_key_pays_nobody(payment: Callable[[], tuple[int, str]], vault: Vault) -> None:
    row_id, _ = payment()
    vault.key = Keypair()

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "signing_failed")
    assert "vault did not sign for" in row.error_detail
    assert nothing_was_signed(row_id)


@pytest.mark.parametrize("answer", [Answer.of_json(503, {"errors": ["Vault is sealed"]}), Answer(close=True)])
def test_it_waits_for_a_vault_that_is_not_well_and_pays_then_once(
    payment: Callable[[], tuple[int, str]], chain: LocalChain, vault: Vault, answer: Answer
) -> None:
    row_id, to = payment()
    vault.answer_next(answer)

    advance([row_id])
    assert execution(row_id).status == "pending"
    assert nothing_was_signed(row_id)

    advance([row_id])
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT
    assert Attempt.objects.filter(execution_id=row_id).count() == 1


def test_it_waits_where_nobody_answers(
    payment: Callable[[], tuple[int, str]], actor: Actor, signer: Signer, vault: Vault
) -> None:
    signer_update(actor=actor, signer=signer, changes={"config": {**vault.config, "api_base_url": DOWN}})
    row_id, _ = payment()

    advance([row_id])

    assert execution(row_id).status == "pending"
    assert nothing_was_signed(row_id)


def test_a_slow_vault_is_not_waited_for_longer_than_its_time(
    payment: Callable[[], tuple[int, str]], vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMEOUT_S", 0.3)
    vault.answer_next(Answer(delay_s=2.0))
    row_id, _ = payment()

    advance([row_id])

    assert execution(row_id).status == "pending"
    assert nothing_was_signed(row_id)


def test_what_a_limit_refuses_vault_is_not_asked_to_sign(
    payment: Callable[[], tuple[int, str]], actor: Actor, signer: Signer, vault: Vault
) -> None:
    signer_update(actor=actor, signer=signer, changes={"max_lamports_per_day": PAYMENT // 2})
    row_id, _ = payment()

    advance([row_id])

    assert execution(row_id).status == "failed"
    assert vault.requests == []
    assert nothing_was_signed(row_id)


def test_what_vault_signs_while_a_pause_commits_is_dropped(
    payment: Callable[[], tuple[int, str]], chain: LocalChain, actor: Actor, signer: Signer, vault: Vault
) -> None:
    """The pause has returned before the signature is here: nothing of it is stored, and nothing was sent."""

    def pausing(request: Request) -> Answer:
        signer_pause(actor=actor, signer=signer, reason="stop")
        return vault.sign(request)

    row_id, to = payment()
    vault.choose = pausing

    advance([row_id])
    assert (execution(row_id).status, execution(row_id).waiting_for) == ("pending", "pause")
    assert nothing_was_signed(row_id)

    vault.choose = vault.sign
    signer_resume(actor=actor, signer=signer)
    pauses.release_waiting()
    advance([row_id])
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_a_host_that_is_no_longer_allowed_is_not_connected_to(
    payment: Callable[[], tuple[int, str]], vault: Vault, settings: Any
) -> None:
    row_id, _ = payment()
    settings.OUTBOUND_ALLOWED_HOSTS = []

    advance([row_id])

    row = execution(row_id)
    assert row.error_code == "signing_failed"
    assert "OUTBOUND_ALLOWED_HOSTS" in row.error_detail
    assert vault.requests == []


def test_a_certificate_that_nobody_vouches_for_gets_no_token(
    payment: Callable[[], tuple[int, str]], vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    row_id, _ = payment()

    advance([row_id])

    assert execution(row_id).status == "pending"
    assert vault.requests == []


def test_a_missing_package_says_what_to_install(
    payment: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(keychain, "library", raising=False)
    monkeypatch.setitem(sys.modules, "executions.keychain.library", None)
    row_id, _ = payment()

    advance([row_id])

    row = execution(row_id)
    assert row.error_code == "signer_package_missing"
    assert "requirements-keychain.txt" in row.error_detail


def test_the_token_is_in_no_log_no_audit_entry_and_no_execution(
    payment: Callable[[], tuple[int, str]],
    vault: Vault,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even where Vault repeats it in its answer."""
    caplog.set_level(logging.DEBUG)
    refused = Answer.of_json(403, {"errors": [f"{TOKEN} is not permitted"]})
    vault.answer_next(refused)
    row_id, _ = payment()

    advance([row_id])

    row = execution(row_id)
    assert "(HTTP 403)" in row.error_detail
    rows = [list(model.objects.values()) for model in (AuditEntry, Execution)]
    printed = capsys.readouterr()
    for text in (json.dumps(rows, default=str), caplog.text, printed.out, printed.err):
        assert TOKEN not in text
