"""What the tests of the local chain send it."""

from __future__ import annotations

import base64
import json
from typing import Any

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from websockets.sync.client import ClientConnection, connect

from tests.local_chain import LocalChain
from tests.unit.chain_local.building import signed, transfer_of


def blockhash(chain: LocalChain, commitment: str = "processed") -> str:
    latest = chain.call("getLatestBlockhash", [{"commitment": commitment}])
    text: str = latest["value"]["blockhash"]
    return text


def funded(chain: LocalChain, lamports: int = 10**10) -> Keypair:
    keypair = Keypair()
    chain.airdrop(keypair.pubkey(), lamports)
    return keypair


def payment(chain: LocalChain, payer: Keypair, recipient: Pubkey, lamports: int) -> VersionedTransaction:
    return signed([transfer_of(payer, recipient, lamports)], [payer], Hash.from_string(blockhash(chain)))


def encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


def send(chain: LocalChain, transaction: VersionedTransaction, **config: Any) -> str:
    options = {"encoding": "base64", "preflightCommitment": "processed", **config}
    signature: str = chain.call("sendTransaction", [encoded(transaction), options])
    return signature


def simulate(chain: LocalChain, transaction: VersionedTransaction, **config: Any) -> dict[str, Any]:
    options = {"encoding": "base64", "commitment": "processed", **config}
    value: dict[str, Any] = chain.call("simulateTransaction", [encoded(transaction), options])["value"]
    return value


class Socket:
    """A PubSub client that shows every frame."""

    def __init__(self, chain: LocalChain) -> None:
        self._connecting = connect(chain.ws_url, compression=None)
        self._socket: ClientConnection
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> Socket:
        self._socket = self._connecting.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._connecting.__exit__(*exception)

    def request(self, method: str, *params: Any) -> Any:
        """The whole answer; notifications that come first are kept in `seen`."""
        self._socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        while "id" not in (frame := json.loads(self._socket.recv(timeout=10))):
            self.seen.append(frame)
        return frame

    def subscribe(self, method: str, *params: Any) -> int:
        subscription: int = self.request(method, *params)["result"]
        return subscription

    def receive(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next notification's `params`. TimeoutError where none comes."""
        frame = self.seen.pop(0) if self.seen else json.loads(self.receive_raw(timeout_s))
        params: dict[str, Any] = frame["params"]
        return params

    def receive_raw(self, timeout_s: float = 10.0) -> str | bytes:
        return self._socket.recv(timeout=timeout_s)
