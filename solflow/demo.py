"""What a newcomer finds: a funded signer, a workflow that watches a wallet, and one real deposit that has run it.

Seeding is safe to interrupt and to repeat: everything is looked for before it is made, and the deposit is made only
while the workflow has no execution.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from solders.keypair import Keypair

from accounts.actors import Actor, system
from accounts.services import default_team
from chain.types import LAMPORTS_PER_SOL
from executions.gateway import gateway
from executions.models import Execution, Heartbeat
from listener.services import workflow_enable
from workflows.models import Channel, Signer, Workflow, WorkflowVersion
from workflows.selectors import channel_list, signer_list, workflow_list
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

NAME = "Demo: answer a deposit"
DESCRIPTION = (
    "Watches a wallet. When at least 0.5 SOL arrives, 0.0009 SOL go to another address, and the inbox gets a message. "
    "Deposits come from the local chain's faucet."
)
SIGNER_NAME = "Demo treasury"
CHANNEL_NAME = "Demo inbox"
SIGNER_LAMPORTS = 10 * LAMPORTS_PER_SOL
DEPOSIT_LAMPORTS = LAMPORTS_PER_SOL
PAYMENT_LAMPORTS = 900_000  # just above what an account must hold to exist
PATIENCE_S = 30.0


def seed(say: Callable[[str], None]) -> None:
    """Make what is missing of the demo; `say` is told what was done. Needs the local chain, for its faucet."""
    actor = system(default_team(), "demo")
    workflow = workflow_list(team=actor.team).filter(name=NAME).first() or _make_workflow(actor)
    if Execution.objects.filter(workflow=workflow).exists():
        return
    if not workflow.enabled:
        workflow = workflow_enable(actor=actor, workflow=workflow)
    # A deposit before the subscription stands would be read back, not seen live; both work, one is what a demo shows.
    _wait(lambda: _is_watched(since=workflow.updated_at), "the listener to subscribe")
    say(f"{NAME}: depositing {DEPOSIT_LAMPORTS // LAMPORTS_PER_SOL} SOL into the watched wallet")
    _fund(_watched(workflow), DEPOSIT_LAMPORTS)
    _wait(lambda: Execution.objects.filter(workflow=workflow).exists(), "the deposit to be seen")


def _make_workflow(actor: Actor) -> Workflow:
    signer = signer_list(team=actor.team).filter(name=SIGNER_NAME).first() or _make_signer(actor)
    channel = channel_list(team=actor.team).filter(name=CHANNEL_NAME).first() or _make_channel(actor)
    definition = {
        "schema": 1,
        "trigger": {
            "type": "balance_change",
            "address": str(Keypair().pubkey()),
            "direction": "increase",
            "min_change": "0.5 SOL",
        },
        "filter": {"field": "event.lamports_delta", "op": "lt", "value": 100 * LAMPORTS_PER_SOL},
        "actions": [{"type": "transfer_sol", "to": str(Keypair().pubkey()), "lamports": PAYMENT_LAMPORTS}],
        "notifications": [{"channel": str(channel.id), "template": "default", "on": ["success", "failed"]}],
    }
    return workflow_create(
        actor=actor,
        definition=definition,
        settings={"name": NAME, "description": DESCRIPTION, "max_lamports_per_day": LAMPORTS_PER_SOL // 10},
        signer_id=signer.id,
    )


def _make_signer(actor: Actor) -> Signer:
    signer = signer_create(actor=actor, name=SIGNER_NAME)
    _fund(signer.address, SIGNER_LAMPORTS)
    return signer


def _make_channel(actor: Actor) -> Channel:
    """A channel to this installation's own inbox, whose host `up` allows."""
    url = f"http://{settings.OUTBOUND_ALLOWED_HOSTS[0]}/inbox/api/webhooks/{secrets.randbelow(10**18)}/"
    config = {"webhook_url": url + secrets.token_urlsafe(48)}
    return channel_create(actor=actor, name=CHANNEL_NAME, type="discord", config=config)


def _is_watched(since: datetime) -> bool:
    """Whether a listener has said, after `since`, that it covers all of its subscriptions."""
    beats = Heartbeat.objects.filter(kind="listener", at__gt=since).values_list("detail", flat=True)
    return any(0 < detail.get("subscriptions", 0) <= detail.get("covered", 0) for detail in beats)


def _watched(workflow: Workflow) -> str:
    version = WorkflowVersion.objects.get(workflow=workflow, number=1)
    return str(version.definition["trigger"]["address"])


def _fund(address: str, lamports: int) -> None:
    gateway().rpc.request_airdrop(address, lamports)


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}")
        time.sleep(0.1)
