"""What tests of executions have in common: events as the listener makes them, and rounds until something is so."""

from __future__ import annotations

import base64
from typing import Any

from django.db import transaction
from django.utils import timezone
from solders.instruction import Instruction
from solders.keypair import Keypair

from chain.events import Event, state_event
from chain.types import AccountSample
from executions.confirm import confirm_round
from executions.intake import Match, take
from executions.models import Execution
from tests.waiting import wait_for
from workflows.models import Workflow

SOL = 1_000_000_000


def balance_event(address: str, slot: int, before: int = 0, after: int = SOL) -> Event:
    return state_event("balance_change", address, AccountSample(slot - 1, before), AccountSample(slot, after))


def take_events(workflow: Workflow, events: list[Event]) -> list[int]:
    """Hand events to intake as the listener does, in one transaction; returns the ids of the new executions."""
    with transaction.atomic():
        return take(
            [Match(workflow.id, workflow.version_id, workflow.team_id, workflow.dry_run, event) for event in events],
            detected_at=timezone.now(),
        )


def execution(row_id: int) -> Execution:
    return Execution.objects.get(pk=row_id)


def call(instruction: Instruction) -> dict[str, Any]:
    """An instruction as a `call_program` action."""
    return {
        "type": "call_program",
        "program_id": str(instruction.program_id),
        "accounts": [
            {"address": str(meta.pubkey), "signer": meta.is_signer, "writable": meta.is_writable}
            for meta in instruction.accounts
        ],
        "data": base64.b64encode(instruction.data).decode(),
    }


def new_address() -> str:
    return str(Keypair().pubkey())


def settled(row_id: int, timeout_s: float = 10.0) -> Execution:
    """The execution once it waits for nothing, with confirmation rounds until then."""

    def final() -> Execution | None:
        confirm_round()
        row = execution(row_id)
        return row if row.status in ("success", "failed", "filtered", "throttled") else None

    return wait_for(final, timeout_s, f"execution {row_id} is final")
