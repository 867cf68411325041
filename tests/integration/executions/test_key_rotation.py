"""What pays before a rotation pays after it, when the old key is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor
from executions.pipeline import advance
from solflow.rotation import rotate
from tests.encryption import new_pair, use_next_to_the_old
from tests.executing import balance_event, new_address, settled, take_events
from tests.local_chain import LocalChain
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

PAYMENT = 900_000


def test_a_signer_still_signs_when_the_old_key_is_gone(
    actor: Actor, make_workflow: Callable[..., Workflow], chain: LocalChain, settings: Any
) -> None:
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
    pair = new_pair()
    use_next_to_the_old(pair, settings)
    rotate(actor=actor)
    settings.FIELD_ENCRYPTION_KEYS = [pair.private]

    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])

    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT
