"""URLs that users give, read in the one way in which every parser reads them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv6Network, ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from workflows.specs.hosts import is_allowed

MAX_URL = 2048

_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
# A name of the DNS has at most 253 characters, each of its parts 63.
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
# What IPv6 allocates to the open internet, and its prefix for IPv4 addresses in disguise (6to4).
_GLOBAL_V6, _DISGUISED_V4 = IPv6Network("2000::/3"), IPv6Network("2002::/16")
# The last part of every way to write an IPv4 address, and of no name of the DNS.
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_INSIDE = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")


class Url(NamedTuple):
    """An absolute http(s) URL in its parts; `port` is always said."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def netloc(self) -> str:
        written = f"[{self.host}]" if ":" in self.host else self.host
        return written if self.port == (443 if self.scheme == "https" else 80) else f"{written}:{self.port}"

    @property
    def text(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path or '/'}{'?' if self.query else ''}{self.query}"


def split(url: Any) -> Url:
    """The URL in its parts. Raises `ValueError` that says what is wrong and repeats nothing of it."""
    if not isinstance(url, str):
        raise ValueError("must be text")
    if len(url) > MAX_URL:
        raise ValueError(f"must have at most {MAX_URL} characters")
    if not _URL_CHARACTERS.fullmatch(url):
        raise ValueError("must be a URL, without blanks, backslashes or characters outside ASCII")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ValueError("must be a URL with a host and, at most, a numeric port") from None
    scheme = parts.scheme
    if scheme not in ("http", "https"):
        raise ValueError("must begin with https://")
    # Parsers disagree about what stands before an @, so nothing may.
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if "#" in url:
        raise ValueError("must not have a fragment (#)")
    if not _HOST.fullmatch(host) or parts.netloc.endswith(":") or port == 0:
        raise ValueError("must name a host")
    return Url(scheme, host, port or (443 if scheme == "https" else 80), parts.path, parts.query)


def public_url(value: Any, allowed_hosts: Sequence[str]) -> Url:
    """An https URL on a host of the open internet, or any on one of `allowed_hosts`. What a name resolves to is judged
    when a connection is made (executions.outbound); this refuses what can be seen now.

    Raises:
        ValueError: it says what is wrong and repeats nothing of it.
    """
    url = split(value)
    if is_allowed(url.host, url.port, allowed_hosts):
        return url
    if url.scheme != "https":
        raise ValueError("must begin with https://; hosts named in OUTBOUND_ALLOWED_HOSTS may use http")
    if _is_inside(url.host):
        raise ValueError("must be on a public host; others must be named in OUTBOUND_ALLOWED_HOSTS")
    return url


def _is_inside(host: str) -> bool:
    name = host.rstrip(".")
    try:
        address = ip_address(name)
        outside = address in _GLOBAL_V6 and address not in _DISGUISED_V4 if address.version == 6 else True
        return not (outside and address.is_global) or address.is_multicast
    except ValueError:
        return "." not in name or name.endswith(_INSIDE) or _NUMBER.fullmatch(name.rpartition(".")[2]) is not None
