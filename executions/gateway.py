"""The chain as one process sees it: the RPC client, a fresh blockhash, and facts about mints that never change."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from solders.address_lookup_table_account import AddressLookupTableAccount

from accounts.models import Installation
from chain.errors import ChainError
from chain.rpc.calls import FEE_ADDRESSES_PER_CALL
from chain.rpc.sync import RpcClient
from chain.tx.instructions import TOKEN_ACCOUNT_BYTES
from chain.types import Blockhash
from executions import timing

# A blockhash lives for 150 blocks, about a minute. The older it is when it is signed, the less time there is to land;
# the newer, the more endpoints may not know it yet, and the more often an execution waits for the request.
BLOCKHASH_AGE_S = 8.0
FEES_AGE_S = 10.0
FEES_KEPT = 1000
LOOKUP_TABLES_AGE_S = 60.0
# It changes with a feature of the chain, if ever.
RENT_AGE_S = 600.0

TOKEN_ACCOUNT_AMOUNT = slice(64, 72)
MINT_DECIMALS = 44


@dataclass(frozen=True, slots=True)
class Mint:
    """What a transfer must know of a mint; neither changes while the mint exists."""

    token_program: str
    decimals: int


class WrongChain(Exception):
    """The endpoints belong to another chain than this database. No ChainError: waiting does not help."""


class Gateway:
    """One per process, shared by its threads. Raises what chain.rpc.sync.RpcClient raises."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc
        self._lock = threading.Lock()
        self._blockhash: tuple[float, Blockhash] | None = None
        self._fees: dict[tuple[str, ...], tuple[float, list[int]]] = {}
        self._mints: dict[str, Mint] = {}
        self._tables: dict[str, tuple[float, AddressLookupTableAccount]] = {}
        self._rent: tuple[float, int] | None = None
        self._genesis_hash: str | None = None
        self._ours: set[int] = set()

    def blockhash(self) -> Blockhash:
        """A confirmed blockhash, at most BLOCKHASH_AGE_S old; threads that need one at once wait for one request."""
        with self._lock:
            now = time.monotonic()
            if self._blockhash is None or now - self._blockhash[0] > timing.scaled(BLOCKHASH_AGE_S):
                self._blockhash = (now, self.rpc.latest_blockhash("confirmed"))
            return self._blockhash[1]

    def forget_blockhash(self) -> None:
        """The cached blockhash was refused: ask again."""
        with self._lock:
            self._blockhash = None

    def recent_fees(self, groups: Sequence[tuple[str, ...]]) -> list[list[int] | ChainError]:
        """Recent priority fees (micro-lamports per compute unit) for each group of writable accounts, FEES_AGE_S old at
        most; what is not known is asked for together."""
        now = time.monotonic()
        if len(self._fees) > FEES_KEPT:
            self._fees.clear()
        fresh = {one: self._fees[one][1] for one in groups if one in self._fees and self._is_fresh(one, now)}
        missing = [one for one in dict.fromkeys(groups) if one not in fresh]
        asked = self.rpc.recent_prioritization_fees_of([one[:FEE_ADDRESSES_PER_CALL] for one in missing])
        answers = dict(zip(missing, asked, strict=True))
        self._fees |= {one: (now, fees) for one, fees in answers.items() if not isinstance(fees, ChainError)}
        return [fresh[one] if one in fresh else answers[one] for one in groups]

    def _is_fresh(self, group: tuple[str, ...], now: float) -> bool:
        return now - self._fees[group][0] <= timing.scaled(FEES_AGE_S)

    def mint(self, address: str) -> Mint | None:
        """The mint's program and decimals; None where there is no such account or it is no mint."""
        known = self._mints.get(address)
        if known is None:
            account = self.rpc.account(address)
            if account.data is None or len(account.data) <= MINT_DECIMALS or not account.lamports:
                return None
            known = self._mints[address] = Mint(account.owner, account.data[MINT_DECIMALS])
        return known

    def lookup_tables(self, addresses: Sequence[str]) -> list[AddressLookupTableAccount]:
        """The tables' addresses, LOOKUP_TABLES_AGE_S old at most. A table only grows, so an older copy is still right.

        Raises Rejected where an account is no lookup table.
        """
        now = time.monotonic()
        for address in addresses:
            known = self._tables.get(address)
            if known is None or now - known[0] > LOOKUP_TABLES_AGE_S:
                self._tables[address] = (now, self.rpc.lookup_table(address))
        return [self._tables[address][1] for address in addresses]

    def token_account_rent(self) -> int:
        """Lamports that a token account must hold."""
        now = time.monotonic()
        if self._rent is None or now - self._rent[0] > RENT_AGE_S:
            self._rent = (now, self.rpc.rent_exempt_minimum(TOKEN_ACCOUNT_BYTES))
        return self._rent[1]

    def token_balance(self, token_account: str) -> int:
        """Base units in a token account; 0 where it does not exist."""
        account = self.rpc.account(token_account)
        if account.data is None or len(account.data) < TOKEN_ACCOUNT_AMOUNT.stop:
            return 0
        return int.from_bytes(account.data[TOKEN_ACCOUNT_AMOUNT], "little")

    def genesis_hash(self) -> str:
        """The chain's genesis hash, which must be the one that this database belongs to.

        The first contact writes it down. Attempts, checkpoints and balances of one chain mean nothing on another.

        Raises:
            WrongChain: the database belongs to another chain.
        """
        if self._genesis_hash is None:
            found = self.rpc.genesis_hash()
            Installation.objects.filter(pk=1, genesis_hash="").update(genesis_hash=found)
            expected = Installation.objects.values_list("genesis_hash", flat=True).get(pk=1)
            if expected != found:
                raise WrongChain(f"this database belongs to the chain {expected}, the endpoints serve {found}")
            self._genesis_hash = found
        return self._genesis_hash

    def require_our_chain(self, endpoint: int) -> None:
        """What this endpoint knows counts as evidence. Asked once, when it is first needed: it may have been away.

        Raises:
            WrongChain: it belongs to another chain, and knows nothing of ours.
        """
        if endpoint not in self._ours:
            ours, its = self.genesis_hash(), self.rpc.genesis_hash(endpoint=endpoint)
            if its != ours:
                host = self.rpc.hosts[endpoint]
                raise WrongChain(f"this database belongs to the chain {ours}, and {host} serves {its}")
            self._ours.add(endpoint)


@cache
def gateway() -> Gateway:
    """This process's gateway. The client starts afresh in a forked child by itself."""
    return Gateway(RpcClient(settings.SOLANA_RPC_URLS, timeout_s=settings.SOLANA_RPC_TIMEOUT_S))
