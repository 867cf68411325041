"""What of a request becomes its event: an id, headers without credentials, a body that can be stored exactly."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions import stored_json
from executions.webhook_requests import MAX_DEPTH, message_id, parsed_body, safe_headers


def test_the_senders_id_is_the_messages() -> None:
    assert message_id({"webhook-id": "msg_1"}, b"{}") == "msg_1"


def test_without_an_id_it_is_the_hash_of_the_raw_body() -> None:
    assert message_id({}, b'{"a":1}') == hashlib.sha256(b'{"a":1}').hexdigest()
    assert message_id({}, b'{"a":1}') != message_id({}, b'{"a": 1}')


@pytest.mark.parametrize("given_id", ["", "x" * 257, "é", "a\tb", "a\x00b"])
def test_an_id_that_cannot_be_one_is_none(given_id: str) -> None:
    assert message_id({"webhook-id": given_id}, b"") is None


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "webhook-signature",
        "x-api-key",
        "x-hub-signature-256",
        "x-forwarded-for",
        "x-auth-token",
        "host",
        "x-secret-event-token",
        "svix-signature",
    ],
)
def test_credentials_and_what_may_be_one_are_left_out(name: str) -> None:
    assert safe_headers({name: "value", "content-type": "text/plain"}) == {"content-type": "text/plain"}


def test_what_tells_the_kind_of_message_stays() -> None:
    given_headers = {
        "content-type": "application/json",
        "user-agent": "sender/1",
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "x-github-event": "push",
        "x-shopify-topic": "orders/create",
    }
    assert safe_headers(given_headers) == given_headers


def test_a_long_header_is_cut() -> None:
    assert len(safe_headers({"user-agent": "x" * 5000})["user-agent"]) == 1000


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"", None),
        (b"null", None),
        (b'{"a": [1, -2.5, true, null, "x"]}', {"a": [1, -2.5, True, None, "x"]}),
        (b'[{"slot": 1}]', [{"slot": 1}]),
        (b'"text"', "text"),
        (b"18446744073709551615", 18_446_744_073_709_551_615),
        (b"18446744073709551616", "18446744073709551616"),
        (b"-9223372036854775809", "-9223372036854775809"),
        (b"9" * 5000, "9" * 5000),
        (b"1e999", "1e999"),
        (b'{"a": "\\ud800", "\\udfff": 1}', {"a": "\ufffd", "\ufffd": 1}),
        (b"plain text", "plain text"),
        (b'{"a": NaN}', '{"a": NaN}'),
        (b'{"a": 1', '{"a": 1'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"a=1&b=2", "a=1&b=2"),
    ],
)
def test_json_is_read_exactly_and_all_else_is_text(raw: bytes, body: Any) -> None:
    assert parsed_body(raw) == body


def test_json_nested_deeper_than_can_be_looked_at_is_text() -> None:
    fits, too_deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, b"[" * 100_000 + b"]" * 100_000
    assert isinstance(parsed_body(fits), list)
    assert parsed_body(too_deep) == too_deep.decode()


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))))
def test_whatever_comes_can_be_stored(raw: bytes) -> None:
    stored = stored_json.dumps({"body": parsed_body(raw)})
    assert "body" in orjson.loads(stored)
