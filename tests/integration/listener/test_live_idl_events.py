"""Anchor events of a real program on the local chain, by log and by self-call, seen by a real listener process."""

from __future__ import annotations

from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from accounts.errors import Invalid
from chain.tx.instructions import transfer_sol
from listener.selectors import totals
from tests.event_program import CALL, LOG, SAY_MORE, deploy, emitting
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.waiting import wait_for
from tests.watching import actor, covering, enabled, events, new_address, send
from workflows.models import Idl, Workflow
from workflows.services.idl import idl_create, idl_update

PATIENCE_S = 20.0
DISCRIMINATOR = bytes(range(8))


def document(program: str) -> dict[str, Any]:
    """An IDL whose one event is Paid(amount, to). As older ones, it does not say that the program may call itself."""
    return {
        "address": program,
        "metadata": {"name": "payer", "version": "1.0.0", "spec": "0.1.0"},
        "instructions": [{"name": "pay", "discriminator": [1], "accounts": [], "args": []}],
        "events": [{"name": "Paid", "discriminator": list(DISCRIMINATOR)}],
        "types": [
            {
                "name": "Paid",
                "type": {
                    "kind": "struct",
                    "fields": [{"name": "amount", "type": "u64"}, {"name": "to", "type": "pubkey"}],
                },
            }
        ],
    }


def paid(amount: int, to: str) -> bytes:
    return DISCRIMINATOR + amount.to_bytes(8, "little") + bytes(Pubkey.from_string(to))


def idl_of(program: str) -> Idl:
    return idl_create(actor=actor(), name=f"IDL of {program}", document=document(program))


def watching(program: str, idl: Idl, **more: Any) -> Workflow:
    return enabled({"type": "program_log", "program_id": program, "event": "Paid", "idl": str(idl.pk), **more})


def told(workflow: Workflow) -> list[tuple[str, int]]:
    return sorted((event["signature"], event["data"]["amount"]) for event in events(workflow))


def wait_for_payments(workflow: Workflow, payments: list[tuple[str, int]]) -> None:
    wait_for(lambda: len(events(workflow)) >= len(payments), PATIENCE_S, "every event")
    assert told(workflow) == sorted(payments)


def test_events_are_told_once_however_they_are_emitted(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    program, to = deploy(chain), new_address()
    workflow = watching(program, idl_of(program))
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    payments = [
        (send(chain, funded, emitting(program, ways, paid(amount, to))), amount)
        for amount, ways in enumerate((LOG, CALL, LOG | CALL), 1)
    ]
    twice = emitting(program, LOG | CALL, paid(9, to))
    both = send(chain, funded, twice, twice)
    failed = send(
        chain, funded, emitting(program, LOG | CALL, paid(8, to)), transfer_sol(str(funded.pubkey()), to, 10**18)
    )

    chain.wait_for_status(failed)
    wait_for_payments(workflow, [*payments, (both, 9), (both, 9)])
    event = next(event for event in events(workflow) if event["signature"] == payments[1][0])
    assert (event["name"], event["data"], event["line"]) == ("Paid", {"amount": 2, "to": to}, None)
    assert (event["program_id"], event["account"], event["logs_truncated"]) == (program, program, False)


def test_where_the_program_does_not_call_itself_no_call_is_made(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    program, to = deploy(chain), new_address()
    workflow = watching(program, idl_of(program))
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    chain.faults(server_error={"methods": ["getTransaction"]})

    signature = send(chain, funded, emitting(program, LOG, paid(5, to)))

    wait_for_payments(workflow, [(signature, 5)])
    assert chain.fired("server_error") == 0


def test_of_a_cut_log_what_is_left_is_told_and_the_rest_is_said_to_be_missing(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    program, to = deploy(chain), new_address()
    idl = idl_of(program)
    notified, ignoring = watching(program, idl), watching(program, idl, on_truncated="ignore")
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    swallowed = send(chain, funded, emitting(program, SAY_MORE | LOG, paid(5, to)))
    called = send(chain, funded, emitting(program, SAY_MORE | CALL, paid(6, to)))

    wait_for(lambda: len(events(notified)) == 2, PATIENCE_S, "both transactions")
    wait_for_payments(ignoring, [(called, 6)])
    by_signature = {event["signature"]: event for event in events(notified)}
    assert (by_signature[swallowed]["name"], by_signature[swallowed]["data"]) == (None, None)
    assert by_signature[called]["data"]["amount"] == 6
    assert all(event["logs_truncated"] for event in by_signature.values())


@pytest.mark.parametrize("trouble", ["dropped sockets", "killed listener"])
def test_no_event_is_lost_or_doubled(stack: Stack, chain: LocalChain, funded: Keypair, trouble: str) -> None:
    program, to = deploy(chain), new_address()
    workflow = watching(program, idl_of(program))
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    payments = []
    for number in range(1, 9):
        ways = (LOG, CALL, LOG | CALL)[number % 3]
        payments.append((send(chain, funded, emitting(program, ways, paid(number, to))), number))
        chain.warp(1)
        if trouble == "dropped sockets":
            chain.drop_sockets()
        elif number in (2, 5):
            stack.listener.kill()
        elif number in (4, 7):
            stack.start("listener")

    wait_for_payments(workflow, payments)
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")


def test_a_changed_idl_is_used_without_enabling_again(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    program, to = deploy(chain), new_address()
    idl = idl_of(program)
    workflow = watching(program, idl)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    changed = document(program)
    changed["types"][0]["type"]["fields"][0]["name"] = "lamports"
    idl_update(actor=actor(), idl=idl, changes={"document": changed})

    def is_used() -> bool:
        send(chain, funded, emitting(program, LOG, paid(5, to)))
        return any("lamports" in event["data"] for event in events(workflow))

    wait_for(is_used, PATIENCE_S, "the new name")


@pytest.mark.django_db
def test_an_event_that_the_idl_has_not_is_refused_with_those_that_it_has(chain: LocalChain) -> None:
    program = new_address()
    trigger = {"type": "program_log", "program_id": program, "event": "Payed", "idl": str(idl_of(program).pk)}

    with pytest.raises(Invalid) as refused:
        enabled(trigger)

    (problem,) = refused.value.errors
    assert (problem.path, problem.code) == ("definition.trigger.event", "unknown_event")
    assert "Paid" in problem.detail


@pytest.mark.django_db
def test_an_idl_of_another_program_is_refused(chain: LocalChain) -> None:
    idl = idl_of(new_address())

    with pytest.raises(Invalid) as refused:
        watching(new_address(), idl)

    assert [problem.path for problem in refused.value.errors] == ["definition.trigger.idl"]
