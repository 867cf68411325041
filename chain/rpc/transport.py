"""One endpoint over solana-py's HTTP provider: our request bodies in, answer bodies out, its failures in our words.

Of solana-py only the provider is used, since its client parses each answer into typed objects, which costs more than
the request, and hides the HTTP status. The provider's own retry is off: it would also repeat a send that timed out,
silently, and failover belongs to the pool alone.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from solana.exceptions import SolanaRpcException
from solana.rpc.async_http_provider import AsyncHTTPProvider

from chain.errors import Ambiguous, ChainError, NoBatches, Unavailable
from chain.rpc.answers import refusal
from chain.rpc.calls import Batch, Call

# At INFO it logs the whole URL of every request, with the provider's key in it.
logging.getLogger("httpx2").setLevel(logging.WARNING)

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def host_of(url: str) -> str:
    """`host[:port]`, the only name by which an endpoint is shown. Raises ValueError for anything but http(s) URLs."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an RPC endpoint is an http or https URL")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if parts.port is None else f"{host}:{parts.port}"


class _ConnectionLost(Ambiguous):
    """The connection broke after the request was written, at once rather than by time running out."""


class _Refused(ChainError):
    """HTTP 4xx: the request as it was, and what that means for a single call."""

    def __init__(self, meaning: ChainError) -> None:
        super().__init__(str(meaning))
        self.meaning = meaning


class Endpoint:
    """One RPC endpoint with its keep-alive connections. Belongs to the event loop in which it was made."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.host = host_of(url)
        # Until it refuses one: some plans of some providers do.
        self.takes_batches = True
        self._provider = AsyncHTTPProvider(url, timeout=timeout_s, max_transport_retries=0)

    async def post(self, call: Call[Any] | Batch) -> str:
        """The body of the answer. Raises Unavailable, Ambiguous, or what a JSON-RPC error sent with HTTP 4xx means; for
        a batch that is NoBatches."""
        outcome = await self._exchange(call)
        if isinstance(outcome, _ConnectionLost) and call.family != "send":
            # The server may have closed an idle connection just as we wrote to it: a fresh one tells. Never for a send:
            # that its answer was lost is what the caller must hear.
            outcome = await self._exchange(call)
        if isinstance(outcome, _Refused):
            outcome = NoBatches(str(outcome)) if isinstance(call, Batch) else outcome.meaning
        if isinstance(outcome, ChainError):
            # Raised outside the handler: the original's text holds the URL, and a traceback would print it.
            raise outcome
        return outcome

    async def _exchange(self, call: Call[Any] | Batch) -> str | ChainError:
        try:
            return await self._provider.make_request_unparsed(call)
        except SolanaRpcException as failure:
            return self._meaning(failure.__cause__)

    def _meaning(self, cause: BaseException | None) -> ChainError:
        if isinstance(cause, httpx2.HTTPStatusError):
            return self._meaning_of_status(cause.response)
        if isinstance(cause, _NEVER_SENT):
            return Unavailable(f"{self.host} cannot be reached ({type(cause).__name__})")
        if isinstance(cause, httpx2.TimeoutException):
            return Ambiguous(f"{self.host} did not answer in time", timed_out=True)
        return _ConnectionLost(f"{self.host} lost the connection ({type(cause).__name__})")

    def _meaning_of_status(self, response: httpx2.Response) -> ChainError:
        status = response.status_code
        if status in (429, 503):
            wait_s = retry_after_s(response.headers.get("retry-after"))
            return Unavailable(f"{self.host} answered HTTP {status}", retry_after_s=wait_s)
        if status >= 500:
            # A gateway says so after it has passed the request on.
            return Ambiguous(f"{self.host} answered HTTP {status}")
        error = _json_rpc_error(response.content)
        return _Refused(refusal(error, self.host) if error else Unavailable(f"{self.host} answered HTTP {status}"))

    async def close(self) -> None:
        """Closes the connections."""
        await self._provider.close()


def retry_after_s(header: str | None) -> float | None:
    """A `Retry-After` header, seconds or a date, as seconds from now; None where there is none to obey."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _json_rpc_error(body: bytes) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else None
