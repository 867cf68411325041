"""Whatever is sent, the answer is a clear 4xx, and every table is as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import connection
from rest_framework.test import APIClient

from accounts.throttling import TokenThrottle
from tests import hostile_inputs as hostile

LEFT_BEHIND = {"accounts_apitoken", "accounts_session", "executions_tally"}
KINDS = {
    "webhook address": lambda value: ("channels", {"name": "x", "type": "webhook", "config": {"url": value}}),
    "discord address": lambda value: ("channels", {"name": "x", "type": "discord", "config": {"webhook_url": value}}),
    "amount": lambda value: ("workflows", paying(lamports=value)),
    "recipient": lambda value: ("workflows", paying(to=value)),
    "template": lambda value: ("workflows", workflow(actions=[{"type": "memo", "text": value}])),
    "pattern": lambda value: ("workflows", workflow(filter={"field": "event.type", "op": "regex", "value": value})),
    "condition": lambda value: ("workflows", workflow(filter=value)),
    "trigger": lambda value: ("workflows", workflow(trigger=value)),
    "secret key": lambda value: ("signers", {"name": "x", "secret_key": value}),
    "name": lambda value: ("workflows", {**workflow(), "name": value}),
    "label": lambda value: ("address-lists", {"name": "x", "entries": [{"address": hostile.ADDRESS, "label": value}]}),
    "list of addresses": lambda value: ("address-lists", {"name": "x", "entries": [{"address": value}]}),
}
SECRET_KEYS = [
    "",
    "x",
    "1" * 64,
    [1, 2],
    [256] * 64,
    [-1] * 64,
    [1.5] * 64,
    ["1"] * 64,
    [True] * 64,
    [0] * 64,
    {},
    5,
    "0OIl" * 22,
    [0] * 10_000,
]
NAMES = ["", " ", "\x00", "a\x00b", "x" * 201, None, 1.5, [], {}, "\ud800"]
LABELS = ["\x00", "x" * 1000, [], {}, "\ud800"]
INPUTS: dict[str, list[Any]] = {
    "webhook address": hostile.URLS,
    "discord address": hostile.DISCORD_URLS,
    "amount": hostile.LAMPORTS,
    "recipient": hostile.ADDRESSES,
    "template": hostile.TEMPLATES,
    "pattern": hostile.PATTERNS,
    "condition": hostile.CONDITIONS,
    "trigger": hostile.TRIGGERS,
    "secret key": SECRET_KEYS,
    "name": NAMES,
    "label": LABELS,
    # Blanks around an address come with copying it, and are cut off.
    "list of addresses": [one for one in hostile.ADDRESSES if not isinstance(one, str) or one == one.strip()],
}


def workflow(**parts: Any) -> dict[str, Any]:
    return {"name": "x", "definition": {"trigger": {"type": "manual"}, **parts}}


def paying(**parts: Any) -> dict[str, Any]:
    return workflow(actions=[{"type": "transfer_sol", "to": hostile.ADDRESS, "lamports": 1000, **parts}])


@pytest.fixture(autouse=True)
def nobody_is_too_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "allow_request", lambda *_: True)


@pytest.fixture
def untouched(api: APIClient) -> Callable[[], bool]:
    """Whether every table is as it was when the test began."""

    def digests() -> dict[str, str]:
        found = {}
        tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - LEFT_BEHIND
        with connection.cursor() as cursor:
            for table in sorted(tables):
                cursor.execute(f'SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM "{table}" row')
                found[table] = cursor.fetchone()[0]
        return found

    before = digests()
    return lambda: digests() == before


def wrong(answer: Any, *statuses: int) -> str:
    """What is wrong with this refusal; nothing, where it is as it should be."""
    if answer.status_code not in (statuses or (400,)):
        return f"{answer.status_code} {answer.content[:200]!r}"
    said = answer.json()
    if not said["detail"] or not said["code"] or (answer.status_code == 400 and len(answer.content) > 20_000):
        return f"says {answer.content[:300]!r}"
    return "" if "Traceback" not in said["detail"] and "psycopg" not in said["detail"] else said["detail"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_and_nothing_is_kept(kind: str, api: APIClient, untouched: Callable[[], bool]) -> None:
    api.raise_request_exception = False
    problems = []
    for value in INPUTS[kind]:
        resource, body = KINDS[kind](value)
        try:
            answer = api.post(f"/api/v1/{resource}/", body, format="json")
        except UnicodeEncodeError:
            # A lone surrogate leaves no client; escaped, it is among the raw bodies.
            continue
        if problem := wrong(answer):
            problems.append(f"{str(value)[:80]!r}: {problem}")
    assert not problems, "\n".join(problems)
    assert untouched()


@pytest.mark.parametrize("resource", ["workflows", "signers", "channels", "address-lists", "idls"])
def test_bodies_that_are_no_json_object_are_refused(
    resource: str, api: APIClient, untouched: Callable[[], bool]
) -> None:
    api.raise_request_exception = False
    problems = []
    for raw in hostile.RAW:
        if resource == "signers" and raw.strip() == b"":
            continue
        answer = api.post(f"/api/v1/{resource}/", raw, content_type="application/json")
        if problem := wrong(answer):
            problems.append(f"{raw[:60]!r}: {problem}")
    assert not problems, "\n".join(problems)
    assert untouched()


def test_ids_that_are_none_are_not_found(api: APIClient, untouched: Callable[[], bool]) -> None:
    api.raise_request_exception = False
    problems = []
    for resource in ("workflows", "signers", "channels", "address-lists", "idls", "executions", "deliveries"):
        for value in hostile.IDS:
            for ask in (api.get, api.delete):
                answer = ask(f"/api/v1/{resource}/{quote(value, safe='%')}/")
                if problem := wrong(answer, 404, 405):
                    problems.append(f"{resource} {value[:60]!r}: {problem}")
    assert not problems, "\n".join(problems)
    assert untouched()


@pytest.mark.parametrize("resource", ["workflows", "executions", "deliveries", "audit", "signers"])
def test_cursors_that_nobody_gave_out_are_refused(resource: str, api: APIClient) -> None:
    api.raise_request_exception = False
    problems = []
    for value in hostile.CURSORS:
        if problem := wrong(api.get(f"/api/v1/{resource}/", {"cursor": value})):
            problems.append(f"{value[:60]!r}: {problem}")
    for value in ("0", "-1", "x", "1e3", str(hostile.HUGE), "", "\x00"):
        answer = api.get(f"/api/v1/{resource}/", {"page_size": value})
        if answer.status_code not in (200, 400) or (value in ("0", "-1", "x", "\x00") and wrong(answer)):
            problems.append(f"page_size {value[:60]!r}: {answer.status_code}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "header",
    [
        {"HTTP_AUTHORIZATION": "Token"},
        {"HTTP_AUTHORIZATION": "Token \x00"},
        {"HTTP_AUTHORIZATION": "Token a b c"},
        {"HTTP_AUTHORIZATION": "Token ü"},
        {"HTTP_AUTHORIZATION": "Token " + "a" * 100_000},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"HTTP_AUTHORIZATION": "Basic YWRtaW46YWRtaW4="},
        {"HTTP_AUTHORIZATION": "Token ' OR '1'='1"},
        {"HTTP_COOKIE": "sessionid=" + "a" * 5000},
        {"HTTP_COOKIE": "sessionid=\x00; sessionid=../../x"},
    ],
)
def test_headers_that_prove_nothing_open_nothing(header: dict[str, str], db: None) -> None:
    client = APIClient(raise_request_exception=False)
    assert not wrong(client.get("/api/v1/workflows/", **header), 401)


@pytest.mark.parametrize(
    ("header", "value", "statuses"),
    [
        ("HTTP_IDEMPOTENCY_KEY", "", (400,)),
        ("HTTP_IDEMPOTENCY_KEY", "x" * 1000, (400,)),
        ("HTTP_IDEMPOTENCY_KEY", "ü\x00", (400,)),
        ("CONTENT_TYPE", "text/plain", (415,)),
        ("CONTENT_TYPE", "application/xml", (415,)),
        ("CONTENT_TYPE", "multipart/form-data; boundary=x", (415,)),
        ("CONTENT_TYPE", "application/json; charset=nothing", (400, 415)),
        ("HTTP_HOST", "evil.example", (400,)),
        ("HTTP_HOST", "localhost:x", (400,)),
    ],
)
def test_headers_that_ask_for_nothing_good_are_refused(
    header: str, value: str, statuses: tuple[int, ...], api: APIClient, untouched: Callable[[], bool]
) -> None:
    api.raise_request_exception = False
    given = {header: value, **({} if header == "CONTENT_TYPE" else {"content_type": "application/json"})}
    if header == "CONTENT_TYPE":
        given = {"content_type": value}
    assert not wrong(api.post("/api/v1/workflows/", b'{"name": "x", "definition": null}', **given), *statuses)
    assert untouched()


def test_there_are_more_than_two_hundred() -> None:
    told = sum(map(len, INPUTS.values())) + len(hostile.RAW) + len(hostile.IDS) + len(hostile.CURSORS)
    assert told > 200
