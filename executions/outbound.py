"""Which addresses a message may go to: URLs come from users, and who sends stands inside somebody's network.

Judged is the address that a connection is about to be made to, after the name was resolved, and nothing else: names,
redirects and odd ways to write a number all end there. Pure.
Sources: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# What the open internet does not route, and what must not be reached from inside.
_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared address space"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local, cloud metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
# Only what is allocated as global unicast is considered at all; within it these are not.
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = (
    (IPv6Network("2001::/23"), "protocol assignments, Teredo"),
    (IPv6Network("2001:db8::/32"), "documentation"),
    (IPv6Network("2002::/16"), "6to4"),
    (IPv6Network("3fff::/20"), "documentation"),
)
# A network with IPv6 only reaches the IPv4 internet through this prefix (RFC 6052); the other ways to write an IPv4
# address as IPv6 (mapped, compatible, 6to4, Teredo) have no place in the DNS of an honest receiver.
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """The name leads to an address that no message may go to. Not an OSError: HTTP libraries must not wrap it."""


def refuse_any(addresses: Iterable[str]) -> None:
    """Raises AddressRefused where one of a name's addresses must not be reached. All must be: a name with a private
    address among public ones is not an honest receiver."""
    for address in addresses:
        why = refusal(address)
        if why is not None:
            raise AddressRefused(f"its address is refused ({why}); OUTBOUND_ALLOWED_HOSTS can name the host")


def refusal(address: str) -> str | None:
    """Why no message may go to this numeric address; None when it may. What is not an address is refused too."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    return _refusal_v4(parsed) if isinstance(parsed, IPv4Address) else _refusal_v6(parsed)


def _refusal_v4(address: IPv4Address) -> str | None:
    return next((why for network, why in _REFUSED_V4 if address in network), None)


def _refusal_v6(address: IPv6Address) -> str | None:
    if address in _NAT64:
        return _refusal_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _GLOBAL_V6:
        return "loopback" if address.is_loopback else "not global IPv6"
    return next((why for network, why in _REFUSED_V6 if address in network), None)
