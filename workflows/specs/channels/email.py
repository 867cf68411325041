"""The config of an email channel: to whom. The server is the installation's, EMAIL_URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from workflows.specs.channels.config import Key, Keys

MAX_RECIPIENTS = 20
MAX_ADDRESS = 254

# One address as SMTP takes it, in ASCII: no names, comments or quotes, which parsers read differently.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def keys(allowed_hosts: Sequence[str]) -> Keys:
    return Keys((Key("to", _recipients, code="invalid_address"),))


def is_address(text: str) -> bool:
    """Whether `text` is one bare email address."""
    return len(text) <= MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _recipients(value: Any) -> list[str]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise ValueError('must be a list of addresses, like ["ops@example.com"]')
    if len(given) > MAX_RECIPIENTS:
        raise ValueError(f"must have at most {MAX_RECIPIENTS} addresses; a mailing list takes more")
    for number, address in enumerate(given, 1):
        if not isinstance(address, str) or not is_address(address.strip()):
            raise ValueError(f"must be a list of addresses like ops@example.com; number {number} is not one")
    return list(dict.fromkeys(address.strip() for address in given))
