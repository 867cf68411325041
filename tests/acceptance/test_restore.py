"""A backup restored under a chain that has moved on: paused until the chain was asked, and nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.forgotten import slots_passing
from tests.local_chain import LocalChain
from tests.stack import ApiClient
from tests.up import Up
from tests.waiting import wait_for
from tests.watching import memo_transaction

SOL = 1_000_000_000
PAYMENT = 900_000
FEE = 5_000
MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """SolFlow as a person runs it, with its own chain, which goes on where it was after a stop."""
    one = Up(tmp_path / "data", "--no-demo")
    yield one
    one.close()
    print(one.text() if one.output.exists() else "")  # noqa: T201 - pytest shows it when the test failed


class Shop:
    """Pays for each order that is written into a memo, and for each deposit into a wallet."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.chain = LocalChain()
        self.chain.rpc_port = up.rpc_port
        self.api = ApiClient(up.url, up.manage("create_token", "admin").stdout.split()[-1])
        self.customer = Keypair()
        self.wallet, self.supplier, self.partner = (str(Keypair().pubkey()) for _ in range(3))
        self.signer = self.api.post("signers/", {"name": "treasury"})
        self.chain.airdrop(self.customer.pubkey(), SOL)
        self.chain.airdrop(self.signer["address"], SOL)
        orders = {"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "order-"}
        self.orders = self._workflow("orders", orders, self.supplier)
        self.deposits = self._workflow("deposits", {"type": "balance_change", "address": self.wallet}, self.partner)

    def _workflow(self, name: str, trigger: dict[str, Any], to: str) -> str:
        definition = {"trigger": trigger, "actions": [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}]}
        made = self.api.post(
            "workflows/", {"name": name, "definition": definition, "signer": self.signer["id"]}, expect=201
        )
        self.api.post(f"workflows/{made['id']}/enable/")
        return str(made["id"])

    def order(self, number: int) -> None:
        memo_transaction(self.chain, self.customer, f"order-{number}")

    def deposit(self) -> None:
        self.chain.airdrop(self.wallet, SOL)

    def wait_for(self, workflow: str, count: int, status: str = "success", **more: Any) -> None:
        def enough() -> bool:
            rows = self.api.get(f"executions/?workflow={workflow}&status={status}")["results"]
            return len([row for row in rows if more.items() <= row.items()]) == count

        wait_for(enough, 60, f"{count} executions are {status}")

    def paid(self) -> tuple[int, int]:
        """Lamports that the supplier and the partner have."""
        return self.chain.balance(self.supplier), self.chain.balance(self.partner)

    def memos(self) -> list[str]:
        """What the chain says about the signer's payments."""
        listed = self.chain.call("getSignaturesForAddress", [self.signer["address"], {"commitment": "confirmed"}])
        return [row["memo"] for row in listed if row["memo"]]


@pytest.mark.timeout(400)
def test_a_backup_restored_under_a_chain_that_has_moved_on_pays_nothing_twice(up: Up, tmp_path: Path) -> None:
    """Payments after the backup are found by their memos; events that are read back find that they were paid; balances
    are right to the lamport."""
    shop = Shop(up.start())
    shop.order(1)
    shop.deposit()
    shop.wait_for(shop.orders, 1)
    shop.wait_for(shop.deposits, 1)
    saved = up.manage("backup", str(tmp_path / "saved"))
    assert saved.returncode == 0, saved.stderr
    assert "secrets.json" in saved.stdout

    shop.order(2)
    shop.order(3)
    shop.deposit()
    shop.wait_for(shop.orders, 3)
    shop.wait_for(shop.deposits, 2)
    assert shop.paid() == (3 * PAYMENT, 2 * PAYMENT)
    assert "stop SolFlow first" in up.manage("restore", str(tmp_path / "saved")).stderr
    up.interrupt()
    assert up.wait() == 0

    restored = up.manage("restore", str(tmp_path / "saved"))
    assert restored.returncode == 0, restored.stderr
    assert "reconcile --after-restore" in restored.stdout
    up.start()
    assert "everything is paused: This database was restored from a backup." in up.text()

    shop.order(4)
    shop.wait_for(shop.orders, 3, "pending", waiting_for="pause")
    assert shop.api.call("DELETE", "pause/", expect=409)["code"] == "restored"
    refused = up.manage("resume")
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "reconcile --after-restore" in refused.stderr

    with slots_passing(shop.chain):
        reconciled = up.manage("reconcile", "--after-restore")
    assert reconciled.returncode == 0, reconciled.stdout + reconciled.stderr
    assert "3 payments were not known here" in reconciled.stdout
    assert shop.paid() == (3 * PAYMENT, 2 * PAYMENT)
    lifted = up.manage("resume")
    assert lifted.returncode == 0, lifted.stderr

    shop.wait_for(shop.orders, 4)
    shop.deposit()
    shop.wait_for(shop.deposits, 2)
    assert shop.paid() == (4 * PAYMENT, 3 * PAYMENT)
    assert len(shop.memos()) == len(set(shop.memos())) == 7
    assert shop.chain.balance(shop.signer["address"]) == SOL - 7 * (PAYMENT + FEE)
    with slots_passing(shop.chain):
        proven = up.manage("reconcile")
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "agrees to the lamport" in proven.stdout
