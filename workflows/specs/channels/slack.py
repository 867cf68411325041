"""The config of a Slack channel: the URL of an incoming webhook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from workflows.specs.channels.config import Key, Keys, mask
from workflows.specs.channels.urls import split
from workflows.specs.hosts import is_allowed

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
# An app's webhook, and one that a Slack workflow begins with.
_PATH = re.compile(r"/(services|workflows|triggers)(/[A-Za-z0-9_-]{1,200}){1,5}/?")


def keys(allowed_hosts: Sequence[str]) -> Keys:
    return Keys((Key("webhook_url", partial(_webhook_url, allowed_hosts=allowed_hosts), mask, code="invalid_url"),))


def _webhook_url(value: Any, allowed_hosts: Sequence[str]) -> str:
    url = split(value)
    if is_allowed(url.host, url.port, allowed_hosts):
        return url.text
    if url.host not in HOSTS:
        raise ValueError(
            "must be a Slack incoming webhook: https on hooks.slack.com; other hosts must be named in"
            " OUTBOUND_ALLOWED_HOSTS"
        )
    if url.scheme != "https" or url.port != 443:
        raise ValueError("must use https on its usual port")
    if not _PATH.fullmatch(url.path) or url.query:
        raise ValueError("must have the path of a Slack webhook: /services/T…/B…/…")
    return f"https://{url.host}{url.path.rstrip('/')}"
