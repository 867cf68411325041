"""Every form of every page, filled with what nobody types who means well: refused or taken, never a crash."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from executions.models import Execution
from tests.hostile_inputs import ADDRESS, HUGE
from tests.integration.pages.conftest import landed
from tests.integration.pages.test_every_page import addresses
from workflows.models import Channel, Signer, Workflow

FIELD = re.compile(r'<(?:input|select|textarea|button)\b[^>]*\bname="([^"]+)"')
VALUES = [
    *("", "\x00", "a\x00b", "\ud7ff", "🙂" * 3000, "x" * 200_000, "-1", str(HUGE), "1e999", "NaN", "{}", "[]", "null"),
    *("' OR 1=1 --", "<script>alert(1)</script>", "{{ 1/0 }}", "../../etc/passwd", "%00", ADDRESS, "\r\nX-A: b", "on"),
    "[" * 5000,
]
# Besides what a page's forms name: what its buttons and scripts send.
MORE = ("reason", "choice", "role", "message", "ids", "id", "kind", "path", "value", "definition", "document", "next")


@pytest.fixture
def every(workflow: Workflow, signer: Signer, channel: Channel) -> dict[str, str]:
    found = addresses(workflow, signer, channel, landed(workflow, channel).execution_id)
    return {name: url for name, (_, url) in found.items()}


def fields_of(page: Any) -> set[str]:
    return {unescape(name) for name in FIELD.findall(page.content.decode())} - {"csrfmiddlewaretoken"}


def test_no_form_crashes(every: dict[str, str], pages: Client) -> None:
    pages.raise_request_exception = False
    crashed = []
    ends = ("CHANNELS:DELETE", "TEAM:REMOVE", "WORKFLOWS:DISABLE")
    for name, url in sorted(every.items(), key=lambda one: one[0] in ends):
        named = set(MORE) if name.isupper() else fields_of(pages.get(url)) | set(MORE)
        for value in VALUES:
            answer = pages.post(url, dict.fromkeys(named, value))
            if answer.status_code >= 500 and answer.status_code != 503:
                crashed.append((name, value[:40], answer.status_code))
            # Each field alone finds what another one's refusal hides, with the shortest of the strange values.
        for one in named if not name.isupper() else ():
            for value in ("\x00", str(HUGE), "NaN", "{}"):
                if pages.post(url, {one: value}).status_code == 500:
                    crashed.append((name, one, value))
    assert not crashed
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert Execution.objects.exists()


def test_no_query_crashes_a_page(every: dict[str, str], pages: Client) -> None:
    pages.raise_request_exception = False
    crashed = []
    for name, url in every.items():
        if name.isupper():
            continue
        named = fields_of(pages.get(url)) | {"q", "before", "after", "cursor", "page", "status", "tab", "at", "slot"}
        for value in VALUES:
            if len(value) < 10_000 and pages.get(url, dict.fromkeys(named, value)).status_code == 500:
                crashed.append((name, value[:40]))
    assert not crashed
