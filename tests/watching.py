"""Workflows that watch something, and what became of them."""

from __future__ import annotations

import base64
from typing import Any

from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from accounts.actors import Actor, system
from accounts.services import default_team
from chain.tx.builder import compile_message
from chain.tx.instructions import memo
from executions.models import Execution
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
    blockhash = chain.call("getLatestBlockhash", [{"commitment": "confirmed"}])["value"]["blockhash"]
    message = compile_message([memo(text, str(payer.pubkey()))], str(payer.pubkey()), blockhash)
    raw = base64.b64encode(bytes(VersionedTransaction(message, [payer]))).decode()
    signature: str = chain.call("sendTransaction", [raw, {"encoding": "base64", "skipPreflight": True}])
    return signature
