"""`python -m chain.local`: a Solana chain on this machine, for development and tests."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from chain.local.errors import ChainDataError
from chain.local.ledger import Ledger
from chain.local.server import HOST, Node, run_until_stopped
from chain.local.store import Store

_MAX_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run the chain until SIGTERM or Ctrl-C. Exit code 1, with one line that says why, where it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = _parse(arguments)
    ws_port: int = options.ws_port if options.ws_port is not None else options.rpc_port + 1
    try:
        with Store(options.data_dir) as store:
            return _run(Ledger(store), options.rpc_port, ws_port, options.slot_ms)
    except ChainDataError as error:
        return _fail(str(error))


def _run(ledger: Ledger, rpc_port: int, ws_port: int, slot_ms: int) -> int:
    def announce() -> None:
        sys.stdout.write(
            f"local chain ready: http://{HOST}:{rpc_port} ws://{HOST}:{ws_port} "
            f"slot {ledger.tip.slot} genesis {ledger.genesis_hash}\n"
        )
        sys.stdout.flush()

    try:
        uvloop.run(run_until_stopped(Node(ledger, slot_ms), rpc_port, ws_port, announce))
    except OSError as error:
        return _fail(f"cannot listen on {HOST}, ports {rpc_port} and {ws_port}: {error.strerror or error}")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"local chain: {reason}\n")
    return 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chain.local", description=__doc__)
    parser.add_argument("--rpc-port", type=_port, default=8899, help="JSON-RPC over HTTP (default 8899)")
    parser.add_argument("--ws-port", type=_port, help="PubSub over WebSocket (default: the RPC port + 1)")
    parser.add_argument("--slot-ms", type=_positive, default=400, help="length of a slot (default 400)")
    parser.add_argument("--data-dir", type=Path, help="keep the chain here; in memory without it")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port < _MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MAX_PORT - 1}")
    return port


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
