"""Remote addresses: what goes into the audit log, and what attempts are counted by."""

from __future__ import annotations

import pytest

from accounts.addresses import checked, counted


@pytest.mark.parametrize(
    ("claimed", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 2001:DB8:0::1 ", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("unknown", ""),
        ("192.0.2.1\n", "192.0.2.1"),
        ("192.0.2.999", ""),
        ("<script>", ""),
        ("0x7f000001", ""),
        ("1" * 5000, ""),
    ],
)
def test_an_address_is_one_or_nothing(claimed: str, address: str) -> None:
    assert checked(claimed) == address


def test_attempts_are_counted_by_address_and_of_ipv6_by_network() -> None:
    assert counted("192.0.2.1") == "192.0.2.1"
    assert counted("") == ""
    assert counted("2001:db8:1:2:3:4:5:6") == counted("2001:db8:1:2::9") == "2001:db8:1:2::"
