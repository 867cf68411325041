"""The ingest thread: what cannot be stored costs itself only."""

from __future__ import annotations

import asyncio

import pytest
from django.db import connection
from msgspec.structs import replace

from chain.types import AccountSample
from listener.mailbox import Mailbox
from listener.writer import Writer
from tests.integration.listener.ledger import Ledger
from tests.watching import deltas


@pytest.mark.django_db(transaction=True)
def test_an_observation_that_cannot_be_stored_is_left_out_and_the_rest_is_written() -> None:
    ledger = Ledger()

    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop())
        writer = Writer(mailbox, ledger.registry.audience, lambda _: None)
        good = [ledger.sample(101 + n, 2000 + n) for n in range(5)]
        unstorable = replace(good[2], sample=AccountSample(200, 10**30, "owner"))
        mailbox.put([*good[:2], unstorable, *good[3:]])
        mailbox.close()
        await asyncio.to_thread(lambda: (writer.run(), connection.close()))

    asyncio.run(scenario())

    assert sorted(deltas(ledger.workflow)) == [1, 1, 2, 1000]
