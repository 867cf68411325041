"""What really happened, out of the chain's own blocks: nothing here was told by SolFlow."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from solders.transaction import VersionedTransaction

from chain.tx.instructions import MEMO_PROGRAM
from tests.local_chain import LocalChain

SLOTS_A_CALL = 500


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction in a block, failed or not."""

    signature: str
    slot: int
    failed: bool
    payer: str
    memos: list[str]
    post_balances: dict[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """The lamports of an account before and after a slot in which they changed."""

    slot: int
    before: int
    after: int


class History:
    """Every transaction from `first_slot` on that is final."""

    def __init__(self, chain: LocalChain, first_slot: int) -> None:
        self._chain = chain
        self.last_slot = chain.slot("finalized")
        self.transactions = [landed for slot in self._slots(first_slot) for landed in self._block(slot)]

    def _slots(self, first: int) -> list[int]:
        slots: list[int] = []
        for start in range(first, self.last_slot + 1, SLOTS_A_CALL):
            end = min(start + SLOTS_A_CALL - 1, self.last_slot)
            slots += self._chain.call("getBlocks", [start, end, {"commitment": "finalized"}])
        return slots

    def _block(self, slot: int) -> list[Landed]:
        wanted = {"encoding": "base64", "transactionDetails": "full", "maxSupportedTransactionVersion": 0}
        block = self._chain.call("getBlock", [slot, {**wanted, "commitment": "finalized", "rewards": False}])
        return [_landed(slot, one) for one in block["transactions"]]

    def changes(self, address: str, balance: int) -> list[Change]:
        """How the account went from `balance` on, slot by slot: what happens within a slot is one change."""
        by_slot = {one.slot: one.post_balances[address] for one in self.transactions if address in one.post_balances}
        found: list[Change] = []
        for slot, after in by_slot.items():
            if after != balance:
                found.append(Change(slot, balance, after))
                balance = after
        return found

    def of_payer(self, address: str) -> list[Landed]:
        """Transactions that this address paid for."""
        return [one for one in self.transactions if one.payer == address]

    def by_memo(self, payer: str) -> dict[str, list[Landed]]:
        """Transactions of this payer by the execution in their memo, `solflow:<execution>:<attempt>`."""
        found: dict[str, list[Landed]] = defaultdict(list)
        for one in self.of_payer(payer):
            for memo in one.memos:
                name, _, rest = memo.partition(":")
                if name == "solflow":
                    found[rest.partition(":")[0]].append(one)
        return found


def _landed(slot: int, encoded: dict[str, Any]) -> Landed:
    transaction = VersionedTransaction.from_bytes(base64.b64decode(encoded["transaction"][0]))
    message, meta = transaction.message, encoded["meta"]
    keys = [str(key) for key in message.account_keys]
    memos = [
        bytes(one.data).decode(errors="replace")
        for one in message.instructions
        if keys[one.program_id_index] == MEMO_PROGRAM
    ]
    balances = dict(zip(keys, meta["postBalances"], strict=False))
    return Landed(str(transaction.signatures[0]), slot, meta["err"] is not None, keys[0], memos, balances)
