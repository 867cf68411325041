"""The events of a run: deposits with a memo, straight to the chain, and calls of the API, repeated until answered."""

from __future__ import annotations

import base64
import itertools
import random
import threading
import time
from collections.abc import Sequence

import requests
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from chain.tx.builder import compile_message
from chain.tx.instructions import memo, transfer_sol
from tests.chaos.scenario import ANY_MEMO, LARGE_DEPOSIT, PAYING_MEMO, SOL, Scenario
from tests.local_chain import LocalChain

SMALLEST_DEPOSIT = 1_000_000
BLOCKHASH_AGE_S = 1.0
EVERY_SO_MANY_PAY = 4


class Deposits:
    """A thread that changes one account after another, `rate` a second, each time by another amount.

    What of it the chain took is told by the chain alone.
    """

    def __init__(self, chain: LocalChain, addresses: Sequence[str], *, rate: float, seed: int) -> None:
        self._chain = chain
        self._addresses = addresses
        self._rate = rate
        self._rng = random.Random(f"{seed} load")
        self._payer = Keypair()
        self._blockhash = ("", 0.0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deposits")
        self.sent = 0
        self.latest_by_s = 0.0
        chain.airdrop(self._payer.pubkey(), 1_000_000 * SOL)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began_s = time.monotonic()
        for number in itertools.count(1):
            ahead_s = began_s + number / self._rate - time.monotonic()
            self.latest_by_s = max(self.latest_by_s, -ahead_s)
            if self._stop.wait(max(0.0, ahead_s)):
                return
            self._deposit(number)
            self.sent = number

    def _deposit(self, number: int) -> None:
        payer, address = str(self._payer.pubkey()), self._rng.choice(self._addresses)
        lamports = SMALLEST_DEPOSIT + number + (LARGE_DEPOSIT if number % 2 else 0)
        text = f"{ANY_MEMO if number % EVERY_SO_MANY_PAY else PAYING_MEMO} {number}"
        instructions = [transfer_sol(payer, address, lamports), memo(text, payer)]
        message = compile_message(instructions, payer, self._fresh_blockhash())
        raw = base64.b64encode(bytes(VersionedTransaction(message, [self._payer]))).decode()
        self._chain.call("sendTransaction", [raw, {"encoding": "base64", "skipPreflight": True}])

    def _fresh_blockhash(self) -> str:
        if time.monotonic() - self._blockhash[1] > BLOCKHASH_AGE_S:
            found = self._chain.call("getLatestBlockhash", [{"commitment": "confirmed"}])["value"]["blockhash"]
            self._blockhash = (found, time.monotonic())
        return self._blockhash[0]


class Callers:
    """A thread that runs the manual workflow through the API, each call with a key of its own, until it is answered."""

    def __init__(self, url: str, token: str, scenario: Scenario, *, every_s: float) -> None:
        self._url = f"{url}/api/v1/workflows/{scenario.by_hand.id}/run/"
        self._headers = {"Authorization": f"Token {token}"}
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callers")
        # The execution id that each key was answered with.
        self.answered: dict[str, str] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No new calls; the last one is repeated until it is answered."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    @property
    def under_way(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        for number in itertools.count(1):
            key = f"chaos-{number}"
            while (execution_id := self._call(key)) is None:
                time.sleep(0.5)
            self.answered[key] = execution_id
            if self._stop.wait(self._every_s):
                return

    def _call(self, key: str) -> str | None:
        try:
            answer = requests.post(self._url, json={}, headers={**self._headers, "Idempotency-Key": key}, timeout=10)
        except requests.RequestException:
            return None
        return str(answer.json()["execution_id"]) if answer.status_code == 202 else None
