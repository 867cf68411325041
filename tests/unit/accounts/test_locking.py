"""Boxes that web itself opens: bound to their row, and to a SECRET_KEY that may be rotated."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.locking import LockError, lock, unlock


def test_what_is_locked_for_a_row_opens_for_it() -> None:
    assert unlock("webhook_secret", 1, lock("webhook_secret", 1, b"key")) == b"key"


def test_the_same_secret_is_locked_differently_each_time() -> None:
    assert lock("webhook_secret", 1, b"key") != lock("webhook_secret", 1, b"key")


@pytest.mark.parametrize(("kind", "row_id"), [("webhook_secret", 2), ("totp_seed", 1)])
def test_a_box_that_was_copied_into_another_row_does_not_open(kind: str, row_id: int) -> None:
    with pytest.raises(LockError):
        unlock(kind, row_id, lock("webhook_secret", 1, b"key"))


@pytest.mark.parametrize("box", [b"", b"x", b"x" * 100])
def test_what_is_no_box_does_not_open(box: bytes) -> None:
    with pytest.raises(LockError):
        unlock("webhook_secret", 1, box)


def test_an_older_secret_key_opens_as_long_as_it_is_named(settings: Any) -> None:
    box = lock("webhook_secret", 1, b"key")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["other", settings.SECRET_KEY]
    assert unlock("webhook_secret", 1, box) == b"key"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(LockError) as error:
        unlock("webhook_secret", 1, box)
    assert "new" not in str(error.value)


def test_the_box_holds_neither_the_secret_nor_the_key(settings: Any) -> None:
    box = lock("webhook_secret", 1, b"a secret of some length")
    assert b"a secret" not in box and settings.SECRET_KEY.encode() not in box
