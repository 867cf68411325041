"""The HTTP client of backends: connections go only where messages of a user's channel may go (executions.outbound).

As in executions.channels.http the name is resolved and judged once, and the connection is made to that address, while
Host and TLS keep the name. No proxy from the environment is used, because a proxy would resolve the name again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence

import httpx

from executions.outbound import refuse_any
from workflows.specs.hosts import is_allowed

CONNECT_TIMEOUT_S = 5.0

# At INFO and below they log URLs, which name keys and wallets.
for _library in ("httpx", "httpcore", "botocore"):
    logging.getLogger(_library).setLevel(logging.WARNING)


def client(allowed_hosts: Sequence[str]) -> httpx.AsyncClient:
    """A client for one signature. Certificates are judged by the system's authorities, or those of SSL_CERT_FILE."""
    return httpx.AsyncClient(transport=_CheckedTransport(allowed_hosts), trust_env=False, follow_redirects=False)


class _CheckedTransport(httpx.AsyncBaseTransport):
    """httpx's own transport, to addresses that were judged."""

    def __init__(self, allowed_hosts: Sequence[str]) -> None:
        self._allowed_hosts = allowed_hosts
        self._inner = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the first address that takes a connection.

        Raises:
            AddressRefused: one of the name's addresses is not allowed.
            httpx.HTTPError: no answer.
        """
        failure: httpx.HTTPError = httpx.ConnectError("the name has no address")
        for address in await self._addresses(request.url.host, request.url.port or 443):
            try:
                return await self._inner.handle_async_request(_sent_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the name does not resolve") from None
        addresses = [str(sockaddr[0]) for *_, sockaddr in found]
        if not is_allowed(host, port, self._allowed_hosts):
            refuse_any(addresses)
        return addresses


def _sent_to(request: httpx.Request, address: str) -> httpx.Request:
    """The same request to a numeric address; its headers have the name already."""
    timeouts = {**request.extensions.get("timeout", {}), "connect": CONNECT_TIMEOUT_S}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "timeout": timeouts, "sni_hostname": request.url.host},
    )
