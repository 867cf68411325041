"""OUTBOUND_ALLOWED_HOSTS: the `host[:port]` that messages may reach although they are private or loopback. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def is_allowed(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether an entry of `allowed` names this host, on every port or on this one. IPv6 may be written without []."""
    name = _bare(host)
    return any(_bare(entry) == name or _with_port(entry) == (name, port) for entry in allowed)


def _bare(host: str) -> str:
    """A host as two writings of it compare equal: lower case, no brackets, no final dot."""
    name = host.lower().rstrip(".")
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name


def _with_port(entry: str) -> tuple[str, int] | None:
    """`host:port` in its two parts; None for an entry without a port."""
    host, colon, port = entry.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or (":" in host and not host.startswith("[")):
        return None
    return _bare(host), int(port)
