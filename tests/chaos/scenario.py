"""What SolFlow is told to do in a run: workflows that pay, with and without narrow limits, filter, and only tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from solders.keypair import Keypair

from accounts.actors import Actor, system
from accounts.services import default_team
from chain.tx.instructions import MEMO_PROGRAM
from listener.services import workflow_enable
from tests.chaos.receiver import Receiver
from tests.local_chain import LocalChain
from workflows.models import Workflow
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

SOL = 1_000_000_000
PAYMENT = 10_000
LOG_PAYMENT = 7_000
MANUAL_PAYMENT = 5_000
LARGE_DEPOSIT = 5_000_000
HOURLY_RATE = 7
DAILY_LAMPORTS = 9 * (PAYMENT + 5_000 + 100)
UNLIMITED_RATE = 1_000_000
PAYING_MEMO = "chaos pays"
ANY_MEMO = "chaos"


class Role(StrEnum):
    """What a workflow does with its events."""

    PAYS = "pays"
    PAYS_AT_A_RATE = "pays at a rate"
    PAYS_A_DAY = "pays so much a day"
    FILTERS = "filters"
    TELLS = "tells"


# By the last digit of an account's number.
ROLES = [
    *(Role.PAYS, Role.PAYS, Role.TELLS, Role.FILTERS, Role.TELLS),
    *(Role.TELLS, Role.PAYS, Role.FILTERS, Role.PAYS_AT_A_RATE, Role.PAYS_A_DAY),
]
NOTIFIED_ON = {
    Role.PAYS: ["success", "failed"],
    Role.PAYS_AT_A_RATE: ["success"],
    Role.PAYS_A_DAY: ["success"],
    Role.FILTERS: ["success", "filtered"],
    Role.TELLS: ["success"],
}


@dataclass(frozen=True, slots=True)
class Watched:
    """An account of the load, the workflow that watches it, and where that tells."""

    address: str
    workflow: Workflow
    role: Role
    hook_path: str
    balance_at_enabling: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that was made, with the lamports of each signer at the beginning."""

    watched: list[Watched]
    on_memo: Workflow
    on_paying_memo: Workflow
    by_hand: Workflow
    signers: dict[str, int]

    @property
    def paying(self) -> list[Workflow]:
        """The workflows that have actions."""
        pays = (Role.PAYS, Role.PAYS_AT_A_RATE, Role.PAYS_A_DAY)
        return [self.on_paying_memo, self.by_hand, *(one.workflow for one in self.watched if one.role in pays)]


class Maker:
    """Makes a scenario on a chain. Inside the chain's gateway: enabling reads baselines."""

    def __init__(self, chain: LocalChain, receiver: Receiver) -> None:
        self._chain = chain
        self._receiver = receiver
        self._actor: Actor = system(default_team(), "chaos")
        self._recipient = str(Keypair().pubkey())
        # So that no payment is below the rent of a new account.
        chain.airdrop(self._recipient, SOL)
        self._signer = signer_create(actor=self._actor, name="treasury")
        chain.airdrop(self._signer.address, 1_000 * SOL)

    def make(self, accounts: int) -> Scenario:
        """Fund `accounts` accounts and enable a workflow for each, and those that are about no account."""
        addresses = [str(Keypair().pubkey()) for _ in range(accounts)]
        for address in addresses:
            self._chain.airdrop(address, SOL)
        # What is confirmed is what the baselines read.
        self._chain.warp(4)
        return Scenario(
            watched=[self._watched(number, address) for number, address in enumerate(addresses)],
            on_memo=self._enable("logs", self._on_memo(ANY_MEMO)),
            on_paying_memo=self._enable("pays on logs", self._on_memo(PAYING_MEMO), payment=LOG_PAYMENT),
            by_hand=self._enable("by hand", {"type": "manual"}, payment=MANUAL_PAYMENT),
            signers={self._signer.address: self._chain.balance(self._signer.address)},
        )

    def _watched(self, number: int, address: str) -> Watched:
        role = ROLES[number % len(ROLES)]
        url = self._receiver.discord_url(webhook_id=number + 1)
        channel = channel_create(
            actor=self._actor, name=f"channel {number}", type="discord", config={"webhook_url": url}
        )
        notification = {"channel": str(channel.id), "on": NOTIFIED_ON[role], "message": "{{ execution.execution_id }}"}
        workflow = self._enable(
            f"{role} {number}",
            {"type": "balance_change", "address": address},
            payment=PAYMENT + number if role.startswith("pays") else None,
            condition={"field": "event.lamports_delta", "op": "gte", "value": LARGE_DEPOSIT}
            if role is Role.FILTERS
            else None,
            notifications=[notification],
            max_executions_per_hour=HOURLY_RATE if role is Role.PAYS_AT_A_RATE else UNLIMITED_RATE,
            max_lamports_per_day=DAILY_LAMPORTS if role is Role.PAYS_A_DAY else None,
        )
        return Watched(address, workflow, role, f"/api/webhooks/{number + 1}/stub-token", SOL)

    def _on_memo(self, text: str) -> dict[str, Any]:
        return {"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": text}

    def _enable(
        self,
        name: str,
        trigger: dict[str, Any],
        *,
        payment: int | None = None,
        condition: dict[str, Any] | None = None,
        notifications: list[dict[str, Any]] | None = None,
        **settings: Any,
    ) -> Workflow:
        definition: dict[str, Any] = {"trigger": trigger, "notifications": notifications or []}
        if payment is not None:
            definition["actions"] = [{"type": "transfer_sol", "to": self._recipient, "lamports": payment}]
        if condition is not None:
            definition["filter"] = condition
        workflow = workflow_create(
            actor=self._actor,
            definition=definition,
            settings={"name": name, "max_executions_per_hour": UNLIMITED_RATE, **settings},
            signer_id=self._signer.id,
        )
        # A limit that holds is a failure too, and so many of them in a row are not to pause the workflow.
        Workflow.objects.filter(pk=workflow.pk).update(pause_after_failures=None)
        workflow.refresh_from_db()
        return workflow_enable(actor=self._actor, workflow=workflow)
