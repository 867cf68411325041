"""Signatures as Standard Webhooks specifies them, with its reference library as the counterpart."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from executions.webhook_signatures import TOLERANCE_S, is_signed

# The vector of the reference implementations' own tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER_KEY = b"k" * 32


def headers(**changes: str) -> dict[str, str]:
    right = {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}
    return {**right, **{f"webhook-{name}": value for name, value in changes.items()}}


def signed(body: bytes = BODY, now_s: float = TIMESTAMP, keys: tuple[bytes, ...] = (KEY,), **changes: str) -> bool:
    return is_signed(keys, headers(**changes), body, now_s)


def signature(timestamp: str, body: bytes) -> str:
    """What the specification says, for what the reference library would refuse to sign."""
    content = f"{MESSAGE_ID}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()


def test_the_specifications_vector_is_right() -> None:
    assert signed()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"a": "\xc3\xa9"}', b"x" * 100_000])
@pytest.mark.parametrize("message_id", ["msg_1", "with.dots.in.it", "a b"])
def test_what_the_reference_library_signs_is_right(body: bytes, message_id: str) -> None:
    theirs = Webhook(SECRET).sign(message_id, datetime.fromtimestamp(TIMESTAMP, UTC), body.decode())
    assert signed(body, id=message_id, signature=theirs)


def test_a_body_that_is_no_text_can_be_signed() -> None:
    body = b"\xff\x00\xfe"
    assert signed(body, signature=signature(str(TIMESTAMP), body))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "msg_other"},
        {"timestamp": str(TIMESTAMP + 1)},
        {"signature": "v1," + base64.b64encode(b"x" * 32).decode()},
        {"signature": SIGNATURE[:-2]},
        {"signature": SIGNATURE.removeprefix("v1,")},
        {"signature": SIGNATURE.replace("v1,", "v2,")},
        {"signature": SIGNATURE.replace("v1,", "v1a,")},
        {"signature": SIGNATURE.replace(",", " ")},
        {"signature": SIGNATURE + "!"},
        {"signature": "v1,"},
        {"signature": "v1,é"},
        {"signature": ",,, , v1"},
        {"signature": ""},
        {"id": ""},
        {"timestamp": ""},
    ],
)
def test_anything_else_is_wrong(changes: dict[str, str]) -> None:
    assert not signed(**changes)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_wrong(name: str) -> None:
    given = headers()
    del given[name]
    assert not is_signed([KEY], given, BODY, TIMESTAMP)


def test_another_body_is_wrong() -> None:
    assert not signed(BODY + b" ")


def test_another_key_is_wrong_and_no_key_too() -> None:
    assert not signed(keys=(OTHER_KEY,))
    assert not signed(keys=())


def test_during_a_rotation_any_key_and_any_signature_counts() -> None:
    assert signed(keys=(OTHER_KEY, KEY))
    assert signed(signature=f"v1a,AAAA v1,AAAA v1,not-base64 {SIGNATURE}")


@pytest.mark.parametrize("off_s", [-TOLERANCE_S, 0, TOLERANCE_S])
def test_five_minutes_are_tolerated_in_both_directions(off_s: int) -> None:
    assert signed(now_s=TIMESTAMP + off_s)


@pytest.mark.parametrize("off_s", [-TOLERANCE_S - 1, TOLERANCE_S + 1, 10**6])
def test_more_than_five_minutes_are_too_old_or_too_new(off_s: int) -> None:
    assert not signed(now_s=TIMESTAMP + off_s)


@pytest.mark.parametrize(
    "timestamp", ["1614265330.0", "-1614265330", "nan", "inf", "1e9", " 1614265330", "１６１４２６５３３０"]
)
def test_a_timestamp_is_whole_unix_seconds(timestamp: str) -> None:
    """Signed by the right key, so that nothing but the timestamp's form is wrong."""
    assert not signed(timestamp=timestamp, signature=signature(timestamp, BODY))
