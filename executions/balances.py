"""What signers have, for people to look at. Limits never use this: they judge what a simulation shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import cache

import structlog
from django.conf import settings

from chain.errors import ChainError
from chain.rpc.sync import RpcClient

log = structlog.get_logger(__name__)

FRESH_S = 3.0
# A page that waits longer for a figure beside a name is worse than one without it.
TIMEOUT_S = 2.0
MAX_KNOWN = 10_000


class Balances:
    """Lamports by address, at most FRESH_S old; a chain that does not answer is asked again after as long."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, int | None]] = {}

    def of(self, addresses: Sequence[str]) -> dict[str, int | None]:
        """The confirmed balance of each; None where the chain did not answer. At most one call, for all of them."""
        oldest = time.monotonic() - FRESH_S
        with self._lock:
            known = {address: self._known[address] for address in addresses if address in self._known}
        stale = [address for address in addresses if address not in known or known[address][0] < oldest]
        found = {address: balance for address, (at, balance) in known.items() if at >= oldest}
        if stale:
            found |= self._ask(list(dict.fromkeys(stale)))
        return found

    def _ask(self, addresses: list[str]) -> dict[str, int | None]:
        found: dict[str, int | None]
        try:
            _, accounts = self._rpc.accounts(addresses)
            found = {
                address: account.lamports if account else 0
                for address, account in zip(addresses, accounts, strict=True)
            }
        except ChainError as error:
            log.info("balances_unknown", addresses=len(addresses), error=str(error))
            found = dict.fromkeys(addresses)
        now = time.monotonic()
        with self._lock:
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            self._known |= {address: (now, balance) for address, balance in found.items()}
        return found


@cache
def balances() -> Balances:
    """This process's balances, with a client of their own: the gateway's waits as long as a payment may."""
    return Balances(RpcClient(settings.SOLANA_RPC_URLS, timeout_s=TIMEOUT_S))
