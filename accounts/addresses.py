"""Remote addresses, as what a request may claim them to be."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.http import HttpRequest


def checked(text: str) -> str:
    """An IP address in its shortest form, an IPv4 address mapped into IPv6 as itself; "" for what is none.

    uvicorn passes on whatever a trusted proxy wrote into X-Forwarded-For.
    """
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        # A zone names an interface of this machine, and the database's type has no place for it.
        address = IPv6Address(int(address))
        return str(address.ipv4_mapped or address)
    return str(address)


def of(request: HttpRequest) -> str | None:
    """Whence a request comes, as RemoteAddressMiddleware has checked it; None where that is not known."""
    return request.META.get("REMOTE_ADDR") or None


def counted(address: str | None) -> str:
    """What stands for an address where attempts are counted: of IPv6 the /64, which is what one customer gets."""
    if address is None or ":" not in address:
        return address or ""
    return str(IPv6Address(int(IPv6Address(address)) >> 64 << 64))
