"""The local chain for tests: a real `python -m chain.local` process on free ports, and what tests do with it.

with LocalChain(slot_ms=50) as chain:
    chain.airdrop(address, 10**9)
    chain.faults(rate_limit={"methods": ["getSlot"], "next": 2})
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import requests

from solflow.supervisor.lifeline import tied_to_us
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[1]
STOP_TIMEOUT_S = 10.0


class RpcFailureError(Exception):
    """The chain answered a JSON-RPC error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class LocalChain:
    """One chain process. Without a data directory its state dies with it."""

    def __init__(self, *, slot_ms: int = 400, data_dir: Path | None = None) -> None:
        self._slot_ms = slot_ms
        self._data_dir = data_dir
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str]
        self._http = requests.Session()
        self._ids = itertools.count(1)
        self.rpc_port = 0
        self.ws_port = 0

    def __enter__(self) -> LocalChain:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def rpc_url(self) -> str:
        """Where JSON-RPC is served."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def ws_url(self) -> str:
        """Where PubSub is served."""
        return f"ws://127.0.0.1:{self.ws_port}"

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    # Life

    def start(self) -> LocalChain:
        """Start on free ports; after `kill` or `stop` again on the same ones."""
        for _ in range(10):
            ports = (self.rpc_port, self.ws_port) if self.rpc_port else _free_port_pair()
            failure = self._start_on(*ports)
            if failure is None:
                return self
            if "cannot listen" not in failure or self.rpc_port:
                break
        raise RuntimeError(f"the local chain did not start: {failure}")

    def _start_on(self, rpc_port: int, ws_port: int) -> str | None:
        command = [sys.executable, "-m", "chain.local", "--rpc-port", str(rpc_port), "--ws-port", str(ws_port)]
        command += ["--slot-ms", str(self._slot_ms)]
        if self._data_dir is not None:
            command += ["--data-dir", str(self._data_dir)]
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (read until the next start)
        process = subprocess.Popen(
            tied_to_us(command, signal.SIGKILL),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert process.stdout is not None
        if not process.stdout.readline().startswith("local chain ready"):
            process.communicate(timeout=STOP_TIMEOUT_S)
            return self.errors()
        self._process, self.rpc_port, self.ws_port = process, rpc_port, ws_port
        return None

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> int | None:
        """Stop in order; answers the exit code. Harmless where it is not running."""
        return self._end(signal_number)

    def kill(self) -> None:
        """SIGKILL: what is not on disk is gone."""
        self._end(signal.SIGKILL)

    def _end(self, signal_number: int) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(signal_number)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return process.returncode

    def restart(self) -> LocalChain:
        """Start again after `kill` or `stop`, or stop and start, on the same ports."""
        self.stop()
        return self.start()

    def errors(self) -> str:
        """What the process has written to its standard error since its last start."""
        self._errors.seek(0)
        return self._errors.read().strip()

    # Calls

    def call(self, method: str, params: list[Any] | None = None) -> Any:
        """The result of one JSON-RPC call. RpcFailureError for an error, requests' exceptions for the rest."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params or []}
        response = self._http.post(self.rpc_url, json=body, timeout=30)
        response.raise_for_status()
        answer = response.json()
        if "error" in answer:
            raise RpcFailureError(answer["error"])
        return answer["result"]

    def airdrop(self, address: object, lamports: int) -> str:
        """Fund an address; has executed on return (commitment `processed`). Answers the signature."""
        signature: str = self.call("requestAirdrop", [str(address), lamports])
        return signature

    def balance(self, address: object, commitment: str = "processed") -> int:
        """Lamports."""
        lamports: int = self.call("getBalance", [str(address), {"commitment": commitment}])["value"]
        return lamports

    def slot(self, commitment: str = "processed") -> int:
        """The newest slot."""
        slot: int = self.call("getSlot", [{"commitment": commitment}])
        return slot

    def status(self, signature: str, *, search_history: bool = False) -> dict[str, Any] | None:
        """The status of a transaction, None where the chain does not know it."""
        config = {"searchTransactionHistory": search_history}
        status: dict[str, Any] | None = self.call("getSignatureStatuses", [[signature], config])["value"][0]
        return status

    def wait_for_status(self, signature: str, commitment: str = "confirmed", timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait until a transaction reaches a commitment; answers its status."""
        order = ("processed", "confirmed", "finalized")

        def reached() -> dict[str, Any] | None:
            status = self.status(signature)
            if status and order.index(status["confirmationStatus"]) >= order.index(commitment):
                return status
            return None

        return wait_for(reached, timeout_s, f"{signature} is {commitment}")

    # What only a local chain can do; the kinds of faults are listed in chain/local/faults.py.

    def faults(self, **kinds: Any) -> dict[str, Any]:
        """Put faults in force, for instance `lose_answer={"methods": ["sendTransaction"], "next": 1}`."""
        in_force: dict[str, Any] = self.call("solflow_setFaults", [kinds])
        return in_force

    def clear_faults(self, *kinds: str) -> None:
        """Lift these faults, or all."""
        self.call("solflow_clearFaults", [list(kinds)] if kinds else [])

    def fired(self, kind: str) -> int:
        """How often a fault that is in force has struck."""
        return sum(rule["fired"] for rule in self.call("solflow_getFaults").get(kind, []))

    def drop_sockets(self) -> int:
        """Cut all WebSockets now; answers how many there were."""
        dropped: int = self.call("solflow_dropSockets")
        return dropped

    def warp(self, slots: int, *, skipped: bool = False) -> int:
        """End so many slots at once, as empty blocks or as skipped slots; answers the new slot."""
        slot: int = self.call("solflow_warp", [slots, {"skipped": skipped}])
        return slot

    def pause(self) -> None:
        """Let no slot end until `resume`."""
        self.call("solflow_pause")

    def resume(self) -> None:
        """Let slots end again."""
        self.call("solflow_resume")

    def set_account(self, address: object, **fields: Any) -> None:
        """Overwrite `lamports`, `data` (base64), `owner` or `executable` of an account."""
        self.call("solflow_setAccount", [str(address), fields])

    def rollback(self, blocks: int) -> int:
        """Make the newest blocks vanish, as a fork that lost; answers the slot that is open then."""
        slot: int = self.call("solflow_rollback", [blocks])
        return slot


def _free_port_pair() -> tuple[int, int]:
    """Two neighbouring ports that are free now, outside the range that the system gives to outgoing connections."""
    while True:
        port = random.randrange(12_000, 30_000)
        try:
            with socket.socket() as first, socket.socket() as second:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
        except OSError:
            continue
        return port, port + 1
