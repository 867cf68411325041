"""Whether something that was started answers yet. For starters of processes: no state, short patience."""

from __future__ import annotations

import urllib.request

TIMEOUT_S = 5.0


def answers_ok(url: str) -> bool:
    """Whether a GET of `url` is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:  # noqa: S310 - our own loopback address
            return bool(response.status == 200)
    except OSError:
        return False


def chain_is_healthy(rpc_port: int) -> bool:
    """Whether a Solana node on this machine answers `getHealth` with ok."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{rpc_port}",
        data=b'{"jsonrpc":"2.0","id":1,"method":"getHealth"}',
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - our own loopback address
            return b'"ok"' in response.read()
    except OSError:
        return False
