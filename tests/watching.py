"""Workflows that watch something, and what became of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from accounts.actors import Actor, system
from accounts.services import default_team
from chain.tx.builder import compile_message
from chain.tx.instructions import memo
from executions.models import Execution, Heartbeat
from listener.services import workflow_enable
from tests.local_chain import LocalChain
from workflows.models import Workflow
from workflows.services.workflow import workflow_create


def actor() -> Actor:
    return system(default_team(), "test")


def new_address() -> str:
    return str(Keypair().pubkey())


def workflow(trigger: dict[str, Any], **settings: Any) -> Workflow:
    """A workflow that only watches, not enabled."""
    definition = {"schema": 1, "trigger": trigger, "actions": [], "notifications": []}
    return workflow_create(actor=actor(), definition=definition, settings={"name": "watches", **settings})


def events(watching: Workflow) -> list[dict[str, Any]]:
    """The events of a workflow's executions, in the order in which they came in."""
    return list(Execution.objects.filter(workflow=watching).order_by("id").values_list("event", flat=True))


def deltas(watching: Workflow) -> list[int]:
    return [event["lamports_delta"] for event in events(watching)]


def memo_transaction(chain: LocalChain, payer: Keypair, text: str) -> str:
    """Send a memo, whose program writes the text into its log; answers the signature."""
    return send(chain, payer, memo(text, str(payer.pubkey())))


def send(chain: LocalChain, payer: Keypair, *instructions: Instruction) -> str:
    """Send a transaction of these, whatever becomes of it; answers the signature."""
    return submit(chain, signed(chain, payer, *instructions))


def signed(chain: LocalChain, payer: Keypair, *instructions: Instruction) -> VersionedTransaction:
    """A transaction of these, not sent yet."""
    blockhash = chain.call("getLatestBlockhash", [{"commitment": "confirmed"}])["value"]["blockhash"]
    return VersionedTransaction(compile_message(list(instructions), str(payer.pubkey()), blockhash), [payer])


def submit(chain: LocalChain, transaction: VersionedTransaction) -> str:
    """Send it; answers the signature."""
    raw = base64.b64encode(bytes(transaction)).decode()
    signature: str = chain.call("sendTransaction", [raw, {"encoding": "base64", "skipPreflight": True}])
    return signature


def enabled(trigger: dict[str, Any], **settings: Any) -> Workflow:
    """A workflow that only watches, from now on."""
    return workflow_enable(actor=actor(), workflow=workflow(trigger, **settings))


def covering(expected: int) -> Callable[[], bool]:
    """Whether the newest heartbeat covers so many subscriptions."""
    return lambda: Heartbeat.objects.filter(kind="listener", detail__covered=expected).exists()
