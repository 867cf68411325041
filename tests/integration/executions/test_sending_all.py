"""`"max"` sends what is there: all of it, or all but what is kept, whatever the fee turns out to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from executions.gateway import gateway
from executions.models import Attempt, Reservation
from executions.pipeline import advance
from tests.executing import SOL, balance_event, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.waiting import wait_for
from workflows.models import Signer, Workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kept", [0, SOL])
@pytest.mark.parametrize("micro_lamports_per_unit", [0, 1_000_000])
def test_max_leaves_exactly_what_is_kept(
    make_workflow: Callable[..., Workflow],
    chain: LocalChain,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
    micro_lamports_per_unit: int,
    kept: int,
) -> None:
    """An account holds nothing, or enough to stay: any lamport left over for the fee would be refused by the chain."""
    monkeypatch.setattr(gateway(), "recent_fees", lambda groups: [[micro_lamports_per_unit] for _ in groups])
    watched, to = new_address(), new_address()
    # The worker reads what is confirmed.
    had = wait_for(lambda: chain.balance(signer.address, "confirmed"), 10, "the signer's money is confirmed")
    action = {"type": "transfer_sol", "to": to, "lamports": "max", "keep": kept}
    (row_id,) = take_events(make_workflow(watched, [action], max_lamports_per_tx=had), [balance_event(watched, 10)])

    advance([row_id])
    row = settled(row_id)

    assert row.status == "success", row.error_detail
    assert chain.balance(signer.address) == kept
    fee = Attempt.objects.get(execution_id=row_id).fee_lamports
    assert chain.balance(to) == had - kept - fee
    assert Reservation.objects.get(execution_id=row_id).lamports == had - kept
    assert row.simulation["outflow_lamports"] == had - kept
    assert (fee > 5_000) == bool(micro_lamports_per_unit)
