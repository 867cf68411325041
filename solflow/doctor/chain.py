"""Each RPC and WebSocket endpoint by itself, and what the signers have. Endpoints are named by host only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson
from django.conf import settings
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from accounts.selectors import installation
from chain.errors import ChainError
from chain.rpc.sync import RpcClient
from chain.rpc.transport import host_of
from executions.balances import balances
from executions.figures import sol
from solflow.doctor.findings import Check, Finding, fail, ok, warn
from workflows.models import Signer

TIMEOUT_S = 5.0
SLOW_MS = 1000
LAG_SLOTS = 50
# A transfer with a priority fee at the cap, and what an account must keep to be free of rent.
RENT_FREE_LAMPORTS = 890_880
SUBSCRIBE = b'{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}'


@dataclass(frozen=True, slots=True)
class _Answer:
    host: str
    slot: int = 0
    genesis_hash: str = ""
    milliseconds: float = 0.0
    error: str = ""


def endpoints() -> Iterator[Finding]:
    with ThreadPoolExecutor(thread_name_prefix="doctor") as threads:
        answers = list(threads.map(_ask, settings.SOLANA_RPC_URLS))
        sockets = list(threads.map(_listen, settings.SOLANA_WS_URLS))
    best = max((answer.slot for answer in answers), default=0)
    expected = installation().genesis_hash
    for answer in answers:
        yield _judged(answer, best, expected)
    for host, problem in sockets:
        subject = f"websocket {host}"
        if problem:
            yield fail(subject, problem, "events come by this socket: correct SOLANA_WS_URLS, or ask the provider")
        else:
            yield ok(subject, "tells slots")


def _judged(answer: _Answer, best: int, expected: str) -> Finding:
    subject = f"rpc {answer.host}"
    if answer.error:
        return fail(subject, answer.error, "correct SOLANA_RPC_URLS, or ask the provider")
    if expected and answer.genesis_hash != expected:
        found = f"serves the chain {answer.genesis_hash}, this database belongs to {expected}"
        return fail(subject, found, "name endpoints of the chain that this database was made for")
    if best - answer.slot > LAG_SLOTS:
        return warn(subject, f"is {best - answer.slot} slots behind the best", "prefer another, or ask the provider")
    if answer.milliseconds > SLOW_MS:
        return warn(subject, f"takes {answer.milliseconds:.0f} ms to answer", "prefer a nearer one")
    return ok(subject, f"slot {answer.slot} in {answer.milliseconds:.0f} ms")


def _ask(url: str) -> _Answer:
    host = host_of(url)
    client = RpcClient([url], timeout_s=TIMEOUT_S)
    try:
        genesis_hash = client.genesis_hash()
        started_s = time.monotonic()
        slot = client.slot("confirmed")
        return _Answer(host, slot, genesis_hash, (time.monotonic() - started_s) * 1000)
    except ChainError as error:
        return _Answer(host, error=str(error).removeprefix(f"{host} "))
    finally:
        client.close()


def _listen(url: str) -> tuple[str, str]:
    host = host_of(url.replace("ws", "http", 1))
    try:
        with connect(url, open_timeout=TIMEOUT_S, close_timeout=1) as socket:
            socket.send(SUBSCRIBE.decode())
            answer = orjson.loads(socket.recv(timeout=TIMEOUT_S))
            if "result" not in answer:
                return host, "refuses slotSubscribe"
            socket.recv(timeout=TIMEOUT_S)
    except TimeoutError:
        return host, f"told nothing in {TIMEOUT_S:g} s"
    except (WebSocketException, OSError, ValueError) as error:
        # The class alone: some texts hold the whole URL, with the provider's key.
        return host, f"cannot be used ({type(error).__name__})"
    return host, ""


def signers() -> Iterator[Finding]:
    rows = list(Signer.objects.filter(deleted_at=None, workflows__enabled=True).distinct())
    known = balances().of([row.address for row in rows])
    for row in rows:
        subject, lamports = f"signer {row.name}", known[row.address]
        if lamports is None:
            yield warn(subject, "its balance is not known: the chain did not answer", "see the rpc lines")
        elif lamports < RENT_FREE_LAMPORTS:
            yield warn(subject, f"{row.address} has {sol(lamports)}", "send it SOL, or its workflows will fail")
        else:
            yield ok(subject, f"has {sol(lamports)}")


CHECKS: tuple[Check, ...] = (endpoints, signers)
